#ifndef XOS_API_APPLY_H
#define XOS_API_APPLY_H

#include <stdint.h>

#include "auth/verifier.h"
#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/digest.h"

/*
 * Applying for membership, which needs no token (docs/protocols). The applicant's side makes the verifier of
 * the wished password and a secret; the authority keeps the secret's SHA-256 and tells whoever shows the
 * secret what became of the application, and nobody else.
 */
#define XOS_APPLY_MAX (8 * 1024) /* bytes of a body */
#define XOS_APPLY_ID_LEN 16      /* hexadecimal digits */
#define XOS_APPLY_SECRET_LEN 32  /* hexadecimal digits */
#define XOS_APPLY_CONTACT_MAX 200
#define XOS_APPLY_TEXT_MAX 1000

struct xos_application {
	char name[XOS_MEMBER_MAX + 1];
	char contact[XOS_APPLY_CONTACT_MAX + 1];
	char text[XOS_APPLY_TEXT_MAX + 1];
	struct xos_scram_verifier verifier;
	uint8_t secret[XOS_SHA256_LEN]; /* digest of the secret's text */
};

/* {"name", "contact", "text", "verifier", "secret"}; secret is the digest, base64. Decoding cleans contact and
 * text of control characters; whether name is a member name depends on the VO and is for the caller. */
struct xos_json *xos_application_encode(const struct xos_application *a);
XOS_MUST_USE enum xos_status xos_application_decode(
    struct xos_bytes body, struct xos_application *out, struct xos_err *err);
/* {"secret"}: the text itself, out of the body of a question. */
XOS_MUST_USE enum xos_status xos_application_secret(
    struct xos_bytes body, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err);
bool xos_application_is_id(const char *id);

/* --- client half --- */

/* What the VO says of itself to anybody: {"vo", "title", "contact", "model", "ends", "closed", "rules",
 * "iterations"}; a document of the caller's. */
XOS_MUST_USE enum xos_status xos_about_fetch(
    struct xos_client *client, const char *vo, struct xos_json **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_application_send(struct xos_client *client, const char *vo,
    const struct xos_application *a, char id[XOS_APPLY_ID_LEN + 1], struct xos_err *err);
/* {"state": "pending"|"approved"|"denied", "name", "message"?}; NOT_FOUND (code "no-application") also if
 * the secret is not the one. */
XOS_MUST_USE enum xos_status xos_application_ask(struct xos_client *client, const char *vo,
    const char *id, const char *secret, struct xos_json **out, struct xos_err *err);

#endif
