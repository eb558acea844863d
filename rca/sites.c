/* Registered sites and their owners' terms. */
#include "rca/sites.h"

#include <string.h>

#include "base/clock.h"
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
		st = xos_sql_run(db, NULL, err, "DELETE FROM terms WHERE site = ?1", "s", site);
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

/* Names stand in one column with spaces between: no member's name has one. */
static enum xos_status split_approvers(
    const char *text, struct xos_admission *out, struct xos_err *err)
{
	for (out->napprovers = 0; text && *text; out->napprovers++) {
		size_t len = strcspn(text, " ");

		if (out->napprovers == XOS_ADMISSION_APPROVERS_MAX || len == 0 ||
		    len > XOS_MEMBER_MAX)
			return xos_err_set(
			    err, XOS_INTERNAL, "store-damaged", "bad terms in nodes.db");
		memcpy(out->approvers[out->napprovers], text, len);
		out->approvers[out->napprovers][len] = 0;
		text += len;
		text += *text == ' ';
	}
	return XOS_OK;
}

static enum xos_status read_row(struct xos_stmt *s, int64_t now, enum rca_terms *state,
    struct xos_admission *out, struct xos_err *err)
{
	out->serial = (uint64_t)xos_stmt_int(s, 0);
	out->expires = xos_stmt_int(s, 1);
	out->rescue = xos_stmt_int(s, 2);
	if (!xos_stmt_is_null(s, 4))
		*state = RCA_TERMS_REMOVED;
	else
		*state = now < out->expires ? RCA_TERMS_FORCE : RCA_TERMS_EXPIRED;
	return split_approvers(xos_stmt_text(s, 3), out, err);
}

enum xos_status rca_site_terms(struct xos_store *db, const char *site, int64_t now,
    enum rca_terms *state, struct xos_admission *out, struct xos_err *err)
{
	struct xos_admission terms = {.serial = 0};
	enum rca_terms found = RCA_TERMS_NONE;
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(db, &s, err,
	    "SELECT serial, expires, rescue, approvers, removed FROM terms"
	    " JOIN sites ON sites.site = terms.site WHERE terms.site = ?1",
	    "s", site);

	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && row)
		st = read_row(s, now, &found, &terms, err);
	xos_stmt_done(s);
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

enum xos_status rca_site_terms_put(struct xos_store *db, const struct xos_admission *terms,
    struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	struct xos_buf approvers;
	bool same = false;
	enum xos_status st = check_serial(db, terms, compact, &same, err);

	if (st != XOS_OK || same)
		return st;
	xos_buf_init(&approvers, XOS_ADMISSION_APPROVERS_MAX * (XOS_MEMBER_MAX + 1) + 1);
	for (size_t i = 0; i < terms->napprovers; i++)
		xos_buf_printf(&approvers, "%s%s", i ? " " : "", terms->approvers[i]);
	const char *text = xos_buf_str(&approvers);
	st =
	    text
	        ? xos_sql_run(db, NULL, err,
	              "INSERT INTO terms (site, serial, expires, rescue, approvers, compact, since)"
	              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (site) DO UPDATE SET"
	              " serial = excluded.serial, expires = excluded.expires,"
	              " rescue = excluded.rescue, approvers = excluded.approvers,"
	              " compact = excluded.compact, since = excluded.since",
	              "siiisbi", terms->site, (int64_t)terms->serial, terms->expires, terms->rescue,
	              text, compact, now)
	        : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_free(&approvers);
	return st;
}

static enum xos_status list_row(struct xos_stmt *s, struct xos_json *list, struct xos_err *err)
{
	struct xos_json *v = xos_json_object();
	struct xos_admission terms = {.serial = 0};
	const char *names[XOS_ADMISSION_APPROVERS_MAX];
	uint8_t digest[XOS_SHA256_LEN];
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = xos_sha256(xos_stmt_bytes(s, 1), digest);

	if (st != XOS_OK)
		xos_err_set(err, st, "digest", "SHA-256 failed");
	else
		st = split_approvers(xos_stmt_text(s, 7), &terms, err);
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
	    "SELECT sites.site, spki, author, sites.since, serial, expires, rescue, approvers"
	    " FROM sites LEFT JOIN terms ON terms.site = sites.site WHERE removed IS NULL"
	    " ORDER BY sites.site",
	    "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		st = list_row(s, list, err);
	xos_stmt_done(s);
	xos_json_set(doc, "sites", list);
	if (st != XOS_OK) {
		xos_json_free(doc);
		return st;
	}
	*out = doc;
	return XOS_OK;
}
