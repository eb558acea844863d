#ifndef XOS_CA_RELOAD_H
#define XOS_CA_RELOAD_H

#include "ca/auth/auth.h"
#include "ca/key/key.h"
#include "ca/network/network.h"

/* The keys of the configuration that a SIGHUP brings into force. */
extern const char *const ca_conf_reloads[];

/* The trust folder read again; NULL, after an event, if what was before is to stay. */
struct xos_trust *ca_trust_again(const struct ca_conf *conf, const struct xos_trust *old);

/* For the loops of the three processes. */
void ca_key_hup(void *key);
void ca_auth_hup(void *auth);
void ca_network_hup(void *network);

#endif
