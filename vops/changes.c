#include "vops/changes.h"

#include <string.h>

#include "base/clock.h"
#include "policy/format.h"
#include "vops/candidate.h"
#include "vops/cases.h"
#include "vops/proposals.h"
#include "vops/versions.h"

#define COMMENT_MAX 500
#define AHEAD_MAX (400 * 86400) /* how far ahead a version is planned, seconds */

/* A version as it will be stored. */
struct plan {
	struct vops_version version;
	struct xos_buf text; /* what version.text points into, if the text is made here */
	int64_t until;       /* 0: no end */
};

static enum xos_status read_times(const struct vops_change *c, struct plan *p, struct xos_err *err)
{
	char text[XOS_TIME_TEXT];
	enum xos_status st = xos_json_opt_time(c->args, "at", c->now, &p->version.planned, err);

	if (st == XOS_OK)
		st = xos_json_opt_time(c->args, "until", 0, &p->until, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->args, "comment", COMMENT_MAX, &p->version.comment, err);
	if (st != XOS_OK)
		return st;
	/* An approval may come later than the time that was planned. */
	if (p->version.planned < c->now)
		p->version.planned = c->now;
	if (p->version.planned > c->now + AHEAD_MAX || p->until > c->now + AHEAD_MAX)
		return xos_err_set(err, XOS_MALFORMED, "version-time",
		    "nothing is planned more than 400 days ahead");
	if (p->until && p->until <= p->version.planned) {
		xos_time_format(p->version.planned, text);
		return xos_err_set(err, XOS_MALFORMED, "version-time",
		    "it would end before it begins, at %s", text);
	}
	return XOS_OK;
}

static enum xos_status check_head(
    const struct vops_auth *a, const struct xos_policy_set *set, struct xos_err *err)
{
	uint64_t serial = xos_policy_set_serial(set);

	if (xos_policy_set_level(set) != XOS_POLICY_VO)
		return xos_err_set(err, XOS_DENIED, "set-level",
		    "this is a set of level %s; an administrator pushes the VO's own. A site's "
		    "owner signs its set: xos-policy sign; groups and owners push with --group and "
		    "--owner",
		    xos_policy_level_name(xos_policy_set_level(set)));
	if (strcmp(xos_policy_set_name(set), a->conf->common.vo) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "this is a set of the VO %s, not of %s", xos_policy_set_name(set),
		    a->conf->common.vo);
	if (serial == 0 || serial >= INT64_MAX)
		return xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "the set needs a serial of 1 or more, raised with each change");
	return XOS_OK;
}

static enum xos_status read_push(
    struct vops_auth *a, const struct vops_change *c, struct plan *p, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct vops_candidate cand = {.now = c->now};
	const char *text = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(c->args, err, "text", "at", "until", "comment", "cases", "force");

	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (st == XOS_OK)
		st = read_times(c, p, err);
	if (st == XOS_OK)
		st = xos_json_opt_bool(c->args, "force", false, &cand.force, err);
	if (st == XOS_OK)
		st = xos_json_opt_array(c->args, "cases", VOPS_CASES_FILES_MAX, &cand.cases, err);
	if (st == XOS_OK)
		st = xos_policy_set_load(text, strlen(text), "pushed set", &set, err);
	if (st == XOS_OK)
		st = check_head(a, set, err);
	if (st == XOS_OK) {
		cand.set = set;
		cand.text = xos_bytes_str(text);
		p->version.kind = "push";
		p->version.serial = xos_policy_set_serial(set);
		p->version.text = xos_bytes_str(text);
		st = vops_candidate_check(a, &cand, err);
	}
	xos_policy_set_unref(set);
	return st;
}

/* What was in force once comes back under a higher serial. It was checked when it was pushed, and is the brake when
 * something newer went wrong: cases and abilities of today do not stop it. */
static enum xos_status read_rollback(
    struct vops_auth *a, const struct vops_change *c, struct plan *p, struct xos_err *err)
{
	enum vops_version_state state = VOPS_VERSION_PLANNED;
	struct xos_buf old;
	uint64_t serial = 0;
	bool returns = false;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "serial", "until", "comment");

	xos_buf_init(&old, XOS_POLICY_TEXT_MAX + 1);
	if (st == XOS_OK)
		st = xos_json_get_uint64(c->args, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK)
		st = read_times(c, p, err);
	if (st == XOS_OK)
		st = vops_version_state(a->db, serial, &state, &returns, err);
	if (st == XOS_OK && state != VOPS_VERSION_REPLACED)
		st = xos_err_set(err, XOS_CONFLICT, "not-replaced",
		    "the version %llu is %s: only one that was in force before can be put back",
		    (unsigned long long)serial, vops_version_state_name(state));
	if (st == XOS_OK)
		st = vops_vo_set_get(a->db, serial, &old, NULL, err);
	if (st == XOS_OK)
		st = vops_version_next(a->db, &p->version.serial, err);
	if (st == XOS_OK)
		st = xos_policy_renumber(
		    (const char *)old.p, old.n, p->version.serial, &p->text, err);
	p->version.kind = "rollback";
	p->version.text = xos_buf_bytes(&p->text);
	xos_buf_free(&old);
	return st;
}

/* What follows a version with an end: the text that will be in force before it, under the next serial. */
static enum xos_status add_return(struct vops_auth *a, const struct vops_change *c,
    const struct plan *p, uint64_t before, uint64_t *serial, struct xos_err *err)
{
	struct vops_version v = {.kind = "return",
	    .author = c->author,
	    .approver = c->approver,
	    .comment = p->version.comment,
	    .planned = p->until};
	struct xos_buf old, text;
	enum xos_status st = XOS_OK;

	xos_buf_init(&old, XOS_POLICY_TEXT_MAX + 1);
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 32);
	if (before == 0)
		st = xos_err_set(err, XOS_MALFORMED, "version-time",
		    "the first set of a VO has no end: there is none to go back to");
	if (st == XOS_OK)
		st = vops_vo_set_get(a->db, before, &old, NULL, err);
	if (st == XOS_OK)
		st = vops_version_next(a->db, &v.serial, err);
	if (st == XOS_OK)
		st = xos_policy_renumber((const char *)old.p, old.n, v.serial, &text, err);
	v.text = xos_buf_bytes(&text);
	if (st == XOS_OK)
		st = vops_version_add(a->db, &v, c->now, err);
	*serial = v.serial;
	xos_buf_free(&old);
	xos_buf_free(&text);
	return st;
}

static enum xos_status store(struct vops_auth *a, const struct vops_change *c, struct plan *p,
    struct xos_json **result, struct xos_err *err)
{
	uint64_t before = 0, returns = 0;
	enum xos_status st = vops_version_serial(a->db, p->version.planned, &before, err);

	p->version.author = c->author;
	p->version.approver = c->approver;
	if (st == XOS_OK)
		st = vops_version_add(a->db, &p->version, c->now, err);
	if (st == XOS_OK && p->until)
		st = add_return(a, c, p, before, &returns, err);
	if (st != XOS_OK)
		return st;
	*result = xos_json_object();
	xos_json_set_int(*result, "serial", (int64_t)p->version.serial);
	xos_json_set_string(*result, "state", p->version.planned > c->now ? "planned" : "in force");
	xos_json_set_time(*result, "from", p->version.planned);
	if (p->until) {
		xos_json_set_time(*result, "until", p->until);
		xos_json_set_int(*result, "then", (int64_t)returns);
	}
	return XOS_OK;
}

static enum xos_status do_version(struct vops_auth *a, const struct vops_change *c, bool *review,
    struct xos_json **result, struct xos_err *err)
{
	struct plan p = {.until = 0};

	xos_buf_init(&p.text, XOS_POLICY_TEXT_MAX + 32);
	enum xos_status st = strcmp(c->verb, "policy.push") == 0 ? read_push(a, c, &p, err)
	                                                         : read_rollback(a, c, &p, err);
	if (st == XOS_OK)
		st = store(a, c, &p, result, err);
	(void)review;
	xos_buf_free(&p.text);
	return st;
}

/* Nobody's consent is needed to keep a planned set from coming; what ends a set that was put in force until a
 * time is part of what was approved. */
static enum xos_status do_cancel(struct vops_auth *a, const struct vops_change *c, bool *review,
    struct xos_json **result, struct xos_err *err)
{
	enum vops_version_state state = VOPS_VERSION_PLANNED;
	uint64_t serial = 0;
	bool returns = false;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "serial");

	if (st == XOS_OK)
		st = xos_json_get_uint64(c->args, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK)
		st = vops_version_state(a->db, serial, &state, &returns, err);
	if (st == XOS_OK)
		st = vops_version_cancel(
		    a->db, serial, c->approver ? c->approver : c->author, c->now, err);
	if (st != XOS_OK)
		return st;
	*review = *review && returns;
	*result = xos_json_object();
	xos_json_set_int(*result, "serial", (int64_t)serial);
	xos_json_set_string(*result, "state", "cancelled");
	return XOS_OK;
}

static enum xos_status do_review(struct vops_auth *a, const struct vops_change *c, bool *review,
    struct xos_json **result, struct xos_err *err)
{
	int64_t needed = 0;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "needed");

	if (st == XOS_OK)
		st = xos_json_get_int64(c->args, "needed", 0, 1, &needed, err);
	if (st == XOS_OK)
		st = vops_review_set(a->db, needed != 0, c->author, c->now, err);
	if (st != XOS_OK)
		return st;
	*review = *review && needed == 0;
	*result = xos_json_object();
	xos_json_set_int(*result, "needed", needed);
	return XOS_OK;
}

static const struct {
	const char *verb;
	enum xos_status (*run)(struct vops_auth *a, const struct vops_change *c, bool *review,
	    struct xos_json **result, struct xos_err *err);
} changes[] = {
    {"policy.push", do_version},
    {"policy.rollback", do_version},
    {"policy.cancel", do_cancel},
    {"policy.review", do_review},
};

static enum xos_status run(struct vops_auth *a, const struct vops_change *c, bool *review,
    struct xos_json **result, struct xos_err *err)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].verb, c->verb) == 0)
			return changes[i].run(a, c, review, result, err);
	return xos_err_set(err, XOS_INTERNAL, "unknown-verb", "%s is no change", c->verb);
}

enum xos_status vops_change_try(struct vops_auth *a, const struct vops_change *c, bool *review,
    struct xos_json **result, struct xos_err *err)
{
	/* Done for trial and taken back: what is checked is then exactly what will be done. */
	enum xos_status st = vops_review_needed(a->db, review, err);

	if (st == XOS_OK)
		st = xos_store_exec(a->db, "SAVEPOINT trial", err);
	if (st != XOS_OK)
		return st;
	st = run(a, c, review, result, err);
	if (st == XOS_OK && !*review)
		return xos_store_exec(a->db, "RELEASE trial", err);
	if (st == XOS_OK)
		st = xos_store_exec(a->db, "ROLLBACK TO trial", err);
	return st; /* on failure the caller rolls all of it back */
}

enum xos_status vops_change_do(
    struct vops_auth *a, const struct vops_change *c, struct xos_json **result, struct xos_err *err)
{
	bool review = false;

	return run(a, c, &review, result, err);
}
