#ifndef XOS_API_RULES_H
#define XOS_API_RULES_H

#include <stdint.h>

#include "api/cad.h"

/*
 * The VO's rules and their acceptance (docs/protocols). Accepting is a proof of its own, by SCRAM as a log-in,
 * whose channel binding is the digest below: nobody on the way can make a member accept another text, or
 * turn a log-in into an acceptance or the reverse.
 */
#define XOS_RULES_TEXT_MAX (24 * 1024)
#define XOS_RULES_ACCEPT_MAX 1024 /* bytes of a body */

struct xos_rules {
	uint64_t version;
	int64_t since;
	uint8_t digest[XOS_SHA256_LEN]; /* of the text */
	char *text;                     /* owned */
};
void xos_rules_clear(struct xos_rules *r);

/* {"version", "since", "sha256", "text"}; decoding demands that the digest is the text's. */
struct xos_json *xos_rules_encode(const struct xos_rules *r);
XOS_MUST_USE enum xos_status xos_rules_decode(
    const struct xos_json *doc, struct xos_rules *out, struct xos_err *err);
/* {"version", "sha256"}: the body of an acceptance. */
XOS_MUST_USE enum xos_status xos_rules_accept_decode(
    struct xos_bytes body, uint64_t *version, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err);
/* What SCRAM binds: SHA-256 over a domain separator, VO, version and digest. */
XOS_MUST_USE enum xos_status xos_rules_binding(const char *vo, uint64_t version,
    const uint8_t digest[XOS_SHA256_LEN], uint8_t out[XOS_SHA256_LEN], struct xos_err *err);

/* --- client half --- */

/* Those in force; NOT_FOUND with code "no-rules". */
XOS_MUST_USE enum xos_status xos_rules_fetch(
    struct xos_client *client, const char *vo, struct xos_rules *out, struct xos_err *err);
/* With VO, member and password (or code) of login. */
XOS_MUST_USE enum xos_status xos_rules_accept(struct xos_client *client,
    const struct xos_cad_login *login, const struct xos_rules *rules, struct xos_err *err);

#endif
