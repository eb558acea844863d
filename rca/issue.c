#include "rca/issue.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/loghead.h"
#include "api/signer.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/issue.h"
#include "service/rollover.h"
#include "token/claims.h"
#include "token/profile.h"

struct rca_issuer {
	const struct rca_conf *conf;
	struct xos_key *key;
	struct xos_chain chain; /* own certificate, then what stands above it without the root */
	struct xos_issuer *issuer;
	struct xos_log *log;
	struct xos_key *before; /* public; NULL: there was none */
	struct xos_loghead head;
};

static enum xos_status open_key(
    struct rca_issuer *i, const struct xos_trust *trust, int64_t now, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = rca_conf_path(i->conf, "rca.key", path, sizeof(path), err);

	if (st == XOS_OK)
		st = xos_key_load(path, NULL, NULL, &i->key, err);
	if (st == XOS_OK)
		st = rca_conf_path(i->conf, "rca.pem", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_chain_load(path, &i->chain, err);
	if (st == XOS_OK && !xos_key_same(xos_cert_key(i->chain.cert[0]), i->key))
		st = xos_err_set(err, XOS_MALFORMED, "issuer-key",
		    "%s is not the certificate of rca.key: have the root sign rca.csr again", path);
	if (st == XOS_OK) {
		st = xos_api_signer((void *)(uintptr_t)trust, XOS_SIGNER_RCA, i->conf->common.vo,
		    i->chain.cert[0], now, err);
		if (st != XOS_OK)
			xos_err_prefix(err, st, "%s", path);
	}
	if (st == XOS_OK)
		st = xos_rollover_key_before(i->conf->common.state, "rca", &i->before, err);
	if (st == XOS_OK)
		st = xos_issuer_new(i->chain.cert[0], i->key, &i->issuer, err);
	return st;
}

enum xos_status rca_issuer_open_log(struct rca_issuer *i, struct xos_err *err)
{
	char path[PATH_MAX], name[XOS_LOG_NAME_MAX + 1];
	enum xos_status st = rca_conf_path(i->conf, "key/issued.log", path, sizeof(path), err);

	if (st != XOS_OK)
		return st;
	xos_str_printf(name, sizeof(name), "%s/nodes", i->conf->common.vo);
	i->head.key = i->key;
	i->head.before = i->before;
	const struct xos_log_crypto crypto = xos_loghead_crypto(&i->head);
	const struct xos_log_options o = {.path = path, .name = name, .crypto = &crypto};
	return xos_log_open(&o, &i->log, err);
}

enum xos_status rca_issuer_open(
    const struct rca_conf *conf, int64_t now, struct rca_issuer **out, struct xos_err *err)
{
	struct rca_issuer *i = calloc(1, sizeof(*i));
	struct xos_trust *trust = xos_trust_new();
	enum xos_status st = XOS_INTERNAL;

	if (!i || !trust) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	i->conf = conf;
	st = xos_trust_load(trust, conf->common.trust, err);
	if (st == XOS_OK)
		st = open_key(i, trust, now, err);
	if (st != XOS_OK)
		goto out;
	*out = i;
	i = NULL;
out:
	rca_issuer_close(i);
	xos_trust_free(trust);
	return st;
}

void rca_issuer_close(struct rca_issuer *i)
{
	if (!i)
		return;
	xos_log_close(i->log);
	xos_issuer_free(i->issuer);
	xos_chain_clear(&i->chain);
	xos_key_free(i->before);
	xos_key_free(i->key);
	free(i);
}

const struct xos_key *rca_issuer_key(const struct rca_issuer *i)
{
	return i->key;
}

int64_t rca_issuer_end(const struct rca_issuer *i)
{
	return xos_cert_not_after(i->chain.cert[0]);
}

/* What auth may ask for at all; the rest of the profile is lib/token's. */
static enum xos_status check_request(const struct rca_issue_request *r, struct xos_err *err)
{
	if (!xos_name_is_node(r->name))
		return xos_err_set(
		    err, XOS_MALFORMED, "node-name", "\"%s\" is no node name", r->name);
	if (r->nhosts == 0)
		return xos_err_set(err, XOS_MALFORMED, "node-hosts",
		    "%s: at least one host name or address is needed", r->name);
	if (rca_kind_is_server(r->service) != r->server)
		return xos_err_set(err, XOS_DENIED, "service-kind",
		    "%s: the service \"%s\" is not for %s", r->name, r->service,
		    r->server ? "a server of the VO" : "a node");
	return XOS_OK;
}

static enum xos_status log_issued(struct rca_issuer *i, const struct rca_issue_request *r,
    const struct xos_cert *c, struct xos_err *err)
{
	char spki[2 * XOS_SHA256_LEN + 1];
	const char *hosts[XOS_RCA_HOSTS_MAX];
	struct xos_json *doc = xos_json_object();
	struct xos_buf text;

	for (size_t k = 0; k < r->nhosts; k++)
		hosts[k] = r->hosts[k];
	xos_buf_init(&text, XOS_LOG_PAYLOAD_MAX);
	xos_hex_encode(spki, xos_key_spki_sha256(xos_cert_key(c)), XOS_SHA256_LEN);
	xos_json_set_string(doc, "serial", xos_cert_serial_text(c));
	xos_json_set_string(doc, "service", r->service);
	xos_json_set_string(doc, "name", r->name);
	xos_json_set_strings(doc, "hosts", hosts, r->nhosts);
	xos_json_set_time(doc, "not_before", xos_cert_not_before(c));
	xos_json_set_time(doc, "not_after", xos_cert_not_after(c));
	xos_json_set_string(doc, "spki", spki);
	xos_json_set_string(doc, "by", r->by);
	xos_json_set_string(doc, "digest", r->digest);
	enum xos_status st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = xos_log_append(i->log, RCA_LOG_ISSUED, xos_buf_bytes(&text), NULL, err);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

static enum xos_status make_claims(const struct rca_issuer *i, const struct rca_issue_request *r,
    struct xos_claims **out, struct xos_err *err)
{
	enum xos_kind kind = r->service[0] ? XOS_KIND_SERVICE : XOS_KIND_NODE;
	enum xos_status st = xos_claims_new(kind, i->conf->common.vo, r->name, out, err);

	if (st == XOS_OK)
		memcpy((*out)->service, r->service, sizeof((*out)->service));
	return st;
}

static enum xos_status make_cert(struct rca_issuer *i, const struct rca_issue_request *r,
    int64_t now, struct xos_buf *der, struct xos_err *err)
{
	int64_t life = r->server ? i->conf->server_life : i->conf->node_life;
	int64_t end = xos_cert_not_after(i->chain.cert[0]);
	const char *dns[XOS_RCA_HOSTS_MAX], *ips[XOS_RCA_HOSTS_MAX];
	struct xos_token_request req = {
	    .dns = dns, .ips = ips, .not_before = now - XOS_TOKEN_BACKDATE};
	struct xos_claims *claims = NULL;
	struct xos_csr csr;
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];

	for (size_t k = 0; k < r->nhosts; k++) {
		bool ip = false;

		if (!xos_rca_host_valid(r->hosts[k], &ip))
			return xos_err_set(err, XOS_MALFORMED, "node-hosts",
			    "\"%s\" is no host name or address", r->hosts[k]);
		if (ip)
			ips[req.nips++] = r->hosts[k];
		else
			dns[req.ndns++] = r->hosts[k];
	}
	/* A young or an ending issuer shortens; it never stops the issuing of what is still useful. */
	if (req.not_before < xos_cert_not_before(i->chain.cert[0]))
		req.not_before = xos_cert_not_before(i->chain.cert[0]);
	req.not_after = now + life < end ? now + life : end;
	enum xos_status st = xos_csr_parse(xos_buf_bytes(&r->csr), &csr, err);
	if (st == XOS_OK)
		st = make_claims(i, r, &claims, err);
	if (st == XOS_OK) {
		req.claims = claims;
		req.spki = csr.spki;
		st = xos_token_issue(i->issuer, &req, serial, der, err);
	}
	xos_claims_free(claims);
	return st;
}

enum xos_status rca_issuer_issue(struct rca_issuer *i, const struct rca_issue_request *r,
    int64_t now, struct xos_chain *out, struct xos_err *err)
{
	struct xos_cert *cert = NULL;
	struct xos_chain chain = {.n = 0};
	struct xos_buf der;

	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st = check_request(r, err);
	if (st == XOS_OK)
		st = make_cert(i, r, now, &der, err);
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), &cert, err);
	if (st == XOS_OK)
		st = log_issued(i, r, cert, err);
	if (st == XOS_OK)
		st = xos_chain_add(&chain, cert);
	for (size_t k = 0; st == XOS_OK && k < i->chain.n; k++)
		st = xos_chain_add(&chain, i->chain.cert[k]);
	if (st == XOS_OK) {
		*out = chain;
		chain = (struct xos_chain){.n = 0};
	}
	xos_chain_clear(&chain);
	xos_cert_free(cert);
	xos_buf_free(&der);
	return st;
}

enum xos_status rca_issuer_note(
    struct rca_issuer *i, uint16_t type, struct xos_bytes json, struct xos_err *err)
{
	return xos_log_append(i->log, type, json, NULL, err);
}

enum xos_status rca_issuer_tell(struct rca_issuer *i, enum xos_log_question q, struct xos_bytes ask,
    struct xos_buf *reply, struct xos_err *err)
{
	return xos_logserve_answer(i->log, &i->chain, q, ask, reply, err);
}
