#include "cli/command.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "api/command.h"
#include "base/clock.h"
#include "cli/vo.h"

#define PATIENCE_MS 15000
#define PAUSE_MS 500

bool xos_cli_patient(const struct xos_cli *cli, int64_t *until, const struct xos_err *err)
{
	const struct timespec pause = {PAUSE_MS / 1000, (PAUSE_MS % 1000) * 1000000L};

	if (err->status != XOS_UNAVAILABLE || (strcmp(err->code, "administrators-unknown") != 0 &&
	                                          strcmp(err->code, "locks-unknown") != 0))
		return false;
	if (*until == 0)
		*until = xos_clock_mono_ms() + PATIENCE_MS;
	if (xos_clock_mono_ms() >= *until)
		return false;
	xos_cli_progress(cli, "waiting until the server knows who may act");
	(void)nanosleep(&pause, NULL);
	return true;
}

/* Each try is signed anew, so nothing is sent twice. Takes args. */
static enum xos_status send_patiently(const struct xos_cli *cli, struct xos_client *client,
    const struct xos_chain *token, const char *vo, const char *service, const char *verb,
    struct xos_json *args, struct xos_json **result, struct xos_err *err)
{
	int64_t until = 0;
	enum xos_status st;

	do {
		*err = (struct xos_err)XOS_ERR_INIT;
		st = xos_command_send(
		    client, token, vo, service, verb, xos_json_copy(args), result, err);
	} while (st != XOS_OK && xos_cli_patient(cli, &until, err));
	xos_json_free(args);
	return st;
}

/* token: NULL for the current one. Takes args. */
static enum xos_status send(const struct xos_cli *cli, const struct xos_chain *token,
    const char *service, const char *verb, struct xos_json *args, struct xos_json **result,
    struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_chain current = {.n = 0};
	struct xos_cli_client *client = NULL;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st && !token)
		st = xos_cli_token(vo, &current, NULL, err);
	if (!st)
		st = xos_cli_client_new(vo, service, NULL, false, &client, err);
	if (!st)
		st = send_patiently(cli, xos_cli_client(client), token ? token : &current, vo->name,
		    service, verb, args, result, err);
	else
		xos_json_free(args);
	xos_cli_client_free(client);
	xos_chain_clear(&current);
	xos_cli_vo_free(vo);
	return st;
}

enum xos_status xos_cli_command(const struct xos_cli *cli, const char *service, const char *verb,
    struct xos_json *args, struct xos_json **result, struct xos_err *err)
{
	return send(cli, NULL, service, verb, args, result, err);
}

enum xos_status xos_cli_command_as(const struct xos_cli *cli, const struct xos_chain *token,
    const char *service, const char *verb, struct xos_json *args, struct xos_json **result,
    struct xos_err *err)
{
	return send(cli, token, service, verb, args, result, err);
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
