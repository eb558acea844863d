#include "vo/verbs.h"

#include <stdio.h>
#include <string.h>

struct xos_json *vo_args(const char *name, const char *key, const char *value)
{
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "name", name);
	if (key)
		xos_json_set_string(args, key, value);
	return args;
}

enum xos_status vo_dispatch(const struct vo_action *table, size_t n, struct xos_cli *cli, int argc,
    char **argv, struct xos_err *err)
{
	char known[256] = "";
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(known);
		if (strcmp(table[i].name, argv[0]) == 0) {
			if (argc - 1 < table[i].min || argc - 1 > table[i].max)
				return xos_cli_usage(err, "'%s' takes %d operand%s", argv[0],
				    table[i].min, table[i].min == 1 ? "" : "s");
			return table[i].run(cli, argc - 1, argv + 1, err);
		}
		snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "", table[i].name);
	}
	return xos_cli_usage(err, "'%s' is none of: %s", argv[0], known);
}
