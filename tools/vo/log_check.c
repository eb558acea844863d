/* xos-vo log verify --proof: what prove, show or export gave, checked again without any server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "vo/log.h"

#define DOCUMENT_MAX (64 * 1024 * 1024)
#define LINE_BYTES_MAX (1024 * 1024)
#define RECORDS_MAX 1000000

struct checking {
	const struct vo_log_opts *o;
	struct xos_cli_vo *vo;   /* joined; else */
	struct xos_trust *trust; /* of --root */
	struct xos_log_head head;
	bool whole; /* an export: records without a gap */
	uint64_t from, to, n, first, last;
	struct xos_json *only; /* the record, if there is just one */
};

static enum xos_status open_trust(struct xos_cli *cli, struct checking *c, struct xos_err *err)
{
	enum xos_status st;

	if (!c->o->root)
		return xos_cli_vo_load(cli, &c->vo, err);
	c->trust = xos_trust_new();
	if (!c->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_trust_load(c->trust, c->o->root, err);
	if (st == XOS_OK && xos_trust_vo_count(c->trust) != 1)
		st = xos_err_set(
		    err, XOS_MALFORMED, "no-root", "%s is not the root of one VO", c->o->root);
	return st;
}

/* An old document is judged as of when its head was signed: its issuer may have ended since. */
static enum xos_status check_head(
    struct checking *c, const struct xos_json *doc, struct xos_err *err)
{
	char name[XOS_LOG_NAME_MAX + 1];
	const struct xos_trust *trust = c->vo ? c->vo->trust : c->trust;
	const char *vo = c->vo ? c->vo->name : xos_trust_vo(c->trust, 0);
	int64_t now = xos_clock_now();
	struct xos_bytes signature;
	struct xos_buf encoded;
	enum xos_status st;

	xos_buf_init(&encoded, XOS_LOGPROOF_HEAD_MAX);
	st = xos_json_get_bytes(doc, "head", XOS_LOGPROOF_HEAD_MAX, &encoded, err);
	if (st == XOS_OK)
		st = xos_log_head_decode(xos_buf_bytes(&encoded), &c->head, &signature, err);
	xos_buf_free(&encoded);
	if (st != XOS_OK)
		return st;
	if (c->head.time < now)
		now = c->head.time;
	struct xos_logproof_want want =
	    vo_log_want(XOS_VO_LOG_CA, xos_trust_root(trust, vo), vo, now, name);
	want.trust = trust;

	return xos_logproof_head(doc, &want, &c->head, NULL, err);
}

/* What stands there to read is what is proven. */
static enum xos_status check_readable(
    const struct xos_json *doc, const struct xos_json *proven, struct xos_err *err)
{
	const struct xos_json *value = NULL, *is = NULL;
	const char *key = NULL, *name = NULL;
	void *it = NULL;
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && xos_json_next(proven, &it, &key, &value)) {
		struct xos_buf a, b;
		void *other = NULL;
		bool there = false;

		while (!there && xos_json_next(doc, &other, &name, &is))
			there = strcmp(name, key) == 0;
		if (!there)
			continue;
		xos_buf_init(&a, LINE_BYTES_MAX);
		xos_buf_init(&b, LINE_BYTES_MAX);
		struct xos_json *one = xos_json_array(), *two = xos_json_array();
		xos_json_add(one, xos_json_copy(value));
		xos_json_add(two, xos_json_copy(is));
		st = xos_json_dump(one, &a, err);
		if (st == XOS_OK)
			st = xos_json_dump(two, &b, err);
		if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&a), xos_buf_bytes(&b)))
			st = xos_err_set(err, XOS_MALFORMED, "log-proof",
			    "\"%s\" is not what the proven record says", key);
		xos_json_free(one);
		xos_json_free(two);
		xos_buf_free(&a);
		xos_buf_free(&b);
	}
	return st;
}

static enum xos_status check_record(
    struct checking *c, const struct xos_json *doc, struct xos_err *err)
{
	struct xos_json *proven = NULL;
	uint64_t sequence = 0;
	enum xos_status st = vo_log_record(doc, &c->head, &proven, err);

	if (st == XOS_OK)
		st = check_readable(doc, proven, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(proven, "sequence", INT64_MAX, &sequence, err);
	if (st == XOS_OK && c->whole && sequence != c->from + c->n)
		st = xos_err_set(err, XOS_MALFORMED, "log-gap", "record %llu is missing",
		    (unsigned long long)(c->from + c->n));
	if (st == XOS_OK) {
		c->first = c->n ? c->first : sequence;
		c->last = sequence;
		c->n++;
		xos_json_free(c->only);
		c->only = c->n == 1 ? proven : NULL;
		proven = c->n == 1 ? NULL : proven;
	}
	xos_json_free(proven);
	return st;
}

/* One object: of prove (a record itself), of show (several), or the first line of an export. */
static enum xos_status check_object(
    struct checking *c, const struct xos_json *doc, struct xos_err *err)
{
	const struct xos_json *records = NULL;
	enum xos_status st = check_head(c, doc, err);

	if (st == XOS_OK)
		st = xos_json_opt_array(doc, "records", RECORDS_MAX, &records, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(records); i++)
		st = check_record(c, xos_json_at(records, i), err);
	if (st == XOS_OK && xos_json_has(doc, "entry"))
		st = check_record(c, doc, err);
	if (st != XOS_OK || !xos_json_has(doc, "from"))
		return st;
	c->whole = true;
	st = xos_json_get_uint64(doc, "from", INT64_MAX, &c->from, err);
	return st == XOS_OK ? xos_json_get_uint64(doc, "to", INT64_MAX, &c->to, err) : st;
}

/* false at the end. */
static bool read_line(FILE *f, struct xos_buf *line)
{
	int ch = 0;

	line->n = 0;
	while ((ch = getc(f)) != EOF && ch != '\n')
		xos_buf_u8(line, (uint8_t)ch);
	return line->n > 0 || ch != EOF;
}

static enum xos_status check_lines(struct checking *c, FILE *f, struct xos_err *err)
{
	struct xos_buf line;
	uint64_t n = 0;
	enum xos_status st = XOS_OK;

	xos_buf_init(&line, LINE_BYTES_MAX);
	while (st == XOS_OK && read_line(f, &line)) {
		struct xos_json *doc = NULL;

		n++;
		st = xos_json_parse(xos_buf_bytes(&line), LINE_BYTES_MAX, &doc, err);
		if (st == XOS_OK && xos_buf_status(&line) != XOS_OK)
			st = xos_err_set(err, XOS_LIMIT, "log-proof", "the line is too long");
		if (st == XOS_OK)
			st = n == 1 ? check_object(c, doc, err) : check_record(c, doc, err);
		xos_json_free(doc);
		if (st != XOS_OK)
			xos_err_prefix(err, st, "line %llu", (unsigned long long)n);
	}
	if (st == XOS_OK && n == 0)
		st = xos_err_set(err, XOS_MALFORMED, "log-proof", "the file is empty");
	xos_buf_free(&line);
	return st;
}

static enum xos_status check_file(struct checking *c, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf whole;
	FILE *f = NULL;
	enum xos_status st = xos_file_read(c->o->proof, DOCUMENT_MAX, &whole, err);

	/* An export of any length has one object a line. */
	if (st == XOS_OK &&
	    xos_json_parse(xos_buf_bytes(&whole), DOCUMENT_MAX, &doc, NULL) == XOS_OK)
		st = check_object(c, doc, err);
	else if (st == XOS_OK || st == XOS_LIMIT) {
		f = fopen(c->o->proof, "re");
		st = f ? check_lines(c, f, err)
		       : xos_err_errno(err, errno, "file-open", "cannot open %s", c->o->proof);
	}
	if (f)
		(void)fclose(f);
	if (st == XOS_OK && c->whole && c->from + c->n != c->to + 1)
		st = xos_err_set(err, XOS_MALFORMED, "log-gap", "records %llu to %llu are missing",
		    (unsigned long long)(c->from + c->n), (unsigned long long)c->to);
	else if (st == XOS_OK && !c->whole && c->n == 0)
		st = xos_err_set(err, XOS_MALFORMED, "log-proof", "there is no record in it");
	xos_json_free(doc);
	xos_buf_free(&whole);
	return st == XOS_OK || strncmp(err->code, "file-", 5) == 0
	           ? st
	           : xos_err_prefix(err, st, "%s", c->o->proof);
}

static enum xos_status say_checked(
    const struct xos_cli *cli, const struct checking *c, struct xos_err *err)
{
	char signed_at[XOS_TIME_TEXT];
	struct xos_json *doc;

	xos_time_format(c->head.time, signed_at);
	if (cli->json) {
		doc = xos_json_object();
		xos_json_set_string(doc, "log", c->head.name);
		xos_json_set_int(doc, "size", (int64_t)c->head.sequence);
		xos_json_set_string(doc, "time", signed_at);
		xos_json_set_int(doc, "records", (int64_t)c->n);
		xos_json_set_int(doc, "first", (int64_t)c->first);
		xos_json_set_int(doc, "last", (int64_t)c->last);
		xos_json_set_bool(doc, "complete", c->whole);
		return xos_cli_print_json(doc, err);
	}
	if (c->only)
		return vo_log_say(&c->head, c->only, err);
	xos_cli_say("%llu records of %s%s verified by the head of %llu records, signed at %s",
	    (unsigned long long)c->n, c->head.name, c->whole ? ", without a gap," : "",
	    (unsigned long long)c->head.sequence, signed_at);
	return XOS_OK;
}

enum xos_status vo_log_verify_file(
    struct xos_cli *cli, const struct vo_log_opts *o, struct xos_err *err)
{
	struct checking c = {.o = o};
	enum xos_status st = open_trust(cli, &c, err);

	if (st == XOS_OK)
		st = check_file(&c, err);
	if (st == XOS_OK)
		st = say_checked(cli, &c, err);
	xos_json_free(c.only);
	xos_trust_free(c.trust);
	xos_cli_vo_free(c.vo);
	return st;
}
