#include "token/trustlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "json/json.h"
#include "pki/digest.h"
#include "pki/jws.h"
#include "token/check.h"
#include "token/issuerext.h"
#include "token/oid.h"

static const char what[] = "the trust list";
static const char *const state_names[] = {"prepared", "active", "tainted", "revoked"};
static const char *const role_names[] = {"ca", "rca", "vops", "accounting", "delegation"};

const char *xos_trust_state_name(enum xos_trust_state s)
{
	return s <= XOS_TRUST_REVOKED ? state_names[s] : "?";
}

enum xos_status xos_trust_state_parse(const char *s, enum xos_trust_state *out)
{
	for (int i = 0; i <= XOS_TRUST_REVOKED; i++) {
		if (strcmp(s, state_names[i]) == 0) {
			*out = (enum xos_trust_state)i;
			return XOS_OK;
		}
	}
	return XOS_MALFORMED;
}

const char *xos_trust_role_name(enum xos_trust_role r)
{
	return r <= XOS_TRUST_DELEGATION ? role_names[r] : "?";
}

static bool issuer_role(const struct xos_cert *c, const char *vo, enum xos_trust_role *out)
{
	const unsigned machines = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE);
	struct xos_issuer_marker m;
	struct xos_bytes v;

	if (xos_cert_is_self_issued(c) || xos_cert_ext(c, XOS_OID_ISSUER, &v, NULL) != XOS_OK ||
	    xos_issuer_marker_decode(v, &m, NULL) != XOS_OK || strcmp(m.vo, vo) != 0 || !m.kinds)
		return false;
	if (m.kinds == XOS_KIND_BIT(XOS_KIND_DELEGATION)) {
		*out = XOS_TRUST_DELEGATION;
		return true;
	}
	*out = (m.kinds & ~machines) ? XOS_TRUST_CA : XOS_TRUST_RCA;
	/* Users and machines of one issuer are what no VO has: DESIGN keeps a key to one kind. */
	return *out == XOS_TRUST_RCA || !(m.kinds & machines);
}

static bool signer_role(const struct xos_cert *c, const char *vo, enum xos_trust_role *out)
{
	struct xos_claims *claims = NULL;
	bool ok = token_read_claims(c, &claims, NULL) == XOS_OK && strcmp(claims->vo, vo) == 0 &&
	          (claims->kind == XOS_KIND_POLICY || claims->kind == XOS_KIND_ACCOUNTING);

	if (ok)
		*out = claims->kind == XOS_KIND_POLICY ? XOS_TRUST_VOPS : XOS_TRUST_ACCOUNTING;
	xos_claims_free(claims);
	return ok;
}

enum xos_status xos_trust_role_of(
    const struct xos_cert *c, const char *vo, enum xos_trust_role *out, struct xos_err *err)
{
	if (xos_cert_is_ca(c) ? issuer_role(c, vo, out) : signer_role(c, vo, out))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "trust-certificate",
	    "%s is no issuer of the VO %s and signs neither its policy nor its accounting",
	    xos_cert_subject_text(c), vo);
}

void xos_trust_list_free(struct xos_trust_list *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		xos_cert_free(l->entry[i].cert);
	free(l);
}

const struct xos_trust_entry *xos_trust_list_find(
    const struct xos_trust_list *l, const uint8_t fingerprint[XOS_SHA256_LEN])
{
	for (size_t i = 0; i < l->n; i++)
		if (memcmp(xos_cert_fingerprint(l->entry[i].cert), fingerprint, XOS_SHA256_LEN) ==
		    0)
			return &l->entry[i];
	return NULL;
}

/* ---- what reader and signer ask alike ---- */

static enum xos_status check_entry(
    const struct xos_trust_list *l, size_t i, const struct xos_cert *root, struct xos_err *err)
{
	const struct xos_cert *c = l->entry[i].cert;
	enum xos_trust_role role = XOS_TRUST_CA;
	enum xos_status st = xos_trust_role_of(c, l->vo, &role, err);

	if (st != XOS_OK)
		return st;
	if (role != l->entry[i].role)
		return xos_err_set(
		    err, XOS_INTERNAL, "trust-list", "%s: a role that does not fit", what);
	if (!xos_bytes_eq(xos_cert_issuer_der(c), xos_cert_subject_der(root)) ||
	    xos_cert_signed_by(c, xos_cert_key(root), NULL) != XOS_OK)
		return xos_err_set(err, XOS_DENIED, "not-issued",
		    "%s: %s is no certificate that the root made", what, xos_cert_subject_text(c));
	for (size_t k = 0; k < i; k++)
		if (xos_bytes_eq(xos_cert_der(l->entry[k].cert), xos_cert_der(c)))
			return xos_err_set(err, XOS_MALFORMED, "trust-list", "%s names %s twice",
			    what, xos_cert_subject_text(c));
	return XOS_OK;
}

static enum xos_status check_list(
    const struct xos_trust_list *l, const struct xos_cert *root, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	if (!xos_name_is_vo(l->vo) || l->serial == 0 || l->serial > INT64_MAX || l->n == 0 ||
	    (l->expires && l->expires <= l->issued))
		return xos_err_set(err, XOS_MALFORMED, "trust-list",
		    "%s needs a VO, a serial from 1, a certificate, and an end after its beginning",
		    what);
	/* The root of that VO by its own name: one key may not speak for two. */
	if (xos_cert_subject_len(root) < 1 || strcmp(xos_cert_subject_value(root, 0), l->vo) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "%s is that of the VO %s, not of %s", what, l->vo,
		    xos_cert_subject_len(root) ? xos_cert_subject_value(root, 0) : "this root");
	for (size_t i = 0; st == XOS_OK && i < l->n; i++)
		st = check_entry(l, i, root, err);
	return st;
}

/* ---- reading ---- */

static enum xos_status parse_cert(
    const struct xos_json *v, struct xos_trust_list *l, struct xos_err *err)
{
	struct xos_trust_entry *e = &l->entry[l->n];
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st = xos_json_get_bytes(v, "certificate", XOS_CERT_MAX, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), &e->cert, err);
	if (st == XOS_OK)
		l->n++; /* from here on the list frees it */
	if (st == XOS_OK)
		st = xos_trust_role_of(e->cert, l->vo, &e->role, err);
	xos_buf_free(&der);
	return st;
}

static enum xos_status parse_entry(
    const struct xos_json *v, struct xos_trust_list *l, struct xos_err *err)
{
	struct xos_trust_entry *e = &l->entry[l->n];
	const char *state = NULL, *reason = NULL;
	enum xos_status st = XOS_JSON_ONLY(v, err, "certificate", "state", "since", "reason");

	if (st == XOS_OK)
		st = xos_json_get_string(v, "state", 16, &state, err);
	if (st == XOS_OK && xos_trust_state_parse(state, &e->state) != XOS_OK)
		st = xos_json_refuse(
		    v, err, "state: prepared, active, tainted or revoked, not \"%s\"", state);
	if (st == XOS_OK)
		st = xos_json_get_time(v, "since", &e->since, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(v, "reason", XOS_TRUST_LIST_REASON_MAX, &reason, err);
	if (st == XOS_OK && reason && !xos_str_copy(e->reason, sizeof(e->reason), reason))
		st = xos_json_refuse(v, err, "reason: too long");
	return st == XOS_OK ? parse_cert(v, l, err) : st;
}

static enum xos_status parse_root(
    const struct xos_json *doc, const struct xos_cert *root, struct xos_err *err)
{
	char want[XOS_FINGERPRINT_TEXT];
	const char *text = NULL;
	enum xos_status st = xos_json_get_string(doc, "root", XOS_FINGERPRINT_TEXT - 1, &text, err);

	xos_fingerprint_text(xos_cert_fingerprint(root), want);
	if (st == XOS_OK && strcmp(text, want) != 0)
		st = xos_err_set(err, XOS_DENIED, "wrong-root",
		    "%s is of another root certificate (%s)", what, text);
	return st;
}

static enum xos_status parse(struct xos_bytes payload, const struct xos_cert *root,
    struct xos_trust_list *l, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_TRUST_LIST_MAX, &doc, err);

	if (st == XOS_OK)
		st =
		    XOS_JSON_ONLY(doc, err, "vo", "serial", "issued", "expires", "root", "issuers");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", l->vo, sizeof(l->vo), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &l->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &l->issued, err);
	if (st == XOS_OK && xos_json_has(doc, "expires"))
		st = xos_json_get_time(doc, "expires", &l->expires, err);
	if (st == XOS_OK)
		st = parse_root(doc, root, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "issuers", XOS_TRUST_LIST_CERTS_MAX, &list, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = parse_entry(xos_json_at(list, i), l, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_trust_list_verify(struct xos_bytes compact, const struct xos_cert *root,
    struct xos_trust_list **out, struct xos_err *err)
{
	struct xos_trust_list *l = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_OK;

	if (compact.n > XOS_TRUST_LIST_MAX)
		return xos_err_set(err, XOS_LIMIT, "object-too-long", "%s is longer than %u bytes",
		    what, XOS_TRUST_LIST_MAX);
	xos_buf_init(&payload, XOS_TRUST_LIST_MAX);
	st = xos_jws_verify(xos_cert_key(root), XOS_TRUST_LIST_TYP, compact, &payload, err);
	if (st == XOS_OK && !(l = calloc(1, sizeof(*l))))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = parse(xos_buf_bytes(&payload), root, l, err);
	if (st == XOS_OK)
		st = check_list(l, root, err);
	if (st == XOS_OK) {
		*out = l;
		l = NULL;
	}
	xos_trust_list_free(l);
	xos_buf_free(&payload);
	return st;
}

/* ---- signing ---- */

static struct xos_json *build(const struct xos_trust_list *l, const struct xos_cert *root)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	char text[XOS_FINGERPRINT_TEXT];

	xos_fingerprint_text(xos_cert_fingerprint(root), text);
	xos_json_set_string(doc, "vo", l->vo);
	xos_json_set_int(doc, "serial", (int64_t)l->serial);
	xos_json_set_time(doc, "issued", l->issued);
	if (l->expires)
		xos_json_set_time(doc, "expires", l->expires);
	xos_json_set_string(doc, "root", text);
	for (size_t i = 0; i < l->n; i++) {
		const struct xos_trust_entry *e = &l->entry[i];
		struct xos_json *v = xos_json_object();

		xos_json_set_bytes(v, "certificate", xos_cert_der(e->cert));
		xos_json_set_string(v, "state", xos_trust_state_name(e->state));
		xos_json_set_time(v, "since", e->since);
		if (e->reason[0])
			xos_json_set_text(v, "reason", e->reason);
		xos_json_add(list, v);
	}
	xos_json_set(doc, "issuers", list);
	return doc;
}

enum xos_status xos_trust_list_sign(const struct xos_key *root_key, const struct xos_cert *root,
    const struct xos_trust_list *l, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf payload;
	struct xos_json *doc = NULL;
	enum xos_status st = check_list(l, root, err);

	if (st == XOS_OK && !xos_key_same(xos_cert_key(root), root_key))
		st = xos_err_set(err, XOS_MALFORMED, "trust-list",
		    "the key is not that of the root's certificate");
	if (st != XOS_OK)
		return st;
	xos_buf_init(&payload, XOS_TRUST_LIST_MAX);
	doc = build(l, root);
	st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(root_key, XOS_TRUST_LIST_TYP, xos_buf_bytes(&payload), out, err);
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}

/* ---- judging ---- */

enum xos_status xos_trust_list_judge(const struct xos_trust_list *l,
    const uint8_t fingerprint[XOS_SHA256_LEN], const char *subject, int64_t signed_at,
    struct xos_err *err)
{
	const struct xos_trust_entry *e = l ? xos_trust_list_find(l, fingerprint) : NULL;
	char since[XOS_TIME_TEXT];

	if (!l)
		return XOS_OK;
	if (!e)
		return xos_err_set(err, XOS_DENIED, "issuer-unlisted",
		    "%s does not stand in the trust list %llu of the VO %s", subject,
		    (unsigned long long)l->serial, l->vo);
	xos_time_format(e->since, since);
	switch (e->state) {
	case XOS_TRUST_PREPARED:
	case XOS_TRUST_ACTIVE:
		return XOS_OK;
	case XOS_TRUST_TAINTED:
		if (signed_at <= e->since)
			return XOS_OK;
		return xos_err_set(err, XOS_DENIED, "issuer-tainted",
		    "what %s signed after %s counts no more (trust list %llu of the VO %s): get it "
		    "anew",
		    subject, since, (unsigned long long)l->serial, l->vo);
	case XOS_TRUST_REVOKED:
		break;
	}
	return xos_err_set(err, XOS_DENIED, "issuer-revoked",
	    "%s was revoked at %s (trust list %llu of the VO %s%s%s): log in, or join, anew",
	    subject, since, (unsigned long long)l->serial, l->vo, e->reason[0] ? "; " : "",
	    e->reason);
}
