/* xos-vo code */
#include <string.h>

#include "auth/code.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "vo/verbs.h"

#define LIFE_MIN 60 /* as xos-cad has it */
#define LIFE_MAX (7 * 86400)

static const char *opt_for;

const struct xos_cli_option vo_code_options[] = {
    {"for", "DURATION", "how long it is good, at most 7d (default 24h)", NULL, &opt_for, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

enum xos_status vo_code_life(const char *text, struct xos_json *args, struct xos_err *err)
{
	int64_t seconds = 0;
	if (!text)
		return XOS_OK;
	if (!xos_duration_parse(text, &seconds) || seconds < LIFE_MIN || seconds > LIFE_MAX)
		return xos_cli_usage(err,
		    "--for %s: a one-time code is good for 1m to 7d; write 30m, 12h, 7d", text);
	xos_json_set_int(args, "for", seconds);
	return XOS_OK;
}

static enum xos_status show(struct xos_cli *cli, const char *name, struct xos_secret *code,
    struct xos_json *result, struct xos_err *err)
{
	char text[XOS_CODE_TEXT];
	const char *until = NULL;
	enum xos_status st = xos_json_get_string(result, "until", 64, &until, err);
	if (st)
		return st;
	xos_code_format(code, text);
	if (cli->json) {
		struct xos_json *doc = xos_json_copy(result);
		xos_json_set_string(doc, "code", text);
		st = xos_cli_print_json(doc, err);
	} else {
		xos_cli_print_pair("code", "%s", text);
		xos_cli_print_pair("good", "once, until %s", until);
		xos_cli_print_pair("used with", "xos-login --code %s", name);
	}
	xos_wipe(text, sizeof(text));
	return st;
}

/* The code is made here, and only its verifier is sent: nobody else can know it, the authority neither. */
enum xos_status vo_code(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_json *args = NULL, *result = NULL;
	struct xos_secret *code = NULL;
	args = vo_args(argv[0], NULL, NULL);
	enum xos_status st = vo_code_life(opt_for, args, err);
	if (!st)
		st = vo_add_code(cli, args, argv[0], &code, err);
	if (!st) {
		st = xos_cli_command(cli, "ca", "member.code", args, &result, err);
		args = NULL;
	}
	if (!st)
		st = show(cli, argv[0], code, result, err);
	xos_secret_free(code);
	xos_json_free(result);
	xos_json_free(args);
	return st;
}

enum xos_status vo_add_code(const struct xos_cli *cli, struct xos_json *args, const char *member,
    struct xos_secret **code, struct xos_err *err)
{
	struct xos_scram_verifier verifier;
	char text[XOS_SCRAM_VERIFIER_TEXT];
	uint32_t count = 0;
	enum xos_status st = vo_iterations(cli, &count, err);
	*code = NULL;
	if (st)
		return st;
	*code = xos_code_make();
	if (!*code)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_scram_verifier_make_code(*code, member, count, &verifier, err);
	if (!st)
		st = xos_scram_verifier_format(&verifier, text);
	if (!st)
		xos_json_set_string(args, "verifier", text);
	xos_wipe(&verifier, sizeof(verifier));
	xos_wipe(text, sizeof(text));
	if (st) {
		xos_secret_free(*code);
		*code = NULL;
	}
	return st;
}
