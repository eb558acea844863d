#include "auth/http.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* RFC 9110 5.6.2 */
static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_base64_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '=';
}

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* One value: quoted (no escapes: none of our alphabets needs them) or bare. */
static const char *take_value(const char *p, char *out, size_t cap)
{
	size_t n = 0;
	bool quoted = *p == '"';

	if (quoted)
		p++;
	while (quoted ? (*p && *p != '"') : (is_token_char(*p) || is_base64_char(*p))) {
		if (n + 1 >= cap || *p == '\\' || (unsigned char)*p < 0x20 ||
		    (unsigned char)*p > 0x7e)
			return NULL;
		out[n++] = *p++;
	}
	if (quoted && *p++ != '"')
		return NULL;
	out[n] = '\0';
	return n ? p : NULL;
}

static bool is_alphabet(const char *s, const char *extra)
{
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		        (*s >= '0' && *s <= '9') || strchr(extra, *s)))
			return false;
	return true;
}

static bool set_data(struct xos_scram_header *h, const char *value)
{
	struct xos_buf b;
	bool ok = false;

	xos_buf_init(&b, sizeof(h->data));
	if (h->ndata == 0 && xos_base64_decode(&b, value, strlen(value)) == XOS_OK && b.n) {
		memcpy(h->data, b.p, b.n);
		h->ndata = b.n;
		ok = true;
	}
	xos_buf_free(&b);
	return ok;
}

static bool set_param(struct xos_scram_header *h, const char *name, const char *value)
{
	if (strcasecmp(name, "realm") == 0)
		return !h->realm[0] && is_alphabet(value, ".-") &&
		       xos_str_copy(h->realm, sizeof(h->realm), value);
	if (strcasecmp(name, "sid") == 0)
		return !h->sid[0] && is_alphabet(value, "-") &&
		       xos_str_copy(h->sid, sizeof(h->sid), value);
	if (strcasecmp(name, "data") == 0)
		return set_data(h, value);
	return true;
}

static const char *take_param(const char *p, struct xos_scram_header *h)
{
	char name[32], value[XOS_SCRAM_HEADER_MAX];
	size_t n = 0;

	while (is_token_char(*p)) {
		if (n + 1 >= sizeof(name))
			return NULL;
		name[n++] = *p++;
	}
	name[n] = '\0';
	p = skip_space(p);
	if (!n || *p++ != '=')
		return NULL;
	p = take_value(skip_space(p), value, sizeof(value));
	return p && set_param(h, name, value) ? p : NULL;
}

static bool parse(const char *p, bool scheme, struct xos_scram_header *h)
{
	size_t n = strlen(XOS_SCRAM_SCHEME);

	if (scheme) {
		if (strncasecmp(p, XOS_SCRAM_SCHEME, n) != 0 || p[n] != ' ')
			return false;
		p += n;
		while (*p == ' ')
			p++;
	}
	for (;;) {
		p = take_param(p, h);
		if (!p)
			return false;
		p = skip_space(p);
		if (!*p)
			return true;
		if (*p++ != ',')
			return false;
		p = skip_space(p);
	}
}

enum xos_status xos_scram_header_parse(
    const char *value, bool scheme, struct xos_scram_header *out, struct xos_err *err)
{
	memset(out, 0, sizeof(*out));
	if (value && strlen(value) <= XOS_SCRAM_HEADER_MAX && parse(value, scheme, out))
		return XOS_OK;
	memset(out, 0, sizeof(*out));
	return xos_err_set(err, XOS_MALFORMED, "scram-header",
	    "the authentication header is not of the form of RFC 7804 (%s)", XOS_SCRAM_SCHEME);
}

enum xos_status xos_scram_header_format(
    const struct xos_scram_header *h, bool scheme, struct xos_buf *out)
{
	const char *sep = scheme ? " " : "";

	if (!is_alphabet(h->realm, ".-") || !is_alphabet(h->sid, "-") || h->ndata > sizeof(h->data))
		return XOS_INTERNAL;
	if (scheme)
		xos_buf_put_str(out, XOS_SCRAM_SCHEME);
	if (h->realm[0]) {
		xos_buf_printf(out, "%srealm=\"%s\"", sep, h->realm);
		sep = ",";
	}
	if (h->sid[0]) {
		xos_buf_printf(out, "%ssid=%s", sep, h->sid);
		sep = ",";
	}
	if (h->ndata) {
		xos_buf_printf(out, "%sdata=", sep);
		xos_base64_encode(out, (struct xos_bytes){h->data, h->ndata});
	}
	return xos_buf_status(out);
}
