/* Lists as they are read. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pki/crl_internal.h"
#include "pki/internal.h"

struct xos_crl {
	uint8_t *der; /* everything else points into it */
	size_t der_len;
	struct xos_bytes tbs, sigalg, signature, issuer, key_id;
	int64_t this_update, next_update;
	uint64_t number;
	char uri[XOS_CRL_URI_MAX + 1]; /* "": none */
	bool only_users;
	struct xos_crl_entry *entries; /* by serial */
	size_t n;
};

void xos_crl_free(struct xos_crl *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c->der);
	free(c);
}

static int by_serial(struct xos_bytes a, struct xos_bytes b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return memcmp(a.p, b.p, a.n);
}

static int cmp_entry(const void *a, const void *b)
{
	const struct xos_crl_entry *x = a, *y = b;

	return by_serial(x->serial, y->serial);
}

/* A positive INTEGER without its sign byte. */
static bool take_serial(struct xos_reader *r, struct xos_bytes *serial)
{
	if (!xos_der_take(r, XOS_DER_INTEGER, serial) || serial->n == 0 || (serial->p[0] & 0x80))
		return false;
	if (serial->p[0] == 0 && serial->n > 1) {
		if (!(serial->p[1] & 0x80))
			return false;
		serial->p++;
		serial->n--;
	}
	return serial->n <= XOS_SERIAL_MAX && (serial->n > 1 || serial->p[0]);
}

/* One Extension: OID, criticality, and what the OCTET STRING holds. */
static bool take_ext(
    struct xos_reader *r, struct xos_bytes *oid, bool *critical, struct xos_reader *value)
{
	struct xos_reader in;

	*critical = false;
	if (!xos_der_enter(r, XOS_DER_SEQUENCE, &in) || !xos_der_take(&in, XOS_DER_OID, oid))
		return false;
	if (xos_der_next_is(&in, XOS_DER_BOOLEAN) && (!xos_der_bool(&in, critical) || !*critical))
		return false;
	return xos_der_enter(&in, XOS_DER_OCTET_STRING, value) && xos_reader_end(&in) == XOS_OK;
}

static bool read_reason(struct xos_reader *v, enum xos_crl_reason *out)
{
	uint64_t reason = 0;

	if (!xos_der_u64(v, XOS_DER_ENUMERATED, 10, &reason) || xos_reader_end(v) != XOS_OK ||
	    !crl_reason_ok(reason))
		return false;
	*out = (enum xos_crl_reason)reason;
	return true;
}

static bool read_entry(struct xos_reader *list, struct xos_crl_entry *e)
{
	struct xos_reader in, exts, value;
	struct xos_bytes oid;
	bool critical = false, have_reason = false;

	if (!xos_der_enter(list, XOS_DER_SEQUENCE, &in) || !take_serial(&in, &e->serial) ||
	    !xos_der_time(&in, &e->since))
		return false;
	if (in.left) {
		if (!xos_der_enter(&in, XOS_DER_SEQUENCE, &exts) || exts.left == 0)
			return false;
		while (exts.left) {
			if (!take_ext(&exts, &oid, &critical, &value))
				return false;
			if (xos_bytes_eq(oid, OID_REASON)) {
				if (have_reason || !read_reason(&value, &e->reason))
					return false;
				have_reason = true;
			} else if (critical) {
				return false;
			}
		}
	}
	return xos_reader_end(&in) == XOS_OK;
}

static bool read_entries(struct xos_reader *tbs, struct xos_crl *c)
{
	struct xos_reader list, count;
	size_t n = 0;

	if (!xos_der_enter(tbs, XOS_DER_SEQUENCE, &list) || list.left == 0)
		return false;
	for (count = list; count.left; n++)
		if (n == XOS_CRL_ENTRIES_MAX || !xos_der_any(&count, NULL, NULL, NULL))
			return false;
	c->entries = calloc(n, sizeof(*c->entries));
	if (!c->entries)
		return false;
	for (; c->n < n; c->n++)
		if (!read_entry(&list, &c->entries[c->n]))
			return false;
	qsort(c->entries, c->n, sizeof(*c->entries), cmp_entry);
	for (size_t i = 1; i < c->n; i++)
		if (by_serial(c->entries[i - 1].serial, c->entries[i].serial) == 0)
			return false;
	return true;
}

static bool read_aki(struct xos_reader *v, struct xos_crl *c)
{
	struct xos_reader in;

	return xos_der_enter(v, XOS_DER_SEQUENCE, &in) && xos_reader_end(v) == XOS_OK &&
	       xos_der_take(&in, XOS_DER_CONTEXT | 0, &c->key_id) &&
	       xos_reader_end(&in) == XOS_OK && c->key_id.n > 0;
}

/* What is not read here narrows a list in ways that we do not know: refused by the exact end. */
static bool read_idp(struct xos_reader *v, struct xos_crl *c)
{
	struct xos_reader in, name, full;
	struct xos_bytes yes, uri;

	if (!xos_der_enter(v, XOS_DER_SEQUENCE, &in) || xos_reader_end(v) != XOS_OK ||
	    !xos_der_enter(&in, XOS_DER_CONTEXT_CONSTRUCTED | 0, &name) ||
	    !xos_der_enter(&name, XOS_DER_CONTEXT_CONSTRUCTED | 0, &full) ||
	    xos_reader_end(&name) != XOS_OK || !xos_der_take(&full, XOS_DER_CONTEXT | 6, &uri) ||
	    xos_reader_end(&full) != XOS_OK || uri.n == 0 || uri.n > XOS_CRL_URI_MAX)
		return false;
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= 0x20 || uri.p[i] >= 0x7f)
			return false;
	memcpy(c->uri, uri.p, uri.n);
	if (in.left) {
		if (!xos_der_take(&in, XOS_DER_CONTEXT | 1, &yes) || yes.n != 1 || yes.p[0] != 0xff)
			return false;
		c->only_users = true;
	}
	return xos_reader_end(&in) == XOS_OK;
}

static bool read_exts(struct xos_reader *tbs, struct xos_crl *c)
{
	struct xos_reader outer, list, value;
	struct xos_bytes oid;
	bool critical = false, number = false, aki = false;

	if (!xos_der_enter(tbs, XOS_DER_CONTEXT_CONSTRUCTED | 0, &outer) ||
	    !xos_der_enter(&outer, XOS_DER_SEQUENCE, &list) || xos_reader_end(&outer) != XOS_OK)
		return false;
	while (list.left) {
		if (!take_ext(&list, &oid, &critical, &value))
			return false;
		if (xos_bytes_eq(oid, OID_CRL_NUMBER)) {
			if (number ||
			    !xos_der_u64(&value, XOS_DER_INTEGER, UINT64_MAX, &c->number) ||
			    xos_reader_end(&value) != XOS_OK)
				return false;
			number = true;
		} else if (xos_bytes_eq(oid, OID_AKI)) {
			if (aki || !read_aki(&value, c))
				return false;
			aki = true;
		} else if (xos_bytes_eq(oid, OID_IDP)) {
			if (!critical || c->uri[0] || !read_idp(&value, c))
				return false;
		} else if (critical) {
			return false;
		}
	}
	return number && aki;
}

static bool read_tbs(struct xos_crl *c, struct xos_bytes *inner_alg)
{
	struct xos_reader r, in;
	struct xos_bytes name;
	uint64_t version = 0;
	uint8_t tag = 0;

	xos_reader_init(&r, c->tbs);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK ||
	    !xos_der_u64(&in, XOS_DER_INTEGER, 1, &version) || version != 1 ||
	    !xos_der_any(&in, &tag, NULL, inner_alg) || tag != XOS_DER_SEQUENCE ||
	    !xos_der_any(&in, &tag, &name, &c->issuer) || tag != XOS_DER_SEQUENCE || name.n == 0 ||
	    !xos_der_time(&in, &c->this_update) || !xos_der_time(&in, &c->next_update) ||
	    c->next_update <= c->this_update)
		return false;
	if (xos_der_next_is(&in, XOS_DER_SEQUENCE) && !read_entries(&in, c))
		return false;
	return read_exts(&in, c) && xos_reader_end(&in) == XOS_OK;
}

static bool read_all(struct xos_crl *c)
{
	struct xos_bytes inner_alg = XOS_BYTES_NONE;
	struct xos_reader r, in;
	uint8_t tag = 0;

	xos_reader_init(&r, (struct xos_bytes){c->der, c->der_len});
	return xos_der_enter(&r, XOS_DER_SEQUENCE, &in) && xos_reader_end(&r) == XOS_OK &&
	       xos_der_any(&in, &tag, NULL, &c->tbs) && tag == XOS_DER_SEQUENCE &&
	       xos_der_any(&in, &tag, NULL, &c->sigalg) && tag == XOS_DER_SEQUENCE &&
	       xos_der_bits(&in, &c->signature) && xos_reader_end(&in) == XOS_OK &&
	       read_tbs(c, &inner_alg) && xos_bytes_eq(inner_alg, c->sigalg);
}

enum xos_status xos_crl_parse(struct xos_bytes der, struct xos_crl **out, struct xos_err *err)
{
	struct xos_crl *c;

	*out = NULL;
	if (der.n > XOS_CRL_MAX)
		return xos_err_set(err, XOS_LIMIT, "crl-size",
		    "a revocation list of %zu bytes; at most %u are read", der.n, XOS_CRL_MAX);
	c = calloc(1, sizeof(*c));
	if (!c || !(c->der = malloc(der.n + 1))) {
		xos_crl_free(c);
		return pki_no_memory(err);
	}
	if (der.n)
		memcpy(c->der, der.p, der.n);
	c->der_len = der.n;
	if (!read_all(c)) {
		xos_crl_free(c);
		return xos_err_set(err, XOS_MALFORMED, "crl-malformed",
		    "malformed revocation list: not strict DER of version 2, a serial twice, or "
		    "critical extensions that nobody knows");
	}
	*out = c;
	return XOS_OK;
}

struct xos_bytes xos_crl_der(const struct xos_crl *c)
{
	return (struct xos_bytes){c->der, c->der_len};
}

int64_t xos_crl_this_update(const struct xos_crl *c)
{
	return c->this_update;
}

int64_t xos_crl_next_update(const struct xos_crl *c)
{
	return c->next_update;
}

uint64_t xos_crl_number(const struct xos_crl *c)
{
	return c->number;
}

const char *xos_crl_uri(const struct xos_crl *c)
{
	return c->uri[0] ? c->uri : NULL;
}

bool xos_crl_only_users(const struct xos_crl *c)
{
	return c->only_users;
}

size_t xos_crl_count(const struct xos_crl *c)
{
	return c->n;
}

const struct xos_crl_entry *xos_crl_at(const struct xos_crl *c, size_t i)
{
	return i < c->n ? &c->entries[i] : NULL;
}

const struct xos_crl_entry *xos_crl_find(const struct xos_crl *c, struct xos_bytes serial)
{
	const struct xos_crl_entry key = {.serial = serial};

	return c->n ? bsearch(&key, c->entries, c->n, sizeof(key), cmp_entry) : NULL;
}

static enum xos_status check_signature(
    const struct xos_crl *c, const struct xos_cert *issuer, struct xos_err *err)
{
	const struct xos_key *key = xos_cert_key(issuer);
	struct xos_bytes ski = XOS_BYTES_NONE;

	if (!xos_bytes_eq(c->issuer, xos_cert_subject_der(issuer)) || !xos_cert_is_ca(issuer) ||
	    !crl_key_id(issuer, &ski) || !xos_bytes_eq(ski, c->key_id))
		return xos_err_set(err, XOS_DENIED, "crl-issuer",
		    "the revocation list is not one of %s", xos_cert_subject_text(issuer));
	if (!xos_bytes_eq(c->sigalg, pki_key_sigalg(xos_key_type(key))) ||
	    xos_key_verify(key, c->tbs, c->signature, NULL) != XOS_OK)
		return xos_err_set(err, XOS_DENIED, "crl-signature",
		    "the signature of the revocation list of %s is wrong: it was changed, or "
		    "another key signed it",
		    xos_cert_subject_text(issuer));
	return XOS_OK;
}

enum xos_status xos_crl_verify(const struct xos_crl *c, const struct xos_cert *issuer, int64_t now,
    int64_t skew, struct xos_err *err)
{
	char when[XOS_TIME_TEXT];
	enum xos_status st = check_signature(c, issuer, err);

	if (st != XOS_OK)
		return st;
	if (now < c->this_update - skew) {
		xos_time_format(c->this_update, when);
		return xos_err_set(err, XOS_NOT_YET_VALID, "crl-early",
		    "the revocation list of %s is of %s, which is still to come",
		    xos_cert_subject_text(issuer), when);
	}
	if (now > c->next_update + skew) {
		xos_time_format(c->next_update, when);
		return xos_err_set(err, XOS_EXPIRED, "crl-expired",
		    "the revocation list of %s was good until %s: fetch a newer one",
		    xos_cert_subject_text(issuer), when);
	}
	return XOS_OK;
}
