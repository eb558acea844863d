#include "pki/chain.h"

#include <string.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "pki/cert_internal.h"

#define DEPTH_DEFAULT 8
#define SKEW_MAX 3600
#define AUTH_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048 */

/* What the verify callback needs to know; it finds the state through the store context. */
struct run {
	const struct xos_chain *presented;
	const struct xos_cert *const *roots;
	size_t nroots;
	const struct xos_cert *const *issuers;
	size_t nissuers;
	const struct xos_chain_opts *opts;
};

void xos_path_clear(struct xos_path *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		xos_cert_free((struct xos_cert *)(uintptr_t)p->cert[i]);
	memset(p, 0, sizeof(*p));
}

static const struct xos_cert *among(const struct xos_cert *const *list, size_t n, const X509 *x)
{
	for (size_t i = 0; i < n; i++)
		if (list[i]->x509 == x)
			return list[i];
	return NULL;
}

/* OpenSSL works on the objects we gave it; anything else is not ours and never accepted. */
static const struct xos_cert *ours(const struct run *run, const X509 *x)
{
	const struct xos_cert *c = NULL;

	for (size_t i = 0; i < run->presented->n && !c; i++)
		if (run->presented->cert[i]->x509 == x)
			c = run->presented->cert[i];
	if (!c)
		c = among(run->roots, run->nroots, x);
	return c ? c : among(run->issuers, run->nissuers, x);
}

static bool named(const struct xos_chain_opts *o, struct xos_bytes oid)
{
	for (size_t i = 0; i < o->ncritical; i++)
		if (xos_bytes_eq(o->critical[i], oid))
			return true;
	return false;
}

/* Every critical extension is either OpenSSL's to handle or named by our caller. */
static bool criticals_handled(const struct run *run, X509 *x)
{
	const struct xos_cert *c = ours(run, x);

	if (!c || X509_get_ext_count(x) != (int)c->next)
		return false;
	for (size_t i = 0; i < c->next; i++) {
		X509_EXTENSION *e = X509_get_ext(x, (int)i);

		if (c->ext[i].critical && !X509_supported_extension(e) &&
		    !named(run->opts, c->ext[i].oid))
			return false;
	}
	return true;
}

/* Forgives exactly two things: a time within the stated skew, and extensions that the caller
 * handles. */
static int on_error(int ok, X509_STORE_CTX *ctx)
{
	const struct run *run = X509_STORE_CTX_get_app_data(ctx);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	const struct xos_cert *c;

	if (ok || !x)
		return ok;
	c = ours(run, x);
	if (!c)
		return 0;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		ok = run->opts->now <= c->not_after + run->opts->skew;
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		ok = run->opts->now >= c->not_before - run->opts->skew;
		break;
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		ok = criticals_handled(run, x);
		break;
	default:
		break;
	}
	if (ok)
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return ok;
}

static enum xos_status time_error(
    const struct run *run, const struct xos_cert *c, bool expired, struct xos_err *err)
{
	char edge[XOS_TIME_TEXT], now[XOS_TIME_TEXT], gap[XOS_TIME_TEXT];
	const char *who = c ? xos_cert_subject_text(c) : "a certificate";
	int64_t at = !c ? 0 : expired ? c->not_after : c->not_before;

	xos_time_format(at, edge);
	xos_time_format(run->opts->now, now);
	xos_duration_format(expired ? run->opts->now - at : at - run->opts->now, gap);
	if (expired)
		return xos_err_set(err, XOS_EXPIRED, "cert-expired",
		    "the certificate of %s expired %s ago (%s; this clock says %s): get a new one, "
		    "as a "
		    "member with xos-login",
		    who, gap, edge, now);
	return xos_err_set(err, XOS_NOT_YET_VALID, "cert-not-yet-valid",
	    "the certificate of %s is valid only in %s (from %s; this clock says %s): one of the "
	    "two "
	    "clocks is wrong",
	    who, gap, edge, now);
}

struct refusal {
	int error;
	const char *code, *text;
};

static const struct refusal refusals[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "cert-untrusted",
        "no trusted root leads to it: is this VO's root installed, and is the chain complete?"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "cert-untrusted",
        "no trusted root leads to it: is this VO's root installed, and is the chain complete?"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "cert-untrusted",
        "no trusted root leads to it: is this VO's root installed, and is the chain complete?"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "cert-untrusted",
        "it is self-signed and not one of the trusted roots"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "cert-untrusted",
        "its root is not one of the trusted roots"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "cert-signature",
        "its signature is wrong: it was changed, or another key signed it"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "cert-critical",
        "it carries a critical extension that is not accepted here"},
    {X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, "cert-proxy",
        "it is a delegation (proxy certificate), which is not accepted here"},
    {X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED, "cert-proxy", "it was delegated further than allowed"},
    {X509_V_ERR_PROXY_SUBJECT_NAME_VIOLATION, "cert-proxy",
        "its subject is not its signer's with one name more"},
    {X509_V_ERR_INVALID_CA, "cert-issuer", "it signed a certificate and is no authority"},
    {X509_V_ERR_INVALID_NON_CA, "cert-issuer", "it is an authority where none may be"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "cert-issuer", "its key may not sign certificates"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "cert-issuer", "more authorities below it than it allows"},
    {X509_V_ERR_INVALID_PURPOSE, "cert-purpose", "it was not issued for this purpose"},
    {X509_V_ERR_PERMITTED_VIOLATION, "cert-names",
        "its name lies outside what its issuer may sign"},
    {X509_V_ERR_EXCLUDED_VIOLATION, "cert-names", "its name is excluded by its issuer"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "key-algorithm", "it is signed with a weak algorithm"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "key-algorithm", "its issuer's key is too small"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "key-algorithm", "its key is too small"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, "chain-length", "the chain is longer than allowed"},
};

static enum xos_status refused(const struct run *run, X509_STORE_CTX *ctx, struct xos_err *err)
{
	int e = X509_STORE_CTX_get_error(ctx);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	const struct xos_cert *c = x ? ours(run, x) : NULL;
	const char *who = c ? xos_cert_subject_text(c) : "a certificate of the chain";

	if (e == X509_V_ERR_CERT_HAS_EXPIRED || e == X509_V_ERR_CERT_NOT_YET_VALID)
		return time_error(run, c, e == X509_V_ERR_CERT_HAS_EXPIRED, err);
	if (e == X509_V_ERR_OUT_OF_MEM || e == X509_V_ERR_UNSPECIFIED || e == X509_V_OK)
		return xos_err_set(err, XOS_INTERNAL, "crypto", "verifying %s failed: %s", who,
		    X509_verify_cert_error_string(e));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].error == e)
			return xos_err_set(err, XOS_DENIED, refusals[i].code,
			    "the certificate of %s is refused: %s", who, refusals[i].text);
	return xos_err_set(err, XOS_DENIED, "cert-refused", "the certificate of %s is refused: %s",
	    who, X509_verify_cert_error_string(e));
}

static enum xos_status check_each(
    const struct run *run, const struct xos_path *p, struct xos_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct xos_cert *c = p->cert[i];
		enum xos_status st = XOS_OK;

		if (!pki_cert_algorithm_ok(c, i + 1 < p->n ? p->cert[i + 1]->key : c->key))
			return xos_err_set(err, XOS_DENIED, "key-algorithm",
			    "the certificate of %s is signed with an algorithm that is not "
			    "accepted",
			    xos_cert_subject_text(c));
		if (i + 1 < p->n && run->opts->revoked)
			st = run->opts->revoked(run->opts->arg, c, err);
		if (st != XOS_OK)
			return st;
	}
	return XOS_OK;
}

/* The chain that OpenSSL built, as our objects with references of their own. */
static enum xos_status take_path(
    const struct run *run, X509_STORE_CTX *ctx, struct xos_path *p, struct xos_err *err)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int n = chain ? sk_X509_num(chain) : 0;

	if (n < 1 || n > XOS_CHAIN_MAX)
		return xos_err_set(err, XOS_INTERNAL, "crypto", "no path came out of verification");
	p->not_before = INT64_MIN;
	p->not_after = INT64_MAX;
	for (int i = 0; i < n; i++) {
		const struct xos_cert *c = ours(run, sk_X509_value(chain, i));

		if (!c)
			return xos_err_set(
			    err, XOS_INTERNAL, "crypto", "a foreign certificate in the path");
		p->cert[p->n++] = xos_cert_ref(c);
		if (c->not_before > p->not_before)
			p->not_before = c->not_before;
		if (c->not_after < p->not_after)
			p->not_after = c->not_after;
	}
	if (!among(run->roots, run->nroots, sk_X509_value(chain, n - 1)))
		return xos_err_set(err, XOS_INTERNAL, "crypto", "the path does not end in a root");
	return XOS_OK;
}

static X509_STORE *make_store(const struct run *run)
{
	X509_STORE *store = X509_STORE_new();

	for (size_t i = 0; store && i < run->nroots; i++) {
		if (X509_STORE_add_cert(store, run->roots[i]->x509) != 1) {
			X509_STORE_free(store);
			return NULL;
		}
	}
	return store;
}

static STACK_OF(X509) * make_untrusted(const struct run *run)
{
	STACK_OF(X509) *sk = sk_X509_new_null();
	bool ok = sk != NULL;

	for (size_t i = 1; ok && i < run->presented->n; i++)
		ok = sk_X509_push(sk, run->presented->cert[i]->x509) > 0;
	for (size_t i = 0; ok && i < run->nissuers; i++)
		ok = sk_X509_push(sk, run->issuers[i]->x509) > 0;
	if (!ok) {
		sk_X509_free(sk);
		return NULL;
	}
	return sk;
}

static bool set_params(X509_STORE_CTX *ctx, const struct xos_chain_opts *o)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	unsigned long flags = X509_V_FLAG_X509_STRICT;
	unsigned depth = o->max_depth ? o->max_depth : DEPTH_DEFAULT;
	int purpose = X509_PURPOSE_ANY;

	if (o->allow_proxies)
		flags |= X509_V_FLAG_ALLOW_PROXY_CERTS;
	if (o->purpose == XOS_PURPOSE_TLS_CLIENT)
		purpose = X509_PURPOSE_SSL_CLIENT;
	else if (o->purpose == XOS_PURPOSE_TLS_SERVER)
		purpose = X509_PURPOSE_SSL_SERVER;
	/* OpenSSL counts the certificates between leaf and root. */
	X509_VERIFY_PARAM_set_depth(p, (int)depth - 1);
	X509_VERIFY_PARAM_set_auth_level(p, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_time(p, (time_t)o->now);
	return X509_VERIFY_PARAM_set_flags(p, flags) == 1 &&
	       X509_VERIFY_PARAM_set_purpose(p, purpose) == 1;
}

static enum xos_status verify(struct run *run, struct xos_path *path, struct xos_err *err)
{
	X509_STORE *store = make_store(run);
	STACK_OF(X509) *untrusted = make_untrusted(run);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum xos_status st = XOS_INTERNAL;
	int ok;

	if (!store || !untrusted || !ctx ||
	    X509_STORE_CTX_init(ctx, store, run->presented->cert[0]->x509, untrusted) != 1 ||
	    !set_params(ctx, run->opts) || X509_STORE_CTX_set_app_data(ctx, run) != 1) {
		st = pki_ossl_err(err, "preparing to verify a chain");
		goto out;
	}
	X509_STORE_CTX_set_verify_cb(ctx, on_error);
	ok = X509_verify_cert(ctx);
	if (ok == 1 && X509_STORE_CTX_get_error(ctx) == X509_V_OK)
		st = take_path(run, ctx, path, err);
	else if (ok < 0)
		st = pki_ossl_err(err, "verifying a chain");
	else
		st = refused(run, ctx, err);
	if (st == XOS_OK)
		st = check_each(run, path, err);
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_free(untrusted);
	X509_STORE_free(store);
	pki_ossl_clear();
	return st;
}

enum xos_status xos_chain_verify(const struct xos_chain *presented,
    const struct xos_cert *const *roots, size_t nroots, const struct xos_cert *const *issuers,
    size_t nissuers, const struct xos_chain_opts *opts, struct xos_path *out, struct xos_err *err)
{
	struct run run = {presented, roots, nroots, issuers, nissuers, opts};
	struct xos_path path = {0};
	enum xos_status st;

	if (presented->n == 0)
		return xos_err_set(
		    err, XOS_MALFORMED, "chain-empty", "no certificate was presented");
	if (opts->skew < 0 || opts->skew > SKEW_MAX || opts->max_depth > XOS_CHAIN_MAX)
		return xos_err_set(err, XOS_INTERNAL, "chain-options", "impossible verify options");
	if (nroots == 0)
		return xos_err_set(err, XOS_DENIED, "cert-untrusted",
		    "there is no trusted root for this chain: join the VO first");
	st = verify(&run, &path, err);
	if (st == XOS_OK)
		*out = path;
	else
		xos_path_clear(&path);
	return st;
}
