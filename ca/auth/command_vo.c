/* vo.describe, vo.set, vo.end, vo.close, vo.reopen */
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/membership/vo.h"
#include "store/sql.h"

static enum xos_status counts(struct ca_call *c, struct xos_err *err)
{
	static const struct {
		const char *key, *sql;
	} count[] = {
	    {"members",
	        "SELECT COUNT(*) FROM members WHERE state <> 'removed' AND kind <> 'sealed'"},
	    {"suspended", "SELECT COUNT(*) FROM members WHERE state = 'suspended'"},
	    {"sponsor_left", "SELECT COUNT(*) FROM members m JOIN members s ON s.number = m.sponsor"
	                     " WHERE m.state <> 'removed' AND s.state <> 'active'"},
	    {"groups", "SELECT COUNT(*) FROM vo_groups"},
	    {"acts", "SELECT COUNT(*) FROM acts"},
	};
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < sizeof(count) / sizeof(count[0]); i++) {
		int64_t n = 0;

		st = xos_sql_int(c->auth->membership->store, &n, err, count[i].sql, "");
		xos_json_set_int(c->result, count[i].key, n);
	}
	return st;
}

static enum xos_status describe(struct ca_call *c, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = xos_json_only(c->command->args, (const char *const[]){NULL}, err);

	if (st == XOS_OK)
		st = ca_vo_get(c->auth->membership, &vo, err);
	if (st != XOS_OK)
		return st;
	c->result = xos_json_object();
	xos_json_set_string(c->result, "vo", c->auth->vo);
	xos_json_set_text(c->result, "title", vo.title);
	xos_json_set_text(c->result, "contact", vo.contact);
	xos_json_set_string(c->result, "model", ca_vo_model_name(vo.model));
	if (vo.model == CA_OPEN)
		xos_json_set_int(c->result, "invited_life", vo.invited_life);
	xos_json_set_time(c->result, "created", vo.created);
	if (vo.ends < CA_NO_END)
		xos_json_set_time(c->result, "ends", vo.ends);
	if (vo.closed)
		xos_json_set_time(c->result, "closed", vo.closed);
	if (vo.rules)
		xos_json_set_int(c->result, "rules", (int64_t)vo.rules);
	if (vo.sealed)
		xos_json_set_time(c->result, "break_glass_sealed", vo.sealed);
	if (vo.unsealed)
		xos_json_set_time(c->result, "break_glass_used", vo.unsealed);
	xos_json_set_int(c->result, "iterations", c->auth->iterations);
	return counts(c, err);
}

/* A text that is there replaces the one that stands. */
static enum xos_status opt_text(
    struct ca_call *c, const char *key, char *out, size_t cap, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(c->command->args, key, cap - 1, &text, err);

	if (st != XOS_OK || !text)
		return st;
	if (!xos_str_copy(out, cap, text))
		return xos_err_set(err, XOS_MALFORMED, "json-field", "%s is too long", key);
	xos_text_clean(out);
	return XOS_OK;
}

static enum xos_status set(struct ca_call *c, struct xos_err *err)
{
	const char *model = NULL;
	struct ca_vo vo;
	enum xos_status st =
	    XOS_JSON_ONLY(c->command->args, err, "title", "contact", "model", "invited_life");

	if (st == XOS_OK)
		st = ca_vo_get(c->auth->membership, &vo, err);
	if (st == XOS_OK)
		st = opt_text(c, "title", vo.title, sizeof(vo.title), err);
	if (st == XOS_OK)
		st = opt_text(c, "contact", vo.contact, sizeof(vo.contact), err);
	if (st == XOS_OK)
		st = xos_json_opt_string(c->command->args, "model", 32, &model, err);
	if (st == XOS_OK && model)
		st = ca_vo_model_parse(model, &vo.model, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(c->command->args, "invited_life", CA_INVITED_LIFE_MIN,
		    CA_INVITED_LIFE_MAX, vo.invited_life, &vo.invited_life, err);
	return st == XOS_OK ? ca_vo_set(c->auth->membership, &vo, err) : st;
}

static enum xos_status end(struct ca_call *c, struct xos_err *err)
{
	int64_t ends = CA_NO_END;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "at");

	if (st == XOS_OK)
		st = xos_json_opt_time(c->command->args, "at", CA_NO_END, &ends, err);
	return st == XOS_OK ? ca_vo_end(c->auth->membership, ends, c->now, err) : st;
}

/* The name once more, as with everything that stops everybody: a slip of the finger does not name the VO. */
static enum xos_status close_vo(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "confirm");

	if (st == XOS_OK)
		st = ca_arg(c, "confirm", &name, err);
	if (st == XOS_OK && strcmp(name, c->auth->vo) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "vo-confirm",
		    "closing stops all members of VO %s: confirm it with the VO's name, not \"%s\"",
		    c->auth->vo, name);
	return st == XOS_OK ? ca_vo_close(c->auth->membership, c->now, err) : st;
}

static enum xos_status reopen(struct ca_call *c, struct xos_err *err)
{
	enum xos_status st = xos_json_only(c->command->args, (const char *const[]){NULL}, err);

	return st == XOS_OK ? ca_vo_reopen(c->auth->membership, c->now, err) : st;
}

static const struct ca_verb verbs[] = {
    {"vo.describe", false, true, describe},
    {"vo.set", true, false, set},
    {"vo.end", true, false, end},
    {"vo.close", true, false, close_vo},
    {"vo.reopen", true, false, reopen},
};
const struct ca_verbs ca_vo_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
