/* The VO itself: its description, its model, its end. */
#include "ca/membership/vo.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/sql.h"

const char *ca_vo_model_name(enum ca_vo_model model)
{
	return model == CA_OPEN ? "open" : "administered";
}

enum xos_status ca_vo_model_parse(const char *text, enum ca_vo_model *out, struct xos_err *err)
{
	if (strcmp(text, "administered") == 0)
		*out = CA_ADMINISTERED;
	else if (strcmp(text, "open") == 0)
		*out = CA_OPEN;
	else if (strcmp(text, "federated") == 0)
		return xos_err_set(err, XOS_MALFORMED, "vo-model",
		    "a federated VO needs a gateway that vouches for the members of an "
		    "institution; this authority has none: choose administered or open");
	else
		return xos_err_set(err, XOS_MALFORMED, "vo-model",
		    "\"%s\" is no model of a VO: administered or open", text);
	return XOS_OK;
}

static enum xos_status read_row(struct xos_stmt *q, struct ca_vo *vo, struct xos_err *err)
{
	vo->created = xos_stmt_int(q, 0);
	vo->ends = xos_stmt_int(q, 4);
	vo->closed = xos_stmt_int(q, 5);
	vo->invited_life = xos_stmt_int(q, 6);
	vo->rules = (uint64_t)xos_stmt_int(q, 7);
	vo->sealed = xos_stmt_int(q, 8);
	vo->unsealed = xos_stmt_int(q, 9);
	/* What cannot be read opens nothing: administered is the stricter one. */
	vo->model = strcmp(xos_stmt_text(q, 3), "open") == 0 ? CA_OPEN : CA_ADMINISTERED;
	if (!xos_str_copy(vo->title, sizeof(vo->title), xos_stmt_text(q, 1)) ||
	    !xos_str_copy(vo->contact, sizeof(vo->contact), xos_stmt_text(q, 2)))
		return xos_err_set(
		    err, XOS_INTERNAL, "vo", "the stored description of the VO is too long");
	return XOS_OK;
}

enum xos_status ca_vo_get(struct ca_membership *m, struct ca_vo *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT created, title, contact, model, ends, closed, invited_life, rules,"
	    " sealed, unsealed FROM vo",
	    "");

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && !row)
		st = xos_err_set(err, XOS_INTERNAL, "vo", "the database describes no VO");
	if (st == XOS_OK)
		st = read_row(q, out, err);
	xos_stmt_done(q);
	return st;
}

static enum xos_status refuse_ended(
    const struct ca_membership *m, const struct ca_vo *vo, enum xos_status st, struct xos_err *err)
{
	char end[XOS_TIME_TEXT];

	xos_time_format(vo->ends, end);
	return xos_err_set(err, st, "vo-ended", "VO %s ended at %s%s%s", m->vo, end,
	    vo->contact[0] ? ": ask " : "", vo->contact);
}

enum xos_status ca_vo_check(
    const struct ca_membership *m, const struct ca_vo *vo, int64_t now, struct xos_err *err)
{
	if (vo->ends <= now)
		return refuse_ended(m, vo, XOS_DENIED, err);
	if (vo->closed)
		return xos_err_set(err, XOS_DENIED, "vo-closed",
		    "VO %s is closed: only its administrators can log in%s%s", m->vo,
		    vo->contact[0] ? "; ask " : "", vo->contact);
	return XOS_OK;
}

/* --- changing --- */

enum xos_status ca_vo_set(struct ca_membership *m, const struct ca_vo *vo, struct xos_err *err)
{
	return xos_sql_run(m->store, NULL, err,
	    "UPDATE vo SET title = ?1, contact = ?2, model = ?3, invited_life = ?4", "sssi",
	    vo->title, vo->contact, ca_vo_model_name(vo->model), vo->invited_life);
}

static enum xos_status not_ended(
    struct ca_membership *m, struct ca_vo *vo, int64_t now, struct xos_err *err)
{
	enum xos_status st = ca_vo_get(m, vo, err);

	return st == XOS_OK && vo->ends <= now ? refuse_ended(m, vo, XOS_CONFLICT, err) : st;
}

/* Nodes learn from the roster, in which nobody of a VO that is closed or over is active. */
static enum xos_status new_roster(struct ca_membership *m, struct xos_err *err)
{
	uint64_t version = 0;

	return ca_counter_next(m, "roster", &version, err);
}

enum xos_status ca_vo_end(struct ca_membership *m, int64_t ends, int64_t now, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = not_ended(m, &vo, now, err);

	if (st == XOS_OK && ends <= now)
		st = xos_err_set(err, XOS_MALFORMED, "vo-end",
		    "the end must be in the future; xos-vo close closes a VO at once");
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err, "UPDATE vo SET ends = ?1", "i", ends);
	return st == XOS_OK ? new_roster(m, err) : st;
}

enum xos_status ca_vo_close(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = not_ended(m, &vo, now, err);

	if (st == XOS_OK && vo.closed)
		st = xos_err_set(err, XOS_CONFLICT, "vo-closed", "VO %s is closed already", m->vo);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err, "UPDATE vo SET closed = ?1", "i", now);
	return st == XOS_OK ? new_roster(m, err) : st;
}

enum xos_status ca_vo_reopen(struct ca_membership *m, int64_t now, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = not_ended(m, &vo, now, err);

	if (st == XOS_OK && !vo.closed)
		st = xos_err_set(err, XOS_CONFLICT, "vo-open", "VO %s is not closed", m->vo);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err, "UPDATE vo SET closed = 0", "");
	return st == XOS_OK ? new_roster(m, err) : st;
}
