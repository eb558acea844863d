#include "net/http_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static enum xos_status syntax(struct xos_err *err, const char *what)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "http-syntax", "the request is no HTTP/1.1: %s", what);
}

static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *s)
{
	size_t n = 0;
	while (is_token_char((unsigned char)s[n]))
		n++;
	return n > 0 && s[n] == '\0';
}

/* Field values: visible, space, tab, and bytes above ASCII (RFC 9110 5.5). */
static bool is_value(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

size_t http_head_length(struct xos_bytes in, size_t from)
{
	size_t at = from > 3 ? from - 3 : 0;
	if (in.n <= at)
		return 0;
	const uint8_t *end = memmem(in.p + at, in.n - at, "\r\n\r\n", 4);
	return end ? (size_t)(end - in.p) + 4 : 0;
}

/* Cuts one line off *rest: replaces its CRLF by a NUL. Bare CR or LF inside is refused. */
static char *line_cut(char **rest)
{
	char *line = *rest;
	char *end = strpbrk(line, "\r\n");
	if (!end || end[0] != '\r' || end[1] != '\n')
		return NULL;
	*end = '\0';
	*rest = end + 2;
	return line;
}

static enum xos_status request_line(char *line, struct http_head *h, struct xos_err *err)
{
	char *sp1 = line ? strchr(line, ' ') : NULL;
	char *sp2 = sp1 ? strchr(sp1 + 1, ' ') : NULL;
	if (!sp2)
		return syntax(err, "the request line");
	*sp1 = '\0';
	*sp2 = '\0';
	h->method = line;
	h->target = sp1 + 1;
	const char *version = sp2 + 1;
	if (!is_token(h->method) || strlen(h->method) > 16)
		return syntax(err, "the method");
	if (strncmp(version, "HTTP/", 5) != 0)
		return syntax(err, "the version");
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return xos_err_set(
		    err, XOS_MALFORMED, "http-version", "this server speaks HTTP/1.1");
	h->minor = version[7] - '0';
	return XOS_OK;
}

static enum xos_status field_line(char *line, struct http_head *h, struct xos_err *err)
{
	/* A line that begins with white space would continue the one before (obs-fold). */
	char *colon = strchr(line, ':');
	if (!colon)
		return syntax(err, "a header field without a colon");
	*colon = '\0';
	if (!is_token(line))
		return syntax(err, "the name of a header field");
	char *value = colon + 1;
	value += strspn(value, " \t");
	size_t n = strlen(value);
	while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		value[--n] = '\0';
	if (!is_value(value))
		return syntax(err, "control characters in a header field");
	if (h->nfields == HTTP_FIELDS_MAX)
		return xos_err_set(err, XOS_LIMIT, "header-too-long", "more than %d header fields",
		    HTTP_FIELDS_MAX);
	h->field[h->nfields++] = (struct http_field){line, value};
	return XOS_OK;
}

const char *http_head_get(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->nfields; i++)
		if (strcasecmp(h->field[i].name, name) == 0)
			return h->field[i].value;
	return NULL;
}

static size_t field_count(const struct http_head *h, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < h->nfields; i++)
		count += strcasecmp(h->field[i].name, name) == 0;
	return count;
}

/* Is the word among the comma-separated ones of a Connection field? */
static bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word);
	while (list && *list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, ",");
		size_t end = len;
		while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
			end--;
		if (end == n && strncasecmp(list, word, n) == 0)
			return true;
		list += len;
	}
	return false;
}

/* How long the body is must have exactly one answer (RFC 9112 6.3). */
static enum xos_status framing(struct http_head *h, struct xos_err *err)
{
	const char *length = http_head_get(h, "Content-Length");
	const char *coding = http_head_get(h, "Transfer-Encoding");
	if (field_count(h, "Content-Length") > 1 || field_count(h, "Transfer-Encoding") > 1 ||
	    (length && coding))
		return syntax(err, "the length of the body is stated twice");
	if (coding && (h->minor == 0 || strcasecmp(coding, "chunked") != 0))
		return xos_err_set(err, XOS_MALFORMED, "transfer-encoding",
		    "no transfer encoding but \"chunked\" is taken");
	h->chunked = coding != NULL;
	if (length && !xos_parse_u64(length, INT64_MAX, &h->length))
		return syntax(err, "Content-Length");
	return XOS_OK;
}

static enum xos_status meaning(struct http_head *h, struct xos_err *err)
{
	const char *connection = http_head_get(h, "Connection");
	const char *expect = http_head_get(h, "Expect");
	size_t hosts = field_count(h, "Host");
	if (hosts > 1 || (hosts == 0 && h->minor == 1))
		return syntax(err, "exactly one Host is needed");
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return syntax(err, "Expect");
	h->expect_continue = expect && h->minor == 1;
	h->keep_alive =
	    h->minor == 1 ? !list_has(connection, "close") : list_has(connection, "keep-alive");
	return framing(h, err);
}

enum xos_status http_head_parse(struct xos_bytes in, struct http_head *h, struct xos_err *err)
{
	if (in.n < 4 || memchr(in.p, '\0', in.n))
		return syntax(err, "a NUL byte");
	h->text = malloc(in.n + 1);
	if (!h->text)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	memcpy(h->text, in.p, in.n);
	h->text[in.n] = '\0';
	char *rest = h->text;
	enum xos_status st = request_line(line_cut(&rest), h, err);
	while (st == XOS_OK) {
		char *line = line_cut(&rest);
		if (!line)
			return syntax(err, "a line without its end");
		if (*line == '\0')
			break;
		st = field_line(line, h, err);
	}
	if (st == XOS_OK && *rest != '\0')
		return syntax(err, "bytes after the empty line");
	return st == XOS_OK ? meaning(h, err) : st;
}

void http_head_clear(struct http_head *h)
{
	free(h->text);
	*h = (struct http_head){.text = NULL};
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes in place; the result is UTF-8 text without control characters. */
static bool percent_decode(char *s, bool plus_is_space)
{
	char *out = s;
	for (const char *in = s; *in; in++) {
		char c = *in;
		if (c == '%') {
			int hi = hex_value(in[1]);
			int lo = hi < 0 ? -1 : hex_value(in[2]);
			if (lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			in += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return false;
		*out++ = c;
	}
	*out = '\0';
	return xos_utf8_valid(xos_bytes_str(s));
}

static enum xos_status bad_target(struct xos_err *err, const char *what)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "http-target", "the address of the request: %s", what);
}

static enum xos_status path_split(char *path, struct http_target *t, struct xos_err *err)
{
	if (path[0] != '/')
		return bad_target(err, "it must begin with a slash");
	if (path[1] == '\0')
		return XOS_OK;
	for (char *next = path + 1; next;) {
		char *segment = strsep(&next, "/");
		if (!percent_decode(segment, false))
			return bad_target(err, "not UTF-8 text, percent-encoded");
		if (!*segment || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
			return bad_target(err, "an empty or relative segment");
		if (t->nsegments == HTTP_SEGMENTS_MAX)
			return bad_target(err, "too many segments");
		t->segment[t->nsegments++] = segment;
	}
	return XOS_OK;
}

static enum xos_status query_split(char *query, struct http_target *t, struct xos_err *err)
{
	while (query && *query) {
		char *value = strsep(&query, "&");
		char *name = strsep(&value, "=");
		if (!percent_decode(name, true) || (value && !percent_decode(value, true)))
			return bad_target(err, "a query that is not UTF-8 text, percent-encoded");
		if (!*name)
			return bad_target(err, "a query parameter without a name");
		for (size_t i = 0; i < t->nquery; i++)
			if (strcmp(t->query[i].name, name) == 0)
				return bad_target(err, "a query parameter given twice");
		if (t->nquery == HTTP_QUERY_MAX)
			return bad_target(err, "too many query parameters");
		t->query[t->nquery++] = (struct http_field){name, value ? value : ""};
	}
	return XOS_OK;
}

enum xos_status http_target_parse(const char *target, struct http_target *t, struct xos_err *err)
{
	for (const char *c = target; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '#')
			return bad_target(err, "bytes that must be percent-encoded");
	t->text = strdup(target);
	t->path = strndup(target, strcspn(target, "?"));
	if (!t->text || !t->path)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	char *query = t->text;
	char *path = strsep(&query, "?");
	enum xos_status st = path_split(path, t, err);
	return st == XOS_OK ? query_split(query, t, err) : st;
}

void http_target_clear(struct http_target *t)
{
	free(t->text);
	free(t->path);
	*t = (struct http_target){.text = NULL};
}

/* One byte of framing; data bytes are taken in whole runs by the caller. */
static bool chunk_step(struct http_chunks *c, uint8_t b)
{
	int v;
	switch (c->state) {
	case CHUNK_SIZE:
		v = hex_value((char)b);
		if (v >= 0 && c->digits < 8) {
			c->left = c->left * 16 + (uint64_t)v;
			c->digits++;
			return true;
		}
		if (v >= 0 || c->digits == 0 || (b != ';' && b != '\r'))
			return false;
		c->state = b == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
		return true;
	case CHUNK_EXT:
		if (b == '\r')
			c->state = CHUNK_SIZE_LF;
		return b == '\r' || (b >= 0x20 && b != 0x7f && ++c->ext < 256);
	case CHUNK_SIZE_LF:
		c->state = c->left ? CHUNK_DATA : CHUNK_END_CR;
		return b == '\n';
	case CHUNK_CR:
		c->state = CHUNK_LF;
		return b == '\r';
	case CHUNK_LF:
		c->state = CHUNK_SIZE;
		c->digits = 0;
		c->ext = 0;
		return b == '\n';
	case CHUNK_END_CR:
		c->state = CHUNK_END_LF;
		return b == '\r';
	case CHUNK_END_LF:
		c->state = CHUNK_DONE;
		return b == '\n';
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return false;
}

enum xos_status http_chunks_feed(
    struct http_chunks *c, struct xos_bytes *in, struct xos_buf *body, struct xos_err *err)
{
	while (in->n > 0 && c->state != CHUNK_DONE) {
		size_t n = 1;
		if (c->state == CHUNK_DATA) {
			n = c->left < in->n ? (size_t)c->left : in->n;
			xos_buf_put(body, in->p, n);
			if (xos_buf_status(body) != XOS_OK)
				return xos_err_set(err, xos_buf_status(body), "body-too-long",
				    "the body is longer than %zu bytes", body->max);
			c->left -= n;
			if (c->left == 0)
				c->state = CHUNK_CR;
		} else if (!chunk_step(c, in->p[0])) {
			return syntax(err, "a chunk of the body");
		}
		in->p += n;
		in->n -= n;
	}
	return XOS_OK;
}
