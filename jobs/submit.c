#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "jobs/front.h"

/* "127.0.0.1:40000" or "[::1]:40000" without port and brackets. */
static void source_of(const struct xos_request *req, char *out, size_t cap)
{
	const char *peer = xos_request_peer(req), *colon = strrchr(peer, ':');
	size_t n = colon ? (size_t)(colon - peer) : strlen(peer);

	if (n >= 2 && peer[0] == '[' && peer[n - 1] == ']') {
		peer++;
		n -= 2;
	}
	out[0] = 0;
	if (n < cap) {
		memcpy(out, peer, n);
		out[n] = 0;
	}
}

static struct xos_table_limits limits_of(const struct xos_job_front *f)
{
	return (struct xos_table_limits){
	    .jobs = (size_t)f->c->jobs_max, .of_member = (size_t)f->c->jobs_member_max};
}

static enum xos_status read_spec(struct xos_job_front *f, const struct xos_request *req,
    struct xos_buf *spec, char id[XOS_JOB_ID_TEXT], struct xos_err *err)
{
	struct xos_job_spec *s = NULL;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_request_json(req, &doc, err);

	if (st == XOS_OK)
		st = xos_job_spec_from_json(doc, f->c->common.vo, f->c->node, &s, err);
	if (st == XOS_OK)
		st = xos_job_spec_encode(s, spec, err);
	if (st == XOS_OK && xos_job_id(xos_buf_bytes(spec), id) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "job-id", "cannot compute the job's id");
	xos_job_spec_free(s);
	xos_json_free(doc);
	return st;
}

static enum xos_status prepare(struct xos_job_front *f, const struct xos_request *req,
    const struct xos_entry *e, struct xos_bytes spec, struct xos_order_offer *offer,
    struct xos_err *err)
{
	struct xos_order order = {.spec = spec, .submitted = e->submitted};
	const struct xos_bytes *chain;
	struct xos_buf payload, reply;
	enum xos_status st = XOS_OK;
	size_t n;

	chain = xos_request_chain(req, &n);
	if (n > XOS_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "chain-too-long", "too many certificates");
	memcpy(order.source, e->source, sizeof(order.source));
	memcpy(order.chain, chain, n * sizeof(*chain));
	order.n = n;
	xos_buf_init(&payload, XOS_ORDER_MAX);
	xos_buf_init(&reply, 0);
	st = xos_order_encode(&order, &payload, err);
	if (st == XOS_OK) {
		st =
		    xos_job_front_order(f, XOS_ORDER_PREPARE, xos_buf_bytes(&payload), &reply, err);
		if (st == XOS_OK)
			st = xos_order_offer_decode(xos_buf_bytes(&reply), offer, err);
		xos_buf_free(&reply);
	}
	xos_buf_free(&payload);
	return st;
}

static void answer_offer(const struct xos_job_front *f, const char *id,
    const struct xos_order_offer *offer, struct xos_response *res)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "id", id);
	xos_json_set_string(doc, "node", f->c->node);
	xos_json_set_bytes(doc, "csr", (struct xos_bytes){offer->csr, offer->ncsr});
	xos_json_set_time(doc, "not_after", offer->not_after);
	xos_json_set_int(doc, "wall", offer->wall);
	xos_response_json(res, 201, doc);
}

/* The same submission again, by the same caller, after a lost answer: go on where it stands. */
static enum xos_status known_or_new(struct xos_job_front *f, const struct xos_identity *who,
    const char *id, struct xos_entry *e, bool *known, struct xos_err *err)
{
	enum xos_status st = xos_table_get(f->table, id, e, NULL);

	*known = st == XOS_OK;
	if (!*known) {
		struct xos_table_limits limits = limits_of(f);

		return xos_table_room(f->table, who->claims->name, &limits, err);
	}
	if (!xos_job_front_sees(who, e, false) || e->phase != XOS_PHASE_WAITING)
		return xos_err_set(err, XOS_CONFLICT, "job-exists",
		    "job %s was submitted before and is past waiting for its credential", id);
	return XOS_OK;
}

static enum xos_status keep(struct xos_job_front *f, struct xos_entry *e, struct xos_bytes spec,
    const struct xos_order_offer *offer, struct xos_err *err)
{
	struct xos_table_limits limits = limits_of(f);

	e->phase = XOS_PHASE_WAITING;
	e->wall = offer->wall;
	return xos_table_add(f->table, e, spec, &limits, err);
}

enum xos_status xos_job_route_submit(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	const struct xos_identity *who = xos_request_identity(req);
	struct xos_entry e = {.number = who->claims->number};
	struct xos_order_offer offer;
	char id[XOS_JOB_ID_TEXT];
	bool known = false;
	struct xos_buf spec;
	enum xos_status st;

	xos_buf_init(&spec, XOS_JOB_SPEC_MAX + 4096);
	st = read_spec(f, req, &spec, id, err);
	if (st == XOS_OK)
		st = known_or_new(f, who, id, &e, &known, err);
	if (st != XOS_OK)
		goto out;
	if (!known) {
		memcpy(e.id, id, sizeof(id));
		e.number = who->claims->number;
		e.submitted = e.changed = xos_clock_now();
		source_of(req, e.source, sizeof(e.source));
		if (!xos_job_via(who, e.via))
			st = xos_err_set(err, XOS_INTERNAL, "crypto", "hashing a chain failed");
		else if (!xos_str_copy(e.member, sizeof(e.member), who->claims->name))
			st = xos_err_set(err, XOS_INTERNAL, "member-name", "name too long");
	}
	if (st == XOS_OK)
		st = prepare(f, req, &e, xos_buf_bytes(&spec), &offer, err);
	if (st == XOS_OK && !known)
		st = keep(f, &e, xos_buf_bytes(&spec), &offer, err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "job.submitted", "job", id, "member", e.member, "request",
		    xos_request_id(req));
		answer_offer(f, id, &offer, res);
	}
out:
	xos_buf_free(&spec);
	return st;
}

/* The order that starts a job, from its stored spec and this delegation. */
static enum xos_status start_order(struct xos_job_front *f, const struct xos_entry *e,
    const struct xos_chain *chain, struct xos_bytes grant, struct xos_buf *out, struct xos_err *err)
{
	struct xos_order order = {.submitted = e->submitted, .n = chain->n, .grant = grant};
	struct xos_buf spec;
	enum xos_status st;

	xos_buf_init(&spec, XOS_JOB_SPEC_MAX);
	st = xos_table_spec(f->table, e->id, &spec, err);
	if (st == XOS_OK) {
		order.spec = xos_buf_bytes(&spec);
		memcpy(order.source, e->source, sizeof(order.source));
		for (size_t i = 0; i < chain->n; i++)
			order.chain[i] = xos_cert_der(chain->cert[i]);
		st = xos_order_encode(&order, out, err);
	}
	xos_buf_free(&spec);
	return st;
}

/* Sends the stored order. */
static enum xos_status start(struct xos_job_front *f, struct xos_entry *e, struct xos_bytes order,
    char note[256], struct xos_err *err)
{
	struct xos_buf reply;
	struct xos_reader r;
	uint64_t until = 0;
	enum xos_status st = xos_job_front_order(f, XOS_ORDER_START, order, &reply, err);

	if (st == XOS_OK) {
		xos_reader_init(&r, xos_buf_bytes(&reply));
		xos_reader_u64(&r, &until);
		xos_reader_lp_str(&r, note, 256);
		st = xos_reader_end(&r);
	}
	xos_buf_free(&reply);
	if (st == XOS_OK) {
		e->phase = XOS_PHASE_STARTED;
		e->changed = xos_clock_now();
		e->until = (int64_t)until;
		st = xos_table_set(f->table, e, err);
	}
	if (st == XOS_OK)
		xos_table_chain_drop(f->table, e->id);
	return st;
}

enum xos_status xos_job_route_credential(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const members[] = {"chain", "grant", NULL};
	struct xos_job_front *f = ctx;
	struct xos_chain chain = {.n = 0};
	struct xos_json *doc = NULL, *answer = xos_json_object();
	struct xos_bytes grant = XOS_BYTES_NONE;
	char note[256] = "";
	struct xos_entry e;
	struct xos_buf order;
	enum xos_status st = xos_job_front_find(f, req, false, &e, err);

	xos_buf_init(&order, XOS_ORDER_MAX);
	if (st == XOS_OK && e.phase == XOS_PHASE_STARTED)
		goto out; /* the same again, after a lost answer */
	if (st == XOS_OK && e.phase != XOS_PHASE_WAITING)
		st = xos_err_set(err, XOS_CONFLICT, "job-over",
		    "job %s is not waiting for a credential any more: %s", e.id,
		    e.text[0] ? e.text : "it was cancelled");
	if (st == XOS_OK)
		st = xos_request_json(req, &doc, err);
	if (st == XOS_OK)
		st = xos_json_only(doc, members, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &chain, err);
	if (st == XOS_OK)
		st = xos_job_front_grant(f, e.id, doc, &chain, &grant, err);
	if (st == XOS_OK)
		st = start_order(f, &e, &chain, grant, &order, err);
	if (st == XOS_OK)
		st = xos_table_chain_put(f->table, e.id, xos_buf_bytes(&order), err);
	if (st == XOS_OK) {
		st = start(f, &e, xos_buf_bytes(&order), note, err);
		/* A refusal is final for this delegation. When the starter died meanwhile nobody knows
		 * whether it had begun: the order stays, and is given again. */
		if (st != XOS_OK && strncmp(err->code, "channel-", 8) != 0)
			xos_table_chain_drop(f->table, e.id);
	}
out:
	if (note[0])
		xos_json_set_text(answer, "note", note);
	if (st == XOS_OK)
		xos_response_json(res, 200, answer);
	else
		xos_json_free(answer);
	xos_buf_free(&order);
	xos_chain_clear(&chain);
	xos_json_free(doc);
	return st;
}

/* A waiting job ends without having run. */
static enum xos_status end_waiting(struct xos_job_front *f, struct xos_entry *e,
    enum xos_phase phase, const char *text, struct xos_err *err)
{
	struct xos_err ignored = XOS_ERR_INIT;
	struct xos_buf id;
	enum xos_status st;

	e->phase = phase;
	e->changed = xos_clock_now();
	snprintf(e->text, sizeof(e->text), "%s", text);
	st = xos_table_set(f->table, e, err);
	if (st != XOS_OK)
		return st;
	/* If this fails credd forgets the key by itself after an hour. */
	xos_buf_init(&id, 64);
	xos_buf_lp_str(&id, e->id);
	if (xos_job_front_order(f, XOS_ORDER_RELEASE, xos_buf_bytes(&id), NULL, &ignored) != XOS_OK)
		xos_event_err(
		    XOS_WARN, "job.release-failed", &ignored, "job", e->id, (const char *)NULL);
	xos_buf_free(&id);
	return XOS_OK;
}

enum xos_status xos_job_route_cancel(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct xos_job_front *f = ctx;
	struct xos_entry e;
	struct xos_buf id;
	enum xos_status st = xos_job_front_find(f, req, true, &e, err);

	if (st == XOS_OK && e.phase == XOS_PHASE_WAITING) {
		st = end_waiting(f, &e, XOS_PHASE_CANCELLED, "cancelled before it started", err);
	} else if (st == XOS_OK && e.phase == XOS_PHASE_STARTED && !xos_table_ended(f->table, &e)) {
		xos_buf_init(&id, 64);
		xos_buf_lp_str(&id, e.id);
		st = xos_job_front_order(f, XOS_ORDER_CANCEL, xos_buf_bytes(&id), NULL, err);
		xos_buf_free(&id);
	}
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "job.cancel", "job", e.id, "request", xos_request_id(req));
		xos_response_json(res, 200, xos_json_object());
	}
	return st;
}

static void resume_one(
    struct xos_job_front *f, struct xos_entry *e, struct xos_bytes order, struct xos_err *err)
{
	char text[256], note[256] = "";
	enum xos_status st = start(f, e, order, note, err);

	if (st == XOS_OK)
		return;
	xos_event_err(XOS_WARN, "job.resume-failed", err, "job", e->id, (const char *)NULL);
	if (xos_status_exit(st) == 1) {
		snprintf(text, sizeof(text), "%s", err->text);
		if (end_waiting(f, e, XOS_PHASE_FAILED, text, err) == XOS_OK)
			xos_table_chain_drop(f->table, e->id);
	}
}

void xos_job_front_resume(struct xos_job_front *f)
{
	struct xos_entry *all = NULL;
	size_t n = 0;

	if (xos_table_all(f->table, &all, &n, NULL) != XOS_OK)
		return;
	for (size_t i = 0; i < n; i++) {
		struct xos_err err = XOS_ERR_INIT;
		struct xos_buf order;

		if (all[i].phase != XOS_PHASE_WAITING)
			continue;
		xos_buf_init(&order, XOS_ORDER_MAX + 4096);
		if (xos_table_chain_get(f->table, all[i].id, &order, NULL) == XOS_OK)
			resume_one(f, &all[i], xos_buf_bytes(&order), &err);
		xos_buf_free(&order);
	}
	free(all);
}

void xos_job_front_expire(struct xos_job_front *f)
{
	int64_t before = xos_clock_now() - f->c->waiting_max;
	struct xos_entry *all = NULL;
	size_t n = 0;

	if (xos_table_all(f->table, &all, &n, NULL) != XOS_OK)
		return;
	for (size_t i = 0; i < n; i++) {
		struct xos_err err = XOS_ERR_INIT;

		if (all[i].phase == XOS_PHASE_WAITING && all[i].changed < before &&
		    end_waiting(f, &all[i], XOS_PHASE_FAILED, "no credential came in time", &err) !=
		        XOS_OK)
			xos_event_err(XOS_WARN, "job.expire-failed", &err, "job", all[i].id,
			    (const char *)NULL);
	}
	free(all);
}
