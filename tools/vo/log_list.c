/* xos-vo log show, xos-vo log export */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "vo/log.h"

#define LINE_BYTES_MAX (1024 * 1024)

/* --- show --- */

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *s = NULL;

	if (!xos_json_has(o, key) || xos_json_get_string(o, key, XOS_LOG_PAYLOAD_MAX, &s, NULL))
		return NULL;
	return s;
}

/* "method: password" and the like: what there is to say of a record beside who and when. */
static void details(const struct xos_json *record, bool token, struct xos_buf *out)
{
	const struct xos_json *args = NULL;

	if (token) {
		xos_buf_printf(out, "%s until %s by %s", text_of(record, "serial"),
		    text_of(record, "not_after"), text_of(record, "method"));
		return;
	}
	if (xos_json_opt_object(record, "args", &args, NULL) == XOS_OK && args)
		(void)!xos_json_dump_line(args, out, NULL);
	else
		(void)!xos_json_dump_line(record, out, NULL);
}

static void add_row(struct xos_cli_table *t, const struct xos_json *doc)
{
	const struct xos_json *record = NULL;
	const char *type = text_of(doc, "type"), *verb = NULL, *who = NULL;
	char number[24];
	uint64_t sequence = 0;
	struct xos_buf more;

	if (xos_json_get_object(doc, "record", &record, NULL) != XOS_OK ||
	    xos_json_get_uint64(doc, "sequence", INT64_MAX, &sequence, NULL) != XOS_OK)
		return;
	xos_buf_init(&more, LINE_BYTES_MAX);
	xos_str_printf(number, sizeof(number), "%llu", (unsigned long long)sequence);
	bool delegation = type && strcmp(type, "delegation") == 0;
	bool token = delegation || (type && strcmp(type, "issued") == 0);
	verb = text_of(record, "verb");
	who = text_of(record, token ? "member" : "by");
	details(record, token, &more);
	const char *cells[] = {number, text_of(doc, "time"),
	    delegation ? "delegation"
	    : token    ? "token"
	    : verb     ? verb
	               : type,
	    who, xos_buf_str(&more)};
	xos_cli_table_row(t, cells);
	xos_buf_free(&more);
}

static enum xos_status list_one(void *ctx, struct xos_json *record, struct xos_err *err)
{
	(void)err;
	xos_json_add(ctx, record);
	return XOS_OK;
}

static enum xos_status span(const struct vo_log_opts *o, struct xos_json *args, struct xos_err *err)
{
	int64_t since = 0, until = 0;
	enum xos_status st = o->since ? xos_cli_since("since", o->since, &since, err) : XOS_OK;

	if (st == XOS_OK && o->until)
		st = xos_cli_since("until", o->until, &until, err);
	if (st == XOS_OK && o->since)
		xos_json_set_time(args, "since", since < 0 ? 0 : since);
	if (st == XOS_OK && o->until)
		xos_json_set_time(args, "until", until < 0 ? 0 : until);
	return st;
}

/* Takes list. */
static enum xos_status print_list(
    const struct vo_log *log, const char *member, struct xos_json *list, struct xos_err *err)
{
	static const char *const heads[] = {"RECORD", "TIME", "WHAT", "BY", "DETAILS"};
	struct xos_cli_table *t;
	size_t n = xos_json_count(list);

	if (log->cli->json) {
		struct xos_json *doc = vo_log_head_doc(log);

		xos_json_set_string(doc, "member", member);
		xos_json_set(doc, "records", list);
		return xos_cli_print_json(doc, err);
	}
	if (n == 0) {
		xos_json_free(list);
		xos_cli_say("the record has nothing about %s for that time", member);
		return XOS_OK;
	}
	t = xos_cli_table_new(heads, sizeof(heads) / sizeof(heads[0]));
	for (size_t i = 0; i < n; i++)
		add_row(t, xos_json_at(list, i));
	xos_json_free(list);
	return xos_cli_table_print(t, err);
}

enum xos_status vo_log_show(
    struct xos_cli *cli, const struct vo_log_opts *o, const char *member, struct xos_err *err)
{
	struct vo_log log = {.cli = cli};
	struct xos_json *args = xos_json_object(), *list = xos_json_array();
	enum xos_status st = span(o, args, err);

	if (st == XOS_OK)
		st = vo_log_open(cli, &log, err);
	if (st == XOS_OK) {
		xos_json_set_string(args, "member", member);
		st = vo_log_records(&log, "log.show", args, 0, list_one, list, err);
		args = NULL; /* taken */
	}
	if (st == XOS_OK) {
		st = print_list(&log, member, list, err);
		list = NULL;
	}
	xos_json_free(list);
	xos_json_free(args);
	vo_log_close(&log);
	return st;
}

/* --- export --- */

struct exporting {
	int fd;
	uint64_t next; /* expected: an authority that leaves one out is told */
	uint64_t n;
};

static enum xos_status put_line(int fd, struct xos_json *doc, struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, LINE_BYTES_MAX);
	st = xos_json_dump_line(doc, &b, err);
	xos_buf_put_str(&b, "\n");
	if (st == XOS_OK)
		st = xos_buf_status(&b);
	if (st == XOS_OK)
		st = xos_fd_write_all(fd, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

static enum xos_status export_one(void *ctx, struct xos_json *record, struct xos_err *err)
{
	struct exporting *x = ctx;
	uint64_t sequence = 0;
	enum xos_status st = xos_json_get_uint64(record, "sequence", INT64_MAX, &sequence, err);

	if (st == XOS_OK && sequence != x->next)
		st = xos_err_set(err, XOS_MALFORMED, "log-page",
		    "the authority left record %llu out", (unsigned long long)x->next);
	if (st != XOS_OK) {
		xos_json_free(record);
		return st;
	}
	x->next++;
	x->n++;
	return put_line(x->fd, record, err);
}

static enum xos_status range(
    const struct vo_log_opts *o, uint64_t last, uint64_t *from, uint64_t *to, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*from = 1;
	*to = last;
	if (o->from)
		st = vo_log_number("from", o->from, from, err);
	if (st == XOS_OK && o->to)
		st = vo_log_number("to", o->to, to, err);
	if (st == XOS_OK && (*to > last || *from > *to))
		st = xos_err_set(err, XOS_NOT_FOUND, "log-record",
		    "there are no records %llu to %llu: the log has %llu",
		    (unsigned long long)*from, (unsigned long long)*to, (unsigned long long)last);
	return st;
}

static enum xos_status write_export(
    struct vo_log *log, struct exporting *x, uint64_t to, struct xos_err *err)
{
	struct xos_json *head = vo_log_head_doc(log), *args = xos_json_object();
	enum xos_status st;

	xos_json_set_int(head, "from", (int64_t)x->next);
	xos_json_set_int(head, "to", (int64_t)to);
	xos_json_set_int(args, "from", (int64_t)x->next);
	xos_json_set_int(args, "to", (int64_t)to);
	st = put_line(x->fd, head, err);
	if (st != XOS_OK) {
		xos_json_free(args);
		return st;
	}
	st = vo_log_records(log, "log.export", args, 0, export_one, x, err);
	if (st == XOS_OK && x->next != to + 1)
		st = xos_err_set(err, XOS_MALFORMED, "log-page",
		    "the authority ended before record %llu", (unsigned long long)to);
	return st;
}

/* Beside the file first: what is there is whole. */
static enum xos_status export_file(
    struct vo_log *log, struct exporting *x, uint64_t to, const char *out, struct xos_err *err)
{
	char part[PATH_MAX];
	enum xos_status st;

	if (!xos_str_printf(part, sizeof(part), "%s.part", out))
		return xos_err_set(err, XOS_MALFORMED, "file-name", "%s is too long", out);
	x->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->fd < 0)
		return xos_err_errno(err, errno, "file-open", "cannot write %s", part);
	st = write_export(log, x, to, err);
	if (st == XOS_OK && fsync(x->fd) != 0)
		st = xos_err_errno(err, errno, "file-write", "cannot write %s", part);
	close(x->fd);
	if (st == XOS_OK && rename(part, out) != 0)
		st = xos_err_errno(err, errno, "file-write", "cannot write %s", out);
	if (st != XOS_OK)
		(void)unlink(part);
	return st;
}

static enum xos_status say_exported(const struct xos_cli *cli, const struct vo_log *log,
    const struct exporting *x, const char *out, struct xos_err *err)
{
	struct xos_json *doc;

	if (!cli->json) {
		xos_cli_say("%llu record%s of %s, each verified, in %s", (unsigned long long)x->n,
		    x->n == 1 ? "" : "s", log->head.name, out);
		return XOS_OK;
	}
	doc = xos_json_object();
	xos_json_set_string(doc, "log", log->head.name);
	xos_json_set_int(doc, "records", (int64_t)x->n);
	xos_json_set_text(doc, "file", out);
	return xos_cli_print_json(doc, err);
}

enum xos_status vo_log_export(struct xos_cli *cli, const struct vo_log_opts *o, struct xos_err *err)
{
	struct vo_log log = {.cli = cli};
	struct exporting x = {.fd = STDOUT_FILENO};
	uint64_t to = 0;
	enum xos_status st = vo_log_open(cli, &log, err);

	if (st == XOS_OK)
		st = range(o, log.head.sequence, &x.next, &to, err);
	if (st == XOS_OK && o->out)
		st = export_file(&log, &x, to, o->out, err);
	else if (st == XOS_OK)
		st = write_export(&log, &x, to, err);
	if (st == XOS_OK && o->out)
		st = say_exported(cli, &log, &x, o->out, err);
	vo_log_close(&log);
	return st;
}
