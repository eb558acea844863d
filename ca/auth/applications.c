#include "ca/auth/applications.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "ca/auth/throttle.h"
#include "store/sql.h"

static const char *const names[] = {
    [CA_PENDING] = "pending", [CA_APPROVED] = "approved", [CA_DENIED] = "denied"};

const char *ca_application_state_name(enum ca_application_state s)
{
	return names[s];
}

/* --- taking in --- */

/* What waited too long takes no room, whether it is tidied away yet or not. */
static enum xos_status check_room(
    struct ca_membership *m, const char *address, int64_t now, int64_t *old, struct xos_err *err)
{
	int64_t all = 0, own = 0, since = now - CA_APPLICATIONS_WAIT;
	enum xos_status st = xos_sql_int(m->store, &all, err,
	    "SELECT COUNT(*) FROM applications WHERE state = 'pending' AND at > ?1", "i", since);

	if (st == XOS_OK)
		st = xos_sql_int(m->store, &own, err,
		    "SELECT COUNT(*) FROM applications"
		    " WHERE address = ?1 AND state = 'pending' AND at > ?2",
		    "si", address, since);
	if (st == XOS_OK)
		st = xos_sql_int(m->store, old, err,
		    "SELECT COUNT(*) FROM applications WHERE state = 'pending' AND at <= ?1", "i",
		    since);
	if (st == XOS_OK && all >= CA_APPLICATIONS_MAX)
		return xos_err_set(err, XOS_LIMIT, "applications-full",
		    "%d applications for VO %s wait already: ask its administrators to decide some",
		    CA_APPLICATIONS_MAX, m->vo);
	if (st == XOS_OK && own >= CA_APPLICATIONS_ADDRESS)
		return xos_err_set(err, XOS_LIMIT, "applications-address",
		    "%d applications from your address wait already: try again when they are "
		    "decided",
		    CA_APPLICATIONS_ADDRESS);
	return st;
}

static enum xos_status keep_verifier(
    struct ca_verifiers *v, const char *id, const struct xos_application *a, struct xos_err *err)
{
	char text[XOS_SCRAM_VERIFIER_TEXT];
	enum xos_status st = xos_scram_verifier_format(&a->verifier, text);

	if (st != XOS_OK)
		return xos_err_set(err, st, "verifiers", "a verifier has no text form");
	st = xos_sql_run(v->store, NULL, err, "INSERT INTO applied (id, verifier) VALUES (?1, ?2)",
	    "ss", id, text);
	xos_wipe(text, sizeof(text));
	return st;
}

static enum xos_status insert(struct ca_membership *m, const struct xos_application *a,
    const char *id, const char *address, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(m->store, err);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO applications (id, name, contact, text, address, at, secret)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		    "sssssib", id, a->name, a->contact, a->text, address, now,
		    (struct xos_bytes){a->secret, sizeof(a->secret)});
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

enum xos_status ca_application_add(struct ca_membership *m, struct ca_verifiers *v,
    const struct xos_application *a, const char *address, int64_t now,
    char id[XOS_APPLY_ID_LEN + 1], struct xos_err *err)
{
	char counted[CA_SCOPE_MAX];
	int64_t old = 0;
	enum xos_status st;

	ca_throttle_address(address, counted);
	st = check_room(m, counted, now, &old, err);
	/* Never for a refusal, which strangers get as often as they like: tidying reads everything. */
	if (st == XOS_OK && old)
		st = ca_applications_tidy(m, v, now, err);
	xos_random_id(id, XOS_APPLY_ID_LEN / 2);
	/* The verifier first: one without an application is tidied away, the reverse could not be approved. */
	if (st == XOS_OK)
		st = keep_verifier(v, id, a, err);
	return st == XOS_OK ? insert(m, a, id, counted, now, err) : st;
}

/* --- looking up --- */

#define COLUMNS                                                                                    \
	"SELECT a.id, a.name, a.contact, a.text, a.address, a.at, a.state, a.message, a.secret,"   \
	" EXISTS (SELECT 1 FROM members h WHERE h.name = a.name) FROM applications a "

static enum xos_status read_row(struct xos_stmt *q, struct ca_application *a, struct xos_err *err)
{
	struct xos_bytes secret = xos_stmt_bytes(q, 8);

	memset(a, 0, sizeof(*a));
	if (!xos_str_copy(a->id, sizeof(a->id), xos_stmt_text(q, 0)) ||
	    !xos_str_copy(a->name, sizeof(a->name), xos_stmt_text(q, 1)) ||
	    !xos_str_copy(a->contact, sizeof(a->contact), xos_stmt_text(q, 2)) ||
	    !xos_str_copy(a->text, sizeof(a->text), xos_stmt_text(q, 3)) ||
	    !xos_str_copy(a->address, sizeof(a->address), xos_stmt_text(q, 4)) ||
	    !xos_str_copy(a->message, sizeof(a->message), xos_stmt_text(q, 7)) ||
	    secret.n != sizeof(a->secret))
		return xos_err_set(
		    err, XOS_INTERNAL, "application", "a stored application cannot be read");
	memcpy(a->secret, secret.p, sizeof(a->secret));
	a->at = xos_stmt_int(q, 5);
	a->taken = xos_stmt_int(q, 9) != 0;
	a->state = CA_DENIED;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(xos_stmt_text(q, 6), names[i]) == 0)
			a->state = (enum ca_application_state)i;
	return XOS_OK;
}

enum xos_status ca_application_get(
    struct ca_membership *m, const char *id, struct ca_application *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err, COLUMNS "WHERE a.id = ?1", "s", id);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK)
		st = row ? read_row(q, out, err)
		         : xos_err_set(err, XOS_NOT_FOUND, "no-application",
		               "there is no such application for VO %s", m->vo);
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_application_page(struct ca_membership *m, const char *after, size_t max,
    struct ca_application **out, size_t *n, struct xos_err *err)
{
	struct ca_application *list = calloc(max + 1, sizeof(*list));
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st;

	*n = 0;
	*out = list;
	if (!list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_sql_query(m->store, &q, err,
	    COLUMNS "WHERE a.state = 'pending' AND a.id > ?1 ORDER BY a.id LIMIT ?2", "si", after,
	    (int64_t)max);
	while (st == XOS_OK && *n < max && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = read_row(q, &list[(*n)++], err);
	xos_stmt_done(q);
	if (st != XOS_OK) {
		free(list);
		*out = NULL;
	}
	return st;
}

enum xos_status ca_application_verifier(
    struct ca_verifiers *v, const char *id, struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(v->store, &q, err, "SELECT verifier FROM applied WHERE id = ?1", "s", id);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK)
		st = row ? xos_scram_verifier_parse(xos_stmt_text(q, 0), out, err)
		         : xos_err_set(err, XOS_INTERNAL, "application",
		               "the password of the application is missing");
	xos_stmt_done(q);
	return st;
}

/* --- deciding, forgetting --- */

enum xos_status ca_application_decide(struct ca_membership *m, const char *id,
    enum ca_application_state state, const char *message, int64_t now, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(m->store, &changed, err,
	    "UPDATE applications SET state = ?2, message = ?3, decided = ?4"
	    " WHERE id = ?1 AND state = 'pending'",
	    "sssi", id, names[state], message, now);

	if (st == XOS_OK && !changed)
		st = xos_err_set(err, XOS_CONFLICT, "application-decided",
		    "the application was decided already");
	return st;
}

static enum xos_status forget_old(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(m->store, err);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "DELETE FROM applications WHERE (state = 'pending' AND at <= ?1)"
		    " OR (state <> 'pending' AND decided <= ?2)",
		    "ii", now - CA_APPLICATIONS_WAIT, now - CA_APPLICATIONS_TOLD);
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

static enum xos_status forget_verifier(
    struct ca_membership *m, struct ca_verifiers *v, const char *id, struct xos_err *err)
{
	int64_t waits = 0;
	enum xos_status st = xos_sql_int(m->store, &waits, err,
	    "SELECT COUNT(*) FROM applications WHERE id = ?1 AND state = 'pending'", "s", id);

	if (st == XOS_OK && !waits)
		st = xos_sql_run(v->store, NULL, err, "DELETE FROM applied WHERE id = ?1", "s", id);
	return st;
}

enum xos_status ca_applications_tidy(
    struct ca_membership *m, struct ca_verifiers *v, int64_t now, struct xos_err *err)
{
	struct ca_names ids = {NULL, 0};
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = forget_old(m, now, err);

	if (st == XOS_OK)
		st = xos_sql_query(v->store, &q, err, "SELECT id FROM applied", "");
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = ca_names_add(&ids, xos_stmt_text(q, 0), strlen(xos_stmt_text(q, 0)), err);
	xos_stmt_done(q);
	if (st == XOS_OK && ids.n)
		st = xos_store_begin(v->store, err);
	for (size_t i = 0; st == XOS_OK && i < ids.n; i++)
		st = forget_verifier(m, v, ids.item[i], err);
	if (st == XOS_OK && ids.n)
		st = xos_store_commit(v->store, err);
	xos_store_rollback(v->store);
	ca_names_free(&ids);
	return st;
}
