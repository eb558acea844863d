#include "ca/key/keylog.h"

#include "api/logserve.h"
#include "ca/key/key.h"
#include "ca/logquery.h"
#include "json/json.h"
#include "log/tree.h"

#define ANSWER_MAX (1024 * 1024) /* bytes of entries in one answer */
/* Clocks are set back: records near the ends of a span are looked at one by one. */
#define CLOCK_STEP 7200

static enum xos_status dump(struct xos_json *doc, struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st = xos_json_dump(doc, reply, err);

	xos_json_free(doc);
	return st;
}

/* A log that could not be written may be closed until it is opened anew. */
static enum xos_status newest_head(struct ca_key *k, struct xos_log_head *head, struct xos_err *err)
{
	if (k->log)
		return xos_log_head_get(k->log, head, NULL, err);
	return xos_err_set(
	    err, XOS_UNAVAILABLE, "log-closed", "the log of the authority is not open just now");
}

/* --- heads and proofs --- */

static enum xos_status answer_about(struct ca_key *k, enum xos_log_question q,
    struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	return xos_logserve_answer(k->log, &k->chain, q, payload, reply, err);
}

enum xos_status ca_handle_log_head(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return answer_about(key, XOS_LOG_HEAD, payload, reply, err);
}

enum xos_status ca_handle_log_proof(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return answer_about(key, XOS_LOG_PROOF, payload, reply, err);
}

enum xos_status ca_handle_log_growth(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	(void)from;
	return answer_about(key, XOS_LOG_GROWTH, payload, reply, err);
}

/* --- records --- */

struct looking {
	struct ca_key *k;
	const struct ca_log_query *q;
	struct xos_buf entry;
	struct xos_json *found;
	size_t bytes;
};

/* The first record that was written at `time` or later, by halves. */
static enum xos_status first_since(
    struct looking *w, int64_t time, uint64_t from, uint64_t to, uint64_t *out, struct xos_err *err)
{
	struct xos_log_record r;
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && from < to) {
		uint64_t half = from + (to - from) / 2;

		st = xos_log_get(w->k->log, half, &w->entry, &r, err);
		if (st == XOS_OK && r.time >= time)
			to = half;
		else
			from = half + 1;
	}
	*out = from;
	return st;
}

static enum xos_status add_found(struct looking *w, uint64_t sequence, struct xos_err *err)
{
	struct xos_tree_path path;
	struct xos_json *o;
	enum xos_status st = xos_log_prove_record(w->k->log, sequence, w->q->size, &path, err);

	if (st != XOS_OK)
		return st;
	o = xos_json_object();
	xos_json_set_bytes(o, "entry", xos_buf_bytes(&w->entry));
	xos_logserve_path(o, &path);
	xos_json_add(w->found, o);
	w->bytes += w->entry.n;
	return XOS_OK;
}

static enum xos_status look_at(
    struct looking *w, uint64_t sequence, bool *past, struct xos_err *err)
{
	const struct ca_log_query *q = w->q;
	struct xos_log_record r;
	bool match = false;
	enum xos_status st = xos_log_get(w->k->log, sequence, &w->entry, &r, err);

	if (st != XOS_OK)
		return st;
	*past = r.time > q->until && r.time - q->until > CLOCK_STEP;
	if (r.time < q->since || r.time > q->until)
		return XOS_OK;
	st = ca_log_query_match(q, r.type, r.payload, &match, err);
	return st == XOS_OK && match ? add_found(w, sequence, err) : st;
}

static bool full(const struct looking *w)
{
	size_t n = xos_json_count(w->found);

	return n >= w->q->max || w->bytes >= ANSWER_MAX || (w->q->backward && n);
}

/* *next: where to go on; 0: all was looked at. */
static enum xos_status look(
    struct looking *w, uint64_t from, uint64_t to, uint64_t *next, struct xos_err *err)
{
	bool backward = w->q->backward, past = false;
	uint64_t at = backward ? to : from;
	enum xos_status st = XOS_OK;

	for (int i = 0; st == XOS_OK && i < CA_LOG_LOOK && from <= to && !full(w); i++) {
		st = look_at(w, at, &past, err);
		if (backward)
			to--;
		else if (past)
			from = to + 1;
		else
			from++;
		at = backward ? to : from;
	}
	*next = from <= to && !(backward && full(w)) ? at : 0;
	return st;
}

static enum xos_status answer(
    const struct ca_log_query *q, struct looking *w, struct xos_buf *reply, struct xos_err *err)
{
	uint64_t from = q->from ? q->from : 1, to = q->to && q->to < q->size ? q->to : q->size;
	uint64_t next = 0;
	struct xos_json *o;
	enum xos_status st = XOS_OK;

	if (q->since > CLOCK_STEP && from <= to)
		st = first_since(w, q->since - CLOCK_STEP, from, to, &from, err);
	if (st == XOS_OK)
		st = look(w, from, to, &next, err);
	if (st != XOS_OK)
		return st;
	o = xos_json_object();
	xos_json_set_int(o, "size", (int64_t)q->size);
	xos_json_set(o, "records", w->found);
	w->found = NULL;
	if (next)
		xos_json_set_int(o, "next", (int64_t)next);
	return dump(o, reply, err);
}

enum xos_status ca_handle_log_records(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct ca_log_query q;
	struct xos_log_head head;
	struct looking w = {.k = k, .q = &q};
	enum xos_status st = ca_log_query_get(payload, &q, err);

	(void)from;
	if (st == XOS_OK)
		st = newest_head(k, &head, err);
	if (st == XOS_OK && q.size > head.sequence)
		st = xos_err_set(err, XOS_NOT_FOUND, "log-size",
		    "the log has %llu records, not %llu", (unsigned long long)head.sequence,
		    (unsigned long long)q.size);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&w.entry, XOS_LOG_ENTRY_MAX);
	w.found = xos_json_array();
	st = answer(&q, &w, reply, err);
	xos_json_free(w.found);
	xos_buf_free(&w.entry);
	return st;
}
