#include "service/rollover.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/text.h"
#include "pki/cert.h"
#include "service/init.h"
#include "service/main.h"

struct set {
	char key[PATH_MAX], csr[PATH_MAX], pem[PATH_MAX];
};

struct files {
	const char *kind;
	struct set now, next, old; /* of now and old, the request does not matter */
};

static enum xos_status fill_set(
    const char *dir, const char *stem, struct set *s, struct xos_err *err)
{
	if (xos_str_printf(s->key, PATH_MAX, "%s/%s.key", dir, stem) &&
	    xos_str_printf(s->csr, PATH_MAX, "%s/%s.csr", dir, stem) &&
	    xos_str_printf(s->pem, PATH_MAX, "%s/%s.pem", dir, stem))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s: the path is too long", dir);
}

static enum xos_status fill(const char *dir, const char *kind, struct files *f, struct xos_err *err)
{
	char next[64], old[64];
	enum xos_status st;

	f->kind = kind;
	xos_str_printf(next, sizeof(next), "%s.next", kind);
	xos_str_printf(old, sizeof(old), "%s.old", kind);
	st = fill_set(dir, kind, &f->now, err);
	if (st == XOS_OK)
		st = fill_set(dir, next, &f->next, err);
	return st == XOS_OK ? fill_set(dir, old, &f->old, err) : st;
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Is the certificate that of the key? An answer, not an error: what cannot be read is none. */
static bool matches(const char *pem, const char *key)
{
	struct xos_chain ch = {.n = 0};
	struct xos_key *k = NULL;
	bool ok = xos_chain_load(pem, &ch, NULL) == XOS_OK &&
	          xos_key_load(key, NULL, NULL, &k, NULL) == XOS_OK &&
	          xos_key_same(xos_cert_key(ch.cert[0]), k);

	xos_key_free(k);
	xos_chain_clear(&ch);
	return ok;
}

static enum xos_status move(const char *from, const char *to, struct xos_err *err)
{
	if (rename(from, to) == 0)
		return XOS_OK;
	return xos_err_errno(err, errno, "rollover", "cannot move %s to %s", from, to);
}

/* A second name for what stands there now, in place of what had that name before. */
static enum xos_status keep(const char *from, const char *as, struct xos_err *err)
{
	if (unlink(as) != 0 && errno != ENOENT)
		return xos_err_errno(err, errno, "rollover", "cannot remove %s", as);
	if (link(from, as) == 0)
		return XOS_OK;
	return xos_err_errno(err, errno, "rollover", "cannot keep %s as %s", from, as);
}

static enum xos_status heal(const struct files *f, struct xos_err *err)
{
	/* The first key of its kind had no certificate before it. */
	if (!there(f->now.key) || (there(f->now.pem) && matches(f->now.pem, f->now.key)))
		return XOS_OK;
	/* The key went first; its certificate is still where it was. */
	if (matches(f->next.pem, f->now.key))
		return move(f->next.pem, f->now.pem, err);
	if (matches(f->old.pem, f->now.key))
		return move(f->old.pem, f->now.pem, err);
	return XOS_OK; /* whoever opens them says what is wrong */
}

enum xos_status xos_rollover_heal(const char *dir, const char *kind, struct xos_err *err)
{
	struct files f;
	enum xos_status st = fill(dir, kind, &f, err);

	return st == XOS_OK ? heal(&f, err) : st;
}

static enum xos_status put_away(const struct files *f, struct xos_err *err)
{
	const char *const paths[] = {f->next.pem, f->next.csr, f->next.key};

	/* The key last: while it is there, undo means this. */
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (unlink(paths[i]) != 0 && errno != ENOENT)
			return xos_err_errno(err, errno, "rollover", "cannot remove %s", paths[i]);
	return XOS_OK;
}

enum xos_status xos_rollover_prepare(const char *dir, const char *kind, struct xos_err *err)
{
	struct files f;
	char stem[64];
	enum xos_status st = fill(dir, kind, &f, err);

	if (st == XOS_OK)
		st = heal(&f, err);
	if (st == XOS_OK && !there(f.now.key) && !there(f.next.key))
		st = xos_err_set(err, XOS_NOT_FOUND, "rollover-none",
		    "%s is not there: is %s the folder of the daemon?", f.now.key, dir);
	/* Of a key that is in use already, or was put away. */
	if (st == XOS_OK && !there(f.next.key))
		st = put_away(&f, err);
	xos_str_printf(stem, sizeof(stem), "%s.next", kind);
	return st == XOS_OK ? xos_service_init_key(dir, stem, err) : st;
}

enum xos_status xos_rollover_activate(const char *dir, const char *kind, struct xos_err *err)
{
	struct files f;
	enum xos_status st = fill(dir, kind, &f, err);

	if (st == XOS_OK)
		st = heal(&f, err);
	if (st != XOS_OK)
		return st;
	if (!there(f.next.key))
		return there(f.old.pem) ? XOS_OK
		                        : xos_err_set(err, XOS_NOT_FOUND, "rollover-none",
		                              "no next key is prepared in %s", dir);
	if (!there(f.next.pem))
		return xos_err_set(err, XOS_NOT_FOUND, "rollover-unsigned",
		    "the root has not signed %s yet: xos-cad root-sign --dir ROOT --kind %s --csr "
		    "%s "
		    "--out %s",
		    f.next.csr, kind, f.next.csr, f.next.pem);
	if (!matches(f.next.pem, f.next.key))
		return xos_err_set(err, XOS_MALFORMED, "rollover-key",
		    "%s is not the certificate of %s: have the root sign %s", f.next.pem,
		    f.next.key, f.next.csr);
	if (matches(f.now.pem, f.next.key))
		return xos_err_set(err, XOS_CONFLICT, "rollover-cut",
		    "undo was interrupted in %s: repeat it first", dir);
	/* None in use yet: the first of its kind, of a daemon that was set up before there was this kind. */
	if (there(f.now.key)) {
		st = keep(f.now.pem, f.old.pem, err);
		if (st == XOS_OK)
			st = keep(f.now.key, f.old.key, err);
	}
	if (st == XOS_OK)
		st = move(f.next.key, f.now.key, err);
	if (st == XOS_OK)
		st = move(f.next.pem, f.now.pem, err);
	if (st == XOS_OK && there(f.next.csr))
		st = move(f.next.csr, f.now.csr, err);
	return st;
}

enum xos_status xos_rollover_undo(const char *dir, const char *kind, struct xos_err *err)
{
	struct files f;
	enum xos_status st = fill(dir, kind, &f, err);

	if (st == XOS_OK)
		st = heal(&f, err);
	if (st != XOS_OK)
		return st;
	if (there(f.next.key) && !matches(f.now.pem, f.next.key))
		return put_away(&f, err);
	if (!there(f.old.key))
		return xos_err_set(err, XOS_NOT_FOUND, "rollover-none",
		    "nothing is prepared in %s, and no key was there before", dir);
	if (!matches(f.old.pem, f.old.key))
		return xos_err_set(err, XOS_MALFORMED, "rollover-key",
		    "%s is not the certificate of %s", f.old.pem, f.old.key);
	st = keep(f.now.pem, f.next.pem, err);
	if (st == XOS_OK)
		st = keep(f.now.key, f.next.key, err);
	if (st == XOS_OK)
		st = move(f.old.key, f.now.key, err);
	return st == XOS_OK ? move(f.old.pem, f.now.pem, err) : st;
}

enum xos_status xos_rollover_key_before(
    const char *dir, const char *kind, struct xos_key **out, struct xos_err *err)
{
	struct xos_chain ch = {.n = 0};
	struct files f;
	enum xos_status st = fill(dir, kind, &f, err);

	*out = NULL;
	/* After undo the one before is the one that is prepared again. */
	const char *const from[] = {f.old.pem, f.next.pem};
	for (size_t i = 0; st == XOS_OK && !*out && i < 2; i++) {
		if (!there(from[i]))
			continue;
		st = xos_chain_load(from[i], &ch, err);
		if (st == XOS_OK)
			st = xos_key_from_spki(xos_key_spki(xos_cert_key(ch.cert[0])), out, err);
		xos_chain_clear(&ch);
	}
	return st;
}

static enum xos_status tell(
    const char *step, const char *dir, const char *kind, struct xos_err *err)
{
	(void)err;
	if (strcmp(step, "prepare") == 0)
		printf("Made %s/%s.next.key. Next: have the root sign %s/%s.next.csr\n"
		       "  xos-cad root-sign --dir ROOT --kind %s --csr %s/%s.next.csr --out "
		       "%s/%s.next.pem\n"
		       "  xos-cad root-trust --dir ROOT --out LIST --certificate %s/%s.next.pem "
		       "--state prepared\n",
		    dir, kind, dir, kind, kind, dir, kind, dir, kind, dir, kind);
	else
		printf("The daemon of %s takes what is in use now at its next start.\n", dir);
	return XOS_OK;
}

enum xos_status xos_service_verb_rollover(
    int argc, char **argv, const char *kind, struct xos_err *err)
{
	const char *dir = NULL, *step = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	if (st == XOS_OK && argc == 2)
		step = argv[1];
	if (st == XOS_OK && !step)
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "say which step: rollover prepare, activate or undo, with --dir DIR");
	if (st != XOS_OK)
		return st;
	if (strcmp(step, "prepare") == 0)
		st = xos_rollover_prepare(dir, kind, err);
	else if (strcmp(step, "activate") == 0)
		st = xos_rollover_activate(dir, kind, err);
	else if (strcmp(step, "undo") == 0)
		st = xos_rollover_undo(dir, kind, err);
	else
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "\"%s\" is no step of a rollover: prepare, activate or undo", step);
	return st == XOS_OK ? tell(step, dir, kind, err) : st;
}
