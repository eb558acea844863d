#include "server/certs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "cli/run.h"

#define PEM_MAX 65536

static enum xos_status sign(
    const struct xos_server *s, const struct xos_server_kind *k, struct xos_err *err)
{
	char root[PATH_MAX], csr[PATH_MAX], pem[PATH_MAX], name[64];
	enum xos_status st = xos_server_path(s, "root", NULL, root, err);
	if (st)
		return st;
	snprintf(name, sizeof(name), "%s.csr", k->root_kind);
	if ((st = xos_server_path(s, k->folder, name, csr, err)))
		return st;
	snprintf(name, sizeof(name), "%s.pem", k->root_kind);
	if ((st = xos_server_path(s, k->folder, name, pem, err)))
		return st;
	const char *argv[] = {"xos-cad", "root-sign", "--dir", root, "--kind", k->root_kind,
	    "--csr", csr, "--out", pem, NULL};
	return xos_cli_run(argv, NULL, NULL, err);
}

enum xos_status xos_server_sign(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	enum xos_status st = sign(s, &xos_server_kinds[d], err);
	return !st && d == XOS_CAD ? sign(s, &xos_server_delegation, err) : st;
}

enum xos_status xos_server_root_crl(const struct xos_server *s, struct xos_err *err)
{
	char root[PATH_MAX], crl[PATH_MAX];
	enum xos_status st = xos_server_path(s, "root", NULL, root, err);
	if (!st)
		st = xos_server_path(s, "cad", "trust/root.crl", crl, err);
	if (st)
		return st;
	const char *argv[] = {"xos-cad", "root-crl", "--dir", root, "--out", crl, NULL};
	return xos_cli_run(argv, NULL, NULL, err);
}

/* Adds the first certificate of a PEM file to b. */
static enum xos_status append_cert(struct xos_buf *b, const char *path, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_chain_load(path, &chain, err);
	if (st)
		return st;
	xos_cert_to_pem(chain.cert[0], b);
	xos_chain_clear(&chain);
	return xos_buf_status(b);
}

static enum xos_status write_both(const struct xos_server *s, const char *folder,
    struct xos_bytes root, struct xos_bytes issuers, struct xos_err *err)
{
	char path[PATH_MAX], sub[64];
	snprintf(sub, sizeof(sub), "%s%strust", folder, folder[0] ? "/" : "");
	enum xos_status st = xos_server_path(s, sub, NULL, path, err);
	if (!st)
		st = xos_dir_make(path, 0755, err);
	if (!st)
		st = xos_server_path(s, sub, "root.pem", path, err);
	if (!st)
		st = xos_file_write(path, 0644, root, err);
	if (!st)
		st = xos_server_path(s, sub, "issuers.pem", path, err);
	if (!st)
		st = xos_file_write(path, 0644, issuers, err);
	return st;
}

enum xos_status xos_server_write_trust(const struct xos_server *s, struct xos_err *err)
{
	struct xos_buf root, issuers;
	xos_buf_init(&root, PEM_MAX);
	xos_buf_init(&issuers, PEM_MAX);
	char path[PATH_MAX];
	enum xos_status st = xos_server_path(s, "root", "root.pem", path, err);
	/* The root's folder is off line after the first day. */
	if (!st && access(path, F_OK) != 0)
		st = xos_server_path(s, "trust", "root.pem", path, err);
	if (!st)
		st = append_cert(&root, path, err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		const struct xos_server_kind *k = &xos_server_kinds[d];
		char name[64];
		snprintf(name, sizeof(name), "%s.pem", k->root_kind);
		if (k->issuer && !(st = xos_server_path(s, k->folder, name, path, err)))
			st = append_cert(&issuers, path, err);
	}
	if (!st)
		st = xos_server_path(s, xos_server_delegation.folder, "delegation.pem", path, err);
	if (!st && access(path, F_OK) == 0)
		st = append_cert(&issuers, path, err);
	if (!st)
		st = write_both(s, "", xos_buf_bytes(&root), xos_buf_bytes(&issuers), err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++)
		st = write_both(s, xos_server_kinds[d].folder, xos_buf_bytes(&root),
		    xos_buf_bytes(&issuers), err);
	xos_buf_free(&root);
	xos_buf_free(&issuers);
	return st;
}

enum xos_status xos_server_tls_due(
    const struct xos_server *s, enum xos_server_daemon d, bool *due, struct xos_err *err)
{
	char path[PATH_MAX];
	*due = true;
	enum xos_status st = xos_server_path(s, xos_server_kinds[d].folder, "tls.pem", path, err);
	if (st || access(path, F_OK) != 0)
		return st;
	struct xos_chain chain = {.n = 0};
	if ((st = xos_chain_load(path, &chain, err)))
		return st;
	int64_t from = xos_cert_not_before(chain.cert[0]), to = xos_cert_not_after(chain.cert[0]);
	*due = xos_clock_now() >= from + (to - from) / 2;
	xos_chain_clear(&chain);
	return XOS_OK;
}

/* A new key and its request, in PEM, in the daemon's folder. */
static enum xos_status new_key(const char *key_path, const char *csr_path, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_buf csr, pem;
	xos_buf_init(&csr, XOS_CSR_MAX);
	xos_buf_init(&pem, 2 * XOS_CSR_MAX);
	enum xos_status st = xos_key_generate(&key, err);
	if (!st)
		st = xos_csr_make(key, &csr, err);
	if (!st)
		st = xos_csr_to_pem(xos_buf_bytes(&csr), &pem);
	if (!st)
		st = xos_key_save(key, key_path, NULL, err);
	if (!st)
		st = xos_file_write(csr_path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	xos_buf_free(&csr);
	xos_key_free(key);
	return st;
}

enum xos_status xos_server_tls_issue(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err)
{
	const struct xos_server_kind *k = &xos_server_kinds[d];
	char conf[PATH_MAX], key[PATH_MAX], next_key[PATH_MAX], csr[PATH_MAX];
	char pem[PATH_MAX], next_pem[PATH_MAX];
	enum xos_status st = xos_server_path(s, "rcad", "rcad.conf", conf, err);
	if (!st)
		st = xos_server_path(s, k->folder, "tls.key", key, err);
	if (!st)
		st = xos_server_path(s, k->folder, "tls.key.next", next_key, err);
	if (!st)
		st = xos_server_path(s, k->folder, "tls.csr", csr, err);
	if (!st)
		st = xos_server_path(s, k->folder, "tls.pem", pem, err);
	if (!st)
		st = xos_server_path(s, k->folder, "tls.pem.next", next_pem, err);
	if (!st)
		st = new_key(next_key, csr, err);
	if (st)
		return st;
	const char *argv[] = {"xos-rcad", "issue", "--config", conf, "--service", k->service,
	    "--name", "localhost", "--host", "localhost", "--host", s->address, "--csr", csr,
	    "--out", next_pem, NULL};
	if ((st = xos_cli_run(argv, NULL, NULL, err)))
		return xos_err_prefix(err, st, "TLS certificate of %s", k->program);
	/* The certificate goes first and comes back last: killed in between, none is there and the
	 * next start makes a new pair. */
	(void)unlink(pem);
	if (rename(next_key, key) != 0 || rename(next_pem, pem) != 0)
		return xos_err_errno(err, errno, "tls-key", "cannot put %s in place", pem);
	(void)unlink(csr);
	return XOS_OK;
}

enum xos_status xos_server_fingerprint(
    const struct xos_server *s, char out[80], struct xos_err *err)
{
	char path[PATH_MAX], hex[65];
	struct xos_chain chain = {.n = 0};
	enum xos_status st = xos_server_path(s, "trust", "root.pem", path, err);
	if (!st)
		st = xos_chain_load(path, &chain, err);
	if (st)
		return st;
	xos_hex_encode(hex, xos_cert_fingerprint(chain.cert[0]), 32);
	snprintf(out, 80, "sha256:%s", hex);
	xos_chain_clear(&chain);
	return XOS_OK;
}
