/* Registered sites and their owners' terms. */
#include "rca/sites.h"

#include <string.h>

#include "base/text.h"
#include "pki/digest.h"
#include "store/sql.h"

static enum xos_status no_site(const char *site, struct xos_err *err)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-site",
	    "the site %s is not registered here: a VO administrator registers it with its owner's "
	    "public key (xos-policy site add %s --key FILE)",
	    site, site);
}

/* *removed: is it no longer registered? NOT_FOUND, err untouched, if it never was. */
static enum xos_status key_of(struct xos_store *db, const char *site, struct xos_key **out,
    bool *removed, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT spki, removed FROM sites WHERE site = ?1", "s", site);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = XOS_NOT_FOUND;
	if (st == XOS_OK) {
		*removed = !xos_stmt_is_null(s, 1);
		st = xos_key_from_spki(xos_stmt_bytes(s, 0), out, err);
	}
	xos_stmt_done(s);
	return st;
}

enum xos_status rca_site_key(
    struct xos_store *db, const char *site, struct xos_key **out, struct xos_err *err)
{
	struct xos_key *key = NULL;
	bool removed = false;
	enum xos_status st = key_of(db, site, &key, &removed, err);

	if (st == XOS_NOT_FOUND || (st == XOS_OK && removed)) {
		xos_key_free(key);
		return no_site(site, err);
	}
	if (st == XOS_OK)
		*out = key;
	return st;
}

static enum xos_status insert(struct xos_store *db, const char *site, const struct xos_key *key,
    const char *by, int64_t now, struct xos_err *err)
{
	int64_t count = 0;
	enum xos_status st =
	    xos_sql_int(db, &count, err, "SELECT count(*) FROM sites WHERE removed IS NULL", "");

	if (st == XOS_OK && count >= RCA_SITES_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "sites-full", "the VO has %d sites already", RCA_SITES_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO sites (site, spki, author, since) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (site) DO UPDATE SET spki = excluded.spki,"
		    " author = excluded.author, since = excluded.since, removed = NULL",
		    "sbsi", site, xos_key_spki(key), by, now);
	return st;
}

static enum xos_status forget_terms(struct xos_store *db, const char *site, struct xos_err *err)
{
	enum xos_status st =
	    xos_sql_run(db, NULL, err, "DELETE FROM approvers WHERE site = ?1", "s", site);

	return st == XOS_OK
	           ? xos_sql_run(db, NULL, err, "DELETE FROM terms WHERE site = ?1", "s", site)
	           : st;
}

enum xos_status rca_site_add(struct xos_store *db, const char *site, const struct xos_key *key,
    const char *by, int64_t now, struct xos_err *err)
{
	struct xos_key *old = NULL;
	bool removed = false;
	enum xos_status st = key_of(db, site, &old, &removed, err);

	if (st == XOS_OK && !removed) {
		if (!xos_key_same(old, key))
			st = xos_err_set(err, XOS_CONFLICT, "site-taken",
			    "the site %s is registered with another key; remove it first if its "
			    "owner changed keys",
			    site);
		xos_key_free(old);
		return st;
	}
	if (st != XOS_OK && st != XOS_NOT_FOUND)
		return st;
	/* Terms are the word of a key: another owner begins without. */
	st = XOS_OK;
	if (old && !xos_key_same(old, key))
		st = forget_terms(db, site, err);
	if (st == XOS_OK)
		st = insert(db, site, key, by, now, err);
	xos_key_free(old);
	return st;
}

enum xos_status rca_site_remove(
    struct xos_store *db, const char *site, int64_t now, struct xos_err *err)
{
	int64_t changed = 0;
	enum xos_status st = xos_sql_run(db, &changed, err,
	    "UPDATE sites SET removed = ?2 WHERE site = ?1 AND removed IS NULL", "si", site, now);

	return st == XOS_OK && changed == 0 ? no_site(site, err) : st;
}

static enum xos_status read_approvers(
    struct xos_store *db, const char *site, struct xos_admission *out, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT member FROM approvers WHERE site = ?1 ORDER BY member", "s", site);

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		if (out->napprovers == XOS_ADMISSION_APPROVERS_MAX ||
		    !xos_str_copy(out->approvers[out->napprovers], sizeof(out->approvers[0]),
		        xos_stmt_text(s, 0)))
			st = xos_err_set(
			    err, XOS_INTERNAL, "store-damaged", "bad terms in nodes.db");
		else
			out->napprovers++;
	}
	xos_stmt_done(s);
	return st;
}

static void read_row(
    struct xos_stmt *s, int64_t now, enum rca_terms *state, struct xos_admission *out)
{
	out->serial = (uint64_t)xos_stmt_int(s, 0);
	out->expires = xos_stmt_int(s, 1);
	out->rescue = xos_stmt_int(s, 2);
	if (!xos_stmt_is_null(s, 3))
		*state = RCA_TERMS_REMOVED;
	else
		*state = now < out->expires ? RCA_TERMS_FORCE : RCA_TERMS_EXPIRED;
}

enum xos_status rca_site_terms(struct xos_store *db, const char *site, int64_t now,
    enum rca_terms *state, struct xos_admission *out, struct xos_err *err)
{
	struct xos_admission terms = {.serial = 0};
	enum rca_terms found = RCA_TERMS_NONE;
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT serial, expires, rescue, removed FROM terms"
	    " JOIN sites ON sites.site = terms.site WHERE terms.site = ?1",
	    "s", site);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row)
		read_row(s, now, &found, &terms);
	xos_stmt_done(s);
	if (st == XOS_OK && row)
		st = read_approvers(db, site, &terms, err);
	if (st != XOS_OK)
		return st;
	*state = found;
	if (out)
		*out = terms;
	return XOS_OK;
}

enum xos_status rca_site_rescue(
    struct xos_store *db, const char *site, int64_t now, int64_t *seconds, struct xos_err *err)
{
	struct xos_admission terms;
	enum rca_terms state = RCA_TERMS_NONE;
	enum xos_status st = rca_site_terms(db, site, now, &state, &terms, err);

	if (st == XOS_OK)
		*seconds = state == RCA_TERMS_FORCE ? terms.rescue : 0;
	return st;
}

/* *same: these very terms are kept already. */
static enum xos_status check_serial(struct xos_store *db, const struct xos_admission *terms,
    struct xos_bytes compact, bool *same, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(
	    db, &s, err, "SELECT serial, compact FROM terms WHERE site = ?1", "s", terms->site);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row) {
		int64_t last = xos_stmt_int(s, 0);

		*same = xos_bytes_eq(xos_stmt_bytes(s, 1), compact);
		if (!*same && terms->serial <= (uint64_t)last)
			st = xos_err_set(err, XOS_CONFLICT, "lower-serial",
			    "the terms of the site %s have the serial %llu, but %lld was seen "
			    "before: raise it above that",
			    terms->site, (unsigned long long)terms->serial, (long long)last);
	}
	xos_stmt_done(s);
	return st;
}

static enum xos_status put_approvers(
    struct xos_store *db, const struct xos_admission *terms, struct xos_err *err)
{
	enum xos_status st =
	    xos_sql_run(db, NULL, err, "DELETE FROM approvers WHERE site = ?1", "s", terms->site);

	for (size_t i = 0; st == XOS_OK && i < terms->napprovers; i++)
		st = xos_sql_run(db, NULL, err,
		    "INSERT INTO approvers (site, member) VALUES (?1, ?2)", "ss", terms->site,
		    terms->approvers[i]);
	return st;
}

enum xos_status rca_site_terms_put(struct xos_store *db, const struct xos_admission *terms,
    struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	bool same = false;
	enum xos_status st = check_serial(db, terms, compact, &same, err);

	if (st != XOS_OK || same)
		return st;
	st = xos_sql_run(db, NULL, err,
	    "INSERT INTO terms (site, serial, expires, rescue, compact, since)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (site) DO UPDATE SET"
	    " serial = excluded.serial, expires = excluded.expires, rescue = excluded.rescue,"
	    " compact = excluded.compact, since = excluded.since",
	    "siiibi", terms->site, (int64_t)terms->serial, terms->expires, terms->rescue, compact,
	    now);
	return st == XOS_OK ? put_approvers(db, terms, err) : st;
}

enum xos_status rca_site_named(
    struct xos_store *db, const char *member, bool *named, struct xos_err *err)
{
	int64_t one = 0;
	enum xos_status st = xos_sql_int(db, &one, err,
	    "SELECT 1 FROM approvers JOIN sites ON sites.site = approvers.site"
	    " WHERE member = ?1 AND removed IS NULL LIMIT 1",
	    "s", member);

	*named = st == XOS_OK;
	return st == XOS_NOT_FOUND ? XOS_OK : st;
}

static enum xos_status list_row(
    struct xos_store *db, struct xos_stmt *s, struct xos_json *list, struct xos_err *err)
{
	struct xos_json *v = xos_json_object();
	struct xos_admission terms = {.serial = 0};
	const char *names[XOS_ADMISSION_APPROVERS_MAX];
	uint8_t digest[XOS_SHA256_LEN] = {0};
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = xos_sha256(xos_stmt_bytes(s, 1), digest);

	if (st != XOS_OK)
		xos_err_set(err, st, "digest", "SHA-256 failed");
	else
		st = read_approvers(db, xos_stmt_text(s, 0), &terms, err);
	xos_fingerprint_text(digest, text);
	xos_json_set_string(v, "site", xos_stmt_text(s, 0));
	xos_json_set_string(v, "key", text);
	xos_json_set_string(v, "by", xos_stmt_text(s, 2));
	xos_json_set_time(v, "since", xos_stmt_int(s, 3));
	if (st == XOS_OK && !xos_stmt_is_null(s, 4)) {
		struct xos_json *t = xos_json_object();

		for (size_t i = 0; i < terms.napprovers; i++)
			names[i] = terms.approvers[i];
		xos_json_set_int(t, "serial", xos_stmt_int(s, 4));
		xos_json_set_time(t, "expires", xos_stmt_int(s, 5));
		xos_json_set_int(t, "rescue", xos_stmt_int(s, 6));
		xos_json_set_strings(t, "approvers", names, terms.napprovers);
		xos_json_set(v, "terms", t);
	}
	xos_json_add(list, v);
	return st;
}

enum xos_status rca_site_list(struct xos_store *db, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT sites.site, spki, author, sites.since, serial, expires, rescue"
	    " FROM sites LEFT JOIN terms ON terms.site = sites.site WHERE removed IS NULL"
	    " ORDER BY sites.site",
	    "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		st = list_row(db, s, list, err);
	xos_stmt_done(s);
	xos_json_set(doc, "sites", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}
