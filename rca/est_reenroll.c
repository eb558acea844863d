/* EST in the auth process: who has a certificate and wants the next one. */
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/event.h"
#include "base/text.h"
#include "rca/est_internal.h"
#include "rca/est_store.h"

#define SKEW 300
#define AGAIN 60 /* seconds for which a re-enrolment is answered as before */

/* Only the request's signature is a proof that reaches this process; so the key must be the present one, unless the
 * configuration says that what the network process saw is enough. */
static enum xos_status check_key(
    const struct rca_est *e, const struct xos_identity *who, struct xos_err *err)
{
	if (e->a->conf->est_rekey ||
	    memcmp(e->csr.spki_sha256, who->spki_sha256, XOS_SHA256_LEN) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "est-key",
	    "re-enrolment here is for the same key: the request must be for the key of the present "
	    "certificate; a new key is had by enrolling with a new one-time code");
}

/* Host names stay as they were admitted: the request may repeat them (RFC 7030 4.2.2). */
static enum xos_status check_hosts_kept(
    const struct rca_est *e, const struct rca_issue_request *r, struct xos_err *err)
{
	for (size_t i = 0; i < e->names.nhosts; i++) {
		size_t k = 0;

		while (k < r->nhosts && strcmp(e->names.host[i], r->hosts[k]) != 0)
			k++;
		if (k == r->nhosts)
			return xos_err_set(err, XOS_DENIED, "est-hosts",
			    "%s was not admitted as %s: re-enrolment changes no names", e->node,
			    e->names.host[i]);
	}
	return XOS_OK;
}

/* Was this key answered a moment ago? Then the same again: a reply may have been lost, and nobody makes the log grow by
 * sending a request over and over. */
static enum xos_status again(
    const struct rca_est *e, const char *service, struct xos_json **answer, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	struct xos_json *last = NULL;
	int64_t when = 0, life = e->a->conf->node_life / 16;
	enum xos_status st = rca_est_last(e->a->db, e->node, service, &last, &when, err);

	if (st != XOS_OK)
		return st;
	if (e->now >= when + (life < AGAIN ? life : AGAIN))
		st = XOS_NOT_FOUND;
	else
		st = xos_chain_from_json(last, "chain", &chain, err);
	if (st == XOS_OK && memcmp(xos_key_spki_sha256(xos_cert_key(chain.cert[0])),
	                        e->csr.spki_sha256, XOS_SHA256_LEN) != 0)
		st = xos_err_set(err, XOS_LIMIT, "est-again",
		    "%s was given a certificate for another key a moment ago; try again in a "
		    "minute",
		    e->node);
	if (st == XOS_OK)
		*answer = last;
	else
		xos_json_free(last);
	xos_chain_clear(&chain);
	return st;
}

static enum xos_status issue(const struct rca_est *e, const struct rca_issue_request *r,
    struct xos_json **answer, struct xos_err *err)
{
	enum xos_status st = again(e, r->service, answer, err);

	if (st != XOS_NOT_FOUND)
		return st;
	st = xos_store_begin(e->a->db, err);
	if (st == XOS_OK)
		st = rca_auth_issue(e->a, r, answer, err);
	/* Whatever this key led to at other doors is over: a use of an older certificate there is late, not a theft. */
	if (st == XOS_OK)
		st = rca_auth_begin(e->a, e->node, r->service, *answer, err);
	if (st == XOS_OK)
		st = rca_est_keep(e->a->db, e->node, r->service, *answer, e->now, err);
	if (st == XOS_OK)
		st = xos_store_commit(e->a->db, err);
	xos_store_rollback(e->a->db);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "est.renewed", "node", e->node, "service",
		    r->service[0] ? r->service : NULL);
	return st;
}

/* The checks of every renewal, and those of this door. */
static enum xos_status reenroll(
    struct rca_est *e, struct xos_rca_renewal *old, struct xos_json **answer, struct xos_err *err)
{
	const struct xos_claims *claims = old->who->claims;
	struct rca_issue_request r;
	enum xos_status st = XOS_OK;

	rca_issue_request_init(&r);
	if (!xos_str_copy(e->node, sizeof(e->node), claims->name))
		st = xos_err_set(err, XOS_INTERNAL, "est", "a name does not fit");
	if (st == XOS_OK)
		st = rca_est_check(e->a->db, e->node, err);
	if (st == XOS_OK)
		st = rca_est_check_names(
		    e, claims->kind == XOS_KIND_NODE ? "node" : "service", old->who->uri, err);
	if (st == XOS_OK)
		st = check_key(e, old->who, err);
	if (st == XOS_OK)
		st = rca_auth_renewal(e->a, old, &r, err);
	if (st == XOS_OK && r.server)
		st = xos_err_set(err, XOS_DENIED, "service-kind",
		    "the VO's own servers do not renew their certificates here");
	if (st == XOS_OK)
		st = check_hosts_kept(e, &r, err);
	if (st == XOS_OK && (!xos_str_copy(r.by, sizeof(r.by), "est") ||
	                        !xos_str_copy(r.digest, sizeof(r.digest), e->digest)))
		st = xos_err_set(err, XOS_INTERNAL, "est", "a name does not fit");
	if (st == XOS_OK)
		st = issue(e, &r, answer, err);
	rca_issue_request_free(&r);
	return st;
}

/* As a renewal of api/rca.h, as far as there is one: who it is, by which chain, and for which request. */
static enum xos_status make_renewal(
    const struct rca_est *e, struct xos_rca_renewal **out, struct xos_err *err)
{
	const struct xos_verify_opts opts = {
	    .now = e->now,
	    .skew = SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .vo = e->a->conf->common.vo,
	    .purpose = XOS_PURPOSE_ANY,
	};
	struct xos_rca_renewal *r = calloc(1, sizeof(*r));
	enum xos_status st = XOS_OK;

	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&r->csr, XOS_CSR_MAX);
	xos_buf_put(&r->csr, e->q->csr.p, e->q->csr.n);
	for (size_t i = 0; st == XOS_OK && i < e->q->chain.n; i++)
		st = xos_chain_add(&r->chain, e->q->chain.cert[i]);
	if (st == XOS_OK && r->chain.n == 0)
		st = xos_err_set(err, XOS_DENIED, "est-certificate",
		    "re-enrolment needs the present certificate");
	if (st == XOS_OK)
		st = xos_token_verify_chain(e->a->trust, &r->chain, &opts, &r->who, err);
	if (st == XOS_OK && !xos_str_printf(r->jti, sizeof(r->jti), "%.32s", e->digest))
		st = xos_err_set(err, XOS_INTERNAL, "est", "a name does not fit");
	if (st != XOS_OK) {
		xos_rca_renewal_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}

enum xos_status rca_est_on_reenroll(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct rca_est e = {.a = NULL};
	struct rca_est_request q;
	struct xos_rca_renewal *old = NULL;
	struct xos_json *answer = NULL;

	(void)from;
	rca_est_request_init(&q);
	enum xos_status st = rca_est_request_decode(payload, &q, err);
	if (st == XOS_OK)
		st = rca_est_open(&e, ctx, &q, err);
	if (st == XOS_OK)
		st = make_renewal(&e, &old, err);
	if (st == XOS_OK)
		st = reenroll(&e, old, &answer, err);
	st = rca_est_reply(st, &e, answer, reply, err);
	xos_rca_renewal_free(old);
	rca_est_request_free(&q);
	return st;
}
