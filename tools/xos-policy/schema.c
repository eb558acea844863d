/* xos-policy schema: what a policy can name. */
#include <stdio.h>

#include "policy/schema.h"
#include "policytool/verbs.h"

static enum xos_status schema_json(struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list;
	size_t n;
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	xos_json_set_int(doc, "schema", XOS_POLICY_SCHEMA);
	list = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "name", actions[i].name);
		xos_json_set_bool(o, "at_site", actions[i].at_site);
		xos_json_set_string(o, "about", actions[i].what);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "actions", list);
	const struct xos_policy_attr *attrs = xos_policy_attrs(&n);
	list = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "name", attrs[i].name);
		xos_json_set_string(o, "type", xos_policy_type_name(attrs[i].type));
		xos_json_set_bool(o, "context", attrs[i].from_context);
		xos_json_set_string(o, "about", attrs[i].what);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "attributes", list);
	list = xos_json_array();
	for (unsigned i = 0; i < XOS_CAP_COUNT; i++) {
		const struct xos_policy_cap_info *c = xos_policy_cap_info((enum xos_policy_cap)i);
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "name", c->name);
		xos_json_set_string(o, "type", xos_policy_type_name(c->type));
		xos_json_set_string(o, "about", c->what);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "caps", list);
	return xos_cli_print_json(doc, err);
}

enum xos_status xos_policytool_schema(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {"KIND", "NAME", "TYPE", "ABOUT"};
	size_t n;
	(void)argc;
	(void)argv;
	if (cli->json)
		return schema_json(err);
	struct xos_cli_table *t = xos_cli_table_new(heads, 4);
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	for (size_t i = 0; i < n; i++)
		xos_cli_table_row(
		    t, (const char *const[]){"action", actions[i].name,
		           actions[i].at_site ? "at a site" : "of the VO", actions[i].what});
	const struct xos_policy_attr *attrs = xos_policy_attrs(&n);
	for (size_t i = 0; i < n; i++)
		xos_cli_table_row(t, (const char *const[]){"attribute", attrs[i].name,
		                         xos_policy_type_name(attrs[i].type), attrs[i].what});
	for (unsigned i = 0; i < XOS_CAP_COUNT; i++) {
		const struct xos_policy_cap_info *c = xos_policy_cap_info((enum xos_policy_cap)i);
		xos_cli_table_row(t,
		    (const char *const[]){"cap", c->name, xos_policy_type_name(c->type), c->what});
	}
	return xos_cli_table_print(t, err);
}
