#ifndef XOS_TOKEN_TRUST_H
#define XOS_TOKEN_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "pki/cert.h"
#include "token/trustlist.h"

/*
 * Whom we trust: one root for each VO name, and issuers that we happen to know (not trusted by
 * themselves: they only help to build paths). Filled once, then read by any number of threads; to
 * reload roots, make a new one and exchange it.
 *
 * Trust lists (trustlist.h) alone change while it is read: a list of a higher serial may come at any time and
 * from any thread, and counts from the next verification on. Nothing takes one back.
 */
struct xos_trust;

struct xos_trust *xos_trust_new(void);                      /* NULL if out of memory */
struct xos_trust *xos_trust_ref(const struct xos_trust *t); /* one more owner */
void xos_trust_free(struct xos_trust *t);

/* A self-signed certificate with subject `O=<vo>, CN=<vo> root` and a valid signature. The same
 * again is OK; a different root for a VO that is known is CONFLICT (code "second-root"). */
XOS_MUST_USE enum xos_status xos_trust_add_root(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err);
/* A certificate of an issuer; kept once. */
XOS_MUST_USE enum xos_status xos_trust_add_issuer(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err);
/* Self-signed certificates become roots, other CAs issuers; anything else is refused. */
XOS_MUST_USE enum xos_status xos_trust_add_pem(
    struct xos_trust *t, struct xos_bytes pem, struct xos_err *err);
/* One PEM file, or every *.pem file of a folder, in the order of their names, and the trust list that stands in
 * the folder's trust.jws, which is followed from then on. A folder without any *.pem
 * is NOT_FOUND. The folder and its files must not be writable by others than their owner or group
 * root. */
XOS_MUST_USE enum xos_status xos_trust_load(
    struct xos_trust *t, const char *path, struct xos_err *err);

/* NULL if there is none. Borrowed. */
const struct xos_cert *xos_trust_root(const struct xos_trust *t, const char *vo);
size_t xos_trust_vo_count(const struct xos_trust *t);
const char *xos_trust_vo(const struct xos_trust *t, size_t i); /* NULL past the end */
/* Those that were added one by one, not those of lists. */
size_t xos_trust_issuer_count(const struct xos_trust *t);
const struct xos_cert *xos_trust_issuer(const struct xos_trust *t, size_t i);

/* ---- lists ---- */

#define XOS_TRUST_FILE "trust.jws" /* in a trust folder: the compact form, and a newline */

/*
 * Takes a list that a root in t signed. OK also for the one that is in force already; *news (may be NULL) says
 * whether it was another. CONFLICT "lower-serial"; CONFLICT "two-lists": another list of that serial; DENIED
 * "foreign-signer": no root here signed it; else as xos_trust_list_verify. What was in force stays.
 */
XOS_MUST_USE enum xos_status xos_trust_take_list(
    const struct xos_trust *t, struct xos_bytes compact, bool *news, struct xos_err *err);
/* Looks at this file whenever something is verified (one stat(2)) and takes the list in it. It need not be there
 * yet; reads it at once. A file that is refused changes nothing: xos_trust_health tells. */
XOS_MUST_USE enum xos_status xos_trust_follow(
    struct xos_trust *t, const char *path, struct xos_err *err);
/* For who decides thousands of times a second: from now on the files are looked at only by xos_trust_look, which is to be called
 * every second. Before other threads have t. */
void xos_trust_pace(struct xos_trust *t);
void xos_trust_look(const struct xos_trust *t);
/* Whom to ask, in the middle of a verification, when the list in force does not name a certificate: true if a newer
 * one was taken into t. Before t is shared; nothing here asks the network by itself. */
void xos_trust_ask(struct xos_trust *t, bool (*ask)(void *arg, const char *vo), void *arg);
/* Everything that is in from, and from now on every list that comes to it. */
XOS_MUST_USE enum xos_status xos_trust_join(
    struct xos_trust *t, const struct xos_trust *from, struct xos_err *err);

/* The list in force for this VO, NULL without one. Borrowed; lives as long as t. */
const struct xos_trust_list *xos_trust_list(const struct xos_trust *t, const char *vo);
/* Its compact form; the same life. Empty without a list. */
struct xos_bytes xos_trust_list_compact(const struct xos_trust *t, const char *vo);
/* Known issuers of this VO that may count (NULL: of all), at most max; active ones first. Borrowed, the same life. */
size_t xos_trust_issuers(
    const struct xos_trust *t, const char *vo, const struct xos_cert **out, size_t max);
/* xos_trust_list_judge by the list in force for that VO. */
XOS_MUST_USE enum xos_status xos_trust_judge(const struct xos_trust *t, const char *vo,
    const uint8_t fingerprint[XOS_SHA256_LEN], const char *subject, int64_t signed_at,
    struct xos_err *err);
/* Is an issuer in this chain (leaf first) tainted? Then the leaf still counts, and its owner gets a new one. */
bool xos_trust_tainted(const struct xos_trust *t, const char *vo, const struct xos_chain *chain);
/* Why the list in a file that is followed was not taken; when the list of a VO ends or ended (within 30 days), and
 * which certificate in use does. OK: nothing to tell. vo NULL: of every VO. For health warnings. */
XOS_MUST_USE enum xos_status xos_trust_health(
    const struct xos_trust *t, const char *vo, int64_t now, struct xos_err *err);

#endif
