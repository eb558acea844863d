#ifndef XOS_JOBS_REFRESH_H
#define XOS_JOBS_REFRESH_H

#include <stdbool.h>

#include "base/status.h"
#include "jobs/renewal.h"
#include "local/client.h"

/*
 * What the starter makes of renewals: it asks xos-credd every second what has changed, exchanges the private copy of a job's
 * credential, and leaves in the run folder how it stands. xos-credd tells by number of change, so that an idle node asks and hears
 * next to nothing; after a restart of either it tells all, and what is right already is left alone.
 */
struct xos_starter;
struct xos_refresh;

/* A connection of its own, with a time-out that a frozen xos-credd does not stretch. */
XOS_MUST_USE enum xos_status xos_refresh_new(
    const struct xos_starter *s, struct xos_refresh **out, struct xos_err *err);
void xos_refresh_free(struct xos_refresh *f); /* NULL-safe */
/* Called every tick. */
void xos_refresh_tick(struct xos_starter *s);
/* Order GRANT: a longer one for a job that runs. */
enum xos_status xos_refresh_order(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* For a job that begins: gives the grant to xos-credd. *note: why its credential is not renewed all the same, if this
 * xos-credd cannot; "" if it is. An error refuses the job: the grant is not the one for it. */
XOS_MUST_USE enum xos_status xos_refresh_grant(struct xos_starter *s, const char *id,
    const struct xos_bytes *chain, size_t n, struct xos_bytes grant, char note[256],
    struct xos_err *err);
/* That it is not renewed, and why, for whoever asks later. */
void xos_refresh_none(struct xos_starter *s, const char *id, const char *note);

#endif
