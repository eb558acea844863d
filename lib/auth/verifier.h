#ifndef XOS_AUTH_VERIFIER_H
#define XOS_AUTH_VERIFIER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * What the authority keeps of a password (RFC 5802 section 3, RFC 7677): enough to check a proof, and
 * not enough to make one. Whoever steals it can guess passwords offline at the price of the iterations,
 * and can pose as the authority towards that member; so it is read by one process only.
 */
#define XOS_SCRAM_SALT_LEN 16
#define XOS_SCRAM_ITERATIONS_MIN 4096 /* RFC 7677 section 4 */
#define XOS_SCRAM_ITERATIONS_MAX 10000000
#define XOS_SCRAM_ITERATIONS 65536 /* default */
#define XOS_PASSWORD_MIN 8         /* bytes of a new password */
#define XOS_PASSWORD_MAX 256

/* Which of a member's secrets is meant. */
enum xos_scram_kind { XOS_SCRAM_PASSWORD, XOS_SCRAM_CODE };

struct xos_scram_verifier {
	uint32_t iterations;
	uint8_t salt[XOS_SCRAM_SALT_LEN];
	uint8_t stored_key[XOS_SHA256_LEN];
	uint8_t server_key[XOS_SHA256_LEN];
};

/*
 * Passwords are printable ASCII (0x20-0x7e), at most XOS_PASSWORD_MAX bytes and not empty. On these
 * SASLprep (RFC 4013) is the identity; anything else is refused, on both sides alike, because two
 * keyboards may send different bytes for one visible character (docs/decisions/password-characters.md).
 * MALFORMED with code "password-characters" or "password-length".
 */
XOS_MUST_USE enum xos_status xos_password_check(struct xos_secret *password, struct xos_err *err);

/* From a new password, with a random salt. MALFORMED: the check above, shorter than
 * XOS_PASSWORD_MIN, or iterations out of bounds. */
XOS_MUST_USE enum xos_status xos_scram_verifier_make(struct xos_secret *password,
    uint32_t iterations, struct xos_scram_verifier *out, struct xos_err *err);

/* A verifier that no password satisfies, for a member that does not exist: the salt is an HMAC of the
 * name under a secret of the authority, so that it looks the same at each attempt. */
XOS_MUST_USE enum xos_status xos_scram_verifier_fake(struct xos_bytes secret, const char *member,
    uint32_t iterations, struct xos_scram_verifier *out);

/*
 * The salt of a member's one-time codes, whether there is a code, or a member, or not: nobody sees at the
 * salt that somebody was given a code. It may be known, for a code is 90 random bits and no table of
 * guesses can be made.
 */
XOS_MUST_USE enum xos_status xos_scram_code_salt(
    const char *member, uint8_t salt[XOS_SCRAM_SALT_LEN]);
/* As xos_scram_verifier_make, of a one-time code (code.h) and with that salt. */
XOS_MUST_USE enum xos_status xos_scram_verifier_make_code(struct xos_secret *code,
    const char *member, uint32_t iterations, struct xos_scram_verifier *out, struct xos_err *err);
/* As fake, for a member who has no code. */
XOS_MUST_USE enum xos_status xos_scram_verifier_fake_code(
    const char *member, uint32_t iterations, struct xos_scram_verifier *out);

/* "SCRAM-SHA-256$65536:<salt>$<StoredKey>:<ServerKey>", base64 (the authPassword form of RFC 5803). */
#define XOS_SCRAM_VERIFIER_TEXT 160
XOS_MUST_USE enum xos_status xos_scram_verifier_format(
    const struct xos_scram_verifier *v, char out[XOS_SCRAM_VERIFIER_TEXT]);
/* Exactly that form with a salt of our length. */
XOS_MUST_USE enum xos_status xos_scram_verifier_parse(
    const char *text, struct xos_scram_verifier *out, struct xos_err *err);

#endif
