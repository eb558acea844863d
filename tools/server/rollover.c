#include "server/rollover.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/daemons.h"
#include "pki/cert.h"
#include "server/certs.h"
#include "cli/run.h"
#include "token/trust.h"

#define LIST_MAX (256 * 1024 + 1)

/* One rollover: whose, and where its files stand. */
struct rolling {
	const struct xos_server *s;
	const struct xos_rollover *r;
	enum xos_server_daemon d;
	const struct xos_server_kind *k;
	char root[PATH_MAX], folder[PATH_MAX];
	char now[PATH_MAX], next[PATH_MAX], next_csr[PATH_MAX], next_key[PATH_MAX], old[PATH_MAX];
};

static enum xos_status file_of(
    const struct rolling *x, const char *suffix, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_str_printf(out, PATH_MAX, "%s/%s.%s", x->folder, x->k->root_kind, suffix))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", x->folder);
}

static enum xos_status fill(struct rolling *x, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	int d = 0;
	while (d < XOS_DAEMONS && strcmp(xos_server_kinds[d].root_kind, x->r->kind) != 0)
		d++;
	x->k = d < XOS_DAEMONS ? &xos_server_kinds[d] : &xos_server_delegation;
	if (strcmp(x->k->root_kind, x->r->kind) != 0)
		return xos_err_set(err, XOS_MALFORMED, "usage",
		    "\"%s\" is no key of a VO: ca, delegation, rca, vops or accounting",
		    x->r->kind);
	x->d = d < XOS_DAEMONS ? (enum xos_server_daemon)d : XOS_CAD;
	if (x->r->root && !xos_str_copy(x->root, sizeof(x->root), x->r->root))
		return xos_err_set(err, XOS_LIMIT, "path", "--root is too long");
	if (!x->r->root)
		st = xos_server_path(x->s, "root", NULL, x->root, err);
	if (!st)
		st = xos_server_path(x->s, x->k->folder, NULL, x->folder, err);
	if (!st)
		st = file_of(x, "pem", x->now, err);
	if (!st)
		st = file_of(x, "next.pem", x->next, err);
	if (!st)
		st = file_of(x, "next.csr", x->next_csr, err);
	if (!st)
		st = file_of(x, "next.key", x->next_key, err);
	return st ? st : file_of(x, "old.pem", x->old, err);
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- the root ---- */

static enum xos_status run_root(
    const struct rolling *x, const char **argv, size_t n, struct xos_err *err)
{
	if (x->r->passphrase) {
		argv[n++] = "--passphrase-fd";
		argv[n++] = "0";
	}
	argv[n] = NULL;
	return xos_cli_run(argv, x->r->passphrase, NULL, err);
}

static enum xos_status root_trust(const struct rolling *x, const char *cert, const char *state,
    const char *since, const char *reason, struct xos_err *err)
{
	const char *argv[16] = {
	    "xos-cad", "root-trust", "--dir", x->root, "--certificate", cert, "--state", state};
	size_t n = 8;
	if (since) {
		argv[n++] = "--since";
		argv[n++] = since;
	}
	if (reason) {
		argv[n++] = "--reason";
		argv[n++] = reason;
	}
	return run_root(x, argv, n, err);
}

/* The first list names what is in use: what a list does not name counts no more. */
static enum xos_status first_list(const struct rolling *x, struct xos_err *err)
{
	const char *argv[8 + 2 * (XOS_DAEMONS + 1)] = {
	    "xos-cad", "root-trust", "--dir", x->root, "--state", "active"};
	char path[PATH_MAX], pem[XOS_DAEMONS + 1][PATH_MAX], name[64];
	size_t n = 6;
	enum xos_status st = XOS_OK;
	if (!xos_path_join(path, sizeof(path), x->root, "trust.jws"))
		return xos_err_set(err, XOS_LIMIT, "path", "--root is too long");
	if (there(path))
		return XOS_OK;
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		snprintf(name, sizeof(name), "%s.pem", xos_server_kinds[d].root_kind);
		st = xos_server_path(x->s, xos_server_kinds[d].folder, name, pem[d], err);
		argv[n++] = "--certificate";
		argv[n++] = pem[d];
	}
	if (!st)
		st = xos_server_path(
		    x->s, xos_server_delegation.folder, "delegation.pem", pem[XOS_DAEMONS], err);
	if (!st && there(pem[XOS_DAEMONS])) {
		argv[n++] = "--certificate";
		argv[n++] = pem[XOS_DAEMONS];
	}
	return st ? st : run_root(x, argv, n, err);
}

static enum xos_status sign_next(const struct rolling *x, struct xos_err *err)
{
	const char *argv[16] = {"xos-cad", "root-sign", "--dir", x->root, "--kind", x->k->root_kind,
	    "--csr", x->next_csr, "--out", x->next};
	return there(x->next) ? XOS_OK : run_root(x, argv, 10, err);
}

/* ---- to the daemons ---- */

static enum xos_status copy(
    const struct rolling *x, const char *name, const char *folder, struct xos_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct xos_buf text;
	if (!xos_path_join(from, sizeof(from), x->root, name) ||
	    !xos_str_printf(
	        to, sizeof(to), "%s/%s%strust/%s", x->s->dir, folder, folder[0] ? "/" : "", name))
		return xos_err_set(
		    err, XOS_LIMIT, "path", "a path below %s is too long", x->s->dir);
	if (!there(from))
		return XOS_OK;
	enum xos_status st = xos_file_read(from, LIST_MAX, &text, err);
	if (!st)
		st = xos_file_write(to, 0644, xos_buf_bytes(&text), err);
	xos_buf_free(&text);
	return st;
}

static enum xos_status spread(const struct rolling *x, struct xos_err *err)
{
	enum xos_status st = copy(x, "trust.jws", "", err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++)
		st = copy(x, "trust.jws", xos_server_kinds[d].folder, err);
	return st ? st : copy(x, "root.crl", xos_server_kinds[XOS_CAD].folder, err);
}

static enum xos_status daemon_step(const struct rolling *x, const char *step, struct xos_err *err)
{
	const char *argv[] = {
	    x->k->program, "rollover", step, "--dir", x->folder, NULL, NULL, NULL};
	if (x->k == &xos_server_delegation) {
		argv[5] = "--kind";
		argv[6] = x->k->root_kind;
	}
	return xos_cli_run(argv, NULL, NULL, err);
}

/* Where the daemon of this kind runs: xos-cad may be that of another folder. */
static const char *home_of(const struct xos_server *s, int d)
{
	return d == XOS_CAD && s->host ? s->host : s->dir;
}

static bool runs(const struct xos_server *s, int d, struct xos_proc_id *id)
{
	return xos_cli_daemon_running(home_of(s, d), xos_server_kinds[d].program, id);
}

static enum xos_status start(const struct rolling *x, struct xos_err *err)
{
	const char *home = home_of(x->s, x->d);
	char conf[PATH_MAX];
	if (!xos_str_printf(conf, sizeof(conf), "%s/%s/%s.conf", home, x->k->folder, x->k->folder))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", home);
	return xos_cli_daemon_start(home, x->k->program, conf, err);
}

/* Of the TLS certificates here those that the rca's key in use did not sign. xos-rcad rests. */
static enum xos_status renew_tls(const struct rolling *x, struct xos_err *err)
{
	struct xos_chain issuer = {.n = 0};
	enum xos_status st = xos_chain_load(x->now, &issuer, err);
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		struct xos_chain own = {.n = 0};
		char path[PATH_MAX];
		st = xos_server_path(x->s, xos_server_kinds[d].folder, "tls.pem", path, err);
		bool good =
		    !st && xos_chain_load(path, &own, NULL) == XOS_OK &&
		    xos_cert_signed_by(own.cert[0], xos_cert_key(issuer.cert[0]), NULL) == XOS_OK;
		xos_chain_clear(&own);
		if (!st && !good)
			st = xos_server_tls_issue(x->s, (enum xos_server_daemon)d, err);
	}
	xos_chain_clear(&issuer);
	return st;
}

/* They read their TLS certificate again. */
static void tell_others(const struct rolling *x)
{
	struct xos_proc_id id;
	for (int d = 0; d < XOS_DAEMONS; d++)
		if (d != (int)x->d && runs(x->s, d, &id))
			kill(id.pid, SIGHUP);
}

/* The daemon rests while its key and certificate change places; what it was doing is done again after seconds. A
 * kill in between leaves it stopped, so whoever repeats the step starts it if any of the others runs. */
static enum xos_status exchange(const struct rolling *x, const char *step, struct xos_err *err)
{
	struct xos_proc_id id;
	bool up = false;
	for (int d = 0; d < XOS_DAEMONS; d++)
		up = runs(x->s, d, &id) || up;
	enum xos_status st = xos_cli_daemon_stop(home_of(x->s, x->d), x->k->program, err);
	if (!st)
		st = daemon_step(x, step, err);
	if (!st)
		st = xos_server_write_trust(x->s, err);
	if (!st && x->d == XOS_RCAD)
		st = renew_tls(x, err);
	/* Also after a failure: with the key that was there before, most likely. */
	if (up) {
		enum xos_status started = start(x, st ? NULL : err);
		if (!st)
			st = started;
	}
	if (!st && x->d == XOS_RCAD)
		tell_others(x);
	return st;
}

/* ---- steps ---- */

/* Its files make room for those of the key in use now, and then nobody finds it by this command. */
static enum xos_status old_is_done(const struct rolling *x, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	struct xos_chain old = {.n = 0};
	char path[PATH_MAX];
	if (!there(x->old) || there(x->next_key)) {
		xos_trust_free(t);
		return XOS_OK;
	}
	enum xos_status st = t ? xos_server_path(x->s, "trust", NULL, path, err)
	                       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = xos_trust_load(t, path, err);
	if (!st)
		st = xos_chain_load(x->old, &old, err);
	const struct xos_trust_list *l = st ? NULL : xos_trust_list(t, x->s->vo);
	const struct xos_trust_entry *e =
	    l ? xos_trust_list_find(l, xos_cert_fingerprint(old.cert[0])) : NULL;
	if (e && (e->state == XOS_TRUST_ACTIVE || e->state == XOS_TRUST_PREPARED))
		st = xos_err_set(err, XOS_CONFLICT, "rollover-open",
		    "the %s key before this one still counts as if it were in use: first "
		    "xos-server rollover %s taint (or revoke) --dir %s",
		    x->r->kind, x->r->kind, x->s->dir);
	xos_chain_clear(&old);
	xos_trust_free(t);
	return st;
}

static enum xos_status prepare(const struct rolling *x, struct xos_err *err)
{
	enum xos_status st = old_is_done(x, err);
	if (!st)
		st = daemon_step(x, "prepare", err);
	if (!st)
		st = sign_next(x, err);
	if (!st)
		st = root_trust(x, x->next, "prepared", NULL, NULL, err);
	return st ? st : spread(x, err);
}

static enum xos_status activate(const struct rolling *x, struct xos_err *err)
{
	const char *cert = there(x->next) ? x->next : x->now;
	if (!there(x->next) && !there(x->old))
		return xos_err_set(err, XOS_NOT_FOUND, "rollover-none",
		    "no next key of %s is prepared: xos-server rollover %s prepare --dir %s",
		    x->k->program, x->r->kind, x->s->dir);
	enum xos_status st = root_trust(x, cert, "active", NULL, NULL, err);
	if (!st)
		st = spread(x, err);
	return st ? st : exchange(x, "activate", err);
}

static enum xos_status end_old(const struct rolling *x, const char *state, struct xos_err *err)
{
	if (!there(x->old))
		return xos_err_set(err, XOS_NOT_FOUND, "rollover-none",
		    "%s has no key before the one in use: prepare and activate the next one first",
		    x->k->program);
	enum xos_status st = root_trust(x, x->old, state, x->r->since, x->r->reason, err);
	return st ? st : spread(x, err);
}

/* What was prepared was never used, and never will be. */
static enum xos_status withdraw(const struct rolling *x, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	if (there(x->next)) {
		st = root_trust(x, x->next, "revoked", NULL, "withdrawn before use", err);
		if (!st)
			st = spread(x, err);
	}
	return st ? st : daemon_step(x, "undo", err);
}

static enum xos_status undo(const struct rolling *x, struct xos_err *err)
{
	if (there(x->next_key))
		return withdraw(x, err);
	if (!there(x->old))
		return xos_err_set(
		    err, XOS_NOT_FOUND, "rollover-none", "there is nothing to take back");
	enum xos_status st = root_trust(x, x->old, "active", NULL, NULL, err);
	if (!st)
		st = spread(x, err);
	if (!st)
		st = exchange(x, "undo", err);
	if (!st)
		st = root_trust(x, x->next, "prepared", NULL, NULL, err);
	return st ? st : spread(x, err);
}

enum xos_status xos_server_rollover(
    const struct xos_server *s, const struct xos_rollover *r, struct xos_err *err)
{
	static const struct {
		const char *name;
		enum xos_status (*run)(const struct rolling *x, struct xos_err *err);
	} steps[] = {{"prepare", prepare}, {"activate", activate}, {"undo", undo}};
	struct rolling x = {.s = s, .r = r};
	enum xos_status st = fill(&x, err);
	if (!st)
		st = first_list(&x, err);
	if (st)
		return st;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(r->step, steps[i].name) == 0)
			return steps[i].run(&x, err);
	if (strcmp(r->step, "taint") == 0)
		return end_old(&x, "tainted", err);
	if (strcmp(r->step, "revoke") == 0)
		return end_old(&x, "revoked", err);
	return xos_err_set(err, XOS_MALFORMED, "usage",
	    "\"%s\" is no step of a rollover: prepare, activate, taint, revoke or undo", r->step);
}

enum xos_status xos_server_first_list(const struct xos_server *s, struct xos_err *err)
{
	const struct xos_rollover r = {.kind = "ca", .step = "init"};
	struct rolling x = {.s = s, .r = &r};
	enum xos_status st = fill(&x, err);
	if (!st)
		st = first_list(&x, err);
	return st ? st : spread(&x, err);
}
