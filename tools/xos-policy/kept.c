#include "policytool/kept.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"

static const char proposal[] = "proposal:";

/* Which command tells it, with which arguments; NULL: it is no such name. */
static const char *verb_of(const char *name, struct xos_json **args)
{
	uint64_t n = 0;
	bool made = strncmp(name, proposal, sizeof(proposal) - 1) == 0;
	const char *number = made ? name + sizeof(proposal) - 1 : name;
	bool current = strcmp(name, "current") == 0;
	if (!current && (!xos_parse_u64(number, INT64_MAX, &n) || n == 0))
		return NULL;
	if (args) {
		*args = xos_json_object();
		if (!current)
			xos_json_set_int(*args, made ? "id" : "serial", (int64_t)n);
	}
	return made ? "proposal.show" : "policy.show";
}

bool xos_policytool_kept_is(const char *name)
{
	return verb_of(name, NULL) != NULL;
}

enum xos_status xos_policytool_kept_text(
    const struct xos_cli *cli, const char *name, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *args = NULL, *doc = NULL;
	const char *verb = verb_of(name, &args), *text = NULL;
	if (!verb)
		return xos_err_set(err, XOS_MALFORMED, "serial", "'%s' is no serial", name);
	enum xos_status st = xos_cli_command(cli, "vops", verb, args, &doc, err);
	if (!st && !xos_json_has(doc, "text"))
		st = xos_err_set(
		    err, XOS_NOT_FOUND, "no-policy", "%s has no text of a policy", name);
	if (!st)
		st = xos_json_get_string(doc, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (!st) {
		xos_buf_put_str(out, text);
		st = xos_buf_status(out);
		if (st)
			xos_err_set(err, st, "memory", "the text does not fit");
	}
	xos_json_free(doc);
	return st;
}

enum xos_status xos_policytool_kept_load(const struct xos_cli *cli, const char *name,
    struct xos_policytool_sets *sets, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text;
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	enum xos_status st = xos_policytool_kept_text(cli, name, &text, err);
	if (!st)
		st = xos_policy_set_load((const char *)text.p, text.n, name, &set, err);
	if (!st)
		st = xos_policytool_sets_add(sets, name, set, err);
	xos_buf_free(&text);
	return st;
}
