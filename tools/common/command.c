#include "cli/command.h"

#include <stdarg.h>

#include "api/command.h"
#include "cli/vo.h"

enum xos_status xos_cli_command(const struct xos_cli *cli, const char *service, const char *verb,
    struct xos_json *args, struct xos_json **result, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_chain token = {.n = 0};
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_token(vo, &token, NULL, err);
	if (!st)
		st = xos_cli_client_new(vo, service, NULL, false, &client, err);
	if (!st)
		st = xos_command_send(
		    xos_cli_client(client), &token, vo->name, service, verb, args, result, err);
	else
		xos_json_free(args);
	xos_cli_client_free(client);
	xos_chain_clear(&token);
	xos_cli_vo_free(vo);
	return st;
}

enum xos_status xos_cli_command_do(const struct xos_cli *cli, const char *service, const char *verb,
    struct xos_json *args, struct xos_err *err, const char *done, ...)
{
	struct xos_json *result = NULL;
	enum xos_status st = xos_cli_command(cli, service, verb, args, &result, err);
	if (st)
		return st;
	if (cli->json)
		return xos_cli_print_json(result, err);
	xos_json_free(result);
	va_list ap;
	va_start(ap, done);
	xos_cli_say_list(done, ap);
	va_end(ap);
	return XOS_OK;
}
