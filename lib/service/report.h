#ifndef XOS_SERVICE_REPORT_H
#define XOS_SERVICE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * What a process without a network says about itself, for /health/ready and /metrics: what keeps it
 * from working, what soon will, and figures. It is asked for over its channel (see monitor.h).
 *
 * Encoded: u16 count of findings, each u8 warns, lp(name) u8 status lp(code) lp(text); u16 count of
 * figures, each lp(name) lp(help) u8 kind lp(label) lp(value of the label) u64 number.
 */
#define XOS_REPORT_FINDINGS 16
#define XOS_REPORT_FIGURES 96
#define XOS_REPORT_NAME_MAX 63
#define XOS_REPORT_HELP_MAX 127
#define XOS_REPORT_MAX (64 * 1024)

enum xos_figure_kind {
	XOS_FIGURE_COUNTER,
	XOS_FIGURE_GAUGE,
	XOS_FIGURE_MICROS /* a counter of time, in microseconds here and in seconds in /metrics */
};

struct xos_figure {
	char name[XOS_REPORT_NAME_MAX + 1]; /* as Prometheus wants it */
	char help[XOS_REPORT_HELP_MAX + 1];
	enum xos_figure_kind kind;
	char label[XOS_REPORT_NAME_MAX + 1]; /* "" for none; figures of one name stand together */
	char value[XOS_REPORT_NAME_MAX + 1];
	int64_t number;
};

struct xos_finding {
	char name[XOS_REPORT_NAME_MAX + 1]; /* "log", "database" */
	bool warns;                         /* it works, but somebody should look */
	struct xos_err why;
};

struct xos_report {
	struct xos_finding finding[XOS_REPORT_FINDINGS];
	size_t nfindings;
	struct xos_figure figure[XOS_REPORT_FIGURES];
	size_t nfigures;
};

/* What does not fit is left out. name, help: literals. */
void xos_report_problem(struct xos_report *r, const char *name, const struct xos_err *why);
void xos_report_warning(struct xos_report *r, const char *name, const struct xos_err *why);
void xos_report_figure(struct xos_report *r, enum xos_figure_kind kind, const char *name,
    const char *help, int64_t number);
void xos_report_labelled(struct xos_report *r, const char *name, const char *help,
    const char *label, const char *value, int64_t number);
/* Is there room on the disk of a folder? A problem when it is full, a warning when nearly so. */
void xos_report_disk(struct xos_report *r, const char *dir);
/* OK while a write of some kilobytes may succeed; UNAVAILABLE "disk-full" says how little is left. */
XOS_MUST_USE enum xos_status xos_disk_room(const char *dir, struct xos_err *err);

void xos_report_encode(struct xos_buf *out, const struct xos_report *r);
/* MALFORMED "report": also for a name that Prometheus would not take. */
XOS_MUST_USE enum xos_status xos_report_decode(
    struct xos_bytes in, struct xos_report *r, struct xos_err *err);
/* The figures as text, families with their heads. */
void xos_report_text(const struct xos_report *r, struct xos_buf *text);

#endif
