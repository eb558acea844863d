#ifndef XOS_SERVICE_KEEP_H
#define XOS_SERVICE_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"
#include "token/trust.h"

/*
 * Keeps one certificate with its key in force: reads it anew when somebody replaces the files, renews it past half of
 * its life, rescues it after its end, and tells the authority that the new one is in use (api/keep.h). For daemons,
 * which call xos_keep_round again and again, and for tools, which call it once by force. The folder of the key is
 * locked meanwhile, so that two programs never renew one certificate at the same time: the second would look like
 * a thief.
 *
 * Everything waits by chance: what is due already when a daemon starts, and after each failure longer, so that nodes
 * that started together or missed the same server do not come back together. Waiting goes by the monotonic clock:
 * a clock that is set does not stretch it.
 */
struct xos_keep;

struct xos_keep_options {
	const char *certificate, *key; /* paths; copied, as are the others */
	const char *url;               /* of xos-rcad; NULL: read only, never renewed */
	const char *vo;
};

enum xos_kept {
	XOS_KEPT_NOTHING,
	XOS_KEPT_READ, /* the files are other ones than before */
	XOS_KEPT_RENEWED,
	XOS_KEPT_RESCUED
};

struct xos_keep_state {
	int64_t not_before, not_after,
	    renew_after;              /* of the certificate in use; 0: none was read */
	uint8_t spki[XOS_SHA256_LEN]; /* digest of its key */
	bool confirmed;               /* the authority knows that it is in use */
	bool refused;                 /* the authority's last word was no */
	struct xos_err last;          /* of the last round that failed; OK since a success */
};

XOS_MUST_USE enum xos_status xos_keep_new(
    const struct xos_keep_options *o, struct xos_keep **out, struct xos_err *err);
void xos_keep_free(struct xos_keep *k);
/*
 * Does what is due, with force also what is not. Blocks on the network for some seconds. Another program at work on
 * the files: NOTHING, or by force UNAVAILABLE "renew-busy" after some seconds of waiting. What fails counts from its
 * own try on; until then NOTHING. xos_keep_state.last has the failure as well.
 */
XOS_MUST_USE enum xos_status xos_keep_round(struct xos_keep *k, const struct xos_trust *trust,
    bool force, enum xos_kept *did, struct xos_err *err);
/* Reads the files only, if they are other ones than before; quick. */
XOS_MUST_USE enum xos_status xos_keep_read(
    struct xos_keep *k, enum xos_kept *did, struct xos_err *err);
const struct xos_keep_state *xos_keep_state(const struct xos_keep *k);
/* What is in use, with its key; *out zeroed. NOT_FOUND before one was read. */
XOS_MUST_USE enum xos_status xos_keep_chain(
    const struct xos_keep *k, struct xos_chain *out, struct xos_err *err);

/* Seconds to wait after the nth failure in a row (from 1) for a certificate of this life: between half of a bound
 * and the bound, which doubles from 1/40 of the life (2 s to 5 min) up to 1/20 of it (an hour at most). */
int64_t xos_keep_pause(int64_t life, unsigned failures);
/* Seconds to wait when it is due at the first look; left: what is left of its life, negative after the end. */
int64_t xos_keep_start(int64_t life, int64_t left);

#endif
