/* Codecs of xos-cad; the client's log-in is in cad_login.c. */
#include "api/cad.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/text.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* --- token request --- */

void xos_cad_request_init(struct xos_cad_request *r)
{
	memset(r, 0, sizeof(*r));
	xos_buf_init(&r->csr, XOS_CSR_MAX);
}

void xos_cad_request_clear(struct xos_cad_request *r)
{
	for (size_t i = 0; i < r->nroles; i++)
		free(r->roles[i]);
	xos_buf_free(&r->csr);
	xos_cad_request_init(r);
}

enum xos_status xos_cad_request_add_role(
    struct xos_cad_request *r, const char *role, struct xos_err *err)
{
	if (!xos_name_is_role(role))
		return xos_err_set(err, XOS_MALFORMED, "role-name",
		    "\"%s\" is no role: write /VO/Role=NAME or /VO/GROUP/Role=NAME", role);
	if (r->nroles >= XOS_CLAIMS_ROLES_MAX)
		return xos_err_set(err, XOS_LIMIT, "roles", "at most %d roles fit into a token",
		    XOS_CLAIMS_ROLES_MAX);
	for (size_t i = 0; i < r->nroles; i++)
		if (strcmp(r->roles[i], role) == 0)
			return xos_err_set(
			    err, XOS_MALFORMED, "roles", "the role %s is asked for twice", role);
	r->roles[r->nroles] = strdup(role);
	if (!r->roles[r->nroles])
		return no_memory(err);
	r->nroles++;
	return XOS_OK;
}

struct xos_json *xos_cad_request_encode(const struct xos_cad_request *r)
{
	struct xos_json *doc = xos_json_object();
	struct xos_json *roles = xos_json_array();

	xos_json_set_bytes(doc, "csr", xos_buf_bytes(&r->csr));
	for (size_t i = 0; i < r->nroles; i++)
		xos_json_add_string(roles, r->roles[i]);
	xos_json_set(doc, "roles", roles);
	xos_json_set_int(doc, "lifetime", r->lifetime);
	if (r->totp[0])
		xos_json_set_string(doc, "totp", r->totp);
	return doc;
}

enum xos_status xos_cad_request_decode(
    const struct xos_json *doc, struct xos_cad_request *r, struct xos_err *err)
{
	const char **roles = NULL, *totp = NULL;
	size_t n = 0;
	enum xos_status st = XOS_JSON_ONLY(doc, err, "csr", "roles", "lifetime", "totp");

	xos_cad_request_init(r);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "csr", XOS_CSR_MAX, &r->csr, err);
	if (st == XOS_OK)
		st = xos_json_opt_strings(
		    doc, "roles", XOS_CLAIMS_ROLES_MAX, XOS_FQAN_MAX, &roles, &n, err);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = xos_cad_request_add_role(r, roles[i], err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(doc, "lifetime", 0, 366 * 86400, 0, &r->lifetime, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "totp", XOS_TOTP_DIGITS, &totp, err);
	if (st == XOS_OK && totp &&
	    (!xos_totp_is_code(totp) || !xos_str_copy(r->totp, sizeof(r->totp), totp)))
		st = xos_json_refuse(doc, err, "totp must be %d digits", XOS_TOTP_DIGITS);
	free(roles);
	if (st != XOS_OK)
		xos_cad_request_clear(r);
	return st;
}

enum xos_status xos_cad_request_digest(const char *vo, const struct xos_cad_request *r,
    struct xos_csr *csr, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	const char *roles[XOS_CLAIMS_ROLES_MAX];
	enum xos_status st = xos_csr_parse(xos_buf_bytes(&r->csr), csr, err);

	for (size_t i = 0; i < r->nroles; i++)
		roles[i] = r->roles[i];
	if (st == XOS_OK)
		st = xos_token_request_digest(
		    vo, csr->spki, roles, r->nroles, r->lifetime, digest, err);
	if (st == XOS_OK && r->totp[0])
		st = xos_token_request_totp(digest, r->totp, digest, err);
	return st;
}

struct xos_json *xos_cad_token_encode(const struct xos_chain *chain, int64_t server_time)
{
	struct xos_json *doc = xos_json_object();

	xos_chain_to_json(doc, "chain", chain);
	xos_json_set_time(doc, "server_time", server_time);
	return doc;
}

/* --- directory --- */

void xos_cad_directory_clear(struct xos_cad_directory *d)
{
	free(d->ca);
	free(d->rca);
	free(d->vops);
	free(d->accounting);
	memset(d, 0, sizeof(*d));
}

struct xos_json *xos_cad_directory_encode(const struct xos_cad_directory *d)
{
	struct xos_json *doc = xos_json_object();
	struct xos_json *s = xos_json_object();

	xos_json_set_string(s, "ca", d->ca);
	xos_json_set_string(s, "rca", d->rca);
	xos_json_set_string(s, "vops", d->vops);
	xos_json_set_string(s, "accounting", d->accounting);
	xos_json_set(doc, "services", s);
	return doc;
}

/* An address as vo.conf may hold it: nothing that could end the line or be another key. */
static bool is_address(const char *s)
{
	if (strncmp(s, "https://", 8) != 0 || !s[8])
		return false;
	for (const char *p = s + 8; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		        (*p >= '0' && *p <= '9') || strchr(".-:[]_", *p)))
			return false;
	return true;
}

static enum xos_status take_address(
    const struct xos_json *services, const char *key, char **out, struct xos_err *err)
{
	const char *s = NULL;
	enum xos_status st = xos_json_opt_string(services, key, 300, &s, err);

	if (st != XOS_OK || !s)
		return st;
	if (!is_address(s))
		return xos_err_set(err, XOS_MALFORMED, "json-field",
		    "services.%s: not of the form https://address:port", key);
	*out = strdup(s);
	return *out ? XOS_OK : no_memory(err);
}

enum xos_status xos_cad_directory_decode(
    const struct xos_json *doc, struct xos_cad_directory *d, struct xos_err *err)
{
	const struct xos_json *s = NULL;
	enum xos_status st = xos_json_get_object(doc, "services", &s, err);

	memset(d, 0, sizeof(*d));
	if (st == XOS_OK)
		st = take_address(s, "ca", &d->ca, err);
	if (st == XOS_OK)
		st = take_address(s, "rca", &d->rca, err);
	if (st == XOS_OK)
		st = take_address(s, "vops", &d->vops, err);
	if (st == XOS_OK)
		st = take_address(s, "accounting", &d->accounting, err);
	if (st != XOS_OK)
		xos_cad_directory_clear(d);
	return st;
}
