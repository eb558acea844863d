#include <stdlib.h>
#include <string.h>

#include "api/accounting.h"
#include "base/clock.h"
#include "base/text.h"

#define PAGES_MAX 100000

static enum xos_status no_answer(struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_UNAVAILABLE, "record-answer", "the accounting service answered nothing");
}

enum xos_status xos_records_post(
    struct xos_client *client, const struct xos_record *r, uint64_t *sequence, struct xos_err *err)
{
	struct xos_json *doc = xos_record_to_json(r), *answer = NULL;
	char path[64];
	uint64_t n = 0;
	enum xos_status st;

	xos_str_printf(path, sizeof(path), "/v1/vo/%s/records", r->vo);
	st = xos_client_json(client, "POST", path, doc, &answer, err);
	if (st == XOS_OK && !answer)
		st = no_answer(err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(answer, "sequence", INT64_MAX, &n, err);
	if (st == XOS_MALFORMED && answer) /* the server's mistake, not a refusal of the record */
		st = err ? (err->status = XOS_UNAVAILABLE) : XOS_UNAVAILABLE;
	if (st == XOS_OK && sequence)
		*sequence = n;
	xos_json_free(answer);
	xos_json_free(doc);
	return st;
}

struct walk {
	enum xos_status (*each)(
	    void *ctx, uint64_t sequence, const struct xos_record *r, struct xos_err *err);
	void *ctx;
	uint64_t last;
	bool more;
};

static enum xos_status take_page(const struct xos_json *doc, struct walk *w, struct xos_err *err)
{
	const struct xos_json *list = NULL, *rec;
	enum xos_status st = xos_json_get_array(doc, "records", 10000, &list, err);

	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "more", &w->more, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		struct xos_record r;
		uint64_t seq = 0;

		st = xos_json_get_uint64(xos_json_at(list, i), "sequence", INT64_MAX, &seq, err);
		if (st == XOS_OK && seq <= w->last)
			st = xos_json_refuse(xos_json_at(list, i), err, "sequence: not in order");
		if (st == XOS_OK)
			st = xos_json_get_object(xos_json_at(list, i), "record", &rec, err);
		if (st == XOS_OK)
			st = xos_record_from_json(rec, &r, err);
		if (st == XOS_OK)
			st = w->each(w->ctx, seq, &r, err);
		w->last = seq;
	}
	if (st == XOS_OK && w->more && xos_json_count(list) == 0)
		st = xos_json_refuse(doc, err, "more: but there is none");
	return st;
}

enum xos_status xos_records_list(struct xos_client *client, const char *vo, const char *member,
    int64_t since,
    enum xos_status (*each)(
        void *ctx, uint64_t sequence, const struct xos_record *r, struct xos_err *err),
    void *ctx, struct xos_err *err)
{
	struct walk w = {.each = each, .ctx = ctx, .more = true};
	enum xos_status st = XOS_OK;

	if (!xos_name_is_vo(vo) || (member && !xos_name_is_member(vo, member)))
		return xos_err_set(err, XOS_MALFORMED, "member-name",
		    "\"%.64s\" is no name of a member of %.32s", member ? member : "", vo);
	for (int page = 0; st == XOS_OK && w.more && page < PAGES_MAX; page++) {
		char path[256], time[XOS_TIME_TEXT];
		struct xos_json *doc = NULL;

		xos_time_format(since, time);
		xos_str_printf(path, sizeof(path), "/v1/vo/%s/records?after=%llu%s%s%s%s", vo,
		    (unsigned long long)w.last, member ? "&member=" : "", member ? member : "",
		    since ? "&since=" : "", since ? time : "");
		st = xos_client_json(client, "GET", path, NULL, &doc, err);
		if (st == XOS_OK && !doc)
			st = no_answer(err);
		if (st == XOS_OK)
			st = take_page(doc, &w, err);
		xos_json_free(doc);
	}
	return st;
}
