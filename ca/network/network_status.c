#include "ca/network/network_status.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/network/budget.h"
#include "ca/messages.h"
#include "ca/network/network.h"
#include "ca/network/network_root_crl.h"
#include "pki/ocsp.h"
#include "pki/points.h"

#define SLOTS 4096  /* OCSP answers that are kept, at most */
#define LOOK_MS 500 /* so long a change may go unseen that did not come through this process */
#define MAX_AGE "max-age=10, public, no-transform, must-revalidate"
/* Answers a second that the key process is asked to sign; log-ins go through it as well. */
#define BUDGET 300

enum budget { WITH_NONCE, WITHOUT_NONCE, BUDGETS };

/* One signed object that is kept. */
struct kept {
	uint8_t digest[XOS_SHA256_LEN]; /* of the request, in slots */
	uint64_t version;
	int64_t this_update, next_update; /* 0: nothing kept */
	struct xos_buf der;
};

struct ca_network_status {
	const struct ca_conf *conf;
	struct xos_bulk *key;
	struct xos_cert *issuer;
	struct ca_root_crl *root_crl;
	struct xos_metric *lists, *answers, *later, *root_left;
	pthread_mutex_t lock; /* over all below */
	uint64_t version;
	int64_t looked; /* at the version; monotonic ms, 0: look now */
	struct ca_budget budget[BUDGETS];
	struct kept list[XOS_POINTS_SHARDS + 1]; /* the last: everything */
	struct kept slot[SLOTS];
};

enum xos_status ca_network_status_new(const struct ca_conf *conf, const struct xos_trust *trust,
    struct xos_bulk *key, struct ca_network_status **out, struct xos_err *err)
{
	struct ca_network_status *s = calloc(1, sizeof(*s));
	struct xos_chain own = {.n = 0};
	struct ca_paths p;
	enum xos_status st;

	*out = NULL;
	if (!s || pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	s->conf = conf;
	s->key = key;
	for (size_t i = 0; i <= XOS_POINTS_SHARDS; i++)
		xos_buf_init(&s->list[i].der, XOS_CRL_MAX);
	for (size_t i = 0; i < SLOTS; i++)
		xos_buf_init(&s->slot[i].der, XOS_OCSP_RESPONSE_MAX);
	st = ca_paths_fill(conf->common.state, &p, err);
	if (st == XOS_OK)
		st = xos_chain_load(p.cert, &own, err);
	if (st == XOS_OK) {
		s->issuer = xos_cert_ref(own.cert[0]);
		st = ca_root_crl_new(
		    conf->common.trust, xos_trust_root(trust, conf->common.vo), &s->root_crl, err);
	}
	xos_chain_clear(&own);
	if (st != XOS_OK) {
		ca_network_status_free(s);
		return st;
	}
	*out = s;
	return XOS_OK;
}

void ca_network_status_free(struct ca_network_status *s)
{
	if (!s)
		return;
	for (size_t i = 0; i <= XOS_POINTS_SHARDS; i++)
		xos_buf_free(&s->list[i].der);
	for (size_t i = 0; i < SLOTS; i++)
		xos_buf_free(&s->slot[i].der);
	ca_root_crl_free(s->root_crl);
	xos_cert_free(s->issuer);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- asking the key process --- */

void ca_network_status_tick(struct ca_network_status *s)
{
	xos_metric_set(s->root_left, ca_root_crl_left(s->root_crl));
}

void ca_network_status_changed(struct ca_network_status *s)
{
	pthread_mutex_lock(&s->lock);
	s->looked = 0;
	pthread_mutex_unlock(&s->lock);
}

static enum xos_status ask(struct ca_network_status *s, uint16_t type, struct xos_bytes payload,
    struct xos_buf *answer, struct xos_err *err)
{
	return xos_bulk_call(s->key, type, payload, xos_clock_mono_ms() + CA_CALL_MS, answer, err);
}

/* The version of what holds tokens, which is asked for now and then; one thread asks for all. */
static enum xos_status look(struct ca_network_status *s, uint64_t *version, struct xos_err *err)
{
	int64_t now = xos_clock_mono_ms();
	struct xos_buf answer;
	bool due;
	enum xos_status st;

	pthread_mutex_lock(&s->lock);
	due = !s->looked || now - s->looked >= LOOK_MS;
	*version = s->version;
	if (due)
		s->looked = now;
	pthread_mutex_unlock(&s->lock);
	if (!due && *version)
		return XOS_OK;
	xos_buf_init(&answer, 8);
	st = ask(s, CA_STATUS, XOS_BYTES_NONE, &answer, err);
	if (st == XOS_OK)
		st = ca_u64_get(xos_buf_bytes(&answer), version, err);
	xos_buf_free(&answer);
	pthread_mutex_lock(&s->lock);
	if (st != XOS_OK)
		s->looked = 0;
	else if (*version > s->version)
		s->version = *version;
	pthread_mutex_unlock(&s->lock);
	return st;
}

static bool still_good(const struct kept *k, uint64_t version)
{
	int64_t now = xos_clock_now();

	return k->next_update && k->version == version && now >= k->this_update &&
	       now < k->this_update + (k->next_update - k->this_update) / 2;
}

static void keep(struct kept *k, const struct ca_status_answer *m)
{
	struct xos_buf fresh;

	xos_buf_init(&fresh, k->der.max);
	xos_buf_put(&fresh, m->der.p, m->der.n);
	if (xos_buf_status(&fresh) != XOS_OK) {
		xos_buf_free(&fresh);
		return;
	}
	xos_buf_free(&k->der);
	k->der = fresh;
	k->version = m->version;
	k->this_update = m->this_update;
	k->next_update = m->next_update;
}

static bool may_ask(struct ca_network_status *s, enum budget which)
{
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = ca_budget_take(&s->budget[which], BUDGET, xos_clock_mono_ms());
	pthread_mutex_unlock(&s->lock);
	return ok;
}

/* --- answers --- */

static void put_date(struct xos_response *res, const char *field, int64_t t)
{
	time_t tt = (time_t)t;
	char text[40];
	struct tm tm;

	if (gmtime_r(&tt, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
		xos_response_header(res, field, text);
}

/* As RFC 5019 section 6 wants it; 304 for who has it already. */
static void give(const struct xos_request *req, struct xos_response *res, const char *type,
    struct xos_bytes der, int64_t this_update, int64_t next_update)
{
	bool post = strcmp(xos_request_method(req), "POST") == 0;
	const char *have = post ? NULL : xos_request_header(req, "If-None-Match");
	uint8_t digest[XOS_SHA256_LEN];
	char hex[2 * XOS_SHA256_LEN + 1], etag[2 * 16 + 3] = "";

	if (xos_sha256(der, digest) == XOS_OK) {
		xos_hex_encode(hex, digest, sizeof(digest));
		(void)xos_str_printf(etag, sizeof(etag), "\"%.32s\"", hex);
		xos_response_header(res, "ETag", etag);
	}
	put_date(res, "Last-Modified", this_update);
	put_date(res, "Expires", next_update);
	xos_response_header(res, "Cache-Control", MAX_AGE);
	if (have && strcmp(have, etag) == 0)
		xos_response_status(res, 304);
	else
		xos_response_body(res, type, der);
}

static enum xos_status check_vo(
    const struct ca_network_status *s, const struct xos_request *req, struct xos_err *err)
{
	const char *vo = xos_request_param(req, "vo");

	if (vo && strcmp(vo, s->conf->common.vo) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_NOT_FOUND, "no-vo", "there is no VO \"%s\" here", vo ? vo : "");
}

/* --- lists --- */

/* "all.crl", or two hexadecimal digits. */
static bool read_part(const char *file, uint8_t *part)
{
	char want[8];

	*part = CA_CRL_ALL;
	if (strcmp(file, "all.crl") == 0)
		return true;
	for (unsigned i = 0; i < XOS_POINTS_SHARDS; i++) {
		(void)xos_str_printf(want, sizeof(want), "%02x.crl", i);
		*part = (uint8_t)i;
		if (strcmp(file, want) == 0)
			return true;
	}
	return false;
}

static enum xos_status fetch_list(struct ca_network_status *s, uint8_t part, uint64_t version,
    struct kept *copy, struct xos_err *err)
{
	struct kept *k = &s->list[part == CA_CRL_ALL ? XOS_POINTS_SHARDS : part];
	struct ca_status_answer m;
	struct xos_buf answer;
	bool good;
	enum xos_status st;

	pthread_mutex_lock(&s->lock);
	good = still_good(k, version);
	if (good)
		keep(copy, &(struct ca_status_answer){
		               k->version, k->this_update, k->next_update, xos_buf_bytes(&k->der)});
	pthread_mutex_unlock(&s->lock);
	if (good && copy->next_update)
		return XOS_OK;
	xos_buf_init(&answer, XOS_CRL_MAX + 64);
	st = ask(s, CA_CRL, (struct xos_bytes){&part, 1}, &answer, err);
	if (st == XOS_OK)
		st = ca_status_answer_get(xos_buf_bytes(&answer), &m, err);
	if (st == XOS_OK) {
		keep(copy, &m);
		pthread_mutex_lock(&s->lock);
		keep(k, &m);
		pthread_mutex_unlock(&s->lock);
	}
	xos_buf_free(&answer);
	return st;
}

static enum xos_status route_crl(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network_status *s = ctx;
	const char *file = xos_request_param(req, "file");
	struct kept copy = {.next_update = 0};
	uint64_t version = 0;
	uint8_t part = 0;
	enum xos_status st = check_vo(s, req, err);

	xos_buf_init(&copy.der, XOS_CRL_MAX);
	if (st != XOS_OK)
		return st;
	if (file && strcmp(file, "root.crl") == 0) {
		st = ca_root_crl_get(
		    s->root_crl, &copy.der, &copy.this_update, &copy.next_update, err);
	} else if (!file || !read_part(file, &part)) {
		st = xos_err_set(err, XOS_NOT_FOUND, "no-list",
		    "lists are 00.crl to %02x.crl, as certificates name them, all.crl and root.crl",
		    XOS_POINTS_SHARDS - 1);
	} else {
		st = look(s, &version, err);
		if (st == XOS_OK)
			st = fetch_list(s, part, version, &copy, err);
	}
	if (st == XOS_OK) {
		give(req, res, "application/pkix-crl", xos_buf_bytes(&copy.der), copy.this_update,
		    copy.next_update);
		xos_metric_add(s->lists, 1);
	}
	xos_buf_free(&copy.der);
	return st;
}

/* --- OCSP --- */

static void fail(struct xos_response *res, enum xos_ocsp_failure why)
{
	struct xos_buf der;

	xos_buf_init(&der, 16);
	xos_ocsp_failure_put(&der, why);
	xos_response_body(res, "application/ocsp-response", xos_buf_bytes(&der));
	xos_buf_free(&der);
}

static struct kept *slot_of(struct ca_network_status *s, const uint8_t digest[XOS_SHA256_LEN])
{
	return &s->slot[(digest[0] | (unsigned)digest[1] << 8) % SLOTS];
}

/* Is there an answer of before to the same bytes? */
static bool answer_kept(struct ca_network_status *s, const uint8_t digest[XOS_SHA256_LEN],
    uint64_t version, const struct xos_request *req, struct xos_response *res)
{
	struct kept *k = slot_of(s, digest);
	bool good;

	pthread_mutex_lock(&s->lock);
	good = memcmp(k->digest, digest, XOS_SHA256_LEN) == 0 && still_good(k, version);
	if (good)
		give(req, res, "application/ocsp-response", xos_buf_bytes(&k->der), k->this_update,
		    k->next_update);
	pthread_mutex_unlock(&s->lock);
	return good;
}

static void answer_signed(struct ca_network_status *s, const uint8_t digest[XOS_SHA256_LEN],
    const struct ca_status_answer *m, const struct xos_request *req, struct xos_response *res)
{
	struct kept *k = slot_of(s, digest);

	if (!m->next_update) {
		xos_response_body(res, "application/ocsp-response", m->der);
		return;
	}
	give(req, res, "application/ocsp-response", m->der, m->this_update, m->next_update);
	pthread_mutex_lock(&s->lock);
	keep(k, m);
	memcpy(k->digest, digest, XOS_SHA256_LEN);
	pthread_mutex_unlock(&s->lock);
}

/* What goes wrong is said in OCSP's own way: clients look at nothing else. */
static void answer(struct ca_network_status *s, struct xos_bytes der,
    const struct xos_ocsp_request *q, const struct xos_request *req, struct xos_response *res)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct ca_status_answer m;
	struct xos_buf reply;
	uint64_t version = 0;
	enum xos_status st = xos_sha256(der, digest);

	if (st == XOS_OK)
		st = look(s, &version, NULL);
	if (st == XOS_OK && answer_kept(s, digest, version, req, res))
		return;
	if (st == XOS_OK && !may_ask(s, q->nonce.n ? WITH_NONCE : WITHOUT_NONCE))
		st = XOS_UNAVAILABLE;
	xos_buf_init(&reply, XOS_OCSP_RESPONSE_MAX + 64);
	if (st == XOS_OK)
		st = ask(s, CA_OCSP, der, &reply, NULL);
	if (st == XOS_OK)
		st = ca_status_answer_get(xos_buf_bytes(&reply), &m, NULL);
	if (st == XOS_OK) {
		answer_signed(s, digest, &m, req, res);
	} else {
		fail(res, st == XOS_UNAVAILABLE ? XOS_OCSP_TRY_LATER : XOS_OCSP_INTERNAL_ERROR);
		xos_metric_add(s->later, 1);
	}
	xos_buf_free(&reply);
	xos_metric_add(s->answers, 1);
}

static enum xos_status route_ocsp_post(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network_status *s = ctx;
	const char *type = xos_request_header(req, "Content-Type");
	struct xos_ocsp_request q;
	enum xos_status st = check_vo(s, req, err);

	if (st == XOS_OK && (!type || strcmp(type, "application/ocsp-request") != 0))
		st = xos_err_set(err, XOS_MALFORMED, "content-type",
		    "an OCSP request has the Content-Type application/ocsp-request");
	if (st != XOS_OK)
		return st;
	if (xos_ocsp_request_parse(xos_request_body(req), &q, NULL) == XOS_OK)
		answer(s, xos_request_body(req), &q, req, res);
	else
		fail(res, XOS_OCSP_MALFORMED_REQUEST);
	return XOS_OK;
}

static enum xos_status route_ocsp_get(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network_status *s = ctx;
	const char *text = xos_request_param(req, "request");
	struct xos_ocsp_request q;
	struct xos_buf der;
	enum xos_status st = check_vo(s, req, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&der, XOS_OCSP_REQUEST_MAX);
	if (text && xos_ocsp_request_from_base64(text, &der, &q, NULL) == XOS_OK)
		answer(s, xos_buf_bytes(&der), &q, req, res);
	else
		fail(res, XOS_OCSP_MALFORMED_REQUEST);
	xos_buf_free(&der);
	return XOS_OK;
}

/* --- the issuer --- */

static enum xos_status route_issuer(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network_status *s = ctx;
	enum xos_status st = check_vo(s, req, err);

	if (st == XOS_OK) {
		xos_response_header(res, "Cache-Control", "max-age=3600, public");
		xos_response_body(res, "application/pkix-cert", xos_cert_der(s->issuer));
	}
	return st;
}

static const struct xos_route routes[] = {
    {"GET", "/crl/{vo}/{file}", route_crl, 0, 0},
    {"POST", "/ocsp/{vo}", route_ocsp_post, 0, XOS_OCSP_REQUEST_MAX},
    {"GET", "/ocsp/{vo}/{request}", route_ocsp_get, 0, 0},
    {"GET", "/ca/{vo}/issuer.cer", route_issuer, 0, 0},
};

enum xos_status ca_network_status_serve(
    struct ca_network_status *s, struct xos_front *front, struct xos_err *err)
{
	struct xos_health *h = xos_front_health(front);

	s->lists =
	    xos_metric_counter(h, "xos_cad_crl_total", "Revocation lists that were given out.");
	s->answers = xos_metric_counter(h, "xos_cad_ocsp_total", "OCSP requests answered.");
	s->later = xos_metric_counter(h, "xos_cad_ocsp_failed_total",
	    "OCSP requests that were put off, or could not be answered.");
	s->root_left = xos_metric_gauge(h, "xos_root_crl_seconds_left",
	    "Seconds until the root's revocation list ends; 0: there is none.");
	return xos_front_plain_routes(front, routes, sizeof(routes) / sizeof(routes[0]), s, err);
}
