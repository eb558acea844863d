/* The key process: appends records and signs heads. It takes a few typed requests and nothing else. */
#include <limits.h>
#include <stdlib.h>

#include "accounting/ledger.h"
#include "accounting/parts.h"
#include "base/event.h"
#include "base/text.h"
#include "proc/supervisor.h"
#include "service/bulk.h"
#include "service/rollover.h"

struct key_state {
	const struct xos_acct_config *c;
	struct xos_key *key, *before;
	struct xos_ledger *ledger;
};

enum xos_status xos_acct_key_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct xos_acct_config *c = self->run->conf;
	struct key_state *k = calloc(1, sizeof(*k));
	char path[PATH_MAX];
	enum xos_status st;

	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	k->c = c;
	self->state = k;
	st = xos_acct_path(c, "accounting.key", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_key_load(path, NULL, NULL, &k->key, err);
	return st == XOS_OK
	           ? xos_rollover_key_before(c->common.state, "accounting", &k->before, err)
	           : st;
}

void xos_acct_key_close(struct xos_part_self *self)
{
	struct key_state *k = self->state;

	if (!k)
		return;
	xos_ledger_close(k->ledger);
	xos_key_free(k->before);
	xos_key_free(k->key);
	free(k);
	self->state = NULL;
}

static enum xos_status on_append(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	struct xos_json *doc = NULL, *answer;
	struct xos_record r;
	uint64_t sequence = 0;
	enum xos_status st = xos_json_parse(payload, XOS_RECORD_MAX, &doc, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_record_from_json(doc, &r, err);
	if (st == XOS_OK)
		st = xos_ledger_append(k->ledger, &r, &sequence, err);
	xos_json_free(doc);
	if (st != XOS_OK)
		return st;
	XOS_EVENT(XOS_INFO, "record.kept", "record", r.id, "member", r.member, "node", r.node);
	answer = xos_json_object();
	xos_json_set_int(answer, "sequence", (int64_t)sequence);
	st = xos_json_dump(answer, reply, err);
	xos_json_free(answer);
	return st;
}

static enum xos_status on_list(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	struct xos_ledger_query q = {.limit = k->c->records_page};
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(payload, 4096, &doc, err);

	(void)from;
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "member", "since", "after");
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "member", XOS_MEMBER_MAX, &q.member, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "since", 0, INT64_MAX, &q.since, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "after", INT64_MAX, &q.after, err);
	if (st == XOS_OK)
		st = xos_ledger_list(k->ledger, &q, reply, err);
	xos_json_free(doc);
	return st;
}

/* Proofs need no certificate; who asked for the head has it. */
static enum xos_status on_proof(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;

	(void)from;
	return xos_ledger_tell(k->ledger, NULL, XOS_LOG_PROOF, payload, reply, err);
}

static enum xos_status on_growth(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;

	(void)from;
	return xos_ledger_tell(k->ledger, NULL, XOS_LOG_GROWTH, payload, reply, err);
}

/* The files are opened by the user that keeps them, not with the rights of the start. */
static enum xos_status open_ledger(struct key_state *k, struct xos_err *err)
{
	char log[PATH_MAX], index[PATH_MAX], name[64];
	struct xos_ledger_options o = {.log = log, .index = index, .name = name, .mode = 0640};
	enum xos_status st = xos_acct_path(k->c, XOS_ACCT_LOG, log, sizeof(log), err);

	if (st == XOS_OK)
		st = xos_acct_path(k->c, XOS_ACCT_INDEX, index, sizeof(index), err);
	xos_str_printf(name, sizeof(name), "%s/accounting", k->c->common.vo);
	o.key = k->key;
	o.before = k->before;
	return st == XOS_OK ? xos_ledger_open(&o, &k->ledger, err) : st;
}

enum xos_status xos_acct_key_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {XOS_ACCT_APPEND, "append", 1, XOS_RECORD_MAX, on_append},
	    {XOS_ACCT_LIST, "list", 1, 4096, on_list},
	    {XOS_ACCT_LOG_PROOF, "log-proof", 1, XOS_LOG_ASK_MAX, on_proof},
	    {XOS_ACCT_LOG_GROWTH, "log-growth", 1, XOS_LOG_ASK_MAX, on_growth},
	};
	struct xos_channel *channels[XOS_PARTS];
	struct xos_channel_server server = {.signal_fd = -1};
	struct xos_bulk_server *bulk = NULL;
	enum xos_status st = open_ledger(self->state, err);

	xos_part_channels(self, channels, &server);
	if (st == XOS_OK)
		st = xos_bulk_server_new(
		    table, sizeof(table) / sizeof(table[0]), self->state, &bulk, err);
	if (st == XOS_OK) {
		const struct key_state *k = self->state;

		xos_bulk_server_disk(bulk, k->c->common.state);
		xos_child_ready();
		st = xos_bulk_serve(bulk, &server, err);
	}
	xos_bulk_server_free(bulk);
	return st;
}
