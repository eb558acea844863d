#ifndef XOS_VOPS_CONTACTS_H
#define XOS_VOPS_CONTACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"

/*
 * Who asked for bundles and what each has in force by its own word: in memory only. After a restart nothing is claimed about a node
 * before it has asked again. Not thread-safe: the caller locks.
 */
#define VOPS_CONTACTS_MAX 200000u

struct vops_contact {
	char node[XOS_NODE_MAX + 1];
	char site[XOS_SITE_MAX + 1];
	uint64_t serial; /* of the bundle in force; 0: none */
	int64_t seen;    /* when it asked last */
	int64_t until;   /* how long it can decide by that bundle, by its own word; 0: not said */
};

struct vops_contacts;
struct vops_contacts *vops_contacts_new(void); /* NULL: out of memory */
void vops_contacts_free(struct vops_contacts *c);
/* LIMIT: too many; the node is served all the same, and shows as not reached. */
XOS_MUST_USE enum xos_status vops_contacts_note(
    struct vops_contacts *c, const struct vops_contact *now, struct xos_err *err);
size_t vops_contacts_count(const struct vops_contacts *c);
const struct vops_contact *vops_contacts_at(
    const struct vops_contacts *c, size_t i); /* in no order */

#endif
