/* The half of the policy service: puts verified parts together and signs them. */
#include "base/text.h"
#include "bundle/bundle.h"
#include "json/json.h"
#include "pki/jws.h"

static void set_cert(struct xos_json *obj, const char *key, const struct xos_cert *c)
{
	xos_json_set_bytes(obj, key, xos_cert_der(c));
}

static enum xos_status add_cert(struct xos_json *arr, const struct xos_cert *c)
{
	struct xos_buf text;

	xos_buf_init(&text, 2 * XOS_CERT_MAX);
	xos_base64_encode(&text, xos_cert_der(c));
	const char *s = xos_buf_str(&text);
	if (s)
		xos_json_add_string(arr, s);
	xos_buf_free(&text);
	return s ? XOS_OK : XOS_INTERNAL;
}

/* Text that came as bytes, as a JSON string. */
static enum xos_status set_bytes_text(struct xos_json *obj, const char *key, struct xos_bytes in)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BUNDLE_MAX);
	xos_buf_put(&text, in.p, in.n);
	const char *s = xos_buf_str(&text);
	if (s)
		xos_json_set_string(obj, key, s);
	xos_buf_free(&text);
	return s ? XOS_OK : XOS_LIMIT;
}

static enum xos_status add_text(struct xos_json *arr, struct xos_bytes in)
{
	struct xos_buf text;

	if (in.n == 0)
		return XOS_OK;
	xos_buf_init(&text, XOS_BUNDLE_MAX);
	xos_buf_put(&text, in.p, in.n);
	const char *s = xos_buf_str(&text);
	if (s)
		xos_json_add_string(arr, s);
	xos_buf_free(&text);
	return s ? XOS_OK : XOS_LIMIT;
}

static enum xos_status put_parts(struct xos_json *doc, const struct xos_bundle_fields *f)
{
	struct xos_json *chain = xos_json_array(), *issuers = xos_json_array();
	struct xos_json *locks = xos_json_array(), *sites = xos_json_object();
	struct xos_json *vo_set = xos_json_object();
	enum xos_status st = add_cert(chain, f->signer);

	for (size_t i = 0; st == XOS_OK && i < f->nissuers; i++)
		st = add_cert(issuers, f->issuers[i]);
	xos_json_set_int(vo_set, "serial", (int64_t)f->vo_serial);
	if (st == XOS_OK)
		st = set_bytes_text(vo_set, "text", f->vo_text);
	if (st == XOS_OK && f->site_set.n)
		st = set_bytes_text(sites, f->site, f->site_set);
	if (st == XOS_OK)
		st = set_bytes_text(doc, "roster", f->roster);
	if (st == XOS_OK)
		st = add_text(locks, f->locks_ca);
	if (st == XOS_OK)
		st = add_text(locks, f->locks_rca);
	if (st == XOS_OK && f->trust.n)
		st = set_bytes_text(doc, "trust", f->trust);
	xos_json_set(doc, "chain", chain);
	xos_json_set(doc, "issuers", issuers);
	xos_json_set(doc, "locks", locks);
	xos_json_set(doc, "sites", sites);
	xos_json_set(doc, "vo_set", vo_set);
	return st;
}

enum xos_status xos_bundle_sign(const struct xos_key *policy_key, const struct xos_bundle_fields *f,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf payload;
	enum xos_status st =
	    xos_signed_check_times("the bundle", f->issued, f->expires, f->issued, 0, err);

	xos_buf_init(&payload, XOS_BUNDLE_MAX);
	if (st == XOS_OK && (!xos_name_is_vo(f->vo) || !xos_name_is_site(f->site) ||
	                        f->nissuers > XOS_BUNDLE_ISSUERS_MAX || f->serial == 0 ||
	                        f->serial > INT64_MAX || f->roster.n == 0))
		st = xos_err_set(err, XOS_MALFORMED, "bundle-fields",
		    "a bundle needs VO, site, serial and roster, and holds %d issuers at most",
		    XOS_BUNDLE_ISSUERS_MAX);
	if (st == XOS_OK && !xos_key_same(xos_cert_key(f->signer), policy_key))
		st = xos_err_set(err, XOS_MALFORMED, "bundle-fields",
		    "the policy signing certificate is not that of the key");
	if (st != XOS_OK)
		goto out;
	doc = xos_json_object();
	xos_json_set_string(doc, "vo", f->vo);
	xos_json_set_int(doc, "serial", (int64_t)f->serial);
	xos_json_set_time(doc, "issued", f->issued);
	xos_json_set_time(doc, "expires", f->expires);
	set_cert(doc, "root", f->root);
	st = put_parts(doc, f);
	if (st != XOS_OK)
		st = xos_err_set(err, st, "bundle-size", "a part of the bundle does not fit");
	if (st == XOS_OK)
		st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(policy_key, XOS_BUNDLE_TYP, xos_buf_bytes(&payload), out, err);
out:
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}
