#include "service/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/text.h"
#include "service/health.h"

#define FULL_BYTES (256 * 1024)
#define LOW_BYTES (INT64_C(1024) * 1024 * 1024) /* below this and a twentieth: worth a warning */

static void find(struct xos_report *r, const char *name, bool warns, const struct xos_err *why)
{
	struct xos_finding *f = &r->finding[r->nfindings];
	if (r->nfindings == XOS_REPORT_FINDINGS || !xos_str_copy(f->name, sizeof(f->name), name))
		return;
	f->warns = warns;
	f->why = *why;
	r->nfindings++;
}

void xos_report_problem(struct xos_report *r, const char *name, const struct xos_err *why)
{
	find(r, name, false, why);
}

void xos_report_warning(struct xos_report *r, const char *name, const struct xos_err *why)
{
	find(r, name, true, why);
}

static struct xos_figure *add_figure(struct xos_report *r, const char *name, const char *help)
{
	struct xos_figure *f = &r->figure[r->nfigures];
	if (r->nfigures == XOS_REPORT_FIGURES)
		return NULL;
	*f = (struct xos_figure){.number = 0};
	if (!xos_str_copy(f->name, sizeof(f->name), name) ||
	    !xos_str_copy(f->help, sizeof(f->help), help))
		return NULL;
	r->nfigures++;
	return f;
}

void xos_report_figure(struct xos_report *r, enum xos_figure_kind kind, const char *name,
    const char *help, int64_t number)
{
	struct xos_figure *f = add_figure(r, name, help);
	if (!f)
		return;
	f->kind = kind;
	f->number = number;
}

void xos_report_labelled(struct xos_report *r, const char *name, const char *help,
    const char *label, const char *value, int64_t number)
{
	struct xos_figure *f = add_figure(r, name, help);
	if (!f)
		return;
	f->number = number;
	if (!xos_str_copy(f->label, sizeof(f->label), label) ||
	    !xos_str_copy(f->value, sizeof(f->value), value))
		r->nfigures--;
}

/* ---- the disk ---- */

/* Bytes that we may still write, and of how many; -1: nobody knows. */
static int64_t room(const char *dir, int64_t *of)
{
	struct statvfs s;
	if (statvfs(dir, &s) != 0)
		return -1;
	*of = (int64_t)s.f_blocks * (int64_t)s.f_frsize;
	if (s.f_files && !s.f_favail)
		return 0;
	return (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}

enum xos_status xos_disk_room(const char *dir, struct xos_err *err)
{
	int64_t of = 0, left = room(dir, &of);
	if (left < 0 || left >= FULL_BYTES)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "disk-full",
	    "the disk is full (%" PRId64 " kB left for %s): free some space", left / 1024, dir);
}

void xos_report_disk(struct xos_report *r, const char *dir)
{
	struct xos_err why = XOS_ERR_INIT;
	int64_t of = 0, left = room(dir, &of);
	if (xos_disk_room(dir, &why) != XOS_OK) {
		xos_report_problem(r, "disk", &why);
	} else if (left >= 0 && left < LOW_BYTES && left < of / 20) {
		xos_err_set(&why, XOS_LIMIT, "disk-low",
		    "only %" PRId64 " MB are left on the disk of %s", left / 1024 / 1024, dir);
		xos_report_warning(r, "disk", &why);
	}
}

/* ---- the form on a channel ---- */

void xos_report_encode(struct xos_buf *out, const struct xos_report *r)
{
	xos_buf_u16(out, (uint16_t)r->nfindings);
	for (size_t i = 0; i < r->nfindings; i++) {
		const struct xos_finding *f = &r->finding[i];
		xos_buf_u8(out, f->warns);
		xos_buf_lp_str(out, f->name);
		xos_buf_u8(out, (uint8_t)f->why.status);
		xos_buf_lp_str(out, f->why.code);
		xos_buf_lp_str(out, f->why.text);
	}
	xos_buf_u16(out, (uint16_t)r->nfigures);
	for (size_t i = 0; i < r->nfigures; i++) {
		const struct xos_figure *f = &r->figure[i];
		xos_buf_lp_str(out, f->name);
		xos_buf_lp_str(out, f->help);
		xos_buf_u8(out, (uint8_t)f->kind);
		xos_buf_lp_str(out, f->label);
		xos_buf_lp_str(out, f->value);
		xos_buf_u64(out, (uint64_t)f->number);
	}
}

static bool is_name(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	return *s >= 'a' && *s <= 'z' && strspn(s, good) == strlen(s);
}

/* Shown between quotes, or after # HELP: nothing that would need an escape. */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return true;
}

static bool read_finding(struct xos_reader *r, struct xos_finding *f)
{
	char code[XOS_ERR_CODE_MAX], text[XOS_ERR_TEXT_MAX];
	uint8_t warns = 0, status = 0;
	if (!xos_reader_u8(r, &warns) || !xos_reader_lp_str(r, f->name, sizeof(f->name)) ||
	    !xos_reader_u8(r, &status) || !xos_reader_lp_str(r, code, sizeof(code)) ||
	    !xos_reader_lp_str(r, text, sizeof(text)) || warns > 1 || status > XOS_INTERNAL ||
	    !is_name(f->name))
		return false;
	f->warns = warns == 1;
	xos_err_set(&f->why, status, code, "%s", text);
	return true;
}

static bool read_figure(struct xos_reader *r, struct xos_figure *f)
{
	uint8_t kind = 0;
	uint64_t number = 0;
	if (!xos_reader_lp_str(r, f->name, sizeof(f->name)) ||
	    !xos_reader_lp_str(r, f->help, sizeof(f->help)) || !xos_reader_u8(r, &kind) ||
	    !xos_reader_lp_str(r, f->label, sizeof(f->label)) ||
	    !xos_reader_lp_str(r, f->value, sizeof(f->value)) || !xos_reader_u64(r, &number) ||
	    kind > XOS_FIGURE_MICROS || !is_name(f->name) || !is_plain(f->help) ||
	    (f->label[0] && !is_name(f->label)) || !is_plain(f->value))
		return false;
	f->kind = kind;
	f->number = (int64_t)number;
	return true;
}

static bool read_all(struct xos_reader *r, struct xos_report *out)
{
	uint16_t n = 0;
	if (!xos_reader_u16(r, &n) || n > XOS_REPORT_FINDINGS)
		return false;
	for (; out->nfindings < n; out->nfindings++)
		if (!read_finding(r, &out->finding[out->nfindings]))
			return false;
	if (!xos_reader_u16(r, &n) || n > XOS_REPORT_FIGURES)
		return false;
	for (; out->nfigures < n; out->nfigures++)
		if (!read_figure(r, &out->figure[out->nfigures]))
			return false;
	return xos_reader_end(r) == XOS_OK;
}

enum xos_status xos_report_decode(struct xos_bytes in, struct xos_report *out, struct xos_err *err)
{
	struct xos_reader r;
	xos_reader_init(&r, in);
	memset(out, 0, sizeof(*out));
	if (read_all(&r, out))
		return XOS_OK;
	memset(out, 0, sizeof(*out));
	return xos_err_set(err, XOS_MALFORMED, "report", "malformed report of a process");
}

/* ---- text ---- */

static void put_number(struct xos_buf *text, const struct xos_figure *f)
{
	if (f->kind == XOS_FIGURE_MICROS)
		xos_buf_printf(text, " %.6f\n", (double)f->number / 1e6);
	else
		xos_buf_printf(text, " %" PRId64 "\n", f->number);
}

void xos_report_text(const struct xos_report *r, struct xos_buf *text)
{
	for (size_t i = 0; i < r->nfigures; i++) {
		const struct xos_figure *f = &r->figure[i];
		if (i == 0 || strcmp(f->name, r->figure[i - 1].name) != 0)
			xos_metric_head(text, f->name, f->help,
			    f->kind == XOS_FIGURE_GAUGE ? "gauge" : "counter");
		xos_buf_put_str(text, f->name);
		if (f->label[0])
			xos_buf_printf(text, "{%s=\"%s\"}", f->label, f->value);
		put_number(text, f);
	}
}
