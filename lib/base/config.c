#include "base/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define FILE_MAX (256 * 1024)

struct load {
	const char *name; /* of the file, for messages and relative paths */
	const struct xos_config_key *keys;
	size_t nkeys;
	bool *seen;         /* by key */
	bool *section_seen; /* by the section's first key */
	const char *section;
	size_t line;
	char *out;
	struct xos_err *err;
};

static char **text_field(const struct xos_config_key *key, char *out)
{
	return (char **)(void *)(out + key->offset);
}

static enum xos_status bad(
    const struct load *l, const char *code, const char *what, const char *which)
{
	return xos_err_set(
	    l->err, XOS_MALFORMED, code, "%s:%zu: %s '%s'", l->name, l->line, what, which);
}

static enum xos_status bad_value(
    const struct load *l, const struct xos_config_key *key, const char *must)
{
	return xos_err_set(l->err, XOS_MALFORMED, "config-value", "%s:%zu: '%s' must be %s",
	    l->name, l->line, key->name, must);
}

static enum xos_status set_text(
    const struct load *l, const struct xos_config_key *key, const char *value)
{
	struct xos_buf b;
	xos_buf_init(&b, FILE_MAX);
	const char *slash = strrchr(l->name, '/');
	if (key->type == XOS_CONFIG_PATH && value[0] != '/' && slash)
		xos_buf_put(&b, l->name, (size_t)(slash - l->name) + 1);
	xos_buf_put_str(&b, value);
	char *text = xos_buf_steal(&b, NULL);
	if (!text) {
		xos_buf_free(&b);
		return xos_err_set(
		    l->err, XOS_INTERNAL, "memory", "out of memory reading %s", l->name);
	}
	char **field = text_field(key, l->out);
	free(*field);
	*field = text;
	return XOS_OK;
}

static bool parse_number(const char *value, int64_t *v)
{
	uint64_t u;
	bool minus = value[0] == '-';
	if (!xos_parse_u64(value + minus, INT64_MAX, &u) || (minus && u == 0))
		return false;
	*v = minus ? -(int64_t)u : (int64_t)u;
	return true;
}

static enum xos_status set_int(
    const struct load *l, const struct xos_config_key *key, const char *value)
{
	bool duration = key->type == XOS_CONFIG_DURATION;
	int64_t v, max = key->min == 0 && key->max == 0 ? INT64_MAX : key->max;
	if (!(duration ? xos_duration_parse(value, &v) : parse_number(value, &v)))
		return bad_value(l, key,
		    duration ? "a duration such as 90s, 15m, 12h, 7d or 2w" : "a whole number");
	if (v < key->min || v > max) {
		char low[XOS_TIME_TEXT], high[XOS_TIME_TEXT], must[96];
		if (duration) {
			xos_duration_format(key->min, low);
			xos_duration_format(max, high);
		} else {
			xos_str_printf(low, sizeof(low), "%lld", (long long)key->min);
			xos_str_printf(high, sizeof(high), "%lld", (long long)max);
		}
		xos_str_printf(must, sizeof(must), "from %s to %s", low, high);
		return bad_value(l, key, must);
	}
	memcpy(l->out + key->offset, &v, sizeof(v));
	return XOS_OK;
}

static enum xos_status set_value(
    const struct load *l, const struct xos_config_key *key, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;
	switch (key->type) {
	case XOS_CONFIG_STRING:
	case XOS_CONFIG_PATH:
		return set_text(l, key, value);
	case XOS_CONFIG_NUMBER:
	case XOS_CONFIG_DURATION:
		return set_int(l, key, value);
	case XOS_CONFIG_BOOL:
		if (!yes && strcmp(value, "no") != 0)
			return bad_value(l, key, "yes or no");
		memcpy(l->out + key->offset, &yes, sizeof(yes));
		return XOS_OK;
	}
	return xos_err_set(l->err, XOS_INTERNAL, "config-type", "%s has no type", key->name);
}

static char *trim(char *s)
{
	s += strspn(s, " \t");
	size_t n = strlen(s);
	while (n > 0 && strchr(" \t", s[n - 1]))
		n--;
	s[n] = 0;
	return s;
}

static enum xos_status take_section(struct load *l, char *s)
{
	size_t n = strlen(s);
	if (s[n - 1] != ']')
		return bad(l, "config-syntax", "a section must stand as [name], not", s);
	s[n - 1] = 0;
	for (size_t i = 0; i < l->nkeys; i++) {
		if (!l->keys[i].section[0] || strcmp(l->keys[i].section, s + 1) != 0)
			continue;
		if (l->section_seen[i])
			return bad(l, "config-duplicate", "there is a second section", s + 1);
		l->section_seen[i] = true;
		l->section = l->keys[i].section;
		return XOS_OK;
	}
	return bad(l, "config-unknown", "unknown section", s + 1);
}

static enum xos_status take_pair(struct load *l, char *s)
{
	char *equals = strchr(s, '=');
	if (!equals)
		return bad(l, "config-syntax", "expected 'key = value', not", s);
	*equals = 0;
	const char *name = trim(s), *value = trim(equals + 1);
	for (size_t i = 0; i < l->nkeys; i++) {
		if (strcmp(l->keys[i].section, l->section) != 0 ||
		    strcmp(l->keys[i].name, name) != 0)
			continue;
		if (l->seen[i])
			return bad(l, "config-duplicate", "there is a second value for", name);
		if (!value[0])
			return bad(l, "config-value", "there is no value for", name);
		if (strstr(value, " #") || strstr(value, "\t#"))
			return bad(
			    l, "config-syntax", "a comment needs a line of its own, after", name);
		l->seen[i] = true;
		return set_value(l, &l->keys[i], value);
	}
	return bad(l, "config-unknown", "unknown key", name);
}

static enum xos_status take_line(struct load *l, char *s)
{
	s = trim(s);
	if (s[0] == 0 || s[0] == '#')
		return XOS_OK;
	return s[0] == '[' ? take_section(l, s) : take_pair(l, s);
}

static enum xos_status check_characters(struct load *l, struct xos_bytes text)
{
	l->line = 1;
	for (size_t i = 0; i < text.n;) {
		size_t len = xos_utf8_length(text.p + i, text.n - i);
		if (len == 0)
			return bad(l, "config-syntax", "the file must be UTF-8, which this line is",
			    "not");
		bool ok = text.p[i] == '\n' || text.p[i] == '\t' ||
		          (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n');
		if (!ok && xos_utf8_is_control(text.p + i, len))
			return bad(l, "config-syntax", "control characters are", "not allowed");
		l->line += text.p[i] == '\n';
		i += len;
	}
	return XOS_OK;
}

static enum xos_status take_lines(struct load *l, char *text)
{
	l->line = 0;
	for (char *s = text, *next; s; s = next) {
		next = strchr(s, '\n');
		if (next)
			*next++ = 0;
		size_t n = strlen(s);
		if (n && s[n - 1] == '\r')
			s[n - 1] = 0;
		l->line++;
		enum xos_status rc = take_line(l, s);
		if (rc != XOS_OK)
			return rc;
	}
	return XOS_OK;
}

static enum xos_status take_missing(struct load *l)
{
	l->line = 0;
	for (size_t i = 0; i < l->nkeys; i++) {
		const struct xos_config_key *key = &l->keys[i];
		if (l->seen[i])
			continue;
		if (key->required)
			return xos_err_set(l->err, XOS_MALFORMED, "config-missing",
			    "%s: the key '%s' is missing%s%s%s", l->name, key->name,
			    key->section[0] ? " from section [" : "", key->section,
			    key->section[0] ? "]" : "");
		enum xos_status rc = key->fallback ? set_value(l, key, key->fallback) : XOS_OK;
		if (rc != XOS_OK)
			return rc;
	}
	return XOS_OK;
}

enum xos_status xos_config_parse(const char *name, struct xos_bytes text,
    const struct xos_config_key *keys, size_t nkeys, void *out, struct xos_err *err)
{
	struct load l = {.name = name, .keys = keys, .nkeys = nkeys, .out = out, .err = err};
	enum xos_status rc = XOS_INTERNAL;
	l.section = "";
	l.seen = calloc(nkeys + 1, sizeof(bool));
	l.section_seen = calloc(nkeys + 1, sizeof(bool));
	char *copy = malloc(text.n + 1);
	if (!l.seen || !l.section_seen || !copy) {
		(void)xos_err_set(err, rc, "memory", "out of memory reading %s", name);
		goto out;
	}
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	rc = check_characters(&l, text);
	if (rc == XOS_OK)
		rc = take_lines(&l, copy);
	if (rc == XOS_OK)
		rc = take_missing(&l);
out:
	if (rc != XOS_OK)
		xos_config_free(keys, nkeys, out);
	free(copy);
	free(l.section_seen);
	free(l.seen);
	return rc;
}

enum xos_status xos_config_load(const char *path, const struct xos_config_key *keys, size_t nkeys,
    void *out, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status rc = xos_file_read(path, FILE_MAX, &text, err);
	if (rc != XOS_OK)
		return rc;
	rc = xos_config_parse(path, xos_buf_bytes(&text), keys, nkeys, out, err);
	xos_buf_free(&text);
	return rc;
}

void xos_config_free(const struct xos_config_key *keys, size_t nkeys, void *out)
{
	for (size_t i = 0; out && i < nkeys; i++) {
		if (keys[i].type != XOS_CONFIG_STRING && keys[i].type != XOS_CONFIG_PATH)
			continue;
		char **field = text_field(&keys[i], out);
		free(*field);
		*field = NULL;
	}
}
