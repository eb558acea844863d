/* The token extension in DER. */

#include <string.h>

#include "base/text.h"
#include "pki/der.h"
#include "token/check.h"

#define VERSION 1
#define VERSION_MFA 2
#define TAG_SERVICE (XOS_DER_CONTEXT | 0)
#define TAG_AUTH (XOS_DER_CONTEXT_CONSTRUCTED | 1)
#define TAG_HOME (XOS_DER_CONTEXT | 0)
#define TAG_MFA (XOS_DER_CONTEXT | 1)

static void put_list(struct xos_der *w, char *const *list, size_t n)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		xos_der_put_str(w, XOS_DER_UTF8, list[i]);
	xos_der_end(w);
}

static void put_claims(struct xos_der *w, const struct xos_claims *c)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_u64(w, XOS_DER_INTEGER, c->auth_mfa ? VERSION_MFA : VERSION);
	xos_der_put_u64(w, XOS_DER_ENUMERATED, c->kind);
	xos_der_put_str(w, XOS_DER_UTF8, c->vo);
	xos_der_put_str(w, XOS_DER_UTF8, c->name);
	if (c->service[0])
		xos_der_put_str(w, TAG_SERVICE, c->service);
	xos_der_put_u64(w, XOS_DER_INTEGER, c->number);
	put_list(w, c->groups, c->ngroups);
	put_list(w, c->roles, c->nroles);
	if (c->auth_method[0]) {
		xos_der_begin(w, TAG_AUTH);
		xos_der_put_str(w, XOS_DER_UTF8, c->auth_method);
		xos_der_put_time(w, c->auth_time);
		if (c->home_org[0])
			xos_der_put_str(w, TAG_HOME, c->home_org);
		if (c->auth_mfa)
			xos_der_put_u64(w, TAG_MFA, 1);
		xos_der_end(w);
	}
	xos_der_end(w);
}

enum xos_status xos_claims_encode(
    const struct xos_claims *c, struct xos_buf *out, struct xos_err *err)
{
	enum xos_status st = xos_claims_check(c, err);
	size_t before = out->n;
	struct xos_der w;

	if (st != XOS_OK)
		return st;
	xos_der_init(&w, out);
	put_claims(&w, c);
	st = xos_der_finish(&w);
	if (st == XOS_OK && out->n - before > XOS_CLAIMS_DER_MAX)
		st = XOS_LIMIT;
	if (st != XOS_OK) {
		out->n = before;
		return xos_err_set(err, st, "claims",
		    "the claims of %s do not fit into a token of %d bytes", c->name,
		    XOS_CLAIMS_DER_MAX);
	}
	return XOS_OK;
}

static bool read_groups(struct xos_reader *r, struct xos_claims *c)
{
	char name[XOS_FQAN_MAX + 1];
	struct xos_reader in;

	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &in))
		return false;
	while (in.left)
		if (!xos_der_str(&in, XOS_DER_UTF8, name, sizeof(name)) ||
		    xos_claims_add_group(c, name, NULL) != XOS_OK)
			return false;
	return true;
}

static bool read_roles(struct xos_reader *r, struct xos_claims *c)
{
	char name[XOS_FQAN_MAX + 1];
	struct xos_reader in;

	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &in))
		return false;
	while (in.left)
		if (!xos_der_str(&in, XOS_DER_UTF8, name, sizeof(name)) ||
		    xos_claims_add_role(c, name, NULL) != XOS_OK)
			return false;
	return true;
}

static bool read_auth(struct xos_reader *r, struct xos_claims *c)
{
	struct xos_reader in;
	uint64_t mfa = 0;

	if (!xos_der_next_is(r, TAG_AUTH))
		return true;
	if (!xos_der_enter(r, TAG_AUTH, &in) ||
	    !xos_der_str(&in, XOS_DER_UTF8, c->auth_method, sizeof(c->auth_method)) ||
	    !xos_der_next_is(&in, XOS_DER_TIME) || !xos_der_time(&in, &c->auth_time))
		return false;
	if (xos_der_next_is(&in, TAG_HOME) &&
	    !xos_der_str(&in, TAG_HOME, c->home_org, sizeof(c->home_org)))
		return false;
	if (xos_der_next_is(&in, TAG_MFA)) {
		if (!xos_der_u64(&in, TAG_MFA, 1, &mfa) || mfa != 1)
			return false;
		c->auth_mfa = true;
	}
	return xos_reader_end(&in) == XOS_OK;
}

static bool read_claims(struct xos_bytes der, struct xos_claims **out)
{
	char vo[XOS_VO_MAX + 1], name[XOS_NODE_MAX + 1];
	struct xos_claims *c = NULL;
	struct xos_reader outer, r;
	uint64_t version, kind;

	xos_reader_init(&outer, der);
	if (!xos_der_enter(&outer, XOS_DER_SEQUENCE, &r) || xos_reader_end(&outer) != XOS_OK ||
	    !xos_der_u64(&r, XOS_DER_INTEGER, VERSION_MFA, &version) || version < VERSION ||
	    !xos_der_u64(&r, XOS_DER_ENUMERATED, XOS_KIND_LAST, &kind) ||
	    !xos_der_str(&r, XOS_DER_UTF8, vo, sizeof(vo)) ||
	    !xos_der_str(&r, XOS_DER_UTF8, name, sizeof(name)) ||
	    xos_claims_new((enum xos_kind)kind, vo, name, &c, NULL) != XOS_OK)
		return false;
	*out = c;
	if (xos_der_next_is(&r, TAG_SERVICE) &&
	    !xos_der_str(&r, TAG_SERVICE, c->service, sizeof(c->service)))
		return false;
	return xos_der_u64(&r, XOS_DER_INTEGER, UINT64_MAX, &c->number) && read_groups(&r, c) &&
	       read_roles(&r, c) && read_auth(&r, c) && xos_reader_end(&r) == XOS_OK &&
	       c->auth_mfa == (version == VERSION_MFA) && xos_claims_check(c, NULL) == XOS_OK;
}

enum xos_status xos_claims_decode(
    struct xos_bytes der, struct xos_claims **out, struct xos_err *err)
{
	struct xos_claims *c = NULL;

	*out = NULL;
	if (der.n > XOS_CLAIMS_DER_MAX || !read_claims(der, &c)) {
		xos_claims_free(c);
		return xos_err_set(err, XOS_MALFORMED, "claims-malformed",
		    "the token extension is malformed, of an unknown version, or names another "
		    "VO's "
		    "groups");
	}
	*out = c;
	return XOS_OK;
}
