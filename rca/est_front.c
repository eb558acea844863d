/* EST in the network process: HTTP and base64 there and back. */
#include <stdio.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/text.h"
#include "pki/certsonly.h"
#include "rca/est.h"

#define CERTS_MAX 16
#define CERTS_TYPE "application/pkcs7-mime; smime-type=certs-only"

/* The label (RFC 7030 3.2.2) is the VO, or the VO and a site with a dot between; no VO has a dot in its name. */
static enum xos_status read_label(const struct rca_est_front *e, const struct xos_request *req,
    char site[XOS_SITE_MAX + 1], struct xos_err *err)
{
	const char *label = xos_request_param(req, "label"), *vo = e->conf->common.vo;
	size_t n = label ? strcspn(label, ".") : 0;
	const char *named = label && label[n] ? label + n + 1 : e->conf->est_site;

	site[0] = '\0';
	if (label && (n != strlen(vo) || strncmp(label, vo, n) != 0))
		return xos_err_set(
		    err, XOS_NOT_FOUND, "no-vo", "this server serves the VO %s only", vo);
	if (named && (!xos_name_is_site(named) || !xos_str_copy(site, XOS_SITE_MAX + 1, named)))
		return xos_err_set(err, XOS_NOT_FOUND, "no-site",
		    "what follows the VO and a dot in the address must be the name of a site");
	return XOS_OK;
}

static enum xos_status answer_base64(struct xos_response *res, const char *type, enum xos_status st,
    struct xos_buf *der, struct xos_err *err)
{
	struct xos_buf text;

	xos_buf_init(&text, 2 * XOS_CHAIN_PEM_MAX);
	if (st == XOS_OK) {
		xos_base64_encode(&text, xos_buf_bytes(der));
		st = xos_buf_status(&text);
		if (st != XOS_OK)
			xos_err_set(err, st, "answer-size", "the answer is too long");
	}
	if (st == XOS_OK)
		xos_response_body(res, type, xos_buf_bytes(&text));
	xos_buf_free(&text);
	xos_buf_free(der);
	return st;
}

/* The root, and the issuers below it: another VO's in the same folder are not this one's. */
static enum xos_status on_cacerts(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct rca_est_front *e = ctx;
	const struct xos_trust *trust = e->relay->trust;
	const struct xos_cert *root = xos_trust_root(trust, e->conf->common.vo), *list[CERTS_MAX];
	char site[XOS_SITE_MAX + 1];
	struct xos_buf der;
	size_t n = 0;
	enum xos_status st = read_label(e, req, site, err);

	if (st == XOS_OK && !root)
		st = xos_err_set(err, XOS_UNAVAILABLE, "no-root", "the VO's root is not known");
	if (st != XOS_OK)
		return st;
	list[n++] = root;
	n += xos_trust_issuers(trust, e->conf->common.vo, list + n, CERTS_MAX - n);
	xos_buf_init(&der, XOS_CHAIN_PEM_MAX);
	st = xos_certs_only(list, n, &der, err);
	return answer_base64(res, CERTS_TYPE, st, &der, err);
}

static enum xos_status on_csrattrs(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	char site[XOS_SITE_MAX + 1];
	struct xos_buf der;
	enum xos_status st = read_label(ctx, req, site, err);

	xos_buf_init(&der, 256);
	if (st == XOS_OK)
		st = rca_est_wishes(&der, err);
	return answer_base64(res, "application/csrattrs", st, &der, err);
}

/* "[2001:db8::1]:4711" and "192.0.2.1:4711" without port and brackets. */
static void address(const struct xos_request *req, char out[RCA_EST_FROM_MAX + 1])
{
	const char *peer = xos_request_peer(req), *colon = strrchr(peer, ':');
	size_t n = colon ? (size_t)(colon - peer) : strlen(peer);

	if (n >= 2 && peer[0] == '[' && peer[n - 1] == ']') {
		peer++;
		n -= 2;
	}
	if (!xos_str_printf(out, RCA_EST_FROM_MAX + 1, "%.*s", (int)n, peer))
		out[0] = '\0';
}

static enum xos_status read_request(const struct rca_est_front *e, const struct xos_request *req,
    struct rca_est_request *q, struct xos_err *err)
{
	const char *authorization = xos_request_header(req, "Authorization");
	uint8_t binding[XOS_BINDING_MAX];
	enum xos_status st = read_label(e, req, q->site, err);

	if (st == XOS_OK)
		st = rca_est_body(
		    xos_request_header(req, "Content-Type"), xos_request_body(req), &q->csr, err);
	if (st == XOS_OK && authorization)
		st = rca_est_basic(authorization, q, err);
	address(req, q->from);
	xos_buf_put(&q->binding, binding, xos_request_binding(req, binding));
	return st;
}

/* The new certificate alone: what stands above it, cacerts gives. */
static enum xos_status answer(const struct rca_est_front *e, const struct xos_buf *reply,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_chain chain = {.n = 0};
	struct xos_buf der;
	char after[24];
	enum xos_status st = xos_json_parse(xos_buf_bytes(reply), XOS_BULK_MAX, &doc, err);

	xos_buf_init(&der, XOS_CHAIN_PEM_MAX);
	if (st == XOS_OK && !xos_json_has(doc, "chain")) {
		static const char text[] = "your request waits until it is approved; send it again "
		                           "later, with the same key\n";

		snprintf(after, sizeof(after), "%lld", (long long)e->conf->est_retry);
		xos_response_status(res, 202);
		xos_response_header(res, "Retry-After", after);
		xos_response_body(res, "text/plain; charset=utf-8", xos_bytes_str(text));
	} else if (st == XOS_OK) {
		st = xos_chain_from_json(doc, "chain", &chain, err);
		if (st == XOS_OK) {
			const struct xos_cert *leaf[] = {chain.cert[0]};

			st = xos_certs_only(leaf, 1, &der, err);
		}
		st = answer_base64(res, CERTS_TYPE, st, &der, err);
	}
	xos_chain_clear(&chain);
	xos_json_free(doc);
	return st;
}

static enum xos_status ask(struct rca_est_front *e, enum rca_message type,
    const struct rca_est_request *q, struct xos_response *res, struct xos_err *err)
{
	struct xos_json *doc = rca_est_request_encode(q);
	struct xos_buf text, reply;
	enum xos_status st;

	xos_buf_init(&text, RCA_EST_MESSAGE_MAX);
	xos_buf_init(&reply, 0);
	st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = xos_relay_ask(e->relay, (uint16_t)type, xos_buf_bytes(&text), &reply, err);
	if (st == XOS_OK)
		st = answer(e, &reply, res, err);
	xos_buf_free(&reply);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

static enum xos_status on_enroll(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct rca_est_request q;

	rca_est_request_init(&q);
	enum xos_status st = read_request(ctx, req, &q, err);
	if (st == XOS_OK)
		st = ask(ctx, RCA_EST_ENROLL, &q, res, err);
	rca_est_request_free(&q);
	return st;
}

static enum xos_status on_reenroll(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct rca_est_request q;
	size_t n = 0;
	const struct xos_bytes *ders = xos_request_chain(req, &n);

	/* Not a 401: no name and password would help. */
	if (n == 0)
		return xos_err_set(err, XOS_DENIED, "est-certificate",
		    "re-enrolment needs the present certificate and its key in the TLS handshake");
	rca_est_request_init(&q);
	enum xos_status st = read_request(ctx, req, &q, err);
	if (st == XOS_OK)
		st = xos_chain_from_der(ders, n, &q.chain, err);
	if (st == XOS_OK)
		st = ask(ctx, RCA_EST_REENROLL, &q, res, err);
	rca_est_request_free(&q);
	return st;
}

/* strongSwan's pki puts what follows the server in its --url before /.well-known, so a label may stand there too. */
#define EVERYWHERE(method, name, handle, max)                                                      \
	{method, "/.well-known/est/" name, handle, 0, max},                                        \
	    {method, "/.well-known/est/{label}/" name, handle, 0, max},                            \
	{                                                                                          \
		method, "/{label}/.well-known/est/" name, handle, 0, max                           \
	}

static const struct xos_route routes[] = {
    EVERYWHERE("GET", "cacerts", on_cacerts, 0),
    EVERYWHERE("GET", "csrattrs", on_csrattrs, 0),
    EVERYWHERE("POST", "simpleenroll", on_enroll, RCA_EST_BODY_MAX),
    EVERYWHERE("POST", "simplereenroll", on_reenroll, RCA_EST_BODY_MAX),
};

enum xos_status rca_est_front_open(struct rca_est_front *e, struct xos_relay *relay,
    const struct rca_conf *conf, struct xos_err *err)
{
	e->relay = relay;
	e->conf = conf;
	if (!conf->listen_est)
		return XOS_OK;
	return xos_front_stock(
	    relay->front, conf->listen_est, routes, sizeof(routes) / sizeof(routes[0]), e, err);
}
