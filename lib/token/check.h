#ifndef XOS_TOKEN_CHECK_H
#define XOS_TOKEN_CHECK_H

/* Small checks shared between the files of lib/token only; not a public header. */

#include <stdbool.h>
#include <stddef.h>

#include "pki/cert.h"
#include "token/claims.h"
#include "token/delegation.h"

bool token_word_ok(const char *s, size_t max); /* [a-z][a-z0-9-]* */
bool token_name_ok(enum xos_kind kind, const char *vo, const char *name);

/* Claims of an end-entity certificate, with subject and URI compared: MALFORMED, or DENIED with
 * code "token-mismatch". Proves nothing about who issued it. */
enum xos_status token_read_claims(
    const struct xos_cert *c, struct xos_claims **out, struct xos_err *err);
/* The delegation step of a proxy, with language and form checked: DENIED, code
 * "delegation-missing". */
enum xos_status token_read_step(
    const struct xos_cert *c, struct xos_delegation **out, struct xos_err *err);
/* The restriction of a robot's token, as a first step; *out is NULL if the token has none. DENIED, code
 * "token-mismatch", for an extension that is not what the profile makes. */
#define TOKEN_ROBOT "robot" /* its actor */
enum xos_status token_read_restriction(const struct xos_cert *c, const struct xos_claims *claims,
    struct xos_delegation **out, struct xos_err *err);

#endif
