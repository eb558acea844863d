#include "jobs/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"

#define LEAST 1000 /* below are the system's own accounts and groups */

static enum xos_status refuse(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_DENIED, "no-account",
	    "xos-credd gives the job %s; see `xos-node accounts`", what);
}

static bool home_ok(const char *s)
{
	return s[0] == '/' && s[1] && !strstr(s, "//") && !strstr(s, "/../") && !strstr(s, "/./");
}

enum xos_status xos_lease_decode(struct xos_bytes json, struct xos_lease *out, struct xos_err *err)
{
	struct xos_lease l = {.isolated = false};
	struct xos_json *doc = NULL;
	const struct xos_json *groups = NULL;
	const char *home = NULL;
	enum xos_status st = xos_json_parse(json, XOS_LOCAL_TEXT_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "isolated", &l.isolated, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "groups", XOS_LAUNCH_GROUPS, &groups, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "home", 1024, &home, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(groups); i++) {
		int64_t gid = 0;

		st = xos_json_as_int64(xos_json_at(groups, i), LEAST, INT32_MAX, &gid, err);
		l.groups[l.ngroups++] = (gid_t)gid;
	}
	if (st == XOS_OK && home && !home_ok(home))
		st = refuse(err, "a home that is no absolute path");
	if (st == XOS_OK) {
		*out = l;
		out->home = home ? strdup(home) : NULL;
		if (home && !out->home)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	xos_json_free(doc);
	return st;
}

enum xos_status xos_lease_take(
    struct xos_local *credd, const char *id, struct xos_lease *out, struct xos_err *err)
{
	struct xos_local_lease answer = {.json = NULL};
	struct xos_lease l = {.isolated = false};
	enum xos_status st = xos_local_lease(credd, id, &answer, err);

	if (st == XOS_OK)
		st = xos_lease_decode(xos_bytes_str(answer.json), &l, err);
	if (st == XOS_OK &&
	    (!answer.account.present || answer.account.uid < LEAST || answer.account.gid < LEAST))
		st = refuse(err, "no account, or one of the system's");
	l.account = answer.account;
	xos_local_lease_free(&answer);
	if (st == XOS_OK)
		*out = l;
	else
		xos_lease_free(&l);
	return st;
}

void xos_lease_free(struct xos_lease *l)
{
	if (!l)
		return;
	free(l->home);
	*l = (struct xos_lease){.isolated = false};
}

static enum xos_status read_one(
    const struct xos_json *o, struct xos_leased *out, struct xos_err *err)
{
	uint64_t uid = 0;
	enum xos_status st = xos_json_get_uint64(o, "uid", INT32_MAX, &uid, err);

	if (st == XOS_OK)
		st = xos_json_copy_string(o, "job", out->job, sizeof(out->job), err);
	if (st == XOS_OK && (uid < LEAST || !xos_local_job_valid(out->job)))
		st = xos_err_set(err, XOS_MALFORMED, "lease", "xos-credd tells of no lease");
	out->uid = (uint32_t)uid;
	out->held = xos_json_has(o, "held");
	return st;
}

enum xos_status xos_leases_page(struct xos_local *credd, int64_t after, struct xos_leased *out,
    size_t max, size_t *n, bool *more, struct xos_err *err)
{
	char question[48] = "{}", *text = NULL;
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st;

	if (after >= 0)
		xos_str_printf(question, sizeof(question), "{\"after\":%lld}", (long long)after);
	st = xos_local_leases(credd, xos_bytes_str(question), &text, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_bytes_str(text), XOS_LOCAL_PEM_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "leases", max, &list, err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "more", more, err);
	*n = 0;
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = read_one(xos_json_at(list, i), &out[(*n)++], err);
	xos_json_free(doc);
	free(text);
	return st;
}

enum xos_status xos_lease_end(
    struct xos_local *credd, const char *id, const char *left, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, 4096);
	xos_json_set_text(doc, "left", left);
	st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = xos_local_lease_end(credd, id, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}
