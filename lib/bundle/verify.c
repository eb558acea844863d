/* From the bytes of a bundle to a verified struct xos_bundle, in named steps. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/open.h"
#include "json/json.h"
#include "pki/jws.h"

struct step {
	const struct xos_bundle_want *want;
	struct xos_bundle_trust trust; /* with the clock never earlier than what was seen */
	struct xos_json *doc;
	struct xos_bundle *b;
};

static enum xos_status memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status lower(struct xos_err *err, const char *what, uint64_t got, uint64_t seen)
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
static enum xos_status step_signature(struct step *s, struct xos_bytes compact, struct xos_err *err)
{
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
	if (st == XOS_DENIED)
		st = xos_err_prefix(
		    err, st, "the bundle is not signed by the policy key of %s", s->trust.vo);
	xos_cert_free(signer);
	xos_buf_free(&payload);
	xos_buf_free(&unproven);
	return st;
}

static enum xos_status step_head(struct step *s, struct xos_err *err)
{
	struct xos_bundle *b = s->b;
	enum xos_status st = XOS_JSON_ONLY(s->doc, err, "vo", "serial", "issued", "expires",
	    "chain", "vo_set", "sites", "roster", "locks", "root", "issuers", "trust");

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
		st = lower(err, "the bundle", b->serial, s->want->seen->bundle);
	return st;
}

static enum xos_status step_root(struct step *s, struct xos_err *err)
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
static enum xos_status step_issuers(struct step *s, struct xos_err *err)
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

static enum xos_status step_vo_set(struct step *s, struct xos_err *err)
{
	const struct xos_json *obj = NULL;
	const char *text = NULL;
	uint64_t serial = 0;
	enum xos_status st = xos_json_get_object(s->doc, "vo_set", &obj, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(obj, err, "serial", "text");
	if (st == XOS_OK)
		st = xos_json_get_uint64(obj, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK)
		st = xos_json_get_string(obj, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (st == XOS_OK)
		st = xos_policy_set_load(text, strlen(text), "VO set", &s->b->vo_set, err);
	if (st != XOS_OK)
		return st;
	if (xos_policy_set_level(s->b->vo_set) != XOS_POLICY_VO ||
	    strcmp(xos_policy_set_name(s->b->vo_set), s->trust.vo) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "the VO set in the bundle is no set of the VO %s", s->trust.vo);
	if (xos_policy_set_serial(s->b->vo_set) != serial)
		return xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "the VO set states another serial than its text");
	if (serial < s->want->seen->vo_set)
		return lower(err, "the VO set", serial, s->want->seen->vo_set);
	return XOS_OK;
}

/* One bundle serves one site; without a set of it there is none, and the site grants nothing. */
static enum xos_status step_site_set(struct step *s, struct xos_err *err)
{
	const struct xos_json *sites = NULL, *value = NULL;
	const char *name = NULL, *compact = NULL;
	void *it = NULL;
	enum xos_status st = xos_json_get_object(s->doc, "sites", &sites, err);

	if (st == XOS_OK && xos_json_count(sites) > 1)
		st = xos_json_refuse(sites, err, "a bundle holds the set of one site");
	if (st != XOS_OK || !xos_json_next(sites, &it, &name, &value))
		return st;
	if (strcmp(name, s->want->site) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-site",
		    "a bundle for the site %s, not for %s", name, s->want->site);
	st = xos_json_as_string(value, XOS_SITESET_MAX, &compact, err);
	if (st == XOS_OK)
		st = xos_siteset_verify(s->want->site_key, s->want->site, xos_bytes_str(compact),
		    s->trust.now, s->trust.skew, &s->b->site_set, err);
	if (st == XOS_OK && s->b->site_set->serial < s->want->seen->site_set)
		st = lower(err, "the site set", s->b->site_set->serial, s->want->seen->site_set);
	return st;
}

static enum xos_status step_roster(
    struct step *s, const struct xos_bundle_certs *certs, struct xos_err *err)
{
	const char *compact = NULL;
	enum xos_status st = xos_json_get_string(s->doc, "roster", XOS_ROSTER_MAX, &compact, err);

	if (st == XOS_OK)
		st =
		    xos_roster_verify(xos_bytes_str(compact), certs, &s->trust, &s->b->roster, err);
	if (st == XOS_OK && xos_roster_serial(s->b->roster) < s->want->seen->roster)
		st = lower(
		    err, "the roster", xos_roster_serial(s->b->roster), s->want->seen->roster);
	return st;
}

/* Whose list is it? By the key that its header claims; the verification then holds it to that. */
static enum xos_status claimed_by(
    const struct step *s, struct xos_bytes compact, enum xos_signer *by, struct xos_err *err)
{
	char claimed[XOS_JWS_KID_TEXT], kid[XOS_JWS_KID_TEXT];
	enum xos_status st = xos_jws_peek_kid(XOS_LOCKS_TYP, compact, claimed, err);

	for (size_t i = 0; st == XOS_OK && i < s->b->nissuers; i++) {
		xos_jws_kid(xos_cert_key(s->b->issuers[i].cert), kid);
		if (strcmp(kid, claimed) == 0) {
			*by = s->b->issuers[i].as;
			return XOS_OK;
		}
	}
	return st != XOS_OK
	           ? st
	           : xos_err_set(err, XOS_DENIED, "foreign-signer",
	                 "a lock list is signed by neither the ca nor the rca of %s", s->trust.vo);
}

static enum xos_status one_list(struct step *s, const struct xos_json *v,
    const struct xos_bundle_certs *certs, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_signer by = XOS_SIGNER_CA;
	enum xos_status st = xos_json_as_string(v, XOS_LOCKS_MAX, &text, err);

	if (st == XOS_OK)
		st = claimed_by(s, xos_bytes_str(text), &by, err);
	if (st != XOS_OK)
		return st;
	struct xos_locks **slot = &s->b->locks[by == XOS_SIGNER_RCA];
	if (*slot)
		return xos_json_refuse(v, err, "two lock lists of the %s", xos_signer_name(by));
	return xos_locks_verify(xos_bytes_str(text), by, certs, &s->trust, slot, err);
}

static enum xos_status step_locks(
    struct step *s, const struct xos_bundle_certs *certs, struct xos_err *err)
{
	const uint64_t seen[2] = {s->want->seen->locks_ca, s->want->seen->locks_rca};
	static const char *const what[2] = {"the lock list of the ca", "the lock list of the rca"};
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_get_array(s->doc, "locks", 2, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = one_list(s, xos_json_at(list, i), certs, err);
	for (size_t i = 0; st == XOS_OK && i < 2; i++) {
		const struct xos_locks *l = s->b->locks[i];

		/* Leaving a list out must not open what it had closed. */
		if (!l && seen[i])
			st = xos_err_set(err, XOS_DENIED, "lower-serial",
			    "%s is missing, but one was seen before", what[i]);
		else if (l && xos_locks_serial(l) < seen[i])
			st = lower(err, what[i], xos_locks_serial(l), seen[i]);
	}
	return st;
}

/* Opaque: the root's, who vouches for the signer of all this. */
static enum xos_status step_trust(struct step *s, struct xos_err *err)
{
	const char *compact = NULL;
	enum xos_status st =
	    xos_json_opt_string(s->doc, "trust", XOS_BUNDLE_TRUST_MAX, &compact, err);

	xos_buf_init(&s->b->trust, XOS_BUNDLE_TRUST_MAX + 1);
	if (st == XOS_OK && compact)
		xos_buf_put_str(&s->b->trust, compact);
	return st == XOS_OK ? xos_buf_status(&s->b->trust) : st;
}

static enum xos_status open_parts(struct step *s, struct xos_bytes compact, struct xos_err *err)
{
	const struct xos_cert *cert[XOS_BUNDLE_ISSUERS_MAX];
	struct xos_bundle_certs certs = {.cert = cert};
	enum xos_status st = step_signature(s, compact, err);

	if (st == XOS_OK)
		st = step_head(s, err);
	if (st == XOS_OK)
		st = step_root(s, err);
	if (st == XOS_OK)
		st = step_issuers(s, err);
	for (; certs.n < s->b->nissuers; certs.n++)
		cert[certs.n] = s->b->issuers[certs.n].cert;
	if (st == XOS_OK)
		st = step_vo_set(s, err);
	if (st == XOS_OK)
		st = step_site_set(s, err);
	if (st == XOS_OK)
		st = step_roster(s, &certs, err);
	if (st == XOS_OK)
		st = step_locks(s, &certs, err);
	if (st == XOS_OK)
		st = step_trust(s, err);
	return st;
}

enum xos_status xos_bundle_verify(struct xos_bytes compact, const struct xos_bundle_want *want,
    struct xos_bundle **out, struct xos_err *err)
{
	struct step s = {.want = want, .trust = *want->trust};
	enum xos_status st = XOS_INTERNAL;

	if (compact.n > XOS_BUNDLE_MAX)
		return xos_err_set(err, XOS_LIMIT, "object-too-long",
		    "the bundle is longer than %u bytes", XOS_BUNDLE_MAX);
	if (s.trust.now < want->seen->newest)
		s.trust.now = want->seen->newest;
	s.b = calloc(1, sizeof(*s.b));
	if (!s.b)
		return memory(err);
	atomic_init(&s.b->refs, 1);
	if (!xos_str_copy(s.b->site, sizeof(s.b->site), want->site)) {
		st = xos_err_set(
		    err, XOS_MALFORMED, "wrong-site", "\"%s\" is no site name", want->site);
		goto out;
	}
	st = open_parts(&s, compact, err);
	if (st != XOS_OK)
		goto out;
	*out = s.b;
	s.b = NULL;
out:
	xos_json_free(s.doc);
	xos_bundle_unref(s.b);
	return st;
}
