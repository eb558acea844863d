/* The half of the policy service: puts verified parts together and signs them. */
#include <stdlib.h>

#include "base/text.h"
#include "bundle/archive.h"
#include "bundle/bundle.h"
#include "json/json.h"
#include "pki/digest.h"
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

/* Puts parts beside the manifest and their digests into it. */
struct packing {
	struct xos_bytes *part;
	size_t n;
	enum xos_status st;
};

static const char *name_part(
    struct packing *p, struct xos_bytes in, char hex[2 * XOS_SHA256_LEN + 1])
{
	uint8_t digest[XOS_SHA256_LEN];

	if (p->st == XOS_OK)
		p->st = xos_sha256(in, digest);
	if (p->st != XOS_OK)
		return "";
	xos_hex_encode(hex, digest, sizeof(digest));
	/* Two nodes may have the same set only if it names both, which it cannot; still an archive has no part twice. */
	for (size_t i = 0; i < p->n; i++)
		if (xos_bytes_eq(p->part[i], in))
			return hex;
	p->part[p->n++] = in;
	return hex;
}

static void set_part(struct packing *p, struct xos_json *obj, const char *key, struct xos_bytes in)
{
	char hex[2 * XOS_SHA256_LEN + 1] = "";

	xos_json_set_string(obj, key, name_part(p, in, hex));
}

static void add_part(struct packing *p, struct xos_json *arr, struct xos_bytes in)
{
	char hex[2 * XOS_SHA256_LEN + 1] = "";

	if (in.n)
		xos_json_add_string(arr, name_part(p, in, hex));
}

static struct xos_json *named(struct packing *p, const struct xos_bundle_named *list, size_t n)
{
	struct xos_json *arr = xos_json_array();

	for (size_t i = 0; i < n; i++) {
		struct xos_json *o = xos_json_object();

		xos_json_set_string(o, "name", list[i].name);
		xos_json_set_int(o, "serial", (int64_t)list[i].serial);
		set_part(p, o, "part", list[i].bytes);
		xos_json_add(arr, o);
	}
	return arr;
}

static void add_text(struct packing *p, struct xos_json *arr, struct xos_bytes in)
{
	struct xos_buf text;

	xos_buf_init(&text, XOS_BUNDLE_TRUST_MAX);
	xos_buf_put(&text, in.p, in.n);
	const char *s = xos_buf_str(&text);
	if (s)
		xos_json_add_string(arr, s);
	else
		p->st = XOS_LIMIT;
	xos_buf_free(&text);
}

static void set_carried(struct packing *p, struct xos_json *doc, const struct xos_bundle_fields *f)
{
	struct xos_json *heads = xos_json_array();
	struct xos_buf text;

	for (size_t i = 0; i < f->nheads; i++)
		add_text(p, heads, f->heads[i]);
	xos_json_set(doc, "heads", heads);
	if (f->trust.n == 0)
		return;
	xos_buf_init(&text, XOS_BUNDLE_TRUST_MAX);
	xos_buf_put(&text, f->trust.p, f->trust.n);
	xos_json_set_string(doc, "trust", xos_buf_str(&text));
	if (xos_buf_status(&text) != XOS_OK)
		p->st = XOS_LIMIT;
	xos_buf_free(&text);
}

static enum xos_status put_parts(
    struct packing *p, struct xos_json *doc, const struct xos_bundle_fields *f)
{
	struct xos_json *chain = xos_json_array(), *issuers = xos_json_array();
	struct xos_json *locks = xos_json_array(), *sites = xos_json_object();
	struct xos_json *vo_set = xos_json_object(), *nodes = xos_json_object();
	enum xos_status st = add_cert(chain, f->signer);

	for (size_t i = 0; st == XOS_OK && i < f->nissuers; i++)
		st = add_cert(issuers, f->issuers[i]);
	xos_json_set_int(vo_set, "serial", (int64_t)f->vo_serial);
	set_part(p, vo_set, "part", f->vo_text);
	if (f->site_set.n)
		set_part(p, sites, f->site, f->site_set);
	set_part(p, doc, "roster", f->roster);
	add_part(p, locks, f->locks_ca);
	add_part(p, locks, f->locks_rca);
	for (size_t i = 0; i < f->nnodes; i++)
		set_part(p, nodes, f->nodes[i].name, f->nodes[i].bytes);
	xos_json_set(doc, "groups", named(p, f->groups, f->ngroups));
	xos_json_set(doc, "owners", named(p, f->owners, f->nowners));
	xos_json_set(doc, "nodes", nodes);
	set_carried(p, doc, f);
	xos_json_set(doc, "chain", chain);
	xos_json_set(doc, "issuers", issuers);
	xos_json_set(doc, "locks", locks);
	xos_json_set(doc, "sites", sites);
	xos_json_set(doc, "vo_set", vo_set);
	return st == XOS_OK ? p->st : st;
}

static enum xos_status check_fields(
    const struct xos_key *policy_key, const struct xos_bundle_fields *f, struct xos_err *err)
{
	if (!xos_name_is_vo(f->vo) || !xos_name_is_site(f->site) ||
	    f->nissuers > XOS_BUNDLE_ISSUERS_MAX || f->serial == 0 || f->serial > INT64_MAX ||
	    f->roster.n == 0)
		return xos_err_set(err, XOS_MALFORMED, "bundle-fields",
		    "a bundle needs VO, site, serial and roster, and holds %d issuers at most",
		    XOS_BUNDLE_ISSUERS_MAX);
	if (f->ngroups > XOS_BUNDLE_SCOPED_MAX || f->nowners > XOS_BUNDLE_SCOPED_MAX ||
	    f->nnodes > XOS_BUNDLE_SCOPED_MAX || f->nheads > XOS_BUNDLE_HEADS_MAX)
		return xos_err_set(err, XOS_LIMIT, "bundle-fields",
		    "a bundle holds at most %u sets of groups, of owners and of nodes each",
		    XOS_BUNDLE_SCOPED_MAX);
	if (!xos_key_same(xos_cert_key(f->signer), policy_key))
		return xos_err_set(err, XOS_MALFORMED, "bundle-fields",
		    "the policy signing certificate is not that of the key");
	return XOS_OK;
}

/* Manifest and parts that were put together. */
static enum xos_status seal(const struct xos_key *policy_key, struct xos_json *doc,
    const struct packing *p, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf payload, manifest;

	xos_buf_init(&payload, XOS_BUNDLE_MAX);
	xos_buf_init(&manifest, XOS_BUNDLE_MAX);
	enum xos_status st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(
		    policy_key, XOS_BUNDLE_TYP, xos_buf_bytes(&payload), &manifest, err);
	if (st == XOS_OK) {
		xos_archive_write(out, xos_buf_bytes(&manifest), p->part, p->n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "bundle-size", "the bundle does not fit");
	}
	xos_buf_free(&manifest);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_bundle_sign(const struct xos_key *policy_key, const struct xos_bundle_fields *f,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct packing p = {.st = XOS_OK};
	enum xos_status st =
	    xos_signed_check_times("the bundle", f->issued, f->expires, f->issued, 0, err);

	if (st == XOS_OK)
		st = check_fields(policy_key, f, err);
	if (st != XOS_OK)
		return st;
	p.part = calloc(8 + f->ngroups + f->nowners + f->nnodes, sizeof(*p.part));
	if (!p.part)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	doc = xos_json_object();
	xos_json_set_string(doc, "vo", f->vo);
	xos_json_set_int(doc, "serial", (int64_t)f->serial);
	xos_json_set_time(doc, "issued", f->issued);
	xos_json_set_time(doc, "expires", f->expires);
	set_cert(doc, "root", f->root);
	st = put_parts(&p, doc, f);
	if (st != XOS_OK)
		xos_err_set(err, st, "bundle-size", "a part of the bundle does not fit");
	else
		st = seal(policy_key, doc, &p, out, err);
	xos_json_free(doc);
	free(p.part);
	return st;
}
