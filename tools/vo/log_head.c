/* The newest head of the authority's log, and the one that was seen before. */
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "vo/log.h"

#define SKEW 300
#define PATH_TEXT 160
#define HEAD_FILE_MAX (1024 * 1024)

struct xos_logproof_want vo_log_want(enum xos_vo_log of, const struct xos_cert *root,
    const char *vo, int64_t now, char name[XOS_LOG_NAME_MAX + 1])
{
	xos_vo_log_name(of, vo, name);
	return (struct xos_logproof_want){.root = root,
	    .vo = vo,
	    .log = name,
	    .kind = xos_vo_log_kind(of),
	    .now = now,
	    .skew = SKEW};
}

/* end: "seen", "conflict" */
static enum xos_status file_of(
    const struct vo_log *l, const char *end, char path[PATH_MAX], struct xos_err *err)
{
	char name[64];

	if (xos_str_printf(name, sizeof(name), "%s-log.%s", xos_vo_log_service(l->of), end) &&
	    xos_path_join(path, PATH_MAX, l->vo->dir, name))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "%s: path too long", l->vo->dir);
}

/* The newest head that this machine has verified, as it was signed. encoded is initialised here. */
static enum xos_status load_seen(struct vo_log *l, struct xos_buf *encoded, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_bytes signature;
	enum xos_status st = file_of(l, "seen", path, err);

	xos_buf_init(encoded, XOS_LOGPROOF_HEAD_MAX);
	if (st == XOS_OK)
		st = xos_file_read(path, XOS_LOGPROOF_HEAD_MAX, encoded, err);
	if (st == XOS_NOT_FOUND)
		return XOS_OK;
	if (st == XOS_OK)
		st = xos_log_head_decode(xos_buf_bytes(encoded), &l->before, &signature, err);
	if (st != XOS_OK)
		return xos_err_prefix(err, st,
		    "%s, where the last verified head is kept, is damaged; remove it to begin anew",
		    path);
	l->seen = true;
	return st;
}

static enum xos_status fetch(
    struct vo_log *l, const char *rest, struct xos_json **doc, struct xos_err *err)
{
	char path[PATH_TEXT];
	enum xos_status st;

	xos_str_printf(path, sizeof(path), "/v1/vo/%s/log/%s", l->vo->name, rest);
	st = xos_client_json(xos_cli_client(l->client), "GET", path, NULL, doc, err);
	if (st == XOS_OK && !*doc)
		st =
		    xos_err_set(err, XOS_UNAVAILABLE, "log-head", "the authority answered nothing");
	return st;
}

/* Keeps both heads. What cannot be kept is said with the rest. */
static enum xos_status contradiction(struct vo_log *l, struct xos_bytes before,
    struct xos_bytes now, enum xos_status st, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_json *doc = xos_json_copy(l->doc);
	struct xos_err why = *err;
	struct xos_buf b;

	xos_buf_init(&b, 1024 * 1024);
	xos_json_set_bytes(doc, "before", before);
	xos_json_set_bytes(doc, "head", now);
	if (file_of(l, "conflict", path, NULL) == XOS_OK &&
	    xos_json_dump_pretty(doc, &b, NULL) == XOS_OK &&
	    xos_file_write(path, 0600, xos_buf_bytes(&b), NULL) == XOS_OK)
		st = xos_err_set(err, st, why.code,
		    "%s. Tell the VO's other members; both signed heads, which prove it, are in %s",
		    why.text, path);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

/* before: the bytes of the head `older`. */
static enum xos_status compare(struct vo_log *l, const struct xos_log_head *older,
    struct xos_bytes before, struct xos_bytes now, struct xos_err *err)
{
	char rest[PATH_TEXT];
	struct xos_json *growth = NULL;
	enum xos_status st = XOS_OK;

	if (older->sequence != 0 && older->sequence < l->head.sequence) {
		xos_str_printf(rest, sizeof(rest), "consistency?from=%llu&to=%llu",
		    (unsigned long long)older->sequence, (unsigned long long)l->head.sequence);
		st = fetch(l, rest, &growth, err);
	}
	if (st == XOS_OK) {
		st = xos_logproof_growth(growth, older, &l->head, err);
		if (st != XOS_OK)
			st = contradiction(l, before, now, st, err);
	}
	xos_json_free(growth);
	return st;
}

static enum xos_status save_seen(
    const struct vo_log *l, struct xos_bytes encoded, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = file_of(l, "seen", path, err);

	return st == XOS_OK ? xos_file_write(path, 0600, encoded, err) : st;
}

enum xos_status vo_log_open(const struct xos_cli *cli, struct vo_log *l, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1];
	struct xos_buf before = {0}, now = {0};
	enum xos_status st = xos_cli_vo_load(cli, &l->vo, err);

	l->cli = cli;
	if (st == XOS_OK)
		st = load_seen(l, &before, err);
	if (st == XOS_OK)
		st = xos_cli_client_new(l->vo, xos_vo_log_service(l->of), NULL,
		    l->of == XOS_VO_LOG_ACCOUNTING, &l->client, err);
	if (st == XOS_OK)
		st = fetch(l, "head", &l->doc, err);
	if (st == XOS_OK) {
		struct xos_logproof_want want = vo_log_want(l->of,
		    xos_trust_root(l->vo->trust, l->vo->name), l->vo->name, xos_clock_now(), name);
		want.trust = l->vo->trust;

		st = xos_logproof_head(l->doc, &want, &l->head, &now, err);
	}
	if (st == XOS_OK && l->seen)
		st = compare(l, &l->before, xos_buf_bytes(&before), xos_buf_bytes(&now), err);
	if (st == XOS_OK)
		st = save_seen(l, xos_buf_bytes(&now), err);
	xos_buf_free(&before);
	xos_buf_free(&now);
	return st;
}

enum xos_status vo_log_compare_file(
    struct vo_log *l, const char *file, struct xos_log_head *theirs, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1];
	struct xos_logproof_want want = vo_log_want(
	    l->of, xos_trust_root(l->vo->trust, l->vo->name), l->vo->name, xos_clock_now(), name);
	want.trust = l->vo->trust;
	struct xos_buf text, before = {0}, now;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_file_read(file, HEAD_FILE_MAX, &text, err);

	xos_buf_init(&now, XOS_LOGPROOF_HEAD_MAX);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&text), HEAD_FILE_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_logproof_head(doc, &want, theirs, &before, err);
	if (st != XOS_OK && strncmp(err->code, "file-", 5) != 0)
		xos_err_prefix(err, st, "%s", file);
	if (st == XOS_OK)
		st = xos_json_get_bytes(l->doc, "head", XOS_LOGPROOF_HEAD_MAX, &now, err);
	if (st == XOS_OK)
		st = compare(l, theirs, xos_buf_bytes(&before), xos_buf_bytes(&now), err);
	xos_json_free(doc);
	xos_buf_free(&now);
	xos_buf_free(&before);
	xos_buf_free(&text);
	return st;
}

void vo_log_close(struct vo_log *l)
{
	xos_json_free(l->doc);
	xos_cli_client_free(l->client);
	xos_cli_vo_free(l->vo);
	memset(l, 0, sizeof(*l));
}
