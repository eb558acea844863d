#include "ca/auth/invitations.h"

#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/membership/standing.h"
#include "ca/membership/vo.h"
#include "ca/auth/commands.h"
#include "store/sql.h"

void ca_invitation_clear(struct ca_invitation *i)
{
	free(i->groups);
	i->groups = NULL;
}

static enum xos_status check_room(
    struct ca_membership *m, const struct ca_invitation *i, struct xos_err *err)
{
	int64_t n = 0;
	enum xos_status st = xos_sql_int(m->store, &n, err,
	    "SELECT COUNT(*) FROM invitations WHERE sponsor = ?1 AND until > ?2", "ii",
	    (int64_t)i->number, i->at);

	if (st == XOS_OK && n >= CA_INVITATIONS_OWN)
		st = xos_err_set(err, XOS_LIMIT, "invitations",
		    "%d of your invitations wait already: xos-vo withdraw ends one",
		    CA_INVITATIONS_OWN);
	return st;
}

enum xos_status ca_invitation_add(
    struct ca_membership *m, const struct ca_invitation *i, bool bounded, struct xos_err *err)
{
	enum xos_status st = bounded ? check_room(m, i, err) : XOS_OK;

	/* Those that have ended leave no trace but their acts. */
	if (st == XOS_OK)
		st = xos_sql_run(
		    m->store, NULL, err, "DELETE FROM invitations WHERE until <= ?1", "i", i->at);
	if (st == XOS_OK)
		st = ca_member_name_free(m, i->name, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO invitations (name, sponsor, at, until, ends, life, groups, "
		    "contact)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    "siiiiiss", i->name, (int64_t)i->number, i->at, i->until, i->ends, i->life,
		    i->groups ? i->groups : "", i->contact);
	return st;
}

enum xos_status ca_invitation_remove(struct ca_membership *m, const char *name, struct xos_err *err)
{
	return xos_sql_run(
	    m->store, NULL, err, "DELETE FROM invitations WHERE name = ?1", "s", name);
}

/* --- looking up --- */

#define COLUMNS                                                                                    \
	"SELECT i.name, s.name, i.sponsor, i.at, i.until, i.ends, i.life, i.groups, i.contact"     \
	" FROM invitations i JOIN members s ON s.number = i.sponsor "

static enum xos_status read_row(struct xos_stmt *q, struct ca_invitation *i, struct xos_err *err)
{
	memset(i, 0, sizeof(*i));
	if (!xos_str_copy(i->name, sizeof(i->name), xos_stmt_text(q, 0)) ||
	    !xos_str_copy(i->sponsor, sizeof(i->sponsor), xos_stmt_text(q, 1)) ||
	    !xos_str_copy(i->contact, sizeof(i->contact), xos_stmt_text(q, 8)))
		return xos_err_set(
		    err, XOS_INTERNAL, "invitation", "a stored invitation cannot be read");
	i->number = (uint64_t)xos_stmt_int(q, 2);
	i->at = xos_stmt_int(q, 3);
	i->until = xos_stmt_int(q, 4);
	i->ends = xos_stmt_int(q, 5);
	i->life = xos_stmt_int(q, 6);
	i->groups = strdup(xos_stmt_text(q, 7));
	return i->groups ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status ca_invitation_get(struct ca_membership *m, const char *name, int64_t now,
    struct ca_invitation *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    m->store, &q, err, COLUMNS "WHERE i.name = ?1 AND i.until > ?2", "si", name, now);

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK)
		st = row ? read_row(q, out, err)
		         : xos_err_set(err, XOS_NOT_FOUND, "no-invitation",
		               "nobody is invited by the name \"%s\"", name);
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_invitation_page(struct ca_membership *m, const char *after, uint64_t sponsor,
    size_t max, int64_t now, struct ca_invitation **out, size_t *n, struct xos_err *err)
{
	struct ca_invitation *list = calloc(max + 1, sizeof(*list));
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st;

	*n = 0;
	*out = list;
	if (!list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_sql_query(m->store, &q, err,
	    COLUMNS "WHERE i.name > ?1 AND i.until > ?2 AND (?3 = 0 OR i.sponsor = ?3)"
	            " ORDER BY i.name LIMIT ?4",
	    "siii", after, now, (int64_t)sponsor, (int64_t)max);
	while (st == XOS_OK && *n < max && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row)
		st = read_row(q, &list[(*n)++], err);
	xos_stmt_done(q);
	if (st == XOS_OK)
		return st;
	for (size_t i = 0; i < *n; i++)
		ca_invitation_clear(&list[i]);
	free(list);
	*out = NULL;
	return st;
}

/* --- taking up --- */

static enum xos_status no_right(
    const struct ca_invitation *i, const char *what, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "sponsor-right",
	    "%s, who invited you, may not invite into %s any more: ask the VO's administrators",
	    i->sponsor, what);
}

/* What it took to invite it takes to bring in: a right that was taken away meanwhile leaves nothing behind. */
static enum xos_status check_right(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_member *sponsor, const struct ca_invitation *i, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1];

	xos_str_printf(group, sizeof(group), "/%s", m->vo);
	if (!i->groups[0])
		return vo->model == CA_OPEN || ca_member_administers(m->vo, sponsor, group)
		           ? XOS_OK
		           : no_right(i, group, err);
	for (const char *p = i->groups; *p;) {
		size_t n = strcspn(p, " ");

		if (n > XOS_FQAN_MAX)
			return xos_err_set(
			    err, XOS_INTERNAL, "invitation", "a stored invitation cannot be read");
		memcpy(group, p, n);
		group[n] = '\0';
		if (!ca_member_administers(m->vo, sponsor, group))
			return no_right(i, group, err);
		p += n + (p[n] == ' ');
	}
	return XOS_OK;
}

static enum xos_status check_sponsor(struct ca_membership *m, const struct ca_vo *vo,
    const struct ca_invitation *i, int64_t now, struct xos_err *err)
{
	struct ca_member *sponsor = NULL;
	enum xos_status st = ca_member_get(m, i->sponsor, &sponsor, err);

	if (st == XOS_OK && (ca_standing_check(m, sponsor, now, NULL) != XOS_OK ||
	                        ca_lock_check(m, sponsor, NULL, 0, now, NULL) != XOS_OK))
		st = xos_err_set(err, XOS_DENIED, "sponsor-left",
		    "%s, who invited you to VO %s, is no member in good standing any more: ask the "
		    "VO's administrators",
		    i->sponsor, m->vo);
	if (st == XOS_OK)
		st = check_right(m, vo, sponsor, i, err);
	ca_member_free(sponsor);
	return st;
}

static enum xos_status join_groups(
    struct ca_membership *m, const struct ca_invitation *i, int64_t now, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1];
	enum xos_status st = XOS_OK;

	for (const char *p = i->groups; st == XOS_OK && *p;) {
		size_t n = strcspn(p, " ");

		if (n > XOS_FQAN_MAX)
			return xos_err_set(
			    err, XOS_INTERNAL, "invitation", "a stored invitation cannot be read");
		memcpy(group, p, n);
		group[n] = '\0';
		st = ca_group_join(m, i->name, group, now, err);
		p += n + (p[n] == ' ');
	}
	return st;
}

static enum xos_status record(struct ca_membership *m, const struct ca_invitation *i,
    uint64_t number, int64_t now, struct xos_err *err)
{
	const struct ca_act act = {
	    .at = now, .actor = i->name, .number = number, .verb = "invitation.accept"};
	struct xos_json *args = xos_json_object();

	xos_json_set_string(args, "sponsor", i->sponsor);
	xos_json_set_int(args, "number", (int64_t)i->number);
	return ca_act_of(m, &act, args, err);
}

static enum xos_status make_member(
    struct ca_membership *m, const struct ca_invitation *i, int64_t now, struct xos_err *err)
{
	int64_t ends = i->life ? now + i->life : i->ends;
	uint64_t number = 0;
	enum xos_status st = ca_invitation_remove(m, i->name, err);

	if (st == XOS_OK)
		st = ca_member_add(m, i->name, now, &number, err);
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "UPDATE members SET sponsor = ?2, until = ?3, contact = ?4 WHERE number = ?1",
		    "iiis", (int64_t)number, (int64_t)i->number, ends, i->contact);
	if (st == XOS_OK)
		st = join_groups(m, i, now, err);
	return st == XOS_OK ? record(m, i, number, now, err) : st;
}

/* Is the code that was proven still the one that stands? It may have been replaced since the log-in began. */
static enum xos_status still_stands(struct ca_auth *a, const char *name,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err)
{
	struct xos_scram_verifier is;
	enum xos_status st = ca_verifiers_get(a->verifiers, name, XOS_SCRAM_CODE, now, &is, NULL);

	if (st == XOS_OK &&
	    (!xos_ct_equal(is.stored_key, proven->stored_key, sizeof(is.stored_key)) ||
	        !xos_ct_equal(is.server_key, proven->server_key, sizeof(is.server_key))))
		st = XOS_DENIED;
	if (st != XOS_OK)
		st = xos_err_set(err, XOS_DENIED, "credentials",
		    "log-in refused: this one-time code was used already, or has ended");
	xos_wipe(&is, sizeof(is));
	return st;
}

static enum xos_status admit(struct ca_auth *a, const struct ca_invitation *i,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err)
{
	struct ca_membership *m = a->membership;
	struct ca_vo vo;
	enum xos_status st = still_stands(a, i->name, proven, now, err);

	if (st == XOS_OK)
		st = ca_vo_get(m, &vo, err);
	if (st == XOS_OK)
		st = ca_vo_check(m, &vo, now, err);
	if (st == XOS_OK)
		st = check_sponsor(m, &vo, i, now, err);
	if (st == XOS_OK)
		st = xos_store_begin(m->store, err);
	if (st == XOS_OK)
		st = make_member(m, i, now, err);
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	if (st == XOS_OK)
		XOS_EVENT(
		    XOS_INFO, "invitation.accepted", "member", i->name, "sponsor", i->sponsor);
	return st;
}

enum xos_status ca_invitation_take_up(struct ca_auth *a, const char *name,
    const struct xos_scram_verifier *proven, int64_t now, struct xos_err *err)
{
	struct ca_invitation i = {.groups = NULL};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = ca_invitation_get(a->membership, name, now, &i, &why);

	if (st == XOS_OK)
		st = admit(a, &i, proven, now, err);
	else if (st == XOS_NOT_FOUND)
		st = XOS_OK;
	else
		*err = why;
	ca_invitation_clear(&i);
	return st;
}
