#include "token/trust.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/name.h"
#include "base/text.h"
#include "token/trust_internal.h"

#define ROOTS_MAX 64
#define ISSUERS_MAX 1024

struct xos_trust *xos_trust_new(void)
{
	struct xos_trust *t = calloc(1, sizeof(*t));

	if (t) {
		atomic_init(&t->refs, 1);
		pthread_mutex_init(&t->lock, NULL);
		t->refused = (struct xos_err)XOS_ERR_INIT;
	}
	return t;
}

struct xos_trust *xos_trust_ref(const struct xos_trust *t)
{
	struct xos_trust *m = (struct xos_trust *)(uintptr_t)t; /* only the counter changes */

	if (m)
		atomic_fetch_add(&m->refs, 1);
	return m;
}

static void drop(const struct xos_cert **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xos_cert_free((struct xos_cert *)(uintptr_t)list[i]);
	free(list);
}

void xos_trust_free(struct xos_trust *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	trust_lists_free(t);
	drop(t->roots, t->nroots);
	drop(t->issuers, t->nissuers);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static enum xos_status append(const struct xos_cert ***list, size_t *n, size_t max,
    const struct xos_cert *c, struct xos_err *err)
{
	const struct xos_cert **grown;

	if (*n >= max)
		return xos_err_set(
		    err, XOS_LIMIT, "trust", "more than %zu trusted certificates", max);
	grown = realloc(*list, (*n + 1) * sizeof(*grown));
	if (!grown)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	*list = grown;
	grown[(*n)++] = xos_cert_ref(c);
	return XOS_OK;
}

static bool same(const struct xos_cert *a, const struct xos_cert *b)
{
	return xos_bytes_eq(xos_cert_der(a), xos_cert_der(b));
}

const char *trust_root_vo(const struct xos_cert *c)
{
	char cn[XOS_VO_MAX + 8];
	const char *vo;

	if (xos_cert_subject_len(c) != 2 || strcmp(xos_cert_subject_type(c, 0), "O") != 0 ||
	    strcmp(xos_cert_subject_type(c, 1), "CN") != 0)
		return NULL;
	vo = xos_cert_subject_value(c, 0);
	if (!xos_name_is_vo(vo) || !xos_str_printf(cn, sizeof(cn), "%s root", vo) ||
	    strcmp(cn, xos_cert_subject_value(c, 1)) != 0)
		return NULL;
	return vo;
}

/* The signature by its own key: X.509 gives a self-signed root no other proof of being whole. */
static enum xos_status self_signed(const struct xos_cert *c, struct xos_err *err)
{
	enum xos_status st = xos_cert_signed_by(c, xos_cert_key(c), err);

	if (st != XOS_OK)
		xos_err_prefix(err, st, "the root %s", xos_cert_subject_text(c));
	return st;
}

enum xos_status xos_trust_add_root(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err)
{
	const char *vo = trust_root_vo(c);
	const struct xos_cert *known;
	enum xos_status st;

	if (!xos_cert_is_ca(c) || !xos_cert_is_self_issued(c) || !vo)
		return xos_err_set(err, XOS_MALFORMED, "root",
		    "%s is not the root of a VO (self-signed, O=<vo>, CN=<vo> root)",
		    xos_cert_subject_text(c));
	known = xos_trust_root(t, vo);
	if (known && same(known, c))
		return XOS_OK;
	if (known)
		return xos_err_set(err, XOS_CONFLICT, "second-root",
		    "another root is trusted for the VO %s already; to replace it, join again", vo);
	st = self_signed(c, err);
	return st == XOS_OK ? append(&t->roots, &t->nroots, ROOTS_MAX, c, err) : st;
}

enum xos_status xos_trust_add_issuer(
    struct xos_trust *t, const struct xos_cert *c, struct xos_err *err)
{
	if (!xos_cert_is_ca(c) || xos_cert_is_self_issued(c))
		return xos_err_set(err, XOS_MALFORMED, "issuer", "%s is no issuer below a root",
		    xos_cert_subject_text(c));
	for (size_t i = 0; i < t->nissuers; i++)
		if (same(t->issuers[i], c))
			return XOS_OK;
	return append(&t->issuers, &t->nissuers, ISSUERS_MAX, c, err);
}

enum xos_status xos_trust_add_pem(struct xos_trust *t, struct xos_bytes pem, struct xos_err *err)
{
	struct xos_chain ch = {0};
	enum xos_status st = xos_chain_from_pem(pem, &ch, err);

	if (st == XOS_OK && ch.key)
		st = xos_err_set(err, XOS_DENIED, "key-exposed",
		    "a private key stands among the trusted certificates: move it to a file of "
		    "mode 600");
	for (size_t i = 0; st == XOS_OK && i < ch.n; i++)
		st = xos_cert_is_self_issued(ch.cert[i]) ? xos_trust_add_root(t, ch.cert[i], err)
		                                         : xos_trust_add_issuer(t, ch.cert[i], err);
	xos_chain_clear(&ch);
	return st;
}

/* Whoever can write here decides whom we trust. */
static enum xos_status check_writers(const char *path, const struct stat *s, struct xos_err *err)
{
	bool others = s->st_mode & S_IWOTH, group = (s->st_mode & S_IWGRP) && s->st_gid != 0;

	if (!others && !group)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "file-mode",
	    "%s decides whom to trust and can be written by %s: chmod %s %s", path,
	    others ? "everybody" : "its group", others ? "o-w" : "g-w", path);
}

static enum xos_status load_file(struct xos_trust *t, const char *path, struct xos_err *err)
{
	struct stat s;
	struct xos_buf text;
	enum xos_status st;

	if (stat(path, &s) != 0)
		return xos_err_errno(err, errno, "trust", "cannot read %s", path);
	st = check_writers(path, &s, err);
	if (st != XOS_OK)
		return st;
	st = xos_file_read(path, XOS_CHAIN_PEM_MAX, &text, err);
	if (st != XOS_OK)
		return st;
	st = xos_trust_add_pem(t, xos_buf_bytes(&text), err);
	if (st != XOS_OK)
		xos_err_prefix(err, st, "%s", path);
	xos_buf_free(&text);
	return st;
}

static int is_pem(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".pem") == 0;
}

static enum xos_status load_folder(struct xos_trust *t, const char *folder, struct xos_err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_pem, alphasort);
	enum xos_status st = XOS_OK;
	char path[PATH_MAX];

	if (n < 0)
		return xos_err_errno(err, errno, "trust", "cannot read %s", folder);
	if (n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "trust",
		    "%s holds no trusted certificates (*.pem): join the VO first", folder);
	for (int i = 0; i < n; i++) {
		if (st == XOS_OK && !xos_path_join(path, sizeof(path), folder, entries[i]->d_name))
			st = xos_err_set(err, XOS_LIMIT, "trust", "%s: path too long", folder);
		if (st == XOS_OK)
			st = load_file(t, path, err);
		free(entries[i]);
	}
	free(entries);
	if (st == XOS_OK && !xos_path_join(path, sizeof(path), folder, XOS_TRUST_FILE))
		st = xos_err_set(err, XOS_LIMIT, "trust", "%s: path too long", folder);
	return st == XOS_OK ? xos_trust_follow(t, path, err) : st;
}

enum xos_status xos_trust_load(struct xos_trust *t, const char *path, struct xos_err *err)
{
	struct stat s;
	enum xos_status st;

	if (stat(path, &s) != 0)
		return xos_err_errno(err, errno, "trust", "cannot read %s", path);
	if (!S_ISDIR(s.st_mode))
		return load_file(t, path, err);
	st = check_writers(path, &s, err);
	return st == XOS_OK ? load_folder(t, path, err) : st;
}

const struct xos_cert *xos_trust_root(const struct xos_trust *t, const char *vo)
{
	for (size_t i = 0; i < t->nroots; i++)
		if (strcmp(xos_cert_subject_value(t->roots[i], 0), vo) == 0)
			return t->roots[i];
	return NULL;
}

size_t xos_trust_vo_count(const struct xos_trust *t)
{
	return t->nroots;
}

const char *xos_trust_vo(const struct xos_trust *t, size_t i)
{
	return i < t->nroots ? xos_cert_subject_value(t->roots[i], 0) : NULL;
}

size_t xos_trust_issuer_count(const struct xos_trust *t)
{
	return t->nissuers;
}

const struct xos_cert *xos_trust_issuer(const struct xos_trust *t, size_t i)
{
	return i < t->nissuers ? t->issuers[i] : NULL;
}
