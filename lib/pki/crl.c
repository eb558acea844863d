/* Lists as they are written. */
#include "pki/crl.h"

#include <string.h>

#include "pki/crl_internal.h"
#include "pki/internal.h"

#define OID_SKI XOS_OID("\x55\x1d\x0e")
#define ROOM 4096 /* for everything but the entries */
#define ENTRY_MAX 64

bool crl_reason_ok(uint64_t reason)
{
	return reason <= 10 && reason != 7 && reason != 8;
}

bool crl_key_id(const struct xos_cert *issuer, struct xos_bytes *ski)
{
	struct xos_reader r;
	struct xos_bytes v;

	if (xos_cert_ext(issuer, OID_SKI, &v, NULL) != XOS_OK)
		return false;
	xos_reader_init(&r, v);
	return xos_der_take(&r, XOS_DER_OCTET_STRING, ski) && xos_reader_end(&r) == XOS_OK &&
	       ski->n > 0 && ski->n <= 64;
}

static bool uri_ok(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	return n > 0 && n <= XOS_CRL_URI_MAX;
}

static bool entry_ok(const struct xos_crl_entry *e)
{
	return e->serial.n > 0 && e->serial.n <= XOS_SERIAL_MAX &&
	       crl_reason_ok((uint64_t)e->reason);
}

static enum xos_status check(const struct xos_cert *issuer, const struct xos_key *key,
    const struct xos_crl_fields *f, struct xos_err *err)
{
	if (!xos_key_is_private(key) || !xos_key_same(xos_cert_key(issuer), key))
		return xos_err_set(err, XOS_MALFORMED, "key-mismatch",
		    "the private key does not belong to the certificate of %s",
		    xos_cert_subject_text(issuer));
	if (!xos_cert_is_ca(issuer))
		return xos_err_set(err, XOS_DENIED, "issuer",
		    "%s is no authority and revokes nothing", xos_cert_subject_text(issuer));
	if (f->n > XOS_CRL_ENTRIES_MAX)
		return xos_err_set(err, XOS_LIMIT, "crl-entries", "a list holds %u entries at most",
		    XOS_CRL_ENTRIES_MAX);
	if (f->next_update <= f->this_update || (f->uri && !uri_ok(f->uri)) ||
	    (f->only_users && !f->uri))
		return xos_err_set(
		    err, XOS_MALFORMED, "crl-fields", "no list with these times or this address");
	for (size_t i = 0; i < f->n; i++)
		if (!entry_ok(&f->entries[i]))
			return xos_err_set(err, XOS_MALFORMED, "crl-entry",
			    "entry %zu of the list has no serial number, or no reason that exists",
			    i);
	return XOS_OK;
}

/* Up to inside the OCTET STRING; two ends close it. */
static void begin_ext(struct xos_der *w, struct xos_bytes oid, bool critical)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, oid);
	if (critical)
		xos_der_put_bool(w, true);
	xos_der_begin(w, XOS_DER_OCTET_STRING);
}

static void end_ext(struct xos_der *w)
{
	xos_der_end(w);
	xos_der_end(w);
}

static void put_entry(struct xos_der *w, const struct xos_crl_entry *e)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_unsigned(w, e->serial);
	xos_der_put_x509_time(w, e->since);
	if (e->reason != XOS_CRL_UNSPECIFIED) {
		xos_der_begin(w, XOS_DER_SEQUENCE);
		begin_ext(w, OID_REASON, false);
		xos_der_put_u64(w, XOS_DER_ENUMERATED, (uint64_t)e->reason);
		end_ext(w);
		xos_der_end(w);
	}
	xos_der_end(w);
}

/* IssuingDistributionPoint { distributionPoint [0] { fullName [0] { URI } }, onlyContainsUserCerts [1] } */
static void put_idp(struct xos_der *w, const struct xos_crl_fields *f)
{
	static const uint8_t yes = 0xff;

	begin_ext(w, OID_IDP, true);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_put_str(w, XOS_DER_CONTEXT | 6, f->uri);
	xos_der_end(w);
	xos_der_end(w);
	if (f->only_users)
		xos_der_put(w, XOS_DER_CONTEXT | 1, (struct xos_bytes){&yes, 1});
	xos_der_end(w);
	end_ext(w);
}

static void put_exts(struct xos_der *w, struct xos_bytes ski, const struct xos_crl_fields *f)
{
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	begin_ext(w, OID_AKI, false);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_CONTEXT | 0, ski);
	xos_der_end(w);
	end_ext(w);
	begin_ext(w, OID_CRL_NUMBER, false);
	xos_der_put_u64(w, XOS_DER_INTEGER, f->number);
	end_ext(w);
	if (f->uri)
		put_idp(w, f);
	xos_der_end(w);
	xos_der_end(w);
}

static enum xos_status put_tbs(const struct xos_cert *issuer, const struct xos_key *key,
    const struct xos_crl_fields *f, struct xos_buf *tbs, struct xos_err *err)
{
	struct xos_bytes ski = XOS_BYTES_NONE;
	struct xos_der w;
	enum xos_status st;

	if (!crl_key_id(issuer, &ski))
		return xos_err_set(err, XOS_MALFORMED, "issuer",
		    "the issuer's certificate (%s) has no usable key identifier",
		    xos_cert_subject_text(issuer));
	xos_der_init(&w, tbs);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put_u64(&w, XOS_DER_INTEGER, 1);
	xos_der_put_raw(&w, pki_key_sigalg(xos_key_type(key)));
	xos_der_put_raw(&w, xos_cert_subject_der(issuer));
	xos_der_put_x509_time(&w, f->this_update);
	xos_der_put_x509_time(&w, f->next_update);
	if (f->n) { /* absent, not empty: RFC 5280 5.1.2.6 */
		xos_der_begin(&w, XOS_DER_SEQUENCE);
		for (size_t i = 0; i < f->n; i++)
			put_entry(&w, &f->entries[i]);
		xos_der_end(&w);
	}
	put_exts(&w, ski, f);
	xos_der_end(&w);
	st = xos_der_finish(&w);
	return st == XOS_OK ? st : xos_err_set(err, st, "crl-size", "the list cannot be encoded");
}

enum xos_status xos_crl_sign(const struct xos_cert *issuer, const struct xos_key *key,
    const struct xos_crl_fields *f, struct xos_buf *out, struct xos_err *err)
{
	struct xos_buf tbs, sig;
	size_t before = out->n;
	struct xos_der w;
	enum xos_status st = check(issuer, key, f, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&tbs, ROOM + f->n * ENTRY_MAX);
	xos_buf_init(&sig, XOS_SIGNATURE_MAX);
	st = put_tbs(issuer, key, f, &tbs, err);
	if (st == XOS_OK)
		st = xos_key_sign(key, xos_buf_bytes(&tbs), &sig, err);
	if (st == XOS_OK) {
		xos_der_init(&w, out);
		xos_der_begin(&w, XOS_DER_SEQUENCE);
		xos_der_put_raw(&w, xos_buf_bytes(&tbs));
		xos_der_put_raw(&w, pki_key_sigalg(xos_key_type(key)));
		xos_der_put_bits(&w, xos_buf_bytes(&sig));
		xos_der_end(&w);
		st = xos_der_finish(&w);
		if (st != XOS_OK) {
			out->n = before;
			st = xos_err_set(err, st, "crl-size", "no room for the list");
		}
	}
	xos_buf_free(&sig);
	xos_buf_free(&tbs);
	return st;
}
