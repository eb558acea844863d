/* Names and extensions of a certificate in DER, written straight from what is asked. */

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "pki/issue_internal.h"

#define OID_SKI XOS_OID("\x55\x1d\x0e")
#define OID_KEY_USAGE XOS_OID("\x55\x1d\x0f")
#define OID_SAN XOS_OID("\x55\x1d\x11")
#define OID_BASIC XOS_OID("\x55\x1d\x13")
#define OID_NAME_CONSTRAINTS XOS_OID("\x55\x1d\x1e")
#define OID_AKI XOS_OID("\x55\x1d\x23")
#define OID_EKU XOS_OID("\x55\x1d\x25")
#define OID_PROXY XOS_OID("\x2b\x06\x01\x05\x05\x07\x01\x0e")

#define RDN_VALUE_MAX 64
#define DNS_MAX 253
#define URI_MAX 2048

bool issue_ski(struct xos_bytes spki, uint8_t out[SKI_LEN])
{
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_reader r, in;
	struct xos_bytes bits;

	xos_reader_init(&r, spki);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK ||
	    !xos_der_take(&in, XOS_DER_SEQUENCE, &bits) || !xos_der_bits(&in, &bits) ||
	    xos_reader_end(&in) != XOS_OK || xos_sha256(bits, digest) != XOS_OK)
		return false;
	memcpy(out, digest, SKI_LEN);
	return true;
}

static bool rdn_ok(const struct xos_rdn *r)
{
	size_t n = r->value ? strlen(r->value) : 0;

	if (n == 0 || n > RDN_VALUE_MAX || r->type > XOS_RDN_CN)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)r->value[i] < 0x20 || r->value[i] == 0x7f)
			return false;
	return xos_utf8_valid(xos_bytes_str(r->value));
}

static bool printable(const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return false;
	return n > 0 && n <= max;
}

static bool ip_bytes(const char *text, uint8_t out[16], size_t *n)
{
	*n = 4;
	if (text && inet_pton(AF_INET, text, out) == 1)
		return true;
	*n = 16;
	return text && inet_pton(AF_INET6, text, out) == 1;
}

static enum xos_status bad(struct xos_err *err, const char *what, const char *value)
{
	return xos_err_set(err, XOS_MALFORMED, "issue", "no certificate with %s \"%.80s\"", what,
	    value ? value : "");
}

enum xos_status issue_check(const struct xos_issue *what, struct xos_err *err)
{
	uint8_t ip[16];
	size_t n;

	if (what->nsubject == 0 || what->nsubject > XOS_ISSUE_LIST_MAX ||
	    what->neku > XOS_ISSUE_LIST_MAX || what->ndns > XOS_ISSUE_LIST_MAX ||
	    what->nips > XOS_ISSUE_LIST_MAX || what->npermitted > XOS_ISSUE_LIST_MAX ||
	    what->nexts > XOS_ISSUE_LIST_MAX)
		return xos_err_set(err, XOS_MALFORMED, "issue",
		    "no certificate without a subject, or with lists of more than %d entries",
		    XOS_ISSUE_LIST_MAX);
	if (what->not_after < what->not_before)
		return xos_err_set(
		    err, XOS_MALFORMED, "issue", "no certificate that ends before it begins");
	for (size_t i = 0; i < what->nsubject; i++)
		if (!rdn_ok(&what->subject[i]))
			return bad(err,
			    "a subject attribute (1 to 64 bytes, no control characters)",
			    what->subject[i].value);
	for (size_t i = 0; i < what->npermitted; i++)
		for (size_t j = 0; j < what->permitted[i].n; j++)
			if (!rdn_ok(&what->permitted[i].rdn[j]))
				return bad(
				    err, "a name constraint", what->permitted[i].rdn[j].value);
	if (what->uri && !printable(what->uri, URI_MAX))
		return bad(err, "the URI", what->uri);
	for (size_t i = 0; i < what->ndns; i++)
		if (!printable(what->dns[i], DNS_MAX))
			return bad(err, "the DNS name", what->dns[i]);
	for (size_t i = 0; i < what->nips; i++)
		if (!ip_bytes(what->ips[i], ip, &n))
			return bad(err, "the address", what->ips[i]);
	return XOS_OK;
}

void issue_put_rdn(struct xos_der *w, const struct xos_rdn *rdn)
{
	static const uint8_t oids[][3] = {
	    [XOS_RDN_O] = {0x55, 0x04, 0x0a},
	    [XOS_RDN_OU] = {0x55, 0x04, 0x0b},
	    [XOS_RDN_CN] = {0x55, 0x04, 0x03},
	};

	xos_der_begin(w, XOS_DER_SET);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, (struct xos_bytes){oids[rdn->type], 3});
	xos_der_put_str(w, XOS_DER_UTF8, rdn->value);
	xos_der_end(w);
	xos_der_end(w);
}

void issue_put_name(struct xos_der *w, const struct xos_rdn *rdn, size_t n)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		issue_put_rdn(w, &rdn[i]);
	xos_der_end(w);
}

void issue_put_validity(struct xos_der *w, int64_t not_before, int64_t not_after)
{
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_x509_time(w, not_before);
	xos_der_put_x509_time(w, not_after);
	xos_der_end(w);
}

/* Opens an extension up to inside its OCTET STRING; two ends close it. */
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

static void put_basic(struct xos_der *w, const struct xos_issue *what)
{
	begin_ext(w, OID_BASIC, true);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	if (what->ca)
		xos_der_put_bool(w, true);
	if (what->ca && what->has_path_len)
		xos_der_put_u64(w, XOS_DER_INTEGER, what->path_len);
	xos_der_end(w);
	end_ext(w);
}

/* A named bit list in DER: no trailing zero bits (X.690 11.2.2). All our bits are in one byte. */
static void put_key_usage(struct xos_der *w, uint8_t bits)
{
	uint8_t v[2] = {0, bits};

	while (bits && !(bits & (1u << v[0])))
		v[0]++;
	begin_ext(w, OID_KEY_USAGE, true);
	xos_der_put(w, XOS_DER_BIT_STRING, (struct xos_bytes){v, sizeof(v)});
	end_ext(w);
}

static void put_eku(struct xos_der *w, const struct xos_bytes *eku, size_t n)
{
	begin_ext(w, OID_EKU, false);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	for (size_t i = 0; i < n; i++)
		xos_der_put(w, XOS_DER_OID, eku[i]);
	xos_der_end(w);
	end_ext(w);
}

static void put_key_ids(struct xos_der *w, const uint8_t ski[SKI_LEN], struct xos_bytes aki)
{
	begin_ext(w, OID_SKI, false);
	xos_der_put(w, XOS_DER_OCTET_STRING, (struct xos_bytes){ski, SKI_LEN});
	end_ext(w);
	if (aki.n == 0)
		return;
	begin_ext(w, OID_AKI, false);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_CONTEXT | 0, aki);
	xos_der_end(w);
	end_ext(w);
}

static void put_san(struct xos_der *w, const struct xos_issue *what)
{
	uint8_t ip[16];
	size_t n;

	begin_ext(w, OID_SAN, false);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	if (what->uri)
		xos_der_put_str(w, XOS_DER_CONTEXT | 6, what->uri);
	for (size_t i = 0; i < what->ndns; i++)
		xos_der_put_str(w, XOS_DER_CONTEXT | 2, what->dns[i]);
	for (size_t i = 0; i < what->nips; i++)
		if (ip_bytes(what->ips[i], ip, &n))
			xos_der_put(w, XOS_DER_CONTEXT | 7, (struct xos_bytes){ip, n});
	xos_der_end(w);
	end_ext(w);
}

/* NameConstraints { permittedSubtrees [0] { GeneralSubtree { base [4] directoryName } ... } } */
static void put_name_constraints(struct xos_der *w, const struct xos_subtree *tree, size_t n)
{
	begin_ext(w, OID_NAME_CONSTRAINTS, true);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 0);
	for (size_t i = 0; i < n; i++) {
		xos_der_begin(w, XOS_DER_SEQUENCE);
		xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 4);
		issue_put_name(w, tree[i].rdn, tree[i].n);
		xos_der_end(w);
		xos_der_end(w);
	}
	xos_der_end(w);
	xos_der_end(w);
	end_ext(w);
}

static void put_extra(struct xos_der *w, const struct xos_ext *exts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		begin_ext(w, exts[i].oid, exts[i].critical);
		xos_der_put_raw(w, exts[i].value);
		end_ext(w);
	}
}

void issue_put_exts(struct xos_der *w, const struct xos_issue *what, struct xos_bytes serial,
    const uint8_t ski[SKI_LEN], struct xos_bytes aki)
{
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 3);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	put_basic(w, what);
	put_key_usage(w, what->key_usage);
	if (what->neku)
		put_eku(w, what->eku, what->neku);
	put_key_ids(w, ski, aki);
	if (what->uri || what->ndns || what->nips)
		put_san(w, what);
	if (what->npermitted)
		put_name_constraints(w, what->permitted, what->npermitted);
	if (what->points) {
		xos_der_put_raw(w, xos_points_access(what->points));
		xos_der_put_raw(w, xos_points_distribution(what->points, xos_points_shard(serial)));
	}
	put_extra(w, what->exts, what->nexts);
	xos_der_end(w);
	xos_der_end(w);
}

void issue_put_proxy_exts(struct xos_der *w, const struct xos_issue_proxy *what,
    const uint8_t ski[SKI_LEN], struct xos_bytes aki)
{
	xos_der_begin(w, XOS_DER_CONTEXT_CONSTRUCTED | 3);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	put_key_usage(w, XOS_KU_DIGITAL_SIGNATURE);
	put_key_ids(w, ski, aki);
	begin_ext(w, OID_PROXY, true);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put_u64(w, XOS_DER_INTEGER, what->path_len);
	xos_der_begin(w, XOS_DER_SEQUENCE);
	xos_der_put(w, XOS_DER_OID, what->language);
	xos_der_end(w);
	xos_der_end(w);
	end_ext(w);
	put_extra(w, what->exts, what->nexts);
	xos_der_end(w);
	xos_der_end(w);
}
