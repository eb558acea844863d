#include "vops/authzen.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "vops/search.h"

#define ANSWERS_MAX (60u * 1024 * 1024)
#define DESKS_MAX 64
#define IGNORED_MAX 16

struct vops_authzen {
	struct xos_relay *relay;
	const struct vops_conf *conf;
	struct vops_keeper *keeper;
	struct vops_search_key key;
	pthread_mutex_t lock;                /* of the desks */
	struct vops_judge *desks[DESKS_MAX]; /* judges at rest, with their memory */
	size_t ndesks;
	struct xos_metric_by *decisions, *requests;
	struct xos_decision_log *log; /* NULL: none is kept */
};

/* --- one request --- */

struct turn {
	struct vops_authzen *a;
	const struct xos_request *req;
	const struct xos_identity *caller;
	struct vops_view *view;
	struct vops_judge *judge;
	struct xos_buf out;
	size_t permitted, denied, undecided;
};

static struct vops_judge *take_desk(struct vops_authzen *a)
{
	pthread_mutex_lock(&a->lock);
	struct vops_judge *j = a->ndesks ? a->desks[--a->ndesks] : NULL;
	pthread_mutex_unlock(&a->lock);
	return j;
}

static void leave_desk(struct vops_authzen *a, struct vops_judge *j)
{
	if (!j)
		return;
	vops_judge_end(j);
	pthread_mutex_lock(&a->lock);
	bool kept = a->ndesks < DESKS_MAX;
	if (kept)
		a->desks[a->ndesks++] = j;
	pthread_mutex_unlock(&a->lock);
	if (!kept)
		vops_judge_free(j);
}

/* AuthZEN 10.1.4: the caller's identifier comes back as it was; one that the logs cannot carry is refused. */
static enum xos_status check_head(const struct xos_request *req, struct xos_err *err)
{
	const char *id = xos_request_header(req, "X-Request-Id");
	const char *type = xos_request_header(req, "Content-Type");
	size_t n = type ? strcspn(type, "; \t") : 0;

	if (id && strcmp(id, xos_request_id(req)) != 0)
		return xos_err_set(err, XOS_MALFORMED, "request-id",
		    "X-Request-ID has 1 to 64 letters, digits, '.', '_' and '-'");
	if (n != 16 || strncasecmp(type, "application/json", 16) != 0)
		return xos_err_set(err, XOS_MALFORMED, "content-type",
		    "the body must be JSON with Content-Type: application/json");
	return XOS_OK;
}

/* Who may ask about anybody must not be locked; a member is told its own lock as a decision. */
static enum xos_status check_caller(const struct turn *t, struct xos_err *err)
{
	const struct xos_claims *c = t->caller->claims;
	const struct xos_standing s = vops_view_standing(t->view);

	return c->kind == XOS_KIND_USER ? XOS_OK
	                                : xos_standing_node(&s, c->name, xos_clock_now(), err);
}

static enum xos_status begin(struct turn *t, struct xos_err *err)
{
	size_t n = 0;
	const struct xos_bytes *chain = xos_request_chain(t->req, &n);
	enum xos_status st = check_head(t->req, err);

	xos_buf_init(&t->out, ANSWERS_MAX);
	t->caller = xos_request_identity(t->req);
	if (st == XOS_OK && !t->caller)
		st = xos_err_set(err, XOS_DENIED, "client-certificate-needed",
		    "come with a certificate of the VO");
	if (st == XOS_OK && !(t->view = vops_keeper_view(t->a->keeper)))
		st = xos_err_set(err, XOS_UNAVAILABLE, "starting",
		    "the policy service has read nothing to decide by yet");
	if (st != XOS_OK)
		return st;
	st = check_caller(t, err);
	if (st != XOS_OK)
		return st;
	t->judge = take_desk(t->a);
	if (!t->judge)
		st = vops_judge_new(&t->judge, err);
	if (st == XOS_OK)
		vops_judge_record(t->judge, t->a->log);
	if (st == XOS_OK)
		vops_judge_begin(t->judge, t->view, t->caller, chain, n, xos_request_id(t->req));
	return st;
}

static void finish(struct turn *t, const char *what, enum xos_status st)
{
	struct vops_authzen *a = t->a;

	xos_metric_add_by(a->decisions, "permit", (int64_t)t->permitted);
	xos_metric_add_by(a->decisions, "deny", (int64_t)t->denied);
	xos_metric_add_by(a->decisions, "undecided", (int64_t)t->undecided);
	xos_metric_add_by(a->requests, st == XOS_OK ? what : "refused", 1);
	leave_desk(a, t->judge);
	vops_view_unref(t->view);
	xos_buf_free(&t->out);
}

static void count(struct turn *t, const struct vops_verdict *v)
{
	if (v->permitted)
		t->permitted++;
	else if (v->undecided)
		t->undecided++;
	else
		t->denied++;
}

/* --- evaluations --- */

static enum xos_status decide(struct turn *t, struct xos_evaluations *e, size_t i,
    struct vops_verdict *v, struct xos_err *err)
{
	const char *ignored[IGNORED_MAX];
	struct vops_told told = {.brief = xos_evaluations_brief(e), .ignored = ignored};
	struct xos_decision_request *r = NULL;
	enum xos_status st = xos_evaluations_item(e, i, &r, err);

	if (st == XOS_OK) {
		told.nignored = xos_evaluations_ignored(e, r, ignored, IGNORED_MAX);
		st = vops_judge_decide(t->judge, r, &told, &t->out, v, err);
	}
	if (st == XOS_OK)
		count(t, v);
	xos_decision_request_free(r);
	return st;
}

/* Answers stand in the order of the questions; the two short semantics end with the one that settled it. */
static enum xos_status decide_all(struct turn *t, struct xos_evaluations *e, struct xos_err *err)
{
	enum xos_evaluations_semantic semantic = xos_evaluations_semantic(e);
	enum xos_status st = XOS_OK;
	bool over = false;

	xos_buf_put_str(&t->out, "{\"evaluations\":[");
	for (size_t i = 0; st == XOS_OK && !over && i < xos_evaluations_count(e); i++) {
		struct vops_verdict v = {.basis = NULL};

		if (i)
			xos_buf_put_str(&t->out, ",");
		st = decide(t, e, i, &v, err);
		over = semantic == XOS_EVALUATIONS_FIRST_DENY     ? !v.permitted
		       : semantic == XOS_EVALUATIONS_FIRST_PERMIT ? v.permitted
		                                                  : false;
	}
	xos_buf_put_str(&t->out, "]}");
	return st;
}

static void answer(
    struct turn *t, struct xos_response *res, enum xos_status *st, struct xos_err *err)
{
	if (*st == XOS_OK && xos_buf_status(&t->out) != XOS_OK)
		*st = xos_err_set(err, XOS_LIMIT, "answers-too-long",
		    "the answers would be longer than %u bytes: ask for less at a time, or with "
		    "options.detail \"brief\"",
		    ANSWERS_MAX);
	if (*st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&t->out));
}

static enum xos_status on_evaluation(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct turn t = {.a = ctx, .req = req};
	struct xos_evaluations *e = NULL;
	struct vops_verdict v = {.basis = NULL};
	enum xos_status st = begin(&t, err);

	if (st == XOS_OK)
		st = xos_evaluation_decode(xos_request_body(req), XOS_SEARCH_NOTHING, &e, err);
	if (st == XOS_OK)
		st = decide(&t, e, 0, &v, err);
	answer(&t, res, &st, err);
	xos_evaluations_free(e);
	finish(&t, "evaluation", st);
	return st;
}

static enum xos_status on_evaluations(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct turn t = {.a = ctx, .req = req};
	struct xos_evaluations *e = NULL;
	struct vops_verdict v = {.basis = NULL};
	enum xos_status st = begin(&t, err);

	if (st == XOS_OK)
		st = xos_evaluations_decode(xos_request_body(req), &e, err);
	if (st == XOS_OK)
		st = xos_evaluations_many(e) ? decide_all(&t, e, err) : decide(&t, e, 0, &v, err);
	answer(&t, res, &st, err);
	xos_evaluations_free(e);
	finish(&t, "evaluations", st);
	return st;
}

/* --- searches --- */

static enum xos_status on_search(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const struct {
		const char *name;
		enum xos_search what;
	} kinds[] = {{"subject", XOS_SEARCH_SUBJECT}, {"action", XOS_SEARCH_ACTION},
	    {"resource", XOS_SEARCH_RESOURCE}};
	const char *name = xos_request_param(req, "kind");
	enum xos_search what = XOS_SEARCH_NOTHING;
	struct turn t = {.a = ctx, .req = req};
	struct xos_evaluations *e = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			what = kinds[i].what;
	if (what == XOS_SEARCH_NOTHING)
		return xos_err_set(err, XOS_NOT_FOUND, "not-found",
		    "what can be searched for are subject, action and resource");
	enum xos_status st = begin(&t, err);
	if (st == XOS_OK)
		st = xos_evaluation_decode(xos_request_body(req), what, &e, err);
	if (st == XOS_OK)
		st = vops_search(t.judge, t.view, &t.a->key, t.caller, what, e, &t.out, err);
	answer(&t, res, &st, err);
	xos_evaluations_free(e);
	finish(&t, name, st);
	return st;
}

/* --- metadata --- */

/* What the caller called us by, where the configuration does not say: the identifier into which it put the
 * well-known path. */
static bool own_url(
    const struct vops_authzen *a, const struct xos_request *req, char *out, size_t cap)
{
	static const char fits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                           "0123456789.-:[]";
	const char *host = xos_request_header(req, "Host");

	if (a->conf->authzen_url)
		return xos_str_copy(out, cap, a->conf->authzen_url);
	return host && host[0] && host[strspn(host, fits)] == '\0' &&
	       xos_str_printf(out, cap, "https://%s", host);
}

static enum xos_status on_metadata(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const struct {
		const char *key, *path;
	} endpoints[] = {
	    {"access_evaluation_endpoint", "/access/v1/evaluation"},
	    {"access_evaluations_endpoint", "/access/v1/evaluations"},
	    {"search_subject_endpoint", "/access/v1/search/subject"},
	    {"search_action_endpoint", "/access/v1/search/action"},
	    {"search_resource_endpoint", "/access/v1/search/resource"},
	};
	char url[512], endpoint[600];

	if (!own_url(ctx, req, url, sizeof(url)))
		return xos_err_set(err, XOS_MALFORMED, "host", "the Host of the request is none");
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "policy_decision_point", url);
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		(void)!xos_str_printf(endpoint, sizeof(endpoint), "%s%s", url, endpoints[i].path);
		xos_json_set_string(doc, endpoints[i].key, endpoint);
	}
	xos_response_header(res, "Cache-Control", "max-age=300");
	xos_response_json(res, 200, doc);
	return XOS_OK;
}

static const struct xos_route routes[] = {
    /* Certificates of a subject do not fit into a small one, so none is verified on the loop's thread but the caller's
     * own, as in its handshake. */
    {"POST", "/access/v1/evaluation", on_evaluation,
        XOS_ROUTE_CERT | XOS_ROUTE_SMALL_INLINE | XOS_ROUTE_FREQUENT, XOS_EVALUATION_BODY_MAX},
    {"POST", "/access/v1/evaluations", on_evaluations, XOS_ROUTE_CERT, XOS_EVALUATIONS_BODY_MAX},
    {"POST", "/access/v1/search/{kind}", on_search, XOS_ROUTE_CERT, XOS_EVALUATION_BODY_MAX},
    {"GET", "/.well-known/authzen-configuration", on_metadata, XOS_ROUTE_INLINE, 0},
};

static enum xos_status open_log(struct vops_authzen *a, struct xos_err *err)
{
	const struct vops_conf *conf = a->conf;
	char folder[PATH_MAX];

	if (!conf->decision_sample)
		return XOS_OK;
	enum xos_status st =
	    vops_conf_path(conf, VOPS_NETWORK_FOLDER "/decisions", folder, sizeof(folder), err);
	const struct xos_decision_log_options o = {.folder = folder,
	    .sample = (uint64_t)conf->decision_sample,
	    .sample_all = true,
	    .bytes = (uint64_t)conf->decision_log_bytes,
	    .files = (uint64_t)conf->decision_log_files};
	return st == XOS_OK ? xos_decision_log_open(&o, &a->log, err) : st;
}

enum xos_status vops_authzen_open(struct xos_relay *relay, const struct vops_conf *conf,
    struct vops_authzen **out, struct xos_err *err)
{
	struct vops_authzen *a = calloc(1, sizeof(*a));
	struct xos_health *h = xos_front_health(relay->front);

	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	*out = a;
	a->relay = relay;
	a->conf = conf;
	pthread_mutex_init(&a->lock, NULL);
	xos_random(a->key.bytes, sizeof(a->key.bytes));
	a->decisions = xos_metric_counter_by(
	    h, "xos_vops_decisions_total", "Decisions for services, by outcome.", "outcome");
	a->requests = xos_metric_counter_by(h, "xos_vops_authzen_requests_total",
	    "AuthZEN requests, by kind; \"refused\" are those without an answer.", "kind");
	enum xos_status st = vops_keeper_new(relay, conf->common.vo, &a->keeper, err);
	if (st == XOS_OK)
		st = open_log(a, err);
	if (st == XOS_OK)
		st = xos_health_check(h, "view", vops_keeper_health, a->keeper, err);
	if (st == XOS_OK)
		st = xos_front_routes(
		    relay->front, routes, sizeof(routes) / sizeof(routes[0]), a, err);
	return st;
}

enum xos_status vops_authzen_start(struct vops_authzen *a, struct xos_err *err)
{
	return vops_keeper_start(a->keeper, err);
}

void vops_authzen_poke(struct vops_authzen *a)
{
	if (a)
		vops_keeper_poke(a->keeper);
}

void vops_authzen_stop(struct vops_authzen *a)
{
	if (a)
		vops_keeper_stop(a->keeper);
}

void vops_authzen_free(struct vops_authzen *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->ndesks; i++)
		vops_judge_free(a->desks[i]);
	vops_keeper_free(a->keeper);
	xos_decision_log_close(a->log);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
