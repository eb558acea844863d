/*
 * EST in the auth process: what both kinds of requests must prove. The network process may have been taken over, so what
 * it says of the TLS connection (the name, the client's address, whose key was proved) opens nothing that the request's
 * own signature, a code or an approver does not.
 */
#include <string.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "rca/est_internal.h"

/* RFC 7030 3.5: one that has a challenge was made for this connection, or it was carried here from another. */
static enum xos_status check_binding(const struct rca_est *e, struct xos_err *err)
{
	struct xos_buf text;

	if (!e->names.challenged)
		return XOS_OK;
	xos_buf_init(&text, 2 * XOS_BINDING_MAX);
	xos_base64_encode(&text, xos_buf_bytes(&e->q->binding));
	bool same = e->q->binding.n > 0 &&
	            xos_bytes_eq(xos_buf_bytes(&text), xos_bytes_str(e->names.challenge));
	xos_buf_free(&text);
	if (same)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "est-binding",
	    "the challenge password of the request does not name this TLS connection: it must be "
	    "tls-unique (TLS 1.2) or tls-exporter (TLS 1.3) in base64, or be left out");
}

enum xos_status rca_est_open(
    struct rca_est *e, struct rca_auth *a, const struct rca_est_request *q, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_bytes der = xos_buf_bytes(&q->csr);
	enum xos_status st = xos_csr_parse(der, &e->csr, err);

	e->a = a;
	e->q = q;
	e->now = xos_clock_now();
	if (st == XOS_OK)
		st = xos_csr_names_read(der, &e->names, err);
	if (st == XOS_OK)
		st = xos_sha256(der, digest);
	if (st == XOS_OK)
		st = check_binding(e, err);
	if (st != XOS_OK)
		return st;
	xos_hex_encode(e->spki, e->csr.spki_sha256, XOS_SHA256_LEN);
	xos_hex_encode(e->digest, digest, XOS_SHA256_LEN);
	return XOS_OK;
}

static bool agrees(const char *asked, const char *given)
{
	return !asked[0] || strcmp(asked, given) == 0;
}

enum xos_status rca_est_check_names(
    const struct rca_est *e, const char *unit, const char *uri, struct xos_err *err)
{
	const struct xos_csr_names *n = &e->names;

	if (agrees(n->o, e->a->conf->common.vo) && agrees(n->ou, unit) && agrees(n->cn, e->node) &&
	    agrees(n->uri, uri))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "est-name",
	    "the request names somebody else than the %s %s of the VO %s: its subject may be "
	    "/CN=%s",
	    unit, e->node, e->a->conf->common.vo, e->node);
}

enum xos_status rca_est_reply(enum xos_status st, const struct rca_est *e, struct xos_json *whole,
    struct xos_buf *reply, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	struct xos_json *doc = NULL;

	if (st == XOS_OK && !whole)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK && xos_json_has(whole, "chain"))
		st = xos_chain_from_json(whole, "chain", &chain, err);
	if (st == XOS_OK) {
		doc = xos_json_object();
		if (chain.n > 0)
			xos_chain_to_json(doc, "chain", &chain);
		st = xos_json_dump(doc, reply, err);
	}
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "est.refused", err, "node", e->node[0] ? e->node : NULL,
		    "address", e->q ? e->q->from : NULL, (const char *)NULL);
	xos_json_free(doc);
	xos_json_free(whole);
	xos_chain_clear(&chain);
	return st;
}
