#include "accounting/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "api/loghead.h"
#include "base/event.h"
#include "base/text.h"
#include "log/log.h"
#include "store/store.h"

static const char *const migrations[] = {
    /* A job's id is unique on its node only: others could claim it. */
    "CREATE TABLE record (sequence BIGINT PRIMARY KEY, node TEXT NOT NULL, id TEXT NOT NULL,"
    " member TEXT NOT NULL, ended BIGINT NOT NULL, body TEXT NOT NULL, UNIQUE (node, id));"
    "CREATE INDEX record_member ON record (member, sequence);",
};

struct xos_ledger {
	struct xos_loghead head;
	struct xos_log_crypto crypto;
	struct xos_log *log;
	struct xos_store *index;
};

static enum xos_status insert(struct xos_ledger *l, uint64_t sequence, const struct xos_record *r,
    const char *body, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	enum xos_status st = xos_store_prepare(l->index,
	    "INSERT INTO record (sequence, id, member, ended, body, node)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    &q, err);

	if (st != XOS_OK)
		return st;
	xos_stmt_bind_int(q, 1, (int64_t)sequence);
	xos_stmt_bind_text(q, 2, r->id);
	xos_stmt_bind_text(q, 3, r->member);
	xos_stmt_bind_int(q, 4, r->ended);
	xos_stmt_bind_text(q, 5, body);
	xos_stmt_bind_text(q, 6, r->node);
	return xos_stmt_run(q, NULL, err);
}

static enum xos_status last_indexed(struct xos_ledger *l, uint64_t *sequence, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st =
	    xos_store_prepare(l->index, "SELECT COALESCE(MAX(sequence), 0) FROM record", &q, err);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK)
		*sequence = row ? (uint64_t)xos_stmt_int(q, 0) : 0;
	xos_stmt_done(q);
	return st;
}

static enum xos_status index_one(
    struct xos_ledger *l, const struct xos_log_record *rec, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_record r;
	struct xos_buf body;
	enum xos_status st;

	if (rec->type != XOS_LEDGER_TYPE_JOB)
		return XOS_OK;
	xos_buf_init(&body, XOS_RECORD_MAX + 1);
	xos_buf_put(&body, rec->payload.p, rec->payload.n);
	st = xos_json_parse(rec->payload, XOS_RECORD_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_record_from_json(doc, &r, err);
	if (st == XOS_OK)
		st = insert(l, rec->sequence, &r, xos_buf_str(&body), err);
	if (st != XOS_OK)
		xos_err_prefix(
		    err, st, "record %llu of the log", (unsigned long long)rec->sequence);
	xos_buf_free(&body);
	xos_json_free(doc);
	return st;
}

/* What the log has and the index has not: a daemon that died between the two. */
static enum xos_status catch_up(struct xos_ledger *l, const char *path, struct xos_err *err)
{
	struct xos_log_reader *reader = NULL;
	struct xos_log_record rec;
	struct xos_log_head head;
	uint64_t last = 0;
	bool more = true;
	enum xos_status st = last_indexed(l, &last, err);

	if (st == XOS_OK)
		st = xos_log_head_get(l->log, &head, NULL, err);
	if (st == XOS_OK && last > head.sequence)
		return xos_err_set(err, XOS_MALFORMED, "log-cut",
		    "%s: the index knows record %llu, but the log ends with %llu: the log was cut "
		    "or "
		    "replaced; put the right one back",
		    path, (unsigned long long)last, (unsigned long long)head.sequence);
	if (st != XOS_OK || last == head.sequence)
		return st;
	st = xos_store_begin(l->index, err);
	if (st == XOS_OK)
		st = xos_log_reader_open(path, last + 1, &l->crypto, &reader, err);
	while (st == XOS_OK) {
		st = xos_log_reader_next(reader, &rec, &more, err);
		if (st != XOS_OK || !more)
			break;
		st = index_one(l, &rec, err);
	}
	xos_log_reader_close(reader);
	if (st == XOS_OK)
		st = xos_store_commit(l->index, err);
	else
		xos_store_rollback(l->index);
	return st;
}

enum xos_status xos_ledger_open(
    const struct xos_ledger_options *o, struct xos_ledger **out, struct xos_err *err)
{
	struct xos_store_options so = {.path = o->index,
	    .migrations = migrations,
	    .nmigrations = sizeof(migrations) / sizeof(migrations[0])};
	struct xos_log_options lo = {.path = o->log, .name = o->name, .mode = o->mode};
	struct xos_ledger *l = calloc(1, sizeof(*l));
	enum xos_status st;

	*out = NULL;
	if (!l)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	l->head.key = o->key;
	l->head.before = o->before;
	l->crypto = xos_loghead_crypto(&l->head);
	lo.crypto = &l->crypto;
	st = xos_log_open(&lo, &l->log, err);
	if (st == XOS_OK)
		st = xos_store_open(&so, &l->index, err);
	if (st == XOS_OK)
		st = catch_up(l, o->log, err);
	if (st != XOS_OK) {
		xos_ledger_close(l);
		return st;
	}
	*out = l;
	return XOS_OK;
}

void xos_ledger_close(struct xos_ledger *l)
{
	if (!l)
		return;
	xos_log_close(l->log);
	xos_store_close(l->index);
	free(l);
}

/* *sequence 0: not known. */
static enum xos_status look_up(struct xos_ledger *l, const struct xos_record *r, const char *body,
    uint64_t *sequence, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_store_prepare(
	    l->index, "SELECT sequence, body FROM record WHERE node = ?1 AND id = ?2", &q, err);

	*sequence = 0;
	if (st != XOS_OK)
		return st;
	xos_stmt_bind_text(q, 1, r->node);
	xos_stmt_bind_text(q, 2, r->id);
	st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row) {
		const char *known = xos_stmt_text(q, 1);

		*sequence = (uint64_t)xos_stmt_int(q, 0);
		if (!known || strcmp(known, body) != 0)
			st = xos_err_set(err, XOS_CONFLICT, "record-differs",
			    "another record of job %s is in the log, with sequence %llu", r->id,
			    (unsigned long long)*sequence);
	}
	xos_stmt_done(q);
	return st;
}

enum xos_status xos_ledger_append(
    struct xos_ledger *l, const struct xos_record *r, uint64_t *sequence, struct xos_err *err)
{
	struct xos_json *doc = xos_record_to_json(r);
	struct xos_buf body;
	enum xos_status st;

	xos_buf_init(&body, XOS_RECORD_MAX + 1);
	st = xos_json_dump(doc, &body, err);
	if (st == XOS_OK && !xos_buf_str(&body))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = look_up(l, r, xos_buf_str(&body), sequence, err);
	if (st == XOS_OK && *sequence == 0) {
		st = xos_log_append(
		    l->log, XOS_LEDGER_TYPE_JOB, xos_buf_bytes(&body), sequence, err);
		/* The log has it: that is what counts, but without the index the next one of the same
		 * id could not be told. */
		if (st == XOS_OK)
			st = insert(l, *sequence, r, xos_buf_str(&body), err);
	}
	xos_buf_free(&body);
	xos_json_free(doc);
	return st;
}

static enum xos_status add_row(struct xos_stmt *q, struct xos_json *list, struct xos_err *err)
{
	struct xos_json *item, *record = NULL;
	const char *body = xos_stmt_text(q, 1);
	enum xos_status st = xos_json_parse(xos_bytes_str(body), XOS_RECORD_MAX, &record, err);

	if (st != XOS_OK)
		return st;
	item = xos_json_object();
	xos_json_set_int(item, "sequence", xos_stmt_int(q, 0));
	xos_json_set(item, "record", record);
	xos_json_add(list, item);
	return XOS_OK;
}

enum xos_status xos_ledger_list(struct xos_ledger *l, const struct xos_ledger_query *q,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *stmt = NULL;
	int64_t n = 0;
	bool row = true, more = false;
	enum xos_status st = xos_store_prepare(l->index,
	    q->member ? "SELECT sequence, body FROM record WHERE sequence > ?1 AND ended >= ?2 AND"
	                " member = ?4 ORDER BY sequence LIMIT ?3"
	              : "SELECT sequence, body FROM record WHERE sequence > ?1 AND ended >= ?2"
	                " ORDER BY sequence LIMIT ?3",
	    &stmt, err);

	if (st == XOS_OK) {
		xos_stmt_bind_int(stmt, 1, (int64_t)q->after);
		xos_stmt_bind_int(stmt, 2, q->since);
		xos_stmt_bind_int(stmt, 3, q->limit + 1);
		if (q->member)
			xos_stmt_bind_text(stmt, 4, q->member);
	}
	while (st == XOS_OK) {
		st = xos_stmt_step(stmt, &row, err);
		if (st != XOS_OK || !row)
			break;
		more = n++ >= q->limit;
		if (more)
			break;
		st = add_row(stmt, list, err);
	}
	xos_stmt_done(stmt);
	xos_json_set(doc, "records", list);
	xos_json_set_bool(doc, "more", more);
	if (st == XOS_OK)
		st = xos_json_dump(doc, out, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_ledger_tell(struct xos_ledger *l, const struct xos_chain *chain,
    enum xos_log_question q, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err)
{
	return xos_logserve_answer(l->log, chain, q, ask, reply, err);
}
