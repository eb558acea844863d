#ifndef XOS_API_COMMAND_H
#define XOS_API_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/cert.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * Commands: what an administrator asks of an authority, signed by the key of the administrator's own
 * token, so that nobody on the way (nor the front end of the authority) can make or change one.
 *
 *   POST /v1/vo/{vo}/commands   {"command": "<JWS>", "chain": ["<DER>", ...]}   ->   {"result": ...}
 *   payload of the JWS: {"vo", "aud", "verb", "args", "iat", "exp", "jti"}
 *
 * Both halves are here, for all authorities alike. Not here: whether the signer may (a role in the token
 * is what it was at log-in; an authority that knows the membership asks that too), and whether the
 * jti was seen before: the server keeps those until exp and refuses a second one with code
 * "command-replayed".
 */
#define XOS_COMMAND_TYP "xos-command+jws"
#define XOS_COMMAND_LIFE 120     /* seconds that our client gives one */
#define XOS_COMMAND_LIFE_MAX 300 /* longest that a server accepts */
#define XOS_COMMAND_VERB_MAX 48  /* [a-z][a-z.-]* */
#define XOS_COMMAND_JTI_LEN 32   /* hexadecimal digits */
#define XOS_COMMAND_AUD_MAX 15
#define XOS_COMMAND_BODY_MAX (1024 * 1024)

struct xos_command {
	char vo[XOS_VO_MAX + 1];
	char aud[XOS_COMMAND_AUD_MAX + 1];
	char verb[XOS_COMMAND_VERB_MAX + 1];
	char jti[XOS_COMMAND_JTI_LEN + 1];
	int64_t iat, exp;
	struct xos_json *args;          /* an object; owned, as is signer */
	struct xos_identity *signer;    /* verified: a member acting directly, no delegation */
	uint8_t digest[XOS_SHA256_LEN]; /* of the compact form: names this command in a log */
};

void xos_command_free(struct xos_command *c);

/* --- client half --- */

/* token: the member's chain with its key. args is borrowed; NULL means {}. Gives the body to send. */
XOS_MUST_USE enum xos_status xos_command_sign(const struct xos_chain *token, const char *vo,
    const char *aud, const char *verb, const struct xos_json *args, int64_t now,
    struct xos_json **body, struct xos_err *err);
/* Signs, sends, and gives "result" of the answer as a document of its own (NULL result: not wanted).
 * Takes args, also when it fails. */
XOS_MUST_USE enum xos_status xos_command_send(struct xos_client *client,
    const struct xos_chain *token, const char *vo, const char *aud, const char *verb,
    struct xos_json *args, struct xos_json **result, struct xos_err *err);

/* --- server half --- */

struct xos_command_opts {
	const struct xos_trust *trust;
	const char *vo, *aud;
	int64_t now;
	int64_t skew; /* seconds; also between signer's clock and ours */
};

/*
 * From the bytes of the request body: chain (kind user, no delegation), signature by the leaf's key,
 * audience, VO, times, form of verb and jti, no unknown members. *out only on XOS_OK. Codes:
 * "command-audience", "command-time", "json-field", and those of verify.h and jws.h.
 */
XOS_MUST_USE enum xos_status xos_command_open(struct xos_bytes body,
    const struct xos_command_opts *opts, struct xos_command **out, struct xos_err *err);

/* Is the role /<vo>/Role=admin active in the signer's token? */
bool xos_command_is_admin(const struct xos_command *c);
/* OK if so, else DENIED with code "not-administrator" and what to do about it. */
XOS_MUST_USE enum xos_status xos_command_demand_admin(
    const struct xos_command *c, struct xos_err *err);

/* {"result": ...}; result is taken, NULL gives {}. */
struct xos_json *xos_command_answer(struct xos_json *result);

#endif
