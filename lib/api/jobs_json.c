#include <stdlib.h>
#include <string.h>

#include "api/jobs.h"
#include "base/text.h"

static struct {
	enum xos_job_state state;
	const char *name;
} const states[] = {
    {XOS_JOB_WAITING, "waiting"},
    {XOS_JOB_RUNNING, "running"},
    {XOS_JOB_DONE, "done"},
    {XOS_JOB_CANCELLED, "cancelled"},
    {XOS_JOB_FAILED, "failed"},
};
#define NSTATES (sizeof(states) / sizeof(states[0]))

const char *xos_job_state_name(enum xos_job_state state)
{
	for (size_t i = 0; i < NSTATES; i++)
		if (states[i].state == state)
			return states[i].name;
	return "unknown";
}

struct xos_json *xos_job_spec_to_json(const struct xos_job_spec *s)
{
	struct xos_json *doc = xos_json_object(), *args = xos_json_array(),
	                *env = xos_json_object();

	for (size_t i = 0; i < s->nargs; i++)
		xos_json_add_string(args, s->argv[i]);
	for (size_t i = 0; i < s->nenv; i++) {
		const char *eq = strchr(s->env[i], '=');
		char *name = strndup(s->env[i], (size_t)(eq - s->env[i]));

		if (!name) {
			xos_json_free(doc);
			xos_json_free(args);
			xos_json_free(env);
			return NULL;
		}
		xos_json_set_string(env, name, eq + 1);
		free(name);
	}
	xos_json_set_bytes(doc, "nonce", (struct xos_bytes){s->nonce, sizeof(s->nonce)});
	xos_json_set(doc, "argv", args);
	xos_json_set(doc, "env", env);
	if (s->name[0])
		xos_json_set_string(doc, "name", s->name);
	if (s->wall)
		xos_json_set_int(doc, "wall", s->wall);
	return doc;
}

static enum xos_status take_env(
    const struct xos_json *doc, struct xos_job_spec *s, struct xos_err *err)
{
	const struct xos_json *env = NULL, *value;
	const char *key, *text;
	void *it = NULL;
	enum xos_status st = xos_json_opt_object(doc, "env", &env, err);

	if (st == XOS_OK && env && xos_json_count(env) > XOS_JOB_ENV_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-environment",
		    "a job takes at most %d variables", XOS_JOB_ENV_MAX);
	while (st == XOS_OK && env && xos_json_next(env, &it, &key, &value)) {
		struct xos_buf b;

		st = xos_json_as_string(value, XOS_JOB_SPEC_MAX, &text, err);
		if (st == XOS_OK && strchr(key, '='))
			st = xos_json_refuse(value, err, "a variable's name has no '='");
		if (st != XOS_OK)
			break;
		xos_buf_init(&b, 2 * XOS_JOB_SPEC_MAX);
		xos_buf_printf(&b, "%s=%s", key, text);
		if (!xos_buf_str(&b))
			st = xos_err_set(err, XOS_LIMIT, "job-too-long", "env: too long");
		else
			st = xos_job_spec_env(s, xos_buf_str(&b), err);
		xos_buf_free(&b);
	}
	return st;
}

static enum xos_status take_spec(
    const struct xos_json *doc, struct xos_job_spec *s, struct xos_err *err)
{
	const char *name = NULL, **args = NULL;
	struct xos_buf nonce;
	size_t n = 0;
	enum xos_status st;

	xos_buf_init(&nonce, XOS_JOB_NONCE);
	st = XOS_JSON_ONLY(doc, err, "nonce", "argv", "env", "name", "wall");
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "nonce", XOS_JOB_NONCE, &nonce, err);
	if (st == XOS_OK && nonce.n != XOS_JOB_NONCE)
		st = xos_json_refuse(doc, err, "nonce: expected 16 bytes");
	if (st == XOS_OK)
		st = xos_json_get_strings(
		    doc, "argv", XOS_JOB_ARGS_MAX, XOS_JOB_SPEC_MAX, &args, &n, err);
	if (st == XOS_OK)
		memcpy(s->nonce, nonce.p, nonce.n);
	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = xos_job_spec_arg(s, args[i], err);
	if (st == XOS_OK)
		st = take_env(doc, s, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "name", XOS_JOB_NAME_MAX, &name, err);
	if (st == XOS_OK && name && !xos_str_copy(s->name, sizeof(s->name), name))
		st = xos_json_refuse(doc, err, "name: too long");
	if (st == XOS_OK)
		st = xos_json_opt_int64(doc, "wall", 1, XOS_JOB_WALL_MAX, 0, &s->wall, err);
	if (st == XOS_OK)
		st = xos_job_spec_check(s, err);
	free(args);
	xos_buf_free(&nonce);
	return st;
}

enum xos_status xos_job_spec_from_json(const struct xos_json *doc, const char *vo, const char *node,
    struct xos_job_spec **out, struct xos_err *err)
{
	struct xos_job_spec *s = NULL;
	enum xos_status st;

	*out = NULL;
	st = xos_job_spec_new(vo, node, &s, err);
	if (st == XOS_OK)
		st = take_spec(doc, s, err);
	if (st != XOS_OK) {
		xos_job_spec_free(s);
		return st;
	}
	*out = s;
	return XOS_OK;
}

static void set_time(struct xos_json *doc, const char *key, int64_t t)
{
	if (t)
		xos_json_set_time(doc, key, t);
}

struct xos_json *xos_job_info_to_json(const struct xos_job_info *i)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_string(doc, "id", i->id);
	xos_json_set_string(doc, "node", i->node);
	xos_json_set_string(doc, "member", i->member);
	xos_json_set_text(doc, "name", i->name);
	xos_json_set_text(doc, "command", i->command);
	if (i->via[0])
		xos_json_set_string(doc, "via", i->via);
	xos_json_set_string(doc, "state", xos_job_state_name(i->state));
	xos_json_set_bool(doc, "ran", i->ran);
	if (i->code >= 0)
		xos_json_set_int(doc, "exit_code", i->code);
	if (i->signal >= 0)
		xos_json_set_int(doc, "signal", i->signal);
	if (i->cause[0])
		xos_json_set_string(doc, "cause", i->cause);
	if (i->text[0])
		xos_json_set_text(doc, "text", i->text);
	set_time(doc, "submitted", i->submitted);
	set_time(doc, "started", i->started);
	set_time(doc, "ended", i->ended);
	set_time(doc, "credential_until", i->credential_until);
	if (i->renew_state[0])
		xos_json_set_string(doc, "renew_state", i->renew_state);
	set_time(doc, "renews_until", i->renews_until);
	set_time(doc, "renew_failing_since", i->renew_failing_since);
	if (i->renew_text[0])
		xos_json_set_text(doc, "renew_text", i->renew_text);
	if (i->wall)
		xos_json_set_int(doc, "wall", i->wall);
	set_time(doc, "frozen_since", i->frozen_since);
	if (i->draining)
		xos_json_set_bool(doc, "draining", true);
	set_time(doc, "stops_at", i->stops_at);
	if (i->standing_text[0])
		xos_json_set_text(doc, "standing_text", i->standing_text);
	if (i->dropped_stdout)
		xos_json_set_int(doc, "dropped_stdout", (int64_t)i->dropped_stdout);
	if (i->dropped_stderr)
		xos_json_set_int(doc, "dropped_stderr", (int64_t)i->dropped_stderr);
	return doc;
}

static enum xos_status opt_text(
    const struct xos_json *doc, const char *key, char *out, size_t cap, struct xos_err *err)
{
	const char *s = NULL;
	enum xos_status st = xos_json_opt_string(doc, key, cap - 1, &s, err);

	if (st == XOS_OK && !xos_str_copy(out, cap, s ? s : ""))
		st = xos_json_refuse(doc, err, "%s: too long", key);
	return st;
}

static enum xos_status take_state(
    const struct xos_json *doc, struct xos_job_info *i, struct xos_err *err)
{
	char name[16];
	enum xos_status st = xos_json_copy_string(doc, "state", name, sizeof(name), err);

	for (size_t s = 0; st == XOS_OK && s < NSTATES; s++)
		if (strcmp(states[s].name, name) == 0)
			i->state = states[s].state;
	if (st == XOS_OK && !i->state)
		st = xos_json_refuse(doc, err, "state: \"%s\" is not known", name);
	return st;
}

static enum xos_status take_numbers(
    const struct xos_json *doc, struct xos_job_info *i, struct xos_err *err)
{
	int64_t code = -1, sig = -1;
	enum xos_status st = xos_json_opt_int64(doc, "exit_code", 0, 255, -1, &code, err);

	if (st == XOS_OK)
		st = xos_json_opt_int64(doc, "signal", 1, 127, -1, &sig, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "submitted", 0, &i->submitted, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "started", 0, &i->started, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "ended", 0, &i->ended, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "credential_until", 0, &i->credential_until, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(doc, "wall", 0, INT64_MAX, 0, &i->wall, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(
		    doc, "dropped_stdout", INT64_MAX, 0, &i->dropped_stdout, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(
		    doc, "dropped_stderr", INT64_MAX, 0, &i->dropped_stderr, err);
	i->code = (int)code;
	i->signal = (int)sig;
	return st;
}

static enum xos_status take_renewal(
    const struct xos_json *doc, struct xos_job_info *i, struct xos_err *err)
{
	enum xos_status st =
	    opt_text(doc, "renew_state", i->renew_state, sizeof(i->renew_state), err);

	if (st == XOS_OK)
		st = opt_text(doc, "renew_text", i->renew_text, sizeof(i->renew_text), err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "renews_until", 0, &i->renews_until, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "renew_failing_since", 0, &i->renew_failing_since, err);
	return st;
}

static enum xos_status take_standing(
    const struct xos_json *doc, struct xos_job_info *i, struct xos_err *err)
{
	enum xos_status st = xos_json_opt_time(doc, "frozen_since", 0, &i->frozen_since, err);

	if (st == XOS_OK)
		st = xos_json_opt_bool(doc, "draining", false, &i->draining, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "stops_at", 0, &i->stops_at, err);
	if (st == XOS_OK)
		st =
		    opt_text(doc, "standing_text", i->standing_text, sizeof(i->standing_text), err);
	return st;
}

enum xos_status xos_job_info_from_json(
    const struct xos_json *doc, struct xos_job_info *out, struct xos_err *err)
{
	struct xos_job_info i = {0};
	enum xos_status st = xos_json_copy_string(doc, "id", i.id, sizeof(i.id), err);

	if (st == XOS_OK && !xos_job_id_valid(i.id))
		st = xos_json_refuse(doc, err, "id: no job id");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "node", i.node, sizeof(i.node), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "member", i.member, sizeof(i.member), err);
	if (st == XOS_OK)
		st = opt_text(doc, "name", i.name, sizeof(i.name), err);
	if (st == XOS_OK)
		st = opt_text(doc, "command", i.command, sizeof(i.command), err);
	if (st == XOS_OK)
		st = opt_text(doc, "via", i.via, sizeof(i.via), err);
	if (st == XOS_OK)
		st = opt_text(doc, "cause", i.cause, sizeof(i.cause), err);
	if (st == XOS_OK)
		st = opt_text(doc, "text", i.text, sizeof(i.text), err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "ran", &i.ran, err);
	if (st == XOS_OK)
		st = take_state(doc, &i, err);
	if (st == XOS_OK)
		st = take_numbers(doc, &i, err);
	if (st == XOS_OK)
		st = take_renewal(doc, &i, err);
	if (st == XOS_OK)
		st = take_standing(doc, &i, err);
	if (st == XOS_OK)
		*out = i;
	return st;
}
