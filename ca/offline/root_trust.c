/* The trust list: which of the keys below the root count, signed by the root (token/trustlist.h). */
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
#include "service/init.h"
#include "service/rollover.h"
#include "token/trustlist.h"

#define DAY 86400
#define LIFE (2 * 366 * (int64_t)DAY)
#define LIFE_MAX (10 * 366 * (int64_t)DAY)

struct trusting {
	const char *dir, *out, *fd, *reason;
	const char *certificate[XOS_TRUST_LIST_CERTS_MAX];
	size_t n;
	enum xos_trust_state state;
	int64_t since, life;
	bool since_given;
	bool renew; /* --life: a new list, also if nothing changes */
	struct ca_root root;
	struct xos_trust_list *list;
	bool changed;
	char path[PATH_MAX]; /* DIR/trust.jws, the root's own copy */
};

/* ---- arguments ---- */

static enum xos_status take_certificates(
    int *argc, char **argv, struct trusting *t, struct xos_err *err)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char *value = NULL;

		if (strncmp(argv[i], "--certificate=", 14) == 0)
			value = argv[i] + 14;
		else if (strcmp(argv[i], "--certificate") == 0 && i + 1 < *argc)
			value = argv[++i];
		if (!value) {
			argv[kept++] = argv[i];
			continue;
		}
		if (t->n == XOS_TRUST_LIST_CERTS_MAX)
			return xos_err_set(
			    err, XOS_MALFORMED, "usage", "too many times --certificate");
		t->certificate[t->n++] = value;
	}
	argv[kept] = NULL;
	*argc = kept;
	return XOS_OK;
}

static enum xos_status read_values(
    struct trusting *t, const char *state, const char *since, const char *life, struct xos_err *err)
{
	t->since = xos_clock_now();
	t->since_given = since != NULL;
	t->life = LIFE;
	t->renew = life != NULL;
	if (!state != (t->n == 0))
		return xos_err_set(
		    err, XOS_MALFORMED, "usage", "--certificate and --state belong together");
	if (state && xos_trust_state_parse(state, &t->state) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "usage",
		    "--state is prepared, active, tainted or revoked, not \"%s\"", state);
	if (since && !xos_time_parse(since, &t->since))
		return xos_err_set(
		    err, XOS_MALFORMED, "usage", "--since takes a time like 2026-11-22T18:10:09Z");
	if (life && (!xos_duration_parse(life, &t->life) || t->life < DAY || t->life > LIFE_MAX))
		return xos_err_set(err, XOS_MALFORMED, "usage",
		    "--life takes a duration with its unit, from 1d to ten years: 400d, 52w");
	if (t->reason && strlen(t->reason) > XOS_TRUST_LIST_REASON_MAX)
		return xos_err_set(err, XOS_MALFORMED, "usage", "--reason is longer than %d bytes",
		    XOS_TRUST_LIST_REASON_MAX);
	return XOS_OK;
}

static enum xos_status read_args(int argc, char **argv, struct trusting *t, struct xos_err *err)
{
	const char *state = NULL, *since = NULL, *life = NULL;
	enum xos_status st = take_certificates(&argc, argv, t, err);

	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--dir", true, &t->dir, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--out", false, &t->out, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--state", false, &state, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--since", false, &since, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--reason", false, &t->reason, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--life", false, &life, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--passphrase-fd", false, &t->fd, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	return st == XOS_OK ? read_values(t, state, since, life, err) : st;
}

/* ---- the list ---- */

static enum xos_status read_before(struct trusting *t, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st;

	if (!xos_path_join(t->path, sizeof(t->path), t->dir, "trust.jws"))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", t->dir);
	if (access(t->path, F_OK) != 0) {
		t->list = calloc(1, sizeof(*t->list));
		if (!t->list)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		(void)!xos_str_copy(t->list->vo, sizeof(t->list->vo), t->root.vo);
		return XOS_OK;
	}
	st = xos_file_read(t->path, XOS_TRUST_LIST_MAX + 1, &text, err);
	if (st != XOS_OK)
		return st;
	struct xos_bytes in = xos_buf_bytes(&text);
	if (in.n && in.p[in.n - 1] == '\n')
		in.n--;
	st = xos_trust_list_verify(in, t->root.chain.cert[0], &t->list, err);
	xos_buf_free(&text);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "the list before, %s", t->path);
}

static enum xos_status add_entry(
    struct trusting *t, const struct xos_cert *c, struct xos_trust_entry **out, struct xos_err *err)
{
	struct xos_trust_list *l = t->list;
	enum xos_trust_role role = XOS_TRUST_CA;
	enum xos_status st = xos_trust_role_of(c, l->vo, &role, err);

	if (st == XOS_OK && l->n == XOS_TRUST_LIST_CERTS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "trust-list",
		    "the list has %u certificates already", XOS_TRUST_LIST_CERTS_MAX);
	if (st != XOS_OK)
		return st;
	*out = &l->entry[l->n++];
	**out = (struct xos_trust_entry){.cert = xos_cert_ref(c), .role = role};
	return XOS_OK;
}

static enum xos_status set_state(struct trusting *t, const char *path, struct xos_err *err)
{
	struct xos_chain ch = {.n = 0};
	struct xos_trust_entry *e = NULL;
	enum xos_status st = xos_chain_load(path, &ch, err);

	for (size_t i = 0; st == XOS_OK && !e && i < t->list->n; i++)
		if (xos_bytes_eq(xos_cert_der(t->list->entry[i].cert), xos_cert_der(ch.cert[0])))
			e = &t->list->entry[i];
	if (st == XOS_OK && e && e->state == t->state &&
	    (!t->since_given || e->since == t->since)) {
		xos_chain_clear(&ch); /* so it was: whoever was killed in between asks again */
		return XOS_OK;
	}
	/* The whole world was told that nothing of it counts. */
	if (st == XOS_OK && e && e->state == XOS_TRUST_REVOKED)
		st = xos_err_set(err, XOS_CONFLICT, "revoked",
		    "the certificate in %s was revoked, and that stays", path);
	if (st == XOS_OK && !e)
		st = add_entry(t, ch.cert[0], &e, err);
	if (st == XOS_OK) {
		e->state = t->state;
		e->since = t->since;
		e->reason[0] = '\0';
		(void)!xos_str_copy(e->reason, sizeof(e->reason), t->reason ? t->reason : "");
		t->changed = true;
	}
	xos_chain_clear(&ch);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "%s", path);
}

/* The revocation list first: stock verifiers know only that, and a list that is out does not come back. */
static enum xos_status keep_in_step(struct trusting *t, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < t->list->n; i++)
		if (t->list->entry[i].state == XOS_TRUST_REVOKED)
			st = ca_root_crl_revoke(t->dir, &t->root, t->list->entry[i].cert, err);
	return st;
}

/* What has ended counts nowhere; a list that named it for ever would not fit some day. */
static void drop_ended(struct xos_trust_list *l, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (xos_cert_not_after(l->entry[i].cert) + DAY < now)
			xos_cert_free(l->entry[i].cert);
		else
			l->entry[kept++] = l->entry[i];
	}
	l->n = kept;
}

static enum xos_status sign_list(struct trusting *t, struct xos_buf *compact, struct xos_err *err)
{
	int64_t now = xos_clock_now();

	drop_ended(t->list, now);
	t->list->serial++;
	t->list->issued = now;
	t->list->expires = now + t->life;
	return xos_trust_list_sign(t->root.key, t->root.chain.cert[0], t->list, compact, err);
}

static enum xos_status write_list(struct trusting *t, struct xos_err *err)
{
	struct xos_buf compact;
	enum xos_status st = XOS_OK;

	xos_buf_init(&compact, XOS_TRUST_LIST_MAX + 1);
	if (t->changed || t->renew) {
		st = sign_list(t, &compact, err);
		if (st == XOS_OK)
			xos_buf_put_str(&compact, "\n");
		if (st == XOS_OK)
			st = xos_file_write(t->path, 0644, xos_buf_bytes(&compact), err);
	} else {
		xos_buf_free(&compact);
		st = xos_file_read(t->path, XOS_TRUST_LIST_MAX + 1, &compact, err);
	}
	if (st == XOS_OK && t->out)
		st = xos_file_write(t->out, 0644, xos_buf_bytes(&compact), err);
	xos_buf_free(&compact);
	return st;
}

static void tell(const struct trusting *t)
{
	char until[XOS_TIME_TEXT], since[XOS_TIME_TEXT];

	xos_time_format(t->list->expires, until);
	printf("trust list %llu, good until %s%s\n", (unsigned long long)t->list->serial, until,
	    t->changed || t->renew ? "" : " (as it was)");
	for (size_t i = 0; i < t->list->n; i++) {
		const struct xos_trust_entry *e = &t->list->entry[i];

		xos_time_format(e->since, since);
		printf("%-10s %-8s since %s  %s%s%s\n", xos_trust_role_name(e->role),
		    xos_trust_state_name(e->state), since, xos_cert_serial_text(e->cert),
		    e->reason[0] ? "  " : "", e->reason);
	}
}

enum xos_status ca_verb_root_trust(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	struct trusting t = {.n = 0};
	struct xos_secret *passphrase = NULL;
	enum xos_status st = read_args(argc, argv, &t, err);

	(void)run;
	if (st == XOS_OK)
		st = ca_root_passphrase(t.fd, &passphrase, err);
	if (st == XOS_OK)
		st = ca_root_open(t.dir, passphrase, &t.root, err);
	if (st == XOS_OK)
		st = read_before(&t, err);
	if (st == XOS_OK && t.list->n == 0 && t.n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "trust-list",
		    "there is no list yet: name all the certificates that the root signed, with "
		    "--certificate FILE... --state active; what a list does not name counts no "
		    "more");
	for (size_t i = 0; st == XOS_OK && i < t.n; i++)
		st = set_state(&t, t.certificate[i], err);
	if (st == XOS_OK)
		st = keep_in_step(&t, err);
	if (st == XOS_OK)
		st = write_list(&t, err);
	if (st == XOS_OK)
		tell(&t);
	xos_trust_list_free(t.list);
	ca_root_clear(&t.root);
	xos_secret_free(passphrase);
	return st;
}

#define ARGS_MAX 8

/* Of an authority that was set up before there was this key: the first one is prepared as the next one would be. */
static enum xos_status first_delegation_key(int argc, char **argv, struct xos_err *err)
{
	char now[PATH_MAX], ca[PATH_MAX], *args[ARGS_MAX + 1] = {NULL};
	const char *dir = NULL;
	enum xos_status st;

	if (argc > ARGS_MAX)
		return XOS_OK; /* refused by whoever reads them */
	memcpy(args, argv, (size_t)argc * sizeof(*args));
	st = xos_service_arg(&argc, args, "--dir", true, &dir, err);
	if (st != XOS_OK || argc != 2 || strcmp(args[1], "prepare") != 0)
		return st;
	if (!xos_path_join(now, sizeof(now), dir, "delegation.key") ||
	    !xos_path_join(ca, sizeof(ca), dir, "ca.key"))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
	if (access(now, F_OK) == 0 || access(ca, F_OK) != 0)
		return XOS_OK;
	return xos_service_init_key(dir, "delegation.next", err);
}

enum xos_status ca_verb_rollover(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *kind = "ca", *which = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--kind", false, &which, err);

	(void)run;
	if (st == XOS_OK && which && strcmp(which, "ca") != 0 && strcmp(which, "delegation") != 0)
		st = xos_err_set(
		    err, XOS_MALFORMED, "usage", "--kind is ca or delegation, not \"%s\"", which);
	if (st == XOS_OK && which)
		kind = which;
	if (st == XOS_OK && strcmp(kind, "delegation") == 0)
		st = first_delegation_key(argc, argv, err);
	return st == XOS_OK ? xos_service_verb_rollover(argc, argv, kind, err) : st;
}
