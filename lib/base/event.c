#include "base/event.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* One write(2) a line, below PIPE_BUF: lines of several processes on one pipe never mix. */
#define LINE_MAX_BYTES 4000
#define CUT_MARK " cut=yes\n"

static struct {
	char proc[64];
	enum xos_level least;
} sink = {"", XOS_INFO};

/* Of the thread, not handed down: what logs is far below what knows the request. */
static _Thread_local char request[XOS_EVENT_REQUEST_MAX + 1];

struct line {
	char text[LINE_MAX_BYTES + sizeof(CUT_MARK)];
	size_t n;
	bool cut;
};

void xos_event_setup(const char *proc, enum xos_level least)
{
	if (!xos_str_copy(sink.proc, sizeof(sink.proc), proc ? proc : ""))
		(void)snprintf(sink.proc, sizeof(sink.proc), "%.60s", proc);
	xos_text_clean(sink.proc);
	sink.least = least;
}

bool xos_event_request_valid(const char *id)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(id);
	return n > 0 && n <= XOS_EVENT_REQUEST_MAX && strspn(id, good) == n;
}

void xos_event_request(const char *id)
{
	if (!id || !xos_event_request_valid(id) || !xos_str_copy(request, sizeof(request), id))
		request[0] = '\0';
}

const char *xos_event_request_get(void)
{
	return request;
}

static void put(struct line *l, const char *p, size_t n)
{
	if (l->cut || n > LINE_MAX_BYTES - l->n) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->n, p, n);
	l->n += n;
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

static bool needs_quotes(const char *s)
{
	if (!*s)
		return true;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || strchr("\"\\=", *s))
			return true;
	return false;
}

static void put_escaped(struct line *l, const uint8_t *p, size_t len)
{
	char hex[8];
	for (size_t i = 0; i < len; i++) {
		xos_str_printf(hex, sizeof(hex), "\\x%02x", p[i]);
		put_str(l, hex);
	}
}

static void put_value(struct line *l, const char *s)
{
	if (!needs_quotes(s)) {
		put_str(l, s);
		return;
	}
	put_str(l, "\"");
	const uint8_t *p = (const uint8_t *)s;
	for (size_t n = strlen(s); n > 0;) {
		size_t len = xos_utf8_length(p, n);
		if (len == 0)
			put_escaped(l, p, len = 1);
		else if (*p == '\n')
			put_str(l, "\\n");
		else if (xos_utf8_is_control(p, len))
			put_escaped(l, p, len);
		else if (*p == '"' || *p == '\\')
			put(l, *p == '"' ? "\\\"" : "\\\\", 2);
		else
			put(l, (const char *)p, len);
		p += len;
		n -= len;
	}
	put_str(l, "\"");
}

static void put_pair(struct line *l, const char *key, const char *value)
{
	size_t before = l->n;
	put_str(l, " ");
	put_str(l, key);
	put_str(l, "=");
	put_value(l, value);
	if (l->cut)
		l->n = before; /* whole pairs only: half a value could read as another */
}

static void start(struct line *l, enum xos_level level, const char *event)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char now[XOS_TIME_TEXT];
	xos_time_format(xos_clock_now(), now);
	l->n = 0;
	l->cut = false;
	put_str(l, now);
	put_pair(l, "level", names[level]);
	if (sink.proc[0])
		put_pair(l, "proc", sink.proc);
	put_pair(l, "event", event);
	if (request[0])
		put_pair(l, "request", request);
}

static void put_pairs(struct line *l, va_list ap)
{
	for (;;) {
		const char *key = va_arg(ap, const char *);
		if (!key)
			return;
		const char *value = va_arg(ap, const char *);
		/* The thread's own stands there already. */
		if (value && !(request[0] && strcmp(key, "request") == 0))
			put_pair(l, key, value);
	}
}

static void finish(struct line *l)
{
	const char *end = l->cut ? CUT_MARK : "\n";
	memcpy(l->text + l->n, end, strlen(end));
	l->n += strlen(end);
	int saved = errno;
	/* A log that cannot be written must not stop what it describes. */
	ssize_t put_n = write(STDERR_FILENO, l->text, l->n);
	(void)put_n;
	errno = saved;
}

void xos_event(enum xos_level level, const char *event, ...)
{
	struct line l;
	if (level < sink.least)
		return;
	start(&l, level, event);
	va_list ap;
	va_start(ap, event);
	put_pairs(&l, ap);
	va_end(ap);
	finish(&l);
}

void xos_event_err(enum xos_level level, const char *event, const struct xos_err *err, ...)
{
	struct line l;
	if (level < sink.least)
		return;
	start(&l, level, event);
	if (err) {
		put_pair(&l, "status", xos_status_name(err->status));
		put_pair(&l, "code", err->code);
		put_pair(&l, "error", err->text);
	}
	va_list ap;
	va_start(ap, err);
	put_pairs(&l, ap);
	va_end(ap);
	finish(&l);
}
