#ifndef XOS_CREDD_PUBLISH_H
#define XOS_CREDD_PUBLISH_H

#include "credd/view.h"

/*
 * The map of accounts (local/accountmap.h) in the state folder, for NSS: written when the roster or the site's rules
 * are others than those of the file that is there. Takes about 0.1 s for 100 000 members, so the thread that fetches
 * calls it. A slice that is refused takes the map away: its numbers may be somebody's on this machine. Without a
 * bundle, what is there stays. v->map says how it went; that it could not be written stops nothing else.
 */
#define XOS_CREDD_MAP_FILE "accounts.map"

void xos_credd_map_publish(const struct xos_credd_self *self, struct xos_credd_view *v);

#endif
