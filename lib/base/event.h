#ifndef XOS_BASE_EVENT_H
#define XOS_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * The event log: one event a line, a stable event name and key=value pairs (logfmt), to standard
 * error. Values are quoted and escaped as needed, so a peer's bytes cannot forge a line. Not the
 * audit record: that is lib/log.
 *
 *   XOS_EVENT(XOS_INFO, "token.issued", "member", name, "request", id);
 *   -> 2026-11-22T18:10:09Z level=info proc=cad/key event=token.issued member=alice request=7f..
 */
enum xos_level { XOS_DEBUG, XOS_INFO, XOS_WARN, XOS_ERROR };

/* Name shown as proc=; copied. Least level shown; the default is XOS_INFO. Call before threads. */
void xos_event_setup(const char *proc, enum xos_level least);
/* Alternating keys and values, both const char *, a NULL key ends; a NULL value is left out. */
void xos_event(enum xos_level level, const char *event, ...) __attribute__((sentinel));
/* The status, code and text of err as status=, code=, error=, then more pairs. */
void xos_event_err(enum xos_level level, const char *event, const struct xos_err *err, ...)
    __attribute__((sentinel));

/*
 * What the calling thread works for: stands as request= in each of its events until it is changed, so
 * that one id is found in the events of every process that had to do with it. Copied; NULL, or what
 * xos_event_request_valid refuses, ends it.
 */
#define XOS_EVENT_REQUEST_MAX 64
void xos_event_request(const char *id);
const char *xos_event_request_get(void);      /* "" if there is none */
bool xos_event_request_valid(const char *id); /* [A-Za-z0-9._-]{1,64} */

#define XOS_EVENT(level, ...) xos_event(level, __VA_ARGS__, (const char *)NULL)

#endif
