/* The root of a VO: made once, kept off line, used to sign the keys below it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/offline/offline.h"
#include "ca/offline/root.h"
#include "pki/csr.h"
#include "token/authority.h"
#include "token/profile.h"

#define DAY 86400
#define ROOT_LIFE (20 * 365 * (int64_t)DAY + 5 * DAY)
#define SIGNED_LIFE (5 * 365 * (int64_t)DAY + DAY)
#define PEM_MAX 65536

struct paths {
	char key[PATH_MAX], cert[PATH_MAX];
};

static enum xos_status fill_paths(const char *dir, struct paths *p, struct xos_err *err)
{
	if (xos_path_join(p->key, PATH_MAX, dir, "root.key") &&
	    xos_path_join(p->cert, PATH_MAX, dir, "root.pem"))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
}

enum xos_status ca_root_passphrase(
    const char *fd_text, struct xos_secret **out, struct xos_err *err)
{
	uint64_t fd = 0;

	*out = NULL;
	if (!fd_text)
		return XOS_OK;
	if (!xos_parse_u64(fd_text, INT_MAX, &fd))
		return xos_err_set(err, XOS_MALFORMED, "usage",
		    "--passphrase-fd needs the number of a descriptor");
	return xos_secret_read_line((int)fd, 1024, out, err);
}

static struct xos_secret *give_passphrase(void *arg, const char *prompt)
{
	struct xos_secret *s = arg;

	(void)prompt;
	return s ? xos_secret_from(xos_secret_data(s), xos_secret_len(s)) : NULL;
}

static enum xos_status write_cert(const char *path, const struct xos_cert *c, struct xos_err *err)
{
	struct xos_buf pem;
	enum xos_status st;

	xos_buf_init(&pem, PEM_MAX);
	xos_cert_to_pem(c, &pem);
	st = xos_buf_status(&pem);
	if (st == XOS_OK)
		st = xos_file_create(path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	return st;
}

static enum xos_status make_root(
    const char *dir, const char *vo, struct xos_secret *passphrase, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	struct xos_key *key = NULL;
	struct xos_cert *cert = NULL;
	char text[XOS_FINGERPRINT_TEXT];
	struct paths p;
	enum xos_status st = fill_paths(dir, &p, err);

	if (st == XOS_OK && (access(p.key, F_OK) == 0 || access(p.cert, F_OK) == 0))
		st = xos_err_set(err, XOS_CONFLICT, "root-exists",
		    "%s holds a root already; a VO has one root, and a new one means that "
		    "everybody "
		    "joins anew",
		    dir);
	if (st == XOS_OK)
		st = xos_dir_make(dir, 0700, err);
	if (st == XOS_OK)
		st = xos_key_generate(&key, err);
	if (st == XOS_OK)
		st = xos_authority_root(
		    key, vo, now - XOS_TOKEN_BACKDATE, now + ROOT_LIFE, &cert, err);
	if (st == XOS_OK)
		st = xos_key_save(key, p.key, passphrase, err);
	if (st == XOS_OK)
		st = write_cert(p.cert, cert, err);
	if (st == XOS_OK) {
		xos_fingerprint_text(xos_cert_fingerprint(cert), text);
		printf("%s\n", text);
	}
	xos_cert_free(cert);
	xos_key_free(key);
	return st;
}

enum xos_status ca_verb_root_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL, *vo = NULL, *fd = NULL;
	struct xos_secret *passphrase = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--vo", true, &vo, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--passphrase-fd", false, &fd, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && !xos_name_is_vo(vo))
		st = xos_err_set(err, XOS_MALFORMED, "vo-name",
		    "\"%s\" is no VO name: lower-case letters, digits and '-', at most %d, a "
		    "letter "
		    "first",
		    vo, XOS_VO_MAX);
	if (st == XOS_OK)
		st = ca_root_passphrase(fd, &passphrase, err);
	if (st == XOS_OK)
		st = make_root(dir, vo, passphrase, err);
	xos_secret_free(passphrase);
	return st;
}

/* --- signing --- */

struct signing {
	struct ca_root root;
	struct xos_buf csr_der;
	struct xos_csr csr;
};

enum xos_status ca_root_open(
    const char *dir, struct xos_secret *passphrase, struct ca_root *r, struct xos_err *err)
{
	struct paths p;
	const char *vo = NULL;
	enum xos_status st = fill_paths(dir, &p, err);

	if (st == XOS_OK)
		st = xos_key_load(
		    p.key, passphrase ? give_passphrase : NULL, passphrase, &r->key, err);
	if (st == XOS_OK)
		st = xos_chain_load(p.cert, &r->chain, err);
	if (st == XOS_OK)
		st = xos_issuer_new(r->chain.cert[0], r->key, &r->issuer, err);
	for (size_t i = 0; st == XOS_OK && i < xos_cert_subject_len(r->chain.cert[0]); i++)
		if (strcmp(xos_cert_subject_type(r->chain.cert[0], i), "O") == 0)
			vo = xos_cert_subject_value(r->chain.cert[0], i);
	if (st == XOS_OK && (!vo || !xos_name_is_vo(vo) || !xos_str_copy(r->vo, sizeof(r->vo), vo)))
		st = xos_err_set(
		    err, XOS_MALFORMED, "no-root", "%s is not the root of a VO", p.cert);
	return st;
}

void ca_root_clear(struct ca_root *r)
{
	xos_issuer_free(r->issuer);
	xos_chain_clear(&r->chain);
	xos_key_free(r->key);
}

static enum xos_status read_csr(const char *path, struct signing *s, struct xos_err *err)
{
	struct xos_buf pem;
	enum xos_status st = xos_file_read(path, PEM_MAX, &pem, err);

	xos_buf_init(&s->csr_der, XOS_CSR_MAX);
	if (st == XOS_OK)
		st = xos_csr_from_pem(xos_buf_bytes(&pem), &s->csr_der, err);
	if (st == XOS_OK)
		st = xos_csr_parse(xos_buf_bytes(&s->csr_der), &s->csr, err);
	if (st != XOS_OK)
		st = xos_err_prefix(err, st, "request %s", path);
	xos_buf_free(&pem);
	return st;
}

/* An end-entity certificate of the root's own, for keys that sign objects and issue nothing. */
static enum xos_status sign_object_key(struct signing *s, enum xos_kind kind, const char *name,
    int64_t now, struct xos_cert **out, struct xos_err *err)
{
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_claims *claims = NULL;
	struct xos_buf der;
	enum xos_status st = xos_claims_new(kind, s->root.vo, name, &claims, err);

	xos_buf_init(&der, XOS_CERT_MAX);
	if (st == XOS_OK) {
		struct xos_token_request r = {.claims = claims,
		    .spki = s->csr.spki,
		    .not_before = now,
		    .not_after = now + SIGNED_LIFE};

		st = xos_token_issue(s->root.issuer, &r, serial, &der, err);
	}
	if (st == XOS_OK)
		st = xos_cert_parse(xos_buf_bytes(&der), out, err);
	xos_buf_free(&der);
	xos_claims_free(claims);
	return st;
}

static enum xos_status sign(
    struct signing *s, const char *kind, struct xos_cert **out, struct xos_err *err)
{
	int64_t now = xos_clock_now() - XOS_TOKEN_BACKDATE;
	unsigned kinds = 0;

	if (now < xos_cert_not_before(s->root.chain.cert[0]))
		now = xos_cert_not_before(s->root.chain.cert[0]);
	if (strcmp(kind, "ca") == 0)
		kinds = XOS_KIND_BIT(XOS_KIND_USER);
	else if (strcmp(kind, "rca") == 0)
		kinds = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE);
	else if (strcmp(kind, "delegation") == 0)
		kinds = XOS_KIND_BIT(XOS_KIND_DELEGATION);
	if (kinds)
		return xos_authority_issuer(s->root.issuer, s->root.vo, kinds, s->csr.spki, now,
		    now + SIGNED_LIFE, out, err);
	if (strcmp(kind, "vops") == 0)
		return sign_object_key(s, XOS_KIND_POLICY, "vops", now, out, err);
	if (strcmp(kind, "accounting") == 0)
		return sign_object_key(s, XOS_KIND_ACCOUNTING, "accounting", now, out, err);
	return xos_err_set(err, XOS_MALFORMED, "usage",
	    "--kind is ca, delegation, rca, vops or accounting, not \"%s\"", kind);
}

enum xos_status ca_verb_root_sign(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL, *kind = NULL, *csr = NULL, *out = NULL, *fd = NULL;
	struct xos_secret *passphrase = NULL;
	struct signing s = {.root = {.key = NULL}};
	struct xos_cert *cert = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--kind", true, &kind, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--csr", true, &csr, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--out", true, &out, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--passphrase-fd", false, &fd, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		st = ca_root_passphrase(fd, &passphrase, err);
	if (st == XOS_OK)
		st = ca_root_open(dir, passphrase, &s.root, err);
	if (st == XOS_OK)
		st = read_csr(csr, &s, err);
	if (st == XOS_OK)
		st = sign(&s, kind, &cert, err);
	if (st == XOS_OK)
		st = write_cert(out, cert, err);
	xos_cert_free(cert);
	xos_buf_free(&s.csr_der);
	ca_root_clear(&s.root);
	xos_secret_free(passphrase);
	return st;
}
