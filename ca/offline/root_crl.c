/* The root's revocation list: which issuers, and keys that sign policy or accounting, count no more. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ca/offline/offline.h"
#include "ca/offline/root.h"
#include "pki/crl.h"

#define DAY 86400
#define LIFE_MAX (5 * 366 * (int64_t)DAY)
#define FILE_MAX (256 * 1024)
#define BACKDATE 300

/* What is being made; entries of the list before stay in it (RFC 5280 3.3). */
struct making {
	struct ca_root root;
	struct xos_crl *before; /* NULL: the first */
	struct xos_chain revoked;
	struct xos_crl_entry *entry;
	size_t n;
	char path[PATH_MAX]; /* DIR/root.crl, the root's own copy */
};

static enum xos_status read_before(const char *dir, struct making *m, struct xos_err *err)
{
	struct xos_buf der;
	enum xos_status st = XOS_OK;

	if (!xos_path_join(m->path, sizeof(m->path), dir, "root.crl"))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
	if (access(m->path, F_OK) != 0)
		return XOS_OK;
	st = xos_file_read(m->path, FILE_MAX, &der, err);
	if (st == XOS_OK)
		st = xos_crl_parse(xos_buf_bytes(&der), &m->before, err);
	/* That it may have expired long ago does not matter here. */
	if (st == XOS_OK)
		st = xos_crl_verify(
		    m->before, m->root.chain.cert[0], xos_crl_this_update(m->before), 0, err);
	xos_buf_free(&der);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "the list before, %s", m->path);
}

static bool root_issued(const struct making *m, const struct xos_cert *c)
{
	const struct xos_cert *root = m->root.chain.cert[0];

	return !xos_cert_is_self_issued(c) &&
	       xos_bytes_eq(xos_cert_issuer_der(c), xos_cert_subject_der(root)) &&
	       xos_cert_signed_by(c, xos_cert_key(root), NULL) == XOS_OK;
}

static enum xos_status read_revoked(const char *path, struct making *m, struct xos_err *err)
{
	enum xos_status st;

	if (!path)
		return XOS_OK;
	st = xos_chain_load(path, &m->revoked, err);
	if (st == XOS_OK && !root_issued(m, m->revoked.cert[0]))
		st = xos_err_set(err, XOS_DENIED, "not-issued",
		    "%s is no certificate that this root signed", path);
	if (st == XOS_OK && m->before &&
	    xos_crl_find(m->before, xos_cert_serial(m->revoked.cert[0])))
		st = xos_err_set(
		    err, XOS_CONFLICT, "revoked", "the certificate in %s is revoked already", path);
	return st;
}

static enum xos_status fill_entries(struct making *m, int64_t now, struct xos_err *err)
{
	size_t old = m->before ? xos_crl_count(m->before) : 0;

	m->entry = calloc(old + 1, sizeof(*m->entry));
	if (!m->entry)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; m->n < old; m->n++)
		m->entry[m->n] = *xos_crl_at(m->before, m->n);
	if (m->revoked.n)
		m->entry[m->n++] = (struct xos_crl_entry){
		    xos_cert_serial(m->revoked.cert[0]), now, XOS_CRL_CESSATION};
	return XOS_OK;
}

static enum xos_status sign_and_write(
    struct making *m, const char *out, int64_t life, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	struct xos_crl_fields f = {.this_update = now - BACKDATE, .next_update = now + life};
	struct xos_buf der;
	enum xos_status st = fill_entries(m, now, err);

	if (st != XOS_OK)
		return st;
	f.number = m->before ? xos_crl_number(m->before) + 1 : 1;
	f.entries = m->entry;
	f.n = m->n;
	xos_buf_init(&der, FILE_MAX);
	st = xos_crl_sign(m->root.chain.cert[0], m->root.key, &f, &der, err);
	/* The root's own copy first: a list that is out and forgotten here would be followed by one
	 * that lacks its entries. */
	if (st == XOS_OK)
		st = xos_file_write(m->path, 0644, xos_buf_bytes(&der), err);
	if (st == XOS_OK && out)
		st = xos_file_write(out, 0644, xos_buf_bytes(&der), err);
	xos_buf_free(&der);
	if (st == XOS_OK && out) {
		char until[XOS_TIME_TEXT];

		xos_time_format(f.next_update, until);
		printf("%s: list %llu, %zu revoked, good until %s\n", out,
		    (unsigned long long)f.number, f.n, until);
	}
	return st;
}

enum xos_status ca_root_crl_revoke(
    const char *dir, const struct ca_root *r, const struct xos_cert *revoked, struct xos_err *err)
{
	struct making m = {.root = *r}; /* borrowed */
	enum xos_status st = read_before(dir, &m, err);

	if (st == XOS_OK && !(m.before && xos_crl_find(m.before, xos_cert_serial(revoked)))) {
		st = xos_chain_add(&m.revoked, revoked);
		if (st == XOS_OK)
			st = sign_and_write(&m, NULL, 366 * (int64_t)DAY, err);
	}
	free(m.entry);
	xos_crl_free(m.before);
	xos_chain_clear(&m.revoked);
	return st;
}

static enum xos_status read_life(const char *text, int64_t *life, struct xos_err *err)
{
	*life = 366 * (int64_t)DAY;
	if (!text || (xos_duration_parse(text, life) && *life >= DAY && *life <= LIFE_MAX))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "usage",
	    "--life takes a duration with its unit, from 1d to five years: 180d, 52w");
}

enum xos_status ca_verb_root_crl(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL, *out = NULL, *revoke = NULL, *life_text = NULL, *fd = NULL;
	struct making m = {.n = 0};
	struct xos_secret *passphrase = NULL;
	int64_t life = 0;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--out", true, &out, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--revoke", false, &revoke, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--life", false, &life_text, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--passphrase-fd", false, &fd, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		st = read_life(life_text, &life, err);
	if (st == XOS_OK)
		st = ca_root_passphrase(fd, &passphrase, err);
	if (st == XOS_OK)
		st = ca_root_open(dir, passphrase, &m.root, err);
	if (st == XOS_OK)
		st = read_before(dir, &m, err);
	if (st == XOS_OK)
		st = read_revoked(revoke, &m, err);
	if (st == XOS_OK)
		st = sign_and_write(&m, out, life, err);
	free(m.entry);
	xos_crl_free(m.before);
	xos_chain_clear(&m.revoked);
	ca_root_clear(&m.root);
	xos_secret_free(passphrase);
	return st;
}
