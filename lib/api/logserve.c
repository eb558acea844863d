#include "api/logserve.h"

#include "api/chainjson.h"
#include "base/text.h"
#include "json/json.h"
#include "log/tree.h"

static enum xos_status dump(struct xos_json *doc, struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st = xos_json_dump(doc, reply, err);

	xos_json_free(doc);
	return st;
}

void xos_logserve_path(struct xos_json *o, const struct xos_tree_path *path)
{
	xos_json_set_bytes(
	    o, "path", (struct xos_bytes){(const uint8_t *)path->hash, path->n * XOS_LOG_HASH});
}

/* --- the question --- */

enum xos_status xos_logserve_query(const struct xos_request *req, enum xos_log_question q,
    struct xos_buf *ask, struct xos_err *err)
{
	static const char *const names[XOS_LOG_QUESTIONS][3] = {
	    [XOS_LOG_PROOF] = {"sequence", "size"}, [XOS_LOG_GROWTH] = {"from", "to"}};
	uint64_t first = 0, second = 0;
	enum xos_status st = xos_request_query_only(req, names[q], err);

	if (st != XOS_OK || q == XOS_LOG_HEAD)
		return st;
	if (!xos_request_query(req, names[q][0]))
		return xos_err_set(
		    err, XOS_MALFORMED, "query", "the parameter %s is missing", names[q][0]);
	st = xos_request_query_u64(req, names[q][0], 0, INT64_MAX, &first, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, names[q][1], 0, INT64_MAX, &second, err);
	xos_buf_u64(ask, first);
	xos_buf_u64(ask, second);
	return st;
}

/* --- the answer --- */

static enum xos_status head(
    struct xos_log *log, const struct xos_chain *chain, struct xos_buf *reply, struct xos_err *err)
{
	char root[2 * XOS_LOG_HASH + 1];
	struct xos_log_head h;
	struct xos_buf encoded;
	enum xos_status st = xos_log_head_get(log, &h, &encoded, err);

	if (st == XOS_OK) {
		struct xos_json *o = xos_json_object();

		xos_hex_encode(root, h.root, sizeof(h.root));
		xos_json_set_string(o, "log", h.name);
		xos_json_set_int(o, "sequence", (int64_t)h.sequence);
		xos_json_set_string(o, "root", root);
		xos_json_set_time(o, "time", h.time);
		xos_json_set_bytes(o, "head", xos_buf_bytes(&encoded));
		xos_chain_to_json(o, "chain", chain);
		st = dump(o, reply, err);
	}
	xos_buf_free(&encoded);
	return st;
}

/* 0 stands for the newest. */
static enum xos_status two_numbers(struct xos_log *log, struct xos_bytes ask, uint64_t *first,
    uint64_t *second, struct xos_err *err)
{
	struct xos_log_head h;
	struct xos_reader r;
	enum xos_status st;

	xos_reader_init(&r, ask);
	xos_reader_u64(&r, first);
	xos_reader_u64(&r, second);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "message",
		    "a message between processes is malformed: question about the log");
	st = xos_log_head_get(log, &h, NULL, err);
	if (st == XOS_OK && *second == 0)
		*second = h.sequence;
	return st;
}

static enum xos_status proof(
    struct xos_log *log, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err)
{
	uint64_t sequence = 0, size = 0;
	struct xos_tree_path path;
	enum xos_status st = two_numbers(log, ask, &sequence, &size, err);

	if (st == XOS_OK)
		st = xos_log_prove_record(log, sequence, size, &path, err);
	if (st != XOS_OK)
		return st;
	struct xos_json *o = xos_json_object();
	xos_json_set_int(o, "sequence", (int64_t)sequence);
	xos_json_set_int(o, "size", (int64_t)size);
	xos_logserve_path(o, &path);
	return dump(o, reply, err);
}

static enum xos_status growth(
    struct xos_log *log, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err)
{
	uint64_t smaller = 0, larger = 0;
	struct xos_tree_path path;
	enum xos_status st = two_numbers(log, ask, &smaller, &larger, err);

	if (st == XOS_OK)
		st = xos_log_prove_growth(log, smaller, larger, &path, err);
	if (st != XOS_OK)
		return st;
	struct xos_json *o = xos_json_object();
	xos_json_set_int(o, "from", (int64_t)smaller);
	xos_json_set_int(o, "to", (int64_t)larger);
	xos_logserve_path(o, &path);
	return dump(o, reply, err);
}

enum xos_status xos_logserve_answer(struct xos_log *log, const struct xos_chain *chain,
    enum xos_log_question q, struct xos_bytes ask, struct xos_buf *reply, struct xos_err *err)
{
	/* One that could not be written may be closed until it is opened anew. */
	if (!log)
		return xos_err_set(err, XOS_UNAVAILABLE, "log-closed",
		    "the log of the authority is not open just now");
	switch (q) {
	case XOS_LOG_HEAD:
		return head(log, chain, reply, err);
	case XOS_LOG_PROOF:
		return proof(log, ask, reply, err);
	case XOS_LOG_GROWTH:
		return growth(log, ask, reply, err);
	default:
		return xos_err_set(err, XOS_INTERNAL, "message", "no such question");
	}
}
