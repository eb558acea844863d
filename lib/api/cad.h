#ifndef XOS_API_CAD_H
#define XOS_API_CAD_H

#include <stdint.h>

#include "auth/totp.h"
#include "auth/verifier.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"
#include "json/json.h"
#include "net/client.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "token/claims.h"
#include "token/request.h"
#include "token/verify.h"

/*
 * What xos-cad and its clients say to each other (docs/protocols): the directory, log-in. Joining is in
 * trustdoc.h, commands of administrators in command.h.
 */
#define XOS_CAD_REQUEST_MAX (32 * 1024) /* bytes of a log-in's body */
#define XOS_CAD_ANSWER_MAX (512 * 1024)

/* --- what a log-in asks for: {"csr", "roles", "lifetime", "totp"}; lifetime 0: the VO's default; totp: the
 * code of a second factor --- */

struct xos_cad_request {
	struct xos_buf csr; /* DER */
	char *roles[XOS_CLAIMS_ROLES_MAX];
	size_t nroles;
	int64_t lifetime;               /* seconds */
	char totp[XOS_TOTP_DIGITS + 1]; /* "": none */
};

void xos_cad_request_init(struct xos_cad_request *r);
void xos_cad_request_clear(struct xos_cad_request *r);
XOS_MUST_USE enum xos_status xos_cad_request_add_role(
    struct xos_cad_request *r, const char *role, struct xos_err *err);
struct xos_json *xos_cad_request_encode(const struct xos_cad_request *r);
/* r is initialised here; on failure there is nothing to clear. */
XOS_MUST_USE enum xos_status xos_cad_request_decode(
    const struct xos_json *doc, struct xos_cad_request *r, struct xos_err *err);
/* Checks the CSR (it proves possession of its key) and gives the digest that SCRAM binds: with the totp, if there
 * is one. csr borrows from r. */
XOS_MUST_USE enum xos_status xos_cad_request_digest(const char *vo, const struct xos_cad_request *r,
    struct xos_csr *csr, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err);

/* --- {"chain": [DER...], "server_time"} --- */

struct xos_json *xos_cad_token_encode(const struct xos_chain *chain, int64_t server_time);

/* --- directory: {"services": {"ca", "rca", "vops", "accounting"}}, each may be absent --- */

struct xos_cad_directory {
	char *ca, *rca, *vops, *accounting; /* "https://127.0.0.1:4443"; NULL: none */
};
void xos_cad_directory_clear(struct xos_cad_directory *d);
struct xos_json *xos_cad_directory_encode(const struct xos_cad_directory *d);
XOS_MUST_USE enum xos_status xos_cad_directory_decode(
    const struct xos_json *doc, struct xos_cad_directory *d, struct xos_err *err);

/* --- client half --- */

XOS_MUST_USE enum xos_status xos_cad_fetch_directory(
    struct xos_client *client, const char *vo, struct xos_cad_directory *out, struct xos_err *err);

struct xos_cad_login {
	const char *vo, *member;
	enum xos_scram_kind kind; /* of what: */
	struct xos_secret *password;
	const char *const *roles;
	size_t nroles;
	int64_t lifetime;              /* seconds; 0: the VO's default */
	const char *totp;              /* code of a second factor; NULL: none */
	const struct xos_trust *trust; /* the answer is verified under it */
	struct xos_bytes csr; /* DER: of a key that stands elsewhere; empty: a key is made */
};
struct xos_cad_login_result {
	struct xos_chain chain;          /* with the new key, unless it stands elsewhere */
	struct xos_identity *token;      /* the leaf, verified */
	int64_t server_time, local_time; /* at the same moment, within half a round trip */
};
void xos_cad_login_clear(struct xos_cad_login_result *r);
/* Reads an answer into out, and checks that it is what `login` asked for, for the key `key`. */
XOS_MUST_USE enum xos_status xos_cad_token_decode(const struct xos_json *answer,
    const struct xos_cad_login *login, const struct xos_key *key, struct xos_cad_login_result *out,
    struct xos_err *err);

/*
 * Makes a key, proves the password, and gives the token. Nothing is believed on the way that was not
 * checked: the server proves that it knows the password's verifier, and the certificate must be
 * this member's, for this key, with the roles asked for, under `trust`. DENIED: "credentials",
 * "locked", "role-not-held" ...; "server-proof", "token-other-key" if the answer is not honest.
 */
XOS_MUST_USE enum xos_status xos_cad_login(struct xos_client *client,
    const struct xos_cad_login *login, struct xos_cad_login_result *out, struct xos_err *err);

#endif
