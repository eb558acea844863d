#include "vo/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/command.h"
#include "cli/vo.h"

enum xos_status vo_ask(const struct xos_cli *cli, const char *verb, struct xos_json *args,
    struct xos_json **result, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_chain token = {.n = 0};
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_token(vo, &token, NULL, err);
	if (!st) /* the command carries the proof; the connection needs none */
		st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = xos_command_send(
		    xos_cli_client(client), &token, vo->name, "ca", verb, args, result, err);
	else
		xos_json_free(args);
	xos_cli_client_free(client);
	xos_chain_clear(&token);
	xos_cli_vo_free(vo);
	return st;
}

enum xos_status vo_do(const struct xos_cli *cli, const char *verb, struct xos_json *args,
    struct xos_err *err, const char *done, ...)
{
	struct xos_json *result = NULL;
	enum xos_status st = vo_ask(cli, verb, args, &result, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(result, err);
	xos_json_free(result);
	va_list ap;
	va_start(ap, done);
	vprintf(done, ap);
	va_end(ap);
	putchar('\n');
	return XOS_OK;
}

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
