/* Records of the authority's log: asked for in pages, verified one by one. */
#include <stdio.h>
#include <string.h>

#include "api/command.h"
#include "base/clock.h"
#include "vo/log.h"

#define PAGE_MAX 1000
#define TEXT_MAX (1024 * 1024)

static const char *type_name(uint16_t type, char number[16])
{
	static const char *const names[] = {"issued", "act", "signed"};

	if (type >= 1 && type <= sizeof(names) / sizeof(names[0]))
		return names[type - 1];
	if (type == 21)
		return "delegation";
	snprintf(number, 16, "type %u", type);
	return number;
}

/* Copies a member of the server's answer; the documents belong to different roots. */
static void set_copy(struct xos_json *to, const struct xos_json *from, const char *key)
{
	const struct xos_json *value = NULL;
	const char *name = NULL;
	void *it = NULL;

	while (xos_json_next(from, &it, &name, &value))
		if (strcmp(name, key) == 0)
			xos_json_set(to, key, xos_json_copy(value));
}

struct xos_json *vo_log_head_doc(const struct vo_log *l)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "vo", l->vo->name);
	xos_json_set_string(doc, "log", l->head.name);
	set_copy(doc, l->doc, "head");
	set_copy(doc, l->doc, "chain");
	return doc;
}

enum xos_status vo_log_record(const struct xos_json *raw, const struct xos_log_head *head,
    struct xos_json **out, struct xos_err *err)
{
	char number[16];
	struct xos_log_record r;
	struct xos_json *doc, *record = NULL;
	struct xos_buf entry;
	enum xos_status st = xos_logproof_record(raw, head, &entry, &r, err);

	if (st != XOS_OK)
		return st;
	st = xos_json_parse(r.payload, XOS_LOG_PAYLOAD_MAX, &record, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_int(doc, "sequence", (int64_t)r.sequence);
		xos_json_set_time(doc, "time", r.time);
		xos_json_set_string(doc, "type", type_name(r.type, number));
		xos_json_set(doc, "record", record);
		set_copy(doc, raw, "entry");
		set_copy(doc, raw, "path");
		*out = doc;
	}
	xos_buf_free(&entry);
	return st;
}

enum xos_status vo_log_say(
    const struct xos_log_head *head, const struct xos_json *doc, struct xos_err *err)
{
	const struct xos_json *record = NULL;
	const char *type = NULL, *time = NULL;
	char signed_at[XOS_TIME_TEXT];
	uint64_t sequence = 0;
	struct xos_buf text;
	enum xos_status st = xos_json_get_uint64(doc, "sequence", INT64_MAX, &sequence, err);

	xos_buf_init(&text, TEXT_MAX);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "type", 32, &type, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "time", XOS_TIME_TEXT, &time, err);
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "record", &record, err);
	if (st == XOS_OK)
		st = xos_json_dump_line(record, &text, err);
	if (st == XOS_OK) {
		xos_time_format(head->time, signed_at);
		xos_cli_print_pair("record", "%llu of %s: %s at %s", (unsigned long long)sequence,
		    head->name, type, time);
		xos_cli_print_pair("says", "%s", xos_buf_str(&text));
		xos_cli_print_pair("proven by", "the head of %llu records, signed at %s",
		    (unsigned long long)head->sequence, signed_at);
	}
	xos_buf_free(&text);
	return st;
}

struct page {
	enum xos_status (*each)(void *ctx, struct xos_json *record, struct xos_err *err);
	void *ctx;
	uint64_t limit, given;
};

static enum xos_status take_page(
    const struct vo_log *l, struct page *p, const struct xos_json *answer, struct xos_err *err)
{
	const struct xos_json *records = NULL;
	enum xos_status st = xos_json_get_array(answer, "records", PAGE_MAX, &records, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(records); i++) {
		struct xos_json *record = NULL;

		if (p->limit && p->given >= p->limit)
			break;
		st = vo_log_record(xos_json_at(records, i), &l->head, &record, err);
		if (st == XOS_OK)
			st = p->each(p->ctx, record, err);
		p->given += st == XOS_OK;
	}
	return st;
}

enum xos_status vo_log_records(struct vo_log *l, const char *verb, struct xos_json *args,
    uint64_t limit,
    enum xos_status (*each)(void *ctx, struct xos_json *record, struct xos_err *err), void *ctx,
    struct xos_err *err)
{
	struct page p = {each, ctx, limit, 0};
	bool find = strcmp(verb, "log.find") == 0;
	uint64_t next = 1, last = 0;
	struct xos_chain token = {.n = 0};
	enum xos_status st = xos_cli_token(l->vo, &token, NULL, err);

	xos_json_set_int(args, "size", (int64_t)l->head.sequence);
	while (st == XOS_OK && next && !(limit && p.given >= limit)) {
		struct xos_json *answer = NULL;

		st = xos_command_send(xos_cli_client(l->client), &token, l->vo->name, "ca", verb,
		    xos_json_copy(args), &answer, err);
		if (st == XOS_OK)
			st = take_page(l, &p, answer, err);
		if (st == XOS_OK)
			st = xos_json_opt_uint64(answer, "next", INT64_MAX, 0, &next, err);
		xos_json_free(answer);
		if (st == XOS_OK && next && last && (find ? next >= last : next <= last))
			st = xos_err_set(
			    err, XOS_MALFORMED, "log-page", "the authority goes round in circles");
		last = next;
		xos_json_set_int(args, find ? "to" : "from", (int64_t)next);
		if (next)
			xos_cli_progress(l->cli, "record %llu of %llu", (unsigned long long)next,
			    (unsigned long long)l->head.sequence);
	}
	xos_cli_progress(l->cli, "%s", "");
	xos_chain_clear(&token);
	xos_json_free(args);
	return st;
}
