/* From the bytes of a bundle to a verified struct xos_bundle, in named steps. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/open.h"
#include "json/json.h"
#include "pki/jws.h"

static enum xos_status memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status xos_bundle_lower(struct xos_err *err, const char *what, uint64_t got, uint64_t seen)
{
	return xos_err_set(err, XOS_DENIED, "lower-serial",
	    "%s has the serial %llu, but %llu was seen before: old state is not taken back", what,
	    (unsigned long long)got, (unsigned long long)seen);
}

/* The middle part of a compact JWS, decoded but proven by nobody yet. */
static enum xos_status unproven_payload(
    struct xos_bytes compact, struct xos_buf *out, struct xos_err *err)
{
	const uint8_t *first = memchr(compact.p, '.', compact.n);
	const uint8_t *second = NULL;

	if (first) {
		size_t rest = compact.n - (size_t)(first + 1 - compact.p);

		second = memchr(first + 1, '.', rest);
	}
	if (!second || xos_base64url_decode(
	                   out, (const char *)first + 1, (size_t)(second - first - 1)) != XOS_OK)
		return xos_err_set(
		    err, XOS_MALFORMED, "bundle-form", "the bundle is no compact JWS");
	return XOS_OK;
}

static enum xos_status cert_from_json(
    const struct xos_json *v, struct xos_cert **out, struct xos_err *err)
{
	const char *text = NULL;
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st = xos_json_as_string(v, 2 * XOS_CERT_MAX, &text, err);
	if (st == XOS_OK && xos_base64_decode(&der, text, strlen(text)) != XOS_OK)
		st = xos_json_refuse(v, err, "not base64");
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), out, err);
	xos_buf_free(&der);
	return st;
}

/*
 * The certificate of the signing key travels in the payload that it signs. It is taken out first and
 * judged by the pinned root alone; everything else in the payload is looked at only after the
 * signature over exactly these bytes has been verified with it.
 */
static enum xos_status step_signature(struct xos_bundle_step *s, struct xos_err *err)
{
	struct xos_bytes compact = s->archive.manifest;
	const struct xos_json *chain = NULL;
	struct xos_cert *signer = NULL;
	struct xos_buf unproven, payload;

	xos_buf_init(&unproven, XOS_BUNDLE_MAX);
	xos_buf_init(&payload, XOS_BUNDLE_MAX);
	enum xos_status st = unproven_payload(compact, &unproven, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&unproven), XOS_BUNDLE_MAX, &s->doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(s->doc, "chain", 1, &chain, err);
	if (st == XOS_OK && xos_json_count(chain) != 1)
		st = xos_json_refuse(chain, err, "one certificate is expected");
	if (st == XOS_OK)
		st = cert_from_json(xos_json_at(chain, 0), &signer, err);
	if (st == XOS_OK)
		st = s->trust.signer(
		    s->trust.arg, XOS_SIGNER_POLICY, s->trust.vo, signer, s->trust.now, err);
	if (st == XOS_OK)
		st = xos_jws_verify(xos_cert_key(signer), XOS_BUNDLE_TYP, compact, &payload, err);
	if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&payload), xos_buf_bytes(&unproven)))
		st = xos_err_set(err, XOS_MALFORMED, "bundle-form", "the bundle is no compact JWS");
	if (st == XOS_OK)
		memcpy(
		    s->b->by[XOS_BUNDLE_BY_POLICY], xos_cert_fingerprint(signer), XOS_SHA256_LEN);
	if (st == XOS_DENIED)
		st = xos_err_prefix(
		    err, st, "the bundle is not signed by the policy key of %s", s->trust.vo);
	xos_cert_free(signer);
	xos_buf_free(&payload);
	xos_buf_free(&unproven);
	return st;
}

static enum xos_status step_head(struct xos_bundle_step *s, struct xos_err *err)
{
	struct xos_bundle *b = s->b;
	enum xos_status st = XOS_JSON_ONLY(s->doc, err, "vo", "serial", "issued", "expires",
	    "chain", "vo_set", "sites", "roster", "locks", "root", "issuers", "groups", "owners",
	    "nodes", "heads", "trust");

	if (st == XOS_OK)
		st = xos_json_copy_string(s->doc, "vo", b->vo, sizeof(b->vo), err);
	if (st == XOS_OK && strcmp(b->vo, s->trust.vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "wrong-vo", "a bundle of the VO %s, not of %s",
		    b->vo, s->trust.vo);
	if (st == XOS_OK)
		st = xos_json_get_uint64(s->doc, "serial", INT64_MAX, &b->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(s->doc, "issued", &b->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(s->doc, "expires", &b->expires, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(
		    "the bundle", b->issued, b->expires, s->trust.now, s->trust.skew, err);
	if (st == XOS_OK && b->serial < s->want->seen->bundle)
		st = xos_bundle_lower(err, "the bundle", b->serial, s->want->seen->bundle);
	return st;
}

static enum xos_status step_root(struct xos_bundle_step *s, struct xos_err *err)
{
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st = xos_json_get_bytes(s->doc, "root", XOS_CERT_MAX, &der, err);
	if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&der), xos_cert_der(s->want->root)))
		st = xos_err_set(err, XOS_DENIED, "wrong-root",
		    "the bundle names another root than the one pinned for the VO %s", s->trust.vo);
	xos_buf_free(&der);
	return st;
}

/* Issuers that the pinned root vouches for as ca or rca; others are of no use here. */
static enum xos_status step_issuers(struct xos_bundle_step *s, struct xos_err *err)
{
	static const enum xos_signer as[2] = {XOS_SIGNER_CA, XOS_SIGNER_RCA};
	const struct xos_json *list = NULL;
	enum xos_status st =
	    xos_json_get_array(s->doc, "issuers", XOS_BUNDLE_ISSUERS_MAX, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		struct xos_bundle_issuer *is = &s->b->issuers[s->b->nissuers];
		bool known = false;

		st = cert_from_json(xos_json_at(list, i), &is->cert, err);
		if (st != XOS_OK)
			break;
		for (size_t k = 0; k < 2 && !known; k++) {
			is->as = as[k];
			known = s->trust.signer(s->trust.arg, as[k], s->trust.vo, is->cert,
			            s->trust.now, NULL) == XOS_OK;
		}
		if (known) {
			s->b->nissuers++;
		} else {
			xos_cert_free(is->cert);
			is->cert = NULL;
		}
	}
	return st;
}

static enum xos_status open_all(struct xos_bundle_step *s, struct xos_err *err)
{
	enum xos_status st = step_signature(s, err);

	if (st == XOS_OK)
		st = step_head(s, err);
	if (st == XOS_OK)
		st = step_root(s, err);
	if (st == XOS_OK)
		st = step_issuers(s, err);
	return st == XOS_OK ? xos_bundle_step_parts(s, err) : st;
}

/* What the manifest names, and nothing else. */
static enum xos_status keep(const struct xos_bundle_step *s, struct xos_err *err)
{
	struct xos_bytes *parts = NULL;
	size_t n = 0;

	if (!s->want->kept)
		return XOS_OK;
	parts = calloc(s->archive.n + 1, sizeof(*parts));
	if (!parts)
		return memory(err);
	for (size_t i = 0; i < s->archive.n; i++)
		if (s->used[i])
			parts[n++] = s->archive.part[i].bytes;
	xos_archive_write(s->want->kept, s->archive.manifest, parts, n);
	free(parts);
	enum xos_status st = xos_buf_status(s->want->kept);
	return st == XOS_OK ? st : xos_err_set(err, st, "bundle-size", "the bundle does not fit");
}

static enum xos_status make(
    struct xos_bundle_step *s, struct xos_bytes archive, struct xos_err *err)
{
	const struct xos_bundle_want *want = s->want;
	enum xos_status st = xos_archive_read(archive, &s->archive, err);

	if (st != XOS_OK)
		return st;
	s->b = calloc(1, sizeof(*s->b));
	s->used = calloc(s->archive.n + 1, sizeof(*s->used));
	if (!s->b || !s->used)
		return memory(err);
	atomic_init(&s->b->refs, 1);
	xos_buf_init(&s->b->trust, XOS_BUNDLE_TRUST_MAX);
	if (!xos_str_copy(s->b->site, sizeof(s->b->site), want->site))
		return xos_err_set(
		    err, XOS_MALFORMED, "wrong-site", "\"%s\" is no site name", want->site);
	st = open_all(s, err);
	return st == XOS_OK ? keep(s, err) : st;
}

enum xos_status xos_bundle_verify(struct xos_bytes archive, const struct xos_bundle_want *want,
    struct xos_bundle **out, struct xos_err *err)
{
	struct xos_bundle_step s = {.want = want, .trust = *want->trust};

	/* Merged from an old and a new one it holds both; what is kept is bounded by itself. */
	if (archive.n > 2 * XOS_BUNDLE_MAX)
		return xos_err_set(err, XOS_LIMIT, "object-too-long",
		    "the bundle is longer than %u bytes", XOS_BUNDLE_MAX);
	if (s.trust.now < want->seen->newest)
		s.trust.now = want->seen->newest;
	enum xos_status st = make(&s, archive, err);
	if (st == XOS_OK) {
		*out = s.b;
		s.b = NULL;
	}
	xos_json_free(s.doc);
	xos_archive_clear(&s.archive);
	free(s.used);
	if (s.b)
		xos_bundle_unref(s.b);
	return st;
}
