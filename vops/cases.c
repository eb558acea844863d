#include "vops/cases.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cases/run.h"
#include "store/sql.h"

static bool name_ok(const char *s)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(s);

	return n > 0 && n <= VOPS_CASES_NAME_MAX && s[0] != '.' && s[0] != '-' && s[0] != '_' &&
	       strspn(s, letters) == n;
}

/* --- running --- */

struct run {
	const struct xos_cases_ground *ground;
	int64_t now;
	size_t failed;
	struct xos_err *first; /* of the first that failed */
};

static void told(void *arg, const struct xos_cases_outcome *o)
{
	struct run *r = arg;

	if (o->passed || r->failed++)
		return;
	xos_err_set(r->first, XOS_DENIED, "case-failed",
	    "%s:%u: the case \"%.100s\" fails: %.100s, but what came is %.250s", o->file->path,
	    o->one->line, o->one->name, o->expected[0], o->got[0]);
}

static enum xos_status parse(
    const char *name, struct xos_bytes text, struct xos_cases **out, struct xos_err *err)
{
	enum xos_status st = xos_cases_parse((const char *)text.p, text.n, name, out, err);

	if (st == XOS_OK && (*out)->ndelegations) {
		xos_cases_free(*out);
		*out = NULL;
		st = xos_err_set(err, XOS_MALFORMED, "cases-malformed",
		    "%s names files of delegations, which do not travel: run such cases with "
		    "xos-policy test",
		    name);
	}
	return st;
}

static enum xos_status run_text(
    struct run *r, const char *name, struct xos_bytes text, struct xos_err *err)
{
	struct xos_cases *cases = NULL;
	size_t before = r->failed;
	enum xos_status st = parse(name, text, &cases, err);

	r->first = err;
	if (st == XOS_OK)
		st = xos_cases_run(r->ground, cases, r->now, told, r, err);
	xos_cases_free(cases);
	return st == XOS_OK && r->failed > before ? XOS_DENIED : st;
}

static enum xos_status run_kept(struct vops_auth *a, struct run *r, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st =
	    xos_sql_query(a->db, &s, err, "SELECT name, text FROM cases ORDER BY name", "");

	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row)
		st = run_text(r, xos_stmt_text(s, 0), xos_stmt_bytes(s, 1), err);
	xos_stmt_done(s);
	return st;
}

static enum xos_status get_file(
    const struct xos_json *v, const char **name, const char **text, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(v, err, "name", "text");

	if (st == XOS_OK)
		st = xos_json_get_string(v, "name", VOPS_CASES_NAME_MAX, name, err);
	if (st == XOS_OK && !name_ok(*name))
		st = xos_json_refuse(v, err,
		    "\"%s\" is no name for cases: letters, digits, '.', '_' and '-'", *name);
	if (st == XOS_OK)
		st = xos_json_get_string(v, "text", VOPS_CASES_TEXT_MAX, text, err);
	return st;
}

enum xos_status vops_cases_run(struct vops_auth *a, const struct xos_json *travelling,
    const struct xos_policy *policy, const struct xos_policy *trial, int64_t now,
    struct xos_err *err)
{
	const struct xos_cases_ground ground = {
	    .policy = policy, .trial = trial, .deadline_ms = xos_clock_mono_ms() + VOPS_CASES_MS};
	struct run r = {.ground = &ground, .now = now};
	enum xos_status st = run_kept(a, &r, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(travelling); i++) {
		const char *name = NULL, *text = NULL;

		st = get_file(xos_json_at(travelling, i), &name, &text, err);
		if (st == XOS_OK)
			st = run_text(&r, name, xos_bytes_str(text), err);
	}
	return st;
}

/* --- verbs --- */

enum xos_status vops_cases_set(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *name = NULL, *text = NULL;
	struct xos_cases *cases = NULL;
	int64_t others = 0;
	enum xos_status st = get_file(c->args, &name, &text, err);

	if (st == XOS_OK)
		st = parse(name, xos_bytes_str(text), &cases, err);
	if (st == XOS_OK)
		st = xos_sql_int(
		    a->db, &others, err, "SELECT count(*) FROM cases WHERE name <> ?1", "s", name);
	if (st == XOS_OK && others >= (int64_t)VOPS_CASES_FILES_MAX)
		st = xos_err_set(err, XOS_LIMIT, "cases-full",
		    "the VO keeps %u files of cases already", VOPS_CASES_FILES_MAX);
	if (st == XOS_OK)
		st = xos_sql_run(a->db, NULL, err,
		    "INSERT INTO cases (name, text, author, since) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (name) DO UPDATE SET text = excluded.text,"
		    " author = excluded.author, since = excluded.since",
		    "sbsi", name, xos_bytes_str(text), c->signer->claims->name, xos_clock_now());
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "name", name);
		xos_json_set_int(*result, "cases", (int64_t)cases->n);
	}
	xos_cases_free(cases);
	return st;
}

static enum xos_status get_name(const struct xos_command *c, const char **name, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "name");

	return st == XOS_OK ? xos_json_get_string(c->args, "name", VOPS_CASES_NAME_MAX, name, err)
	                    : st;
}

static enum xos_status no_cases(const char *name, struct xos_err *err)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-cases",
	    "the VO keeps no cases of the name %s (xos-policy cases list)", name);
}

enum xos_status vops_cases_remove(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *name = NULL;
	int64_t changed = 0;
	enum xos_status st = get_name(c, &name, err);

	(void)result;
	if (st == XOS_OK)
		st = xos_sql_run(
		    a->db, &changed, err, "DELETE FROM cases WHERE name = ?1", "s", name);
	return st == XOS_OK && changed == 0 ? no_cases(name, err) : st;
}

enum xos_status vops_cases_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	struct xos_stmt *s = NULL;
	bool row = false;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	if (st == XOS_OK)
		st = xos_sql_query(a->db, &s, err,
		    "SELECT name, author, since, length(text) FROM cases ORDER BY name", "");
	while (st == XOS_OK && (st = xos_stmt_step(s, &row, err)) == XOS_OK && row) {
		struct xos_json *v = xos_json_object();

		xos_json_set_string(v, "name", xos_stmt_text(s, 0));
		xos_json_set_string(v, "by", xos_stmt_text(s, 1));
		xos_json_set_time(v, "since", xos_stmt_int(s, 2));
		xos_json_set_int(v, "bytes", xos_stmt_int(s, 3));
		xos_json_add(list, v);
	}
	xos_stmt_done(s);
	xos_json_set(doc, "cases", list);
	if (st == XOS_OK)
		*result = doc;
	else
		xos_json_free(doc);
	return st;
}

enum xos_status vops_cases_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *name = NULL;
	struct xos_stmt *s = NULL;
	struct xos_buf text;
	bool row = false;
	enum xos_status st = get_name(c, &name, err);

	xos_buf_init(&text, VOPS_CASES_TEXT_MAX + 1);
	if (st == XOS_OK)
		st = xos_sql_query(
		    a->db, &s, err, "SELECT text FROM cases WHERE name = ?1", "s", name);
	if (st == XOS_OK)
		st = xos_stmt_step(s, &row, err);
	if (st == XOS_OK && !row)
		st = no_cases(name, err);
	if (st == XOS_OK) {
		struct xos_bytes b = xos_stmt_bytes(s, 0);

		xos_buf_put(&text, b.p, b.n);
		*result = xos_json_object();
		xos_json_set_string(*result, "name", name);
		xos_json_set_string(*result, "text", xos_buf_str(&text));
	}
	xos_stmt_done(s);
	xos_buf_free(&text);
	return st;
}
