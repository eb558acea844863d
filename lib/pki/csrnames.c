#include "pki/csrnames.h"

#include <arpa/inet.h>
#include <string.h>

#include "pki/csr.h"
#include "pki/der.h"

#define OID_CN XOS_OID("\x55\x04\x03")
#define OID_O XOS_OID("\x55\x04\x0a")
#define OID_OU XOS_OID("\x55\x04\x0b")
#define OID_SAN XOS_OID("\x55\x1d\x11")
#define OID_CHALLENGE XOS_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07")
#define OID_EXTENSIONS XOS_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e")

#define SAN_DNS (XOS_DER_CONTEXT | 2)
#define SAN_URI (XOS_DER_CONTEXT | 6)
#define SAN_IP (XOS_DER_CONTEXT | 7)

/* What a step of reading found. */
enum found { FOUND_OK, FOUND_MALFORMED, FOUND_NAMES };

/* Visible ASCII into out, which must be empty: no second one, nothing that a terminal would obey. */
static enum found take_text(struct xos_bytes text, char *out, size_t cap)
{
	if (out[0] || text.n == 0 || text.n >= cap)
		return FOUND_NAMES;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= 0x20 || text.p[i] >= 0x7f)
			return FOUND_NAMES;
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	return FOUND_OK;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static enum found read_rdn(struct xos_reader *set, struct xos_csr_names *n)
{
	struct xos_reader pair;
	struct xos_bytes oid, value;
	uint8_t tag;
	char *out = NULL;

	if (!xos_der_enter(set, XOS_DER_SEQUENCE, &pair) || xos_reader_end(set) != XOS_OK ||
	    !xos_der_take(&pair, XOS_DER_OID, &oid) || !xos_der_any(&pair, &tag, &value, NULL) ||
	    xos_reader_end(&pair) != XOS_OK)
		return FOUND_MALFORMED;
	if (xos_bytes_eq(oid, OID_O))
		out = n->o;
	else if (xos_bytes_eq(oid, OID_OU))
		out = n->ou;
	else if (xos_bytes_eq(oid, OID_CN))
		out = n->cn;
	if (!out)
		return FOUND_OK;
	if (tag != XOS_DER_UTF8 && tag != XOS_DER_PRINTABLE && tag != XOS_DER_IA5)
		return FOUND_NAMES;
	return take_text(value, out, XOS_CSR_NAME_MAX + 1);
}

static enum found read_subject(struct xos_bytes name, struct xos_csr_names *n)
{
	struct xos_reader r, set;
	enum found f = FOUND_OK;

	xos_reader_init(&r, name);
	while (f == FOUND_OK && r.left)
		f = xos_der_enter(&r, XOS_DER_SET, &set) ? read_rdn(&set, n) : FOUND_MALFORMED;
	return f;
}

static enum found add_host(struct xos_csr_names *n, uint8_t tag, struct xos_bytes name)
{
	char *out = n->host[n->nhosts];
	enum found f = FOUND_OK;

	if (n->nhosts == XOS_CSR_HOSTS_MAX)
		return FOUND_NAMES;
	if (tag == SAN_DNS)
		f = take_text(name, out, sizeof(n->host[0]));
	else if ((name.n != 4 && name.n != 16) ||
	         !inet_ntop(name.n == 4 ? AF_INET : AF_INET6, name.p, out, sizeof(n->host[0])))
		f = FOUND_NAMES;
	lower(out);
	for (size_t i = 0; f == FOUND_OK && i < n->nhosts; i++)
		if (strcmp(n->host[i], out) == 0)
			f = FOUND_NAMES;
	n->nhosts += f == FOUND_OK;
	return f;
}

static enum found read_san(struct xos_bytes value, struct xos_csr_names *n)
{
	struct xos_reader r, in;
	struct xos_bytes name;
	enum found f = FOUND_OK;
	uint8_t tag;

	xos_reader_init(&r, value);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK)
		return FOUND_MALFORMED;
	while (f == FOUND_OK && in.left) {
		if (!xos_der_any(&in, &tag, &name, NULL))
			return FOUND_MALFORMED;
		if (tag == SAN_DNS || tag == SAN_IP)
			f = add_host(n, tag, name);
		else if (tag == SAN_URI)
			f = take_text(name, n->uri, sizeof(n->uri));
		else
			f = FOUND_NAMES;
	}
	return f;
}

/* All but names are the authority's to choose: read over. */
static enum found read_extensions(struct xos_bytes list, struct xos_csr_names *n)
{
	struct xos_reader r, in, ext;
	struct xos_bytes oid, value;
	enum found f = FOUND_OK;
	bool critical, named = false;

	xos_reader_init(&r, list);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK)
		return FOUND_MALFORMED;
	while (f == FOUND_OK && in.left) {
		if (!xos_der_enter(&in, XOS_DER_SEQUENCE, &ext) ||
		    !xos_der_take(&ext, XOS_DER_OID, &oid) ||
		    (xos_der_next_is(&ext, XOS_DER_BOOLEAN) && !xos_der_bool(&ext, &critical)) ||
		    !xos_der_take(&ext, XOS_DER_OCTET_STRING, &value) ||
		    xos_reader_end(&ext) != XOS_OK)
			return FOUND_MALFORMED;
		if (!xos_bytes_eq(oid, OID_SAN))
			continue;
		f = named ? FOUND_NAMES : read_san(value, n);
		named = true;
	}
	return f;
}

static enum found read_challenge(struct xos_bytes value, struct xos_csr_names *n)
{
	struct xos_reader r;
	struct xos_bytes text;
	uint8_t tag;

	xos_reader_init(&r, value);
	if (n->challenged || !xos_der_any(&r, &tag, &text, NULL) || xos_reader_end(&r) != XOS_OK ||
	    (tag != XOS_DER_UTF8 && tag != XOS_DER_PRINTABLE && tag != XOS_DER_IA5))
		return FOUND_MALFORMED;
	n->challenged = true;
	return take_text(text, n->challenge, sizeof(n->challenge));
}

static enum found read_attributes(struct xos_bytes list, struct xos_csr_names *n)
{
	struct xos_reader r, in;
	struct xos_bytes oid, values;
	enum found f = FOUND_OK;
	bool extended = false;

	xos_reader_init(&r, list);
	while (f == FOUND_OK && r.left) {
		if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) ||
		    !xos_der_take(&in, XOS_DER_OID, &oid) ||
		    !xos_der_take(&in, XOS_DER_SET, &values) || xos_reader_end(&in) != XOS_OK)
			return FOUND_MALFORMED;
		if (xos_bytes_eq(oid, OID_CHALLENGE)) {
			f = read_challenge(values, n);
		} else if (xos_bytes_eq(oid, OID_EXTENSIONS)) {
			f = extended ? FOUND_MALFORMED : read_extensions(values, n);
			extended = true;
		}
	}
	return f;
}

static enum found read_request(struct xos_bytes der, struct xos_csr_names *n)
{
	struct xos_reader r, outer, info;
	struct xos_bytes subject, attributes;
	uint64_t version;
	enum found f;

	xos_reader_init(&r, der);
	if (der.n > XOS_CSR_MAX || !xos_der_is_strict(der) ||
	    !xos_der_enter(&r, XOS_DER_SEQUENCE, &outer) ||
	    !xos_der_enter(&outer, XOS_DER_SEQUENCE, &info) ||
	    !xos_der_u64(&info, XOS_DER_INTEGER, 0, &version) ||
	    !xos_der_take(&info, XOS_DER_SEQUENCE, &subject) ||
	    !xos_der_take(&info, XOS_DER_SEQUENCE, &(struct xos_bytes){0}) ||
	    !xos_der_take(&info, XOS_DER_CONTEXT_CONSTRUCTED | 0, &attributes) ||
	    xos_reader_end(&info) != XOS_OK)
		return FOUND_MALFORMED;
	f = read_subject(subject, n);
	return f == FOUND_OK ? read_attributes(attributes, n) : f;
}

enum xos_status xos_csr_names_read(
    struct xos_bytes der, struct xos_csr_names *out, struct xos_err *err)
{
	memset(out, 0, sizeof(*out));
	enum found f = read_request(der, out);
	if (f == FOUND_OK)
		return XOS_OK;
	memset(out, 0, sizeof(*out));
	if (f == FOUND_MALFORMED)
		return xos_err_set(err, XOS_MALFORMED, "csr-malformed",
		    "malformed certification request (PKCS#10, strict DER, at most %d bytes)",
		    XOS_CSR_MAX);
	return xos_err_set(err, XOS_MALFORMED, "csr-names",
	    "the names in the request cannot be had: at most one O, OU and CN, and as alternative "
	    "names at most %d different DNS names and addresses and one URI",
	    XOS_CSR_HOSTS_MAX);
}
