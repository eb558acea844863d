#include "ca/auth/totp.h"

#include <string.h>

#include "base/text.h"
#include "store/sql.h"

struct secret {
	uint8_t key[XOS_TOTP_SECRET_LEN];
	int64_t used;
};

/* NOT_FOUND without a text. */
static enum xos_status load(
    struct ca_verifiers *v, const char *member, struct secret *out, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	struct xos_buf key;
	bool row = false;
	enum xos_status st = xos_sql_query(v->store, &q, err,
	    "SELECT verifier, used FROM verifiers WHERE member = ?1 AND kind = 'totp'", "s",
	    member);

	xos_buf_init(&key, sizeof(out->key));
	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && !row)
		st = XOS_NOT_FOUND;
	if (st == XOS_OK) {
		const char *hex = xos_stmt_text(q, 0);

		if (xos_hex_decode(&key, hex, strlen(hex)) != XOS_OK || key.n != sizeof(out->key))
			st = xos_err_set(err, XOS_INTERNAL, "verifiers",
			    "the second factor of %s is damaged in the database of verifiers",
			    member);
	}
	if (st == XOS_OK) {
		memcpy(out->key, key.p, sizeof(out->key));
		out->used = xos_stmt_int(q, 1);
	}
	if (key.p)
		xos_wipe(key.p, key.n);
	xos_buf_free(&key);
	xos_stmt_done(q);
	return st;
}

enum xos_status ca_totp_enrolled(
    struct ca_verifiers *v, const char *member, bool *yes, struct xos_err *err)
{
	struct secret s;
	enum xos_status st = load(v, member, &s, err);

	*yes = st == XOS_OK;
	xos_wipe(&s, sizeof(s));
	return st == XOS_NOT_FOUND ? XOS_OK : st;
}

/* The database says no to a step that was used, also between two requests. */
static enum xos_status use(
    struct ca_verifiers *v, const char *member, int64_t step, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(v->store, &changed, err,
	    "UPDATE verifiers SET used = ?2 WHERE member = ?1 AND kind = 'totp'"
	    " AND (used IS NULL OR used < ?2)",
	    "si", member, step);

	return st == XOS_OK && changed != 1 ? XOS_NOT_FOUND : st;
}

enum xos_status ca_totp_take(
    struct ca_auth *a, const char *member, const char *code, int64_t now, struct xos_err *err)
{
	struct secret s;
	int64_t step = 0;
	enum xos_status st = ca_throttle_second_check(a->throttle, member, now, err);

	if (st != XOS_OK)
		return st;
	st = load(a->verifiers, member, &s, err);
	if (st == XOS_NOT_FOUND)
		return xos_err_set(err, XOS_DENIED, "totp-none",
		    "%s has no second factor here: log in without one", member);
	if (st == XOS_OK)
		st = xos_totp_find(s.key, code, now, s.used, &step);
	if (st == XOS_OK)
		st = use(a->verifiers, member, step, err);
	xos_wipe(&s, sizeof(s));
	if (st == XOS_NOT_FOUND) {
		ca_throttle_second_failed(a->throttle, member, now);
		return xos_err_set(err, XOS_DENIED, "totp-wrong",
		    "the code of the second factor is wrong, or was used already: wait for the "
		    "next one, and compare the clock of the device");
	}
	if (st == XOS_OK)
		ca_throttle_second_passed(a->throttle, member);
	return st;
}

enum xos_status ca_totp_required(struct ca_membership *m, const struct ca_member *member,
    int64_t now, char group[XOS_FQAN_MAX + 1], struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err,
	    "SELECT grp FROM totp_required WHERE demanded <= ?1 ORDER BY grp", "i", now);

	group[0] = '\0';
	while (st == XOS_OK && (st = xos_stmt_step(q, &row, err)) == XOS_OK && row && !group[0])
		if (ca_member_in_group(member, xos_stmt_text(q, 0)) &&
		    !xos_str_copy(group, XOS_FQAN_MAX + 1, xos_stmt_text(q, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "group-name", "a group's name is too long");
	xos_stmt_done(q);
	return st;
}

static enum xos_status required(struct ca_auth *a, const char *name, int64_t now,
    char group[XOS_FQAN_MAX + 1], struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(a->membership, name, &member, err);

	if (st == XOS_OK)
		st = ca_totp_required(a->membership, member, now, group, err);
	ca_member_free(member);
	return st;
}

static enum xos_status without(
    struct ca_auth *a, const char *member, bool enrolled, int64_t now, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1];
	enum xos_status st;

	if (enrolled)
		return xos_err_set(err, XOS_DENIED, "totp-needed",
		    "the password is right, and the code of the second factor is missing");
	st = required(a, member, now, group, err);
	if (st == XOS_OK && group[0])
		st = xos_err_set(err, XOS_DENIED, "totp-not-enrolled",
		    "members of %s must have a second factor: ask an administrator for a one-time "
		    "code, log in with xos-login --code %s, then xos-token totp enrol",
		    group, member);
	return st;
}

enum xos_status ca_totp_login(struct ca_auth *a, const char *member, enum xos_scram_kind kind,
    const char *totp, int64_t now, bool *mfa, struct xos_err *err)
{
	bool enrolled = false;
	enum xos_status st = ca_totp_enrolled(a->verifiers, member, &enrolled, err);

	*mfa = false;
	if (st != XOS_OK || (kind == XOS_SCRAM_CODE && !totp[0]))
		return st;
	if (!totp[0])
		return without(a, member, enrolled, now, err);
	st = ca_totp_take(a, member, totp, now, err);
	*mfa = st == XOS_OK;
	return st;
}

enum xos_status ca_totp_renewal(
    struct ca_auth *a, const char *member, bool mfa, int64_t now, struct xos_err *err)
{
	char group[XOS_FQAN_MAX + 1] = "";
	enum xos_status st = mfa ? XOS_OK : required(a, member, now, group, err);

	if (st == XOS_OK && group[0])
		st = xos_err_set(err, XOS_DENIED, "totp-needed",
		    "members of %s must have a second factor, and this token was given without: "
		    "log "
		    "in again",
		    group);
	return st;
}

/* --- enrolments --- */

struct ca_enrolment *ca_enrolment_get(struct ca_auth *a, const char *member, int64_t now)
{
	for (size_t i = 0; i < CA_ENROLMENTS; i++) {
		struct ca_enrolment *e = &a->enrolments[i];

		if (e->member[0] && strcmp(e->member, member) == 0 && e->until > now &&
		    e->until <= now + CA_ENROLMENT_LIFE)
			return e;
	}
	return NULL;
}

void ca_enrolment_put(
    struct ca_auth *a, const char *member, const uint8_t secret[XOS_TOTP_SECRET_LEN], int64_t now)
{
	struct ca_enrolment *place = &a->enrolments[0];

	/* The member's own, else a free one, else the oldest. */
	for (size_t i = 0; i < CA_ENROLMENTS; i++) {
		struct ca_enrolment *e = &a->enrolments[i];

		if (strcmp(e->member, member) == 0) {
			place = e;
			break;
		}
		if (e->until < place->until)
			place = e;
	}
	memset(place, 0, sizeof(*place));
	if (!xos_str_copy(place->member, sizeof(place->member), member))
		return;
	memcpy(place->secret, secret, sizeof(place->secret));
	place->until = now + CA_ENROLMENT_LIFE;
}
