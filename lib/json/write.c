#include "json/write.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void xos_json_writer_init(struct xos_json_writer *w, struct xos_buf *out)
{
	*w = (struct xos_json_writer){.out = out};
}

static void put(struct xos_json_writer *w, const char *s, size_t n)
{
	xos_buf_put(w->out, s, n);
}

/* What stands before a value: the comma, and the key. */
static void begin(struct xos_json_writer *w, const char *key)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
	if (!key)
		return;
	put(w, "\"", 1);
	put(w, key, strlen(key));
	put(w, "\":", 2);
}

void xos_json_write_open(struct xos_json_writer *w, const char *key, char bracket)
{
	begin(w, key);
	put(w, &bracket, 1);
	w->comma = false;
}

void xos_json_write_close(struct xos_json_writer *w, char bracket)
{
	put(w, &bracket, 1);
	w->comma = true;
}

/* RFC 8259 section 7: these must be escaped, and nothing else is. */
static void put_escaped(struct xos_json_writer *w, uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = {['\b'] = 'b',
	    ['\f'] = 'f',
	    ['\n'] = 'n',
	    ['\r'] = 'r',
	    ['\t'] = 't',
	    ['"'] = '"',
	    ['\\'] = '\\'};
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	if (c < sizeof(plain) && plain[c]) {
		text[1] = plain[c];
		put(w, text, 2);
	} else {
		put(w, text, 6);
	}
}

void xos_json_write_bytes(struct xos_json_writer *w, const char *key, struct xos_bytes s)
{
	size_t done = 0;
	bool ascii = true, valid = true;
	begin(w, key);
	put(w, "\"", 1);
	for (size_t i = 0; i < s.n && ascii; i++)
		ascii = s.p[i] < 0x80;
	if (!ascii)
		valid = xos_utf8_valid(s);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || valid))
			continue;
		xos_buf_put(w->out, s.p + done, i - done);
		done = i + 1;
		if (c >= 0x80)
			put(w, "?", 1);
		else
			put_escaped(w, c);
	}
	if (s.n > done)
		xos_buf_put(w->out, s.p + done, s.n - done);
	put(w, "\"", 1);
}

void xos_json_write_text(struct xos_json_writer *w, const char *key, const char *s)
{
	if (s)
		xos_json_write_bytes(w, key, xos_bytes_str(s));
}

void xos_json_write_int(struct xos_json_writer *w, const char *key, int64_t v)
{
	char text[24];
	size_t at = sizeof(text);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do
		text[--at] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		text[--at] = '-';
	begin(w, key);
	put(w, text + at, sizeof(text) - at);
}

void xos_json_write_bool(struct xos_json_writer *w, const char *key, bool v)
{
	begin(w, key);
	put(w, v ? "true" : "false", v ? 4 : 5);
}

void xos_json_write_time(struct xos_json_writer *w, const char *key, int64_t t)
{
	char text[XOS_TIME_TEXT];
	xos_time_format(t, text);
	xos_json_write_text(w, key, text);
}

void xos_json_write_texts(
    struct xos_json_writer *w, const char *key, const char *const *list, size_t n)
{
	xos_json_write_open(w, key, '[');
	for (size_t i = 0; i < n; i++)
		xos_json_write_text(w, NULL, list[i]);
	xos_json_write_close(w, ']');
}
