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
/* What the end entity itself carries as a first step: the restriction of a robot's token, or what a certificate of
 * kind delegation delegates; *out is NULL for one that carries none. DENIED, code "token-mismatch", for an
 * extension that is not what the profile makes; "delegation-missing" where there must be one. */
#define TOKEN_ROBOT "robot" /* its actor */
enum xos_status token_read_restriction(const struct xos_cert *c, const struct xos_claims *claims,
    struct xos_delegation **out, struct xos_err *err);
/* The URI of an end entity with these claims and this step of its own (NULL: none). */
enum xos_status token_read_uri(const struct xos_claims *claims, const struct xos_delegation *own,
    char out[XOS_URI_MAX], struct xos_err *err);

struct xos_issuer;
/* May this issuer issue for these claims: its marker, or the root of that VO for what the root alone signs? */
enum xos_status token_check_issuer(
    const struct xos_issuer *issuer, const struct xos_claims *c, struct xos_err *err);

#endif
