#ifndef XOS_VOPS_SHELF_H
#define XOS_VOPS_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/shared.h"
#include "base/status.h"
#include "bundle/peek.h"

/*
 * The bundles of the sites as the network process gives them out: of each site the current one, what the last ones
 * were made of, so that a node is sent only what it lacks, and what each of them said, so that it can be told which nodes have
 * enforced what. One answer is made for all nodes that have the same. Not thread-safe: the caller locks.
 */
struct vops_shelf;

struct vops_shelf *vops_shelf_new(void); /* NULL: out of memory */
void vops_shelf_free(struct vops_shelf *s);

/* Serial of the current bundle of a site; 0: none yet. */
uint64_t vops_shelf_serial(const struct vops_shelf *s, const char *site);
/* A new one. MALFORMED if it is no archive. Only sites that auth knows are put here, VOPS_SITES_MAX at most. */
XOS_MUST_USE enum xos_status vops_shelf_put(
    struct vops_shelf *s, const char *site, struct xos_bytes archive, struct xos_err *err);
/*
 * The current one for a node that has `have` (0: none): all of it, or what it lacks. Borrowed until the next give or put of that
 * site; who takes a reference has it for longer.
 * NOT_FOUND: there is none yet.
 */
XOS_MUST_USE enum xos_status vops_shelf_give(struct vops_shelf *s, const char *site, uint64_t have,
    struct xos_shared **out, struct xos_err *err);
/* What the bundle of that serial said; NULL: not known any more, or never. */
const struct xos_bundle_sight *vops_shelf_sight(
    const struct vops_shelf *s, const char *site, uint64_t serial);

/* Bytes of bundles that are held, of all sites. */
size_t vops_shelf_bytes(const struct vops_shelf *s);

#endif
