#include "api/trustdoc.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "base/text.h"
#include "net/client.h"
#include "pki/chain.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static void set_list(struct xos_json *doc, struct xos_bytes compact)
{
	struct xos_buf text;

	if (!compact.n)
		return;
	xos_buf_init(&text, XOS_TRUST_LIST_MAX + 1);
	xos_buf_put(&text, compact.p, compact.n);
	xos_json_set_string(doc, "list", xos_buf_str(&text));
	xos_buf_free(&text);
}

struct xos_json *xos_trust_doc_encode(const struct xos_trust_doc *d)
{
	const struct xos_cert *root = xos_trust_root(d->trust, d->vo);
	struct xos_chain issuers = {.n = 0};
	struct xos_json *doc = NULL;

	if (!root)
		return NULL;
	/* Of this VO's root alone: several VOs on one server never mix. */
	const struct xos_cert *known[XOS_CHAIN_MAX];
	size_t n = xos_trust_issuers(d->trust, d->vo, known, XOS_CHAIN_MAX);
	for (size_t i = 0; i < n; i++) {
		if (xos_chain_add(&issuers, known[i]) != XOS_OK)
			goto out;
	}
	doc = xos_json_object();
	xos_json_set_string(doc, "vo", d->vo);
	xos_json_set_bytes(doc, "root", xos_cert_der(root));
	xos_chain_to_json(doc, "issuers", &issuers);
	set_list(doc, xos_trust_list_compact(d->trust, d->vo));
out:
	xos_chain_clear(&issuers);
	return doc;
}

void xos_joined_free(struct xos_joined *j)
{
	if (!j)
		return;
	xos_cert_free(j->root);
	xos_chain_clear(&j->issuers);
	xos_buf_free(&j->list);
	free(j);
}

static enum xos_status check_root(const struct xos_json *doc,
    const uint8_t fingerprint[XOS_SHA256_LEN], struct xos_joined *j, struct xos_err *err)
{
	struct xos_trust *trust = NULL;
	struct xos_buf der;
	uint8_t digest[XOS_SHA256_LEN];
	char got[XOS_FINGERPRINT_TEXT];

	xos_buf_init(&der, XOS_CERT_MAX);
	enum xos_status st = xos_json_get_bytes(doc, "root", XOS_CERT_MAX, &der, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&der), digest);
	if (st == XOS_OK && memcmp(digest, fingerprint, XOS_SHA256_LEN) != 0) {
		xos_fingerprint_text(digest, got);
		st = xos_err_set(err, XOS_DENIED, "fingerprint",
		    "the server's root certificate has another fingerprint (%s): wrong server, a "
		    "typing "
		    "error, or somebody in between; ask the VO's administrator",
		    got);
	}
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), &j->root, err);
	if (st == XOS_OK) {
		trust = xos_trust_new();
		st = trust ? xos_trust_add_root(trust, j->root, err) : no_memory(err);
	}
	if (st == XOS_OK && !xos_trust_root(trust, j->vo))
		st = xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "the root certificate is not that of the VO %s", j->vo);
	xos_trust_free(trust);
	xos_buf_free(&der);
	return st;
}

static enum xos_status check_issuers(
    const struct xos_json *doc, int64_t now, struct xos_joined *j, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	const struct xos_chain_opts opts = {
	    .now = now, .skew = 300, .purpose = XOS_PURPOSE_ANY, .max_depth = 1};
	enum xos_status st = xos_json_get_array(doc, "issuers", XOS_CHAIN_MAX, &list, err);

	if (st == XOS_OK && xos_json_count(list) > 0)
		st = xos_chain_from_json(doc, "issuers", &j->issuers, err);
	for (size_t i = 0; st == XOS_OK && i < j->issuers.n; i++) {
		const struct xos_cert *root = j->root;
		struct xos_chain one = {.n = 0};
		struct xos_path path = {.n = 0};

		st = xos_chain_add(&one, j->issuers.cert[i]);
		if (st == XOS_OK)
			st = xos_chain_verify(&one, &root, 1, NULL, 0, &opts, &path, err);
		xos_path_clear(&path);
		xos_chain_clear(&one);
	}
	return st;
}

/* By the root that was proven just now, and by nothing else. */
static enum xos_status check_list(
    const struct xos_json *doc, struct xos_joined *j, struct xos_err *err)
{
	struct xos_trust_list *list = NULL;
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(doc, "list", XOS_TRUST_LIST_MAX, &text, err);

	if (st != XOS_OK || !text)
		return st;
	st = xos_trust_list_verify(xos_bytes_str(text), j->root, &list, err);
	xos_trust_list_free(list);
	if (st == XOS_OK)
		xos_buf_put_str(&j->list, text);
	return st == XOS_OK ? xos_buf_status(&j->list) : st;
}

enum xos_status xos_trust_doc_decode(struct xos_bytes body,
    const uint8_t fingerprint[XOS_SHA256_LEN], int64_t now, struct xos_joined **out,
    struct xos_err *err)
{
	struct xos_joined *j = calloc(1, sizeof(*j));
	struct xos_json *doc = NULL;
	enum xos_status st = j ? XOS_OK : no_memory(err);

	if (st == XOS_OK) {
		xos_buf_init(&j->list, XOS_TRUST_LIST_MAX + 1);
		st = xos_json_parse(body, XOS_TRUST_DOC_MAX, &doc, err);
	}
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", j->vo, sizeof(j->vo), err);
	if (st == XOS_OK)
		st = check_root(doc, fingerprint, j, err);
	if (st == XOS_OK)
		st = check_issuers(doc, now, j, err);
	if (st == XOS_OK)
		st = check_list(doc, j, err);
	xos_json_free(doc);
	if (st != XOS_OK) {
		xos_joined_free(j);
		return st;
	}
	*out = j;
	return XOS_OK;
}

static enum xos_status fetch(
    const char *base, const char *vo, struct xos_buf *body, struct xos_err *err)
{
	struct xos_buf path;

	xos_buf_init(&path, 256);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, "/trust");
	const char *p = xos_buf_str(&path);
	enum xos_status st =
	    p ? xos_client_fetch_unverified(base, p, XOS_TRUST_DOC_MAX, body, err) : no_memory(err);
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_trust_doc_join(const char *base, const char *vo,
    const uint8_t fingerprint[XOS_SHA256_LEN], int64_t now, struct xos_joined **out,
    struct xos_err *err)
{
	struct xos_joined *j = NULL;
	struct xos_buf body;

	xos_buf_init(&body, XOS_TRUST_DOC_MAX);
	enum xos_status st = fetch(base, vo, &body, err);
	if (st == XOS_OK)
		st = xos_trust_doc_decode(xos_buf_bytes(&body), fingerprint, now, &j, err);
	if (st == XOS_OK && strcmp(j->vo, vo) != 0)
		st = xos_err_set(
		    err, XOS_DENIED, "wrong-vo", "%s serves the VO %s, not %s", base, j->vo, vo);
	if (st == XOS_OK) {
		*out = j;
		j = NULL;
	}
	xos_joined_free(j);
	xos_buf_free(&body);
	return st;
}

enum xos_status xos_trust_doc_take(
    const struct xos_trust *trust, struct xos_bytes body, bool *news, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *text = NULL;
	enum xos_status st = xos_json_parse(body, XOS_TRUST_DOC_MAX, &doc, err);

	if (news)
		*news = false;
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "list", XOS_TRUST_LIST_MAX, &text, err);
	if (st == XOS_OK && text)
		st = xos_trust_take_list(trust, xos_bytes_str(text), news, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_trust_doc_refresh(const struct xos_trust *trust, const char *base,
    const char *vo, bool *news, struct xos_err *err)
{
	struct xos_buf body;

	xos_buf_init(&body, XOS_TRUST_DOC_MAX);
	enum xos_status st = fetch(base, vo, &body, err);
	if (st == XOS_OK)
		st = xos_trust_doc_take(trust, xos_buf_bytes(&body), news, err);
	xos_buf_free(&body);
	return st;
}
