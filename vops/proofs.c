#include "vops/proofs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/logheads.h"
#include "base/clock.h"
#include "base/text.h"
#include "service/client.h"

#define KEPT 64          /* answers */
#define ANSWER_MAX 16384 /* bytes; a path has 64 hashes at most */
#define CALL_MS 5000
#define REST_MS 5000 /* after a failure nobody is asked for so long */
#define SKEW 300

struct kept {
	enum xos_vo_log log;
	uint64_t from, to;
	uint64_t used; /* the higher the later; 0: free */
	struct xos_buf answer;
};

struct vops_proofs {
	struct xos_relay *relay;
	const struct vops_conf *conf;
	pthread_mutex_t lock; /* of all below; never held while somebody is asked */
	struct kept kept[KEPT];
	uint64_t turn;
	bool asking;
	int64_t rest_until[XOS_VO_LOGS]; /* monotonic, ms */
	struct xos_err failed[XOS_VO_LOGS];
};

struct proof {
	enum xos_vo_log log;
	uint64_t from, to;
};

static const char *url_of(const struct vops_conf *c, enum xos_vo_log log)
{
	return log == XOS_VO_LOG_CA    ? c->ca_url
	       : log == XOS_VO_LOG_RCA ? c->rca_url
	                               : c->accounting_url;
}

/* --- what is kept; under the lock --- */

static struct kept *find(struct vops_proofs *p, const struct proof *q)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct kept *k = &p->kept[i];

		if (k->used && k->log == q->log && k->from == q->from && k->to == q->to)
			return k;
	}
	return NULL;
}

static void keep(struct vops_proofs *p, const struct proof *q, struct xos_buf *answer)
{
	struct kept *oldest = &p->kept[0];

	for (size_t i = 1; i < KEPT; i++)
		if (p->kept[i].used < oldest->used)
			oldest = &p->kept[i];
	xos_buf_free(&oldest->answer);
	*oldest = (struct kept){
	    .log = q->log, .from = q->from, .to = q->to, .used = ++p->turn, .answer = *answer};
	xos_buf_init(answer, 0);
}

/* True: it stands in the response. */
static bool give(struct vops_proofs *p, const struct proof *q, struct xos_response *res)
{
	struct kept *k = find(p, q);

	if (!k)
		return false;
	k->used = ++p->turn;
	xos_response_body(res, "application/json", xos_buf_bytes(&k->answer));
	return true;
}

/* --- asking --- */

static enum xos_status call(struct xos_client *c, const char *vo, const struct proof *q,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_client_request req = {.method = "GET"};
	struct xos_answer *answer = NULL;
	char path[256];

	if (!xos_str_printf(path, sizeof(path), "/v1/vo/%s/log/consistency?from=%llu&to=%llu", vo,
	        (unsigned long long)q->from, (unsigned long long)q->to))
		return xos_err_set(err, XOS_INTERNAL, "path", "the path does not fit");
	req.path = path;
	enum xos_status st = xos_client_call(c, &req, &answer, err);
	if (st == XOS_OK)
		st = xos_answer_check(c, answer, err);
	if (st == XOS_OK) {
		struct xos_bytes body = xos_answer_body(answer);

		xos_buf_put(out, body.p, body.n);
		st = xos_buf_status(out);
	}
	xos_answer_free(answer);
	return st;
}

static enum xos_status ask(
    struct vops_proofs *p, const struct proof *q, struct xos_buf *out, struct xos_err *err)
{
	struct xos_service_client *client = NULL;
	struct xos_chain own = {.n = 0};
	enum xos_status st = xos_service_cert_chain(xos_front_cert(p->relay->front), &own, err);
	const struct xos_service_client_options o = {.url = url_of(p->conf, q->log),
	    .body_max = ANSWER_MAX,
	    .vo = p->conf->common.vo,
	    .service = xos_vo_log_service(q->log),
	    .trust = p->relay->trust,
	    .own = &own,
	    .skew = SKEW,
	    .total_ms = CALL_MS};

	if (st == XOS_OK)
		st = xos_service_client_new(&o, &client, err);
	if (st == XOS_OK)
		st = call(xos_service_client(client), p->conf->common.vo, q, out, err);
	xos_service_client_free(client);
	xos_chain_clear(&own);
	return st;
}

/* Under the lock. One worker asks at a time, and none right after a failure: the others serve bundles. */
static enum xos_status may_ask(struct vops_proofs *p, enum xos_vo_log log, struct xos_err *err)
{
	if (!url_of(p->conf, log))
		return xos_err_set(err, XOS_NOT_FOUND, "no-log",
		    "this server does not know who keeps the log of %s", xos_vo_log_service(log));
	if (p->asking)
		return xos_err_set(err, XOS_UNAVAILABLE, "log-asked",
		    "the keeper of a log is being asked: try again");
	if (xos_clock_mono_ms() < p->rest_until[log]) {
		*err = p->failed[log];
		return err->status;
	}
	return XOS_OK;
}

static enum xos_status fetch(
    struct vops_proofs *p, const struct proof *q, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf answer;

	xos_buf_init(&answer, ANSWER_MAX);
	enum xos_status st = ask(p, q, &answer, err);
	pthread_mutex_lock(&p->lock);
	p->asking = false;
	if (st == XOS_OK) {
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
		keep(p, q, &answer);
	} else if (st == XOS_UNAVAILABLE) {
		/* Only what says nothing about the question is an answer to the next one. */
		p->failed[q->log] = *err;
		p->rest_until[q->log] = xos_clock_mono_ms() + REST_MS;
	}
	pthread_mutex_unlock(&p->lock);
	xos_buf_free(&answer);
	return st;
}

static enum xos_status read_question(
    const struct xos_request *req, struct proof *q, struct xos_err *err)
{
	static const char *const allowed[] = {"from", "to", NULL};

	if (!xos_vo_log_of_service(xos_request_param(req, "log"), &q->log))
		return xos_err_set(err, XOS_NOT_FOUND, "no-log",
		    "there is no such log: ca, rca, accounting are those of a VO");
	enum xos_status st = xos_request_query_only(req, allowed, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "from", 0, INT64_MAX, &q->from, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "to", 0, INT64_MAX, &q->to, err);
	if (st == XOS_OK && (q->from == 0 || q->to <= q->from))
		st = xos_err_set(err, XOS_MALFORMED, "query",
		    "from and to are numbers of records, the second the higher");
	return st;
}

static enum xos_status on_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct vops_proofs *p = ctx;
	struct proof q = {.from = 0};
	bool given;
	enum xos_status st = xos_relay_check_vo(p->relay, req, err);

	if (st == XOS_OK)
		st = read_question(req, &q, err);
	if (st != XOS_OK)
		return st;
	pthread_mutex_lock(&p->lock);
	given = give(p, &q, res);
	if (!given)
		st = may_ask(p, q.log, err);
	if (!given && st == XOS_OK)
		p->asking = true;
	pthread_mutex_unlock(&p->lock);
	return given || st != XOS_OK ? st : fetch(p, &q, res, err);
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/logs/{log}/consistency", on_consistency, XOS_ROUTE_CERT, 0},
};

enum xos_status vops_proofs_new(struct xos_relay *relay, const struct vops_conf *conf,
    struct vops_proofs **out, struct xos_err *err)
{
	struct vops_proofs *p = calloc(1, sizeof(*p));

	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	p->relay = relay;
	p->conf = conf;
	pthread_mutex_init(&p->lock, NULL);
	enum xos_status st = xos_front_routes(relay->front, routes, 1, p, err);
	if (st != XOS_OK)
		vops_proofs_free(p);
	else
		*out = p;
	return st;
}

void vops_proofs_free(struct vops_proofs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < KEPT; i++)
		xos_buf_free(&p->kept[i].answer);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
