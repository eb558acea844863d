/* The network process: TLS and HTTP; knows who asks, reads the log as it is on disk, signs nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounting/admission.h"
#include "accounting/parts.h"
#include "api/accounting.h"
#include "api/chainjson.h"
#include "api/loghead.h"
#include "api/trustdoc.h"
#include "api/logserve.h"
#include "base/clock.h"
#include "log/log.h"
#include "service/bulk.h"
#include "service/front.h"
#include "service/monitor.h"
#include "service/trustwatch.h"
#include "service/verifier.h"

#define SKEW 300
#define KEY_MS 30000
#define LOG_CHUNK (1024 * 1024)

struct front_state {
	const struct xos_acct_config *c;
	struct xos_trust *trust;
	struct xos_trust_watch trust_watch;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	struct xos_bulk *key;
	struct xos_monitor *monitor; /* of key */
	struct xos_acct_admission *admission;
	struct xos_chain certificate; /* of the key that signs heads */
	char log[PATH_MAX];
};

/* Is it this VO, and may the caller act at all? */
static enum xos_status admit(
    const struct front_state *f, const struct xos_request *req, struct xos_err *err)
{
	if (strcmp(xos_request_param(req, "vo"), f->c->common.vo) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-vo", "this server serves the VO %s only",
		    f->c->common.vo);
	return xos_acct_admit(f->admission, xos_request_identity(req), err);
}

static enum xos_status ask(struct front_state *f, enum xos_acct_message type,
    struct xos_bytes payload, int http_status, struct xos_response *res, struct xos_err *err)
{
	struct xos_buf reply;
	enum xos_status st;

	xos_buf_init(&reply, XOS_BULK_MAX);
	st = xos_bulk_call(
	    f->key, (uint16_t)type, payload, xos_clock_mono_ms() + KEY_MS, &reply, err);
	if (st == XOS_OK) {
		xos_response_status(res, http_status);
		xos_response_body(res, "application/json", xos_buf_bytes(&reply));
	}
	xos_buf_free(&reply);
	return st;
}

static enum xos_status on_record(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	struct xos_json *doc = NULL;
	struct xos_record r;
	struct xos_buf canonical;
	enum xos_status st = admit(f, req, err);

	xos_buf_init(&canonical, XOS_RECORD_MAX);
	if (st == XOS_OK)
		st = xos_request_json(req, &doc, err);
	if (st == XOS_OK)
		st = xos_record_from_json(doc, &r, err);
	if (st == XOS_OK)
		st = xos_record_sender(&r, xos_request_identity(req), err);
	if (st == XOS_OK)
		st = xos_json_dump(doc, &canonical, err);
	if (st == XOS_OK)
		st = ask(f, XOS_ACCT_APPEND, xos_buf_bytes(&canonical), 200, res, err);
	xos_buf_free(&canonical);
	xos_json_free(doc);
	return st;
}

static bool is_admin(const struct xos_identity *who)
{
	size_t group;
	const char *role;

	for (size_t i = 0; i < who->claims->nroles; i++) {
		const char *fqan = who->claims->roles[i];

		if (xos_role_split(fqan, &group, &role) && strcmp(role, "admin") == 0 &&
		    group == strlen(who->claims->vo) + 1 &&
		    strncmp(fqan + 1, who->claims->vo, group - 1) == 0)
			return true;
	}
	return false;
}

static enum xos_status check_user(const struct xos_identity *who, struct xos_err *err)
{
	if (who->claims->kind == XOS_KIND_USER)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_DENIED, "token-kind", "records are read by members, not by %s", who->uri);
}

/* Whose records: the caller's own, and only who administers the VO now may ask for another's or for all. */
static enum xos_status choose_member(const struct front_state *f, const struct xos_identity *who,
    const char *asked, const char **member, struct xos_err *err)
{
	bool admin = is_admin(who);

	*member = asked ? asked : admin ? NULL : who->claims->name;
	if (*member && strcmp(*member, who->claims->name) == 0)
		return XOS_OK;
	if (admin)
		return xos_acct_administers(f->admission, who, err);
	return xos_err_set(err, XOS_DENIED, "record-not-yours",
	    "%s may read only the records of %s; the role /%s/Role=admin may read all", who->uri,
	    who->claims->name, who->claims->vo);
}

static enum xos_status on_records(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {"member", "since", "after", NULL};
	struct front_state *f = ctx;
	const struct xos_identity *who = xos_request_identity(req);
	const char *member = NULL, *since_text;
	struct xos_json *doc = NULL;
	struct xos_buf q;
	uint64_t after = 0;
	int64_t since = 0;
	enum xos_status st = admit(f, req, err);

	xos_buf_init(&q, 4096);
	if (st == XOS_OK)
		st = check_user(who, err);
	if (st == XOS_OK)
		st = xos_request_query_only(req, names, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "after", 0, INT64_MAX, &after, err);
	since_text = xos_request_query(req, "since");
	if (st == XOS_OK && since_text && !xos_time_parse(since_text, &since))
		st = xos_err_set(err, XOS_MALFORMED, "query",
		    "since: expected a time such as 2026-11-22T00:00:00Z");
	if (st == XOS_OK)
		st = choose_member(f, who, xos_request_query(req, "member"), &member, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_string(doc, "member", member);
		xos_json_set_int(doc, "since", since);
		xos_json_set_int(doc, "after", (int64_t)after);
		st = xos_json_dump(doc, &q, err);
	}
	if (st == XOS_OK)
		st = ask(f, XOS_ACCT_LIST, xos_buf_bytes(&q), 200, res, err);
	xos_json_free(doc);
	xos_buf_free(&q);
	return st;
}

/* Bytes of the log file as it is on disk now, from an offset. */
static enum xos_status on_log(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	static const char *const names[] = {"from", NULL};
	struct front_state *f = ctx;
	uint8_t *chunk = NULL;
	uint64_t from = 0;
	ssize_t n = -1;
	int fd = -1;
	enum xos_status st = admit(f, req, err);

	if (st == XOS_OK)
		st = check_user(xos_request_identity(req), err);
	if (st == XOS_OK)
		st = xos_request_query_only(req, names, err);
	if (st == XOS_OK)
		st = xos_request_query_u64(req, "from", 0, INT64_MAX, &from, err);
	if (st != XOS_OK)
		return st;
	chunk = malloc(LOG_CHUNK);
	fd = open(f->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (chunk && fd >= 0)
		n = pread(fd, chunk, LOG_CHUNK, (off_t)from);
	if (n < 0)
		st = xos_err_errno(err, errno, "log-read", "cannot read the log");
	else
		xos_response_body(
		    res, "application/octet-stream", (struct xos_bytes){chunk, (size_t)n});
	if (fd >= 0)
		close(fd);
	free(chunk);
	return st;
}

static enum xos_status on_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	/* Checked by whoever asked: here it is only read. */
	struct xos_loghead none = {.key = NULL};
	struct xos_log_crypto unchecked = xos_loghead_crypto(&none);
	struct front_state *f = ctx;
	struct xos_json *doc;
	struct xos_buf head;
	enum xos_status st = admit(f, req, err);

	if (st != XOS_OK)
		return st;
	unchecked.verify_head = NULL;
	st = xos_log_head_read(f->log, &unchecked, &head, NULL, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		xos_json_set_bytes(doc, "head", xos_buf_bytes(&head));
		xos_chain_to_json(doc, "chain", &f->certificate);
		xos_response_json(res, 200, doc);
	}
	xos_buf_free(&head);
	return st;
}

static enum xos_status on_trust(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct front_state *f = ctx;
	const struct xos_trust_doc doc = {.trust = f->trust, .vo = f->c->common.vo};
	const char *vo = xos_request_param(req, "vo");

	if (!vo || strcmp(vo, f->c->common.vo) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-vo", "this server serves the VO %s only",
		    f->c->common.vo);
	xos_response_json(res, 200, xos_trust_doc_encode(&doc));
	return XOS_OK;
}

/* For whoever may ask here at all: hashes and numbers. */
static enum xos_status prove(struct front_state *f, enum xos_log_question q,
    enum xos_acct_message type, const struct xos_request *req, struct xos_response *res,
    struct xos_err *err)
{
	struct xos_buf payload;
	enum xos_status st = admit(f, req, err);

	xos_buf_init(&payload, XOS_LOG_ASK_MAX);
	if (st == XOS_OK)
		st = xos_logserve_query(req, q, &payload, err);
	if (st == XOS_OK)
		st = ask(f, type, xos_buf_bytes(&payload), 200, res, err);
	xos_buf_free(&payload);
	return st;
}

static enum xos_status on_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return prove(ctx, XOS_LOG_PROOF, XOS_ACCT_LOG_PROOF, req, res, err);
}

static enum xos_status on_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	return prove(ctx, XOS_LOG_GROWTH, XOS_ACCT_LOG_GROWTH, req, res, err);
}

static const struct xos_route routes[] = {
    {"GET", "/v1/vo/{vo}/trust", on_trust, 0, 0},
    {"POST", "/v1/vo/{vo}/records", on_record, XOS_ROUTE_CERT, XOS_RECORD_MAX},
    {"GET", "/v1/vo/{vo}/records", on_records, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log", on_log, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log/head", on_head, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log/proof", on_proof, XOS_ROUTE_CERT, 0},
    {"GET", "/v1/vo/{vo}/log/consistency", on_consistency, XOS_ROUTE_CERT, 0},
};

static enum xos_status open_verifier(struct front_state *f, struct xos_err *err)
{
	/* No delegation: a job does not read its member's records. */
	struct xos_service_verifier_options opts = {.vo = f->c->common.vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .skew = SKEW};
	enum xos_status st;

	f->trust = xos_trust_new();
	if (!f->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_trust_load(f->trust, f->c->common.trust, err);
	return st == XOS_OK ? xos_service_verifier_new(f->trust, &opts, &f->verifier, err) : st;
}

enum xos_status xos_acct_front_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct xos_acct_config *c = self->run->conf;
	struct front_state *f = calloc(1, sizeof(*f));
	struct xos_front_options opts = {.listen_fd = self->listen_fd};
	char path[PATH_MAX];
	enum xos_status st;

	if (!f)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	f->c = c;
	self->state = f;
	st = xos_acct_path(c, XOS_ACCT_LOG, f->log, sizeof(f->log), err);
	if (st == XOS_OK)
		st = xos_acct_path(c, "accounting.pem", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_chain_load(path, &f->certificate, err);
	if (st == XOS_OK)
		st = open_verifier(f, err);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_KEY], &f->key, err);
	if (st != XOS_OK)
		return st;
	opts.tls_certificate = c->common.tls_certificate;
	opts.tls_key = c->common.tls_key;
	opts.verifier = xos_service_verifier_get(f->verifier);
	opts.limits = c->common.limits;
	opts.ctx = f;
	st = xos_front_new(&opts, &f->front, err);
	if (st == XOS_OK)
		st = xos_front_routes(f->front, routes, sizeof(routes) / sizeof(routes[0]), f, err);
	if (st == XOS_OK)
		st = xos_acct_admission_new(c, f->trust, f->front, &f->admission, err);
	if (st == XOS_OK)
		st = xos_monitor_new(&f->monitor, err);
	if (st == XOS_OK) {
		f->trust_watch = (struct xos_trust_watch){.trust = f->trust, .vo = c->common.vo};
		st = xos_trust_watch(xos_front_health(f->front), &f->trust_watch, err);
	}
	return st == XOS_OK ? xos_monitor_watch(f->monitor, xos_front_health(f->front), "key",
	                          f->key, XOS_BULK_REPORT, err)
	                    : st;
}

enum xos_status xos_acct_front_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct front_state *f = self->state;
	enum xos_status st = xos_monitor_start(f->monitor, err);

	if (st == XOS_OK)
		st = xos_acct_admission_start(f->admission, err);
	return st == XOS_OK ? xos_front_run(f->front, self->signal_fd, err) : st;
}

void xos_acct_front_close(struct xos_part_self *self)
{
	struct front_state *f = self->state;

	if (!f)
		return;
	xos_monitor_free(f->monitor);
	xos_acct_admission_free(f->admission);
	xos_front_free(f->front);
	xos_bulk_free(f->key);
	xos_service_verifier_free(f->verifier);
	xos_trust_free(f->trust);
	xos_chain_clear(&f->certificate);
	free(f);
	self->state = NULL;
}
