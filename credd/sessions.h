#ifndef XOS_CREDD_SESSIONS_H
#define XOS_CREDD_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "credd/decide.h"
#include "credd/sessionfile.h"

/*
 * The credentials of sessions: for each a key made here for whoever asked, and its chain once it came. Keys stand in
 * secret memory (vault.h), and in DIR/<id>, 0600, so that a restart loses none; DIR should lie on a tmpfs. Belongs to
 * one thread. Each operation is done and durable when it returns XOS_OK.
 *
 * A credential ends when it is destroyed, an hour after its chain, ten minutes after it was asked for if no chain came
 * (both by a clock that nobody steps), with the session that it is bound to, with the lease of its uid to a job, and with
 * the boot.
 */
struct xos_credd_sessions;

#define XOS_CREDD_AWAITED_KEEP 600
#define XOS_CREDD_ENDED_KEEP 3600
#define XOS_CREDD_SESSION_PREFIX "s-" /* no job's identifier begins so */

struct xos_credd_sessions_options {
	const char *dir;  /* made if missing */
	const char *boot; /* identifier of this boot, XOS_CREDD_BOOT_ID characters */
	size_t max, per_user;
};

/* Reads what is there. What another boot left, or whose session is over, is removed; what is damaged is moved aside to
 * .damaged-<id> with an event; what cannot be read now stays for the next start. */
XOS_MUST_USE enum xos_status xos_credd_sessions_open(const struct xos_credd_sessions_options *o,
    struct xos_credd_sessions **out, struct xos_err *err);
void xos_credd_sessions_free(struct xos_credd_sessions *s); /* files stay */
size_t xos_credd_sessions_count(const struct xos_credd_sessions *s);
bool xos_credd_sessions_locked(const struct xos_credd_sessions *s);
bool xos_credd_sessions_on_tmpfs(const struct xos_credd_sessions *s);

/* Makes a key for uid and appends the request for it to csr. leader: with whose end it ends; NULL: none. LIMIT
 * "too-many" for this uid, "sessions-max" in all. *id is borrowed. */
XOS_MUST_USE enum xos_status xos_credd_sessions_create(struct xos_credd_sessions *s, uint32_t uid,
    bool exportable, const struct xos_credd_leader *leader, int64_t now, const char **id,
    struct xos_buf *csr, struct xos_err *err);
/* Takes a chain that was verified (known). DENIED "credential-key": for another key; CONFLICT "credential-member": it
 * was another member's before. */
XOS_MUST_USE enum xos_status xos_credd_sessions_put(struct xos_credd_sessions *s, uint32_t uid,
    const char *id, const struct xos_known *known, const struct xos_bytes *chain, size_t n,
    struct xos_err *err);

/* The one of this uid, with its session still there. NOT_FOUND "no-credential", also for one of another uid: what others
 * have is not told; EXPIRED "session-over": it was ended now, with its session; UNAVAILABLE "session-unknown". */
XOS_MUST_USE enum xos_status xos_credd_sessions_find(struct xos_credd_sessions *s, uint32_t uid,
    const char *id, const struct xos_credd_session **out, struct xos_err *err);
/* Walks all in no stated order: NULL at first, NULL at the end. */
const struct xos_credd_session *xos_credd_sessions_next(
    const struct xos_credd_sessions *s, const struct xos_credd_session *at);
/* PEM, borrowed until the credential changes. */
struct xos_bytes xos_credd_sessions_key(
    const struct xos_credd_sessions *s, const struct xos_credd_session *session);

/* Wipes and removes. any: whatever the uid. NOT_FOUND as above. */
XOS_MUST_USE enum xos_status xos_credd_sessions_destroy(
    struct xos_credd_sessions *s, uint32_t uid, bool any, const char *id, struct xos_err *err);
/* Ends all of a uid, files first: what cannot be removed stays, and is the error, since it would come back with the next
 * start. */
XOS_MUST_USE enum xos_status xos_credd_sessions_end_uid(
    struct xos_credd_sessions *s, uint32_t uid, const char *why, struct xos_err *err);
/* Ends what has ended (see above). Call it now and then. mono_ms: of xos_clock_mono_ms. */
void xos_credd_sessions_sweep(struct xos_credd_sessions *s, int64_t now, int64_t mono_ms);

#endif
