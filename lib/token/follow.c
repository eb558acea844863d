/* Lists in a trust: taken while others verify, followed in their files, asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/jws.h"
#include "token/trust_internal.h"

#define AHEAD (30 * (int64_t)86400)

static struct xos_trust *live(const struct xos_trust *t)
{
	return (struct xos_trust *)(uintptr_t)t; /* what changes is behind its lock */
}

static void free_taken(struct trust_taken *k)
{
	while (k) {
		struct trust_taken *before = k->before;

		xos_trust_list_free(k->list);
		xos_buf_free(&k->compact);
		free(k);
		k = before;
	}
}

void trust_lists_free(struct xos_trust *t)
{
	for (size_t i = 0; i < t->ntaken; i++)
		free_taken(t->taken[i]);
	for (size_t i = 0; i < t->nfiles; i++)
		free(t->file[i].path);
	for (size_t i = 0; i < t->nfrom; i++)
		xos_trust_free(t->from[i]);
}

/* ---- taking ---- */

/* The root whose key the list names; that it signed is proven next. */
static const struct xos_cert *root_of_list(
    const struct xos_trust *t, struct xos_bytes compact, struct xos_err *err)
{
	char claimed[XOS_JWS_KID_TEXT], kid[XOS_JWS_KID_TEXT];

	if (compact.n > XOS_TRUST_LIST_MAX) {
		xos_err_set(err, XOS_LIMIT, "object-too-long",
		    "the trust list is longer than %u bytes", XOS_TRUST_LIST_MAX);
		return NULL;
	}
	if (xos_jws_peek_kid(XOS_TRUST_LIST_TYP, compact, claimed, err) != XOS_OK)
		return NULL;
	for (size_t i = 0; i < t->nroots; i++) {
		xos_jws_kid(xos_cert_key(t->roots[i]), kid);
		if (strcmp(kid, claimed) == 0)
			return t->roots[i];
	}
	xos_err_set(err, XOS_DENIED, "foreign-signer",
	    "the trust list was not signed by a root that is trusted here");
	return NULL;
}

/* Under the lock. NULL: none yet. */
static struct trust_taken **slot(struct xos_trust *t, const char *vo)
{
	for (size_t i = 0; i < t->ntaken; i++)
		if (strcmp(t->taken[i]->list->vo, vo) == 0)
			return &t->taken[i];
	return NULL;
}

static enum xos_status put(
    struct xos_trust *t, struct trust_taken *fresh, bool *news, struct xos_err *err)
{
	struct trust_taken **at = slot(t, fresh->list->vo);
	const struct xos_trust_list *l = fresh->list;

	*news = false;
	if (!at && t->ntaken == TRUST_FROM_MAX)
		return xos_err_set(err, XOS_LIMIT, "trust", "too many trust lists");
	if (at && l->serial < (*at)->list->serial)
		return xos_err_set(err, XOS_CONFLICT, "lower-serial",
		    "the trust list %llu of the VO %s is older than %llu, which is in force",
		    (unsigned long long)l->serial, l->vo, (unsigned long long)(*at)->list->serial);
	if (at && l->serial == (*at)->list->serial)
		return xos_bytes_eq(xos_buf_bytes(&fresh->compact), xos_buf_bytes(&(*at)->compact))
		           ? XOS_OK
		           : xos_err_set(err, XOS_CONFLICT, "two-lists",
		                 "another trust list %llu of the VO %s is in force: sign one of a "
		                 "higher serial",
		                 (unsigned long long)l->serial, l->vo);
	if (!at)
		at = &t->taken[t->ntaken++];
	fresh->before = *at;
	*at = fresh;
	*news = true;
	return XOS_OK;
}

enum xos_status xos_trust_take_list(
    const struct xos_trust *t, struct xos_bytes compact, bool *news, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	const struct xos_cert *root = root_of_list(t, compact, &why);
	struct trust_taken *fresh = NULL;
	bool is_new = false;

	if (!root)
		return xos_err_set(err, why.status, why.code, "%s", why.text);
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&fresh->compact, XOS_TRUST_LIST_MAX);
	xos_buf_put(&fresh->compact, compact.p, compact.n);
	enum xos_status st = xos_trust_list_verify(compact, root, &fresh->list, err);
	if (st == XOS_OK && xos_buf_status(&fresh->compact) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK) {
		pthread_mutex_lock(&live(t)->lock);
		st = put(live(t), fresh, &is_new, err);
		pthread_mutex_unlock(&live(t)->lock);
	}
	if (!is_new)
		free_taken(fresh);
	if (st == XOS_OK && news)
		*news = is_new;
	return st;
}

/* ---- following ---- */

static bool same_file(const struct trust_file *f, const struct stat *s)
{
	return f->inode == s->st_ino && f->size == s->st_size &&
	       f->changed.tv_sec == s->st_mtim.tv_sec && f->changed.tv_nsec == s->st_mtim.tv_nsec;
}

static enum xos_status read_list(const struct xos_trust *t, const char *path, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st = xos_file_read(path, XOS_TRUST_LIST_MAX + 1, &text, err);

	if (st != XOS_OK)
		return st;
	struct xos_bytes in = xos_buf_bytes(&text);
	if (in.n && in.p[in.n - 1] == '\n')
		in.n--;
	st = xos_trust_take_list(t, in, NULL, err);
	xos_buf_free(&text);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "%s", path);
}

/* One stat(2) unless the file changed. Whoever may write the folder may take a list away there; what is in force
 * here stays. */
static void look(const struct xos_trust *t)
{
	struct xos_trust *m = live(t);

	for (size_t i = 0; i < t->nfiles; i++) {
		struct trust_file *f = &m->file[i];
		struct xos_err err = XOS_ERR_INIT;
		struct stat s;

		if (stat(f->path, &s) != 0 || s.st_size == 0)
			continue; /* an empty one keeps the place for who may write it */
		pthread_mutex_lock(&m->lock);
		bool changed = !same_file(f, &s);
		/* Noted before it is read: what is put there meanwhile is read the next time. */
		f->inode = s.st_ino;
		f->size = s.st_size;
		f->changed = s.st_mtim;
		pthread_mutex_unlock(&m->lock);
		if (!changed)
			continue;
		enum xos_status st = read_list(t, f->path, &err);
		pthread_mutex_lock(&m->lock);
		m->refused = err;
		m->refused.status = st;
		pthread_mutex_unlock(&m->lock);
	}
}

enum xos_status xos_trust_follow(struct xos_trust *t, const char *path, struct xos_err *err)
{
	struct stat s;

	for (size_t i = 0; i < t->nfiles; i++)
		if (strcmp(t->file[i].path, path) == 0)
			return XOS_OK;
	if (t->nfiles == TRUST_FILES_MAX)
		return xos_err_set(err, XOS_LIMIT, "trust", "too many files of lists");
	char *copy = strdup(path);
	if (!copy)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	t->file[t->nfiles++] = (struct trust_file){.path = copy};
	if (stat(path, &s) != 0)
		return errno == ENOENT ? XOS_OK
		                       : xos_err_errno(err, errno, "trust", "cannot read %s", path);
	look(t);
	/* At the beginning nothing better is in force that could stay. */
	if (t->refused.status == XOS_OK || t->ntaken)
		return XOS_OK;
	return xos_err_set(err, t->refused.status, t->refused.code, "%s", t->refused.text);
}

void xos_trust_pace(struct xos_trust *t)
{
	t->paced = true;
}

void xos_trust_look(const struct xos_trust *t)
{
	look(t);
}

void xos_trust_ask(struct xos_trust *t, bool (*ask)(void *arg, const char *vo), void *arg)
{
	t->ask = ask;
	t->ask_arg = arg;
}

enum xos_status xos_trust_join(
    struct xos_trust *t, const struct xos_trust *from, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	if (t->nfrom == TRUST_FROM_MAX)
		return xos_err_set(err, XOS_LIMIT, "trust", "too many VOs");
	for (size_t i = 0; st == XOS_OK && i < from->nroots; i++)
		st = xos_trust_add_root(t, from->roots[i], err);
	for (size_t i = 0; st == XOS_OK && i < from->nissuers; i++)
		st = xos_trust_add_issuer(t, from->issuers[i], err);
	if (st == XOS_OK)
		t->from[t->nfrom++] = xos_trust_ref(from);
	return st;
}

/* ---- asking ---- */

/* The newest of its own and of those it was joined from. */
static const struct trust_taken *newest(const struct xos_trust *t, const char *vo)
{
	const struct trust_taken *best = NULL;

	if (!t->paced)
		look(t);
	pthread_mutex_lock(&live(t)->lock);
	struct trust_taken **own = slot(live(t), vo);
	if (own)
		best = *own;
	pthread_mutex_unlock(&live(t)->lock);
	for (size_t i = 0; i < t->nfrom; i++) {
		const struct trust_taken *other = newest(t->from[i], vo);

		if (other && (!best || other->list->serial > best->list->serial))
			best = other;
	}
	return best;
}

const struct xos_trust_list *xos_trust_list(const struct xos_trust *t, const char *vo)
{
	const struct trust_taken *k = newest(t, vo);

	return k ? k->list : NULL;
}

struct xos_bytes xos_trust_list_compact(const struct xos_trust *t, const char *vo)
{
	const struct trust_taken *k = newest(t, vo);

	return k ? xos_buf_bytes(&k->compact) : XOS_BYTES_NONE;
}

static size_t add_once(const struct xos_cert **out, size_t n, size_t max, const struct xos_cert *c)
{
	for (size_t i = 0; i < n; i++)
		if (xos_bytes_eq(xos_cert_der(out[i]), xos_cert_der(c)))
			return n;
	if (n < max)
		out[n++] = c;
	return n;
}

static size_t add_listed(
    const struct xos_trust_list *l, bool active, const struct xos_cert **out, size_t n, size_t max)
{
	for (size_t i = 0; l && i < l->n; i++) {
		const struct xos_trust_entry *e = &l->entry[i];

		if (e->state != XOS_TRUST_REVOKED && xos_cert_is_ca(e->cert) &&
		    (e->state == XOS_TRUST_ACTIVE) == active)
			n = add_once(out, n, max, e->cert);
	}
	return n;
}

size_t xos_trust_issuers(
    const struct xos_trust *t, const char *vo, const struct xos_cert **out, size_t max)
{
	size_t n = 0;

	for (size_t r = 0; r < t->nroots; r++) {
		const struct xos_cert *root = t->roots[r];
		const char *name = xos_cert_subject_value(root, 0);

		if (vo && strcmp(vo, name) != 0)
			continue;
		const struct xos_trust_list *l = xos_trust_list(t, name);
		n = add_listed(l, true, out, n, max);
		n = add_listed(l, false, out, n, max);
		for (size_t i = 0; i < t->nissuers; i++) {
			const struct xos_cert *c = t->issuers[i];

			if (xos_bytes_eq(xos_cert_issuer_der(c), xos_cert_subject_der(root)) &&
			    xos_trust_list_judge(l, xos_cert_fingerprint(c), "", INT64_MIN, NULL) ==
			        XOS_OK)
				n = add_once(out, n, max, c);
		}
	}
	return n;
}

size_t trust_known_issuers(const struct xos_trust *t, const struct xos_cert **out, size_t max)
{
	size_t n = 0;

	/* Revoked ones too: who shows a certificate of one is told so, not that nobody knows its issuer. */
	for (size_t i = 0; i < t->nissuers && n < max; i++)
		out[n++] = t->issuers[i];
	for (size_t r = 0; r < t->nroots; r++) {
		const struct xos_trust_list *l =
		    xos_trust_list(t, xos_cert_subject_value(t->roots[r], 0));

		for (size_t i = 0; l && i < l->n && n < max; i++)
			if (xos_cert_is_ca(l->entry[i].cert))
				out[n++] = l->entry[i].cert;
	}
	return n;
}

enum xos_status xos_trust_judge(const struct xos_trust *t, const char *vo,
    const uint8_t fingerprint[XOS_SHA256_LEN], const char *subject, int64_t signed_at,
    struct xos_err *err)
{
	const struct xos_trust_list *l = xos_trust_list(t, vo);

	if (l && t->ask && !xos_trust_list_find(l, fingerprint) && t->ask(t->ask_arg, vo))
		l = xos_trust_list(t, vo);
	return xos_trust_list_judge(l, fingerprint, subject, signed_at, err);
}

bool xos_trust_tainted(const struct xos_trust *t, const char *vo, const struct xos_chain *chain)
{
	const struct xos_trust_list *l = xos_trust_list(t, vo);

	for (size_t i = 1; l && i < chain->n; i++) {
		const struct xos_trust_entry *e =
		    xos_trust_list_find(l, xos_cert_fingerprint(chain->cert[i]));

		if (e && e->state == XOS_TRUST_TAINTED)
			return true;
	}
	return false;
}

/* ---- health ---- */

static enum xos_status ends(const char *what, const char *vo, int64_t end, int64_t now,
    const char *next, struct xos_err *err)
{
	char text[XOS_TIME_TEXT];

	xos_duration_format(end < now ? now - end : end - now, text);
	return xos_err_set(err, XOS_UNAVAILABLE, "trust-ends",
	    end < now ? "%s of the VO %s ended %s ago: %s" : "%s of the VO %s ends in %s: %s", what,
	    vo, text, next);
}

static enum xos_status list_health(const struct xos_trust_list *l, int64_t now, struct xos_err *err)
{
	if (l->expires && l->expires - now < AHEAD)
		return ends("the trust list", l->vo, l->expires, now,
		    "sign the next one (xos-server rollover, xos-cad root-trust)", err);
	for (size_t i = 0; i < l->n; i++) {
		const struct xos_trust_entry *e = &l->entry[i];
		char what[64];

		if (e->state != XOS_TRUST_ACTIVE || xos_cert_not_after(e->cert) - now >= AHEAD)
			continue;
		xos_str_printf(what, sizeof(what), "the certificate of the %s key",
		    xos_trust_role_name(e->role));
		return ends(what, l->vo, xos_cert_not_after(e->cert), now,
		    "roll the key over (xos-server rollover)", err);
	}
	return XOS_OK;
}

enum xos_status xos_trust_health(
    const struct xos_trust *t, const char *vo, int64_t now, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	look(t);
	pthread_mutex_lock(&live(t)->lock);
	struct xos_err refused = t->refused;
	pthread_mutex_unlock(&live(t)->lock);
	if (refused.status != XOS_OK)
		return xos_err_set(err, XOS_UNAVAILABLE, "trust-list",
		    "the list was not taken, the one before stays in force: %s", refused.text);
	for (size_t i = 0; st == XOS_OK && i < t->nfrom; i++)
		st = xos_trust_health(t->from[i], vo, now, err);
	for (size_t r = 0; st == XOS_OK && r < t->nroots; r++) {
		const char *name = xos_cert_subject_value(t->roots[r], 0);
		const struct xos_trust_list *l =
		    vo && strcmp(vo, name) != 0 ? NULL : xos_trust_list(t, name);

		if (l)
			st = list_health(l, now, err);
	}
	return st;
}
