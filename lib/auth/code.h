#ifndef XOS_AUTH_CODE_H
#define XOS_AUTH_CODE_H

#include "base/secret.h"
#include "base/status.h"

/*
 * One-time codes: what an administrator gives to somebody who has no password (yet, or any more). Made on
 * the administrator's machine; the authority gets a verifier (xos_scram_verifier_make_code), as with passwords. 18 random characters (90
 * bits) of 32 that are not mistaken for each other, and two that check them, in groups of four:
 *
 *   4h7k-zq2m-9d3f-x8vt-rw6p
 */
#define XOS_CODE_LEN 20                  /* without hyphens: the form that is hashed */
#define XOS_CODE_TEXT (XOS_CODE_LEN + 5) /* with hyphens and NUL */
#define XOS_CODE_TYPED_MAX 64            /* bytes that may be typed for one */

/* A new code, without hyphens. NULL if out of memory. */
struct xos_secret *xos_code_make(void);
/* For the person: with hyphens. The caller wipes it. */
void xos_code_format(struct xos_secret *code, char out[XOS_CODE_TEXT]);
/*
 * What was typed, in the form that is hashed: letters of either case, hyphens and spaces anywhere, o for 0, i and
 * l for 1. MALFORMED with code "code-form" or "code-mistyped": so that a typing error costs no attempt.
 */
XOS_MUST_USE enum xos_status xos_code_read(
    struct xos_secret *typed, struct xos_secret **out, struct xos_err *err);
#endif
