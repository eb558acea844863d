/* xos-vo break-glass */
#include "auth/code.h"
#include "vo/verbs.h"

#define SEALED_NAME "break-glass" /* as xos-cad calls it */

enum xos_status vo_break_glass(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_secret *code = NULL;
	char text[XOS_CODE_TEXT];
	const char *vo = NULL;
	enum xos_status st = vo_add_code(cli, args, SEALED_NAME, &code, err);
	if (!st) {
		st = xos_cli_command(cli, "ca", "break-glass.seal", args, &result, err);
		args = NULL;
	}
	if (!st)
		xos_code_format(code, text);
	if (!st)
		st = xos_json_get_string(result, "vo", 64, &vo, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_copy(result);
		xos_json_set_string(doc, "code", text);
		st = xos_cli_print_json(doc, err);
	} else if (!st) {
		xos_cli_print_pair("code", "%s", text);
		xos_cli_print_pair("good", "once, without an end; an older one is void");
		xos_cli_print_pair(
		    "used with", "xos-login --code " SEALED_NAME " --role /%s/Role=admin", vo);
		xos_cli_print_pair(
		    "keep it", "on paper, in a sealed envelope; it is shown this once");
	}
	xos_wipe(text, sizeof(text));
	xos_secret_free(code);
	xos_json_free(result);
	xos_json_free(args);
	return st;
}
