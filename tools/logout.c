/* xos-logout: removes the current token. */
#include <limits.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "json/json.h"
#include "token/tokenfile.h"

static bool opt_everywhere;

/* Ends all tokens of the member at the authority, this one with them. */
static enum xos_status end_all(struct xos_cli *cli, struct xos_json **ended, struct xos_err *err)
{
	struct xos_json *args = xos_json_object();
	xos_json_set_bool(args, "all", true);
	return xos_cli_command(cli, "ca", "token.end", args, ended, err);
}

static void say_ended(const struct xos_json *result)
{
	const struct xos_json *list = NULL;
	if (xos_json_get_array(result, "ended", 100000, &list, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const char *serial = NULL;
		if (xos_json_as_string(xos_json_at(list, i), 256, &serial, NULL) == XOS_OK)
			xos_cli_say("token %s is ended, and what was delegated of it", serial);
	}
	xos_cli_say(
	    "%zu token%s ended; nodes hear of it within seconds, a node that is cut off when its "
	    "bundle is too old",
	    xos_json_count(list), xos_json_count(list) == 1 ? "" : "s");
}

static enum xos_status run(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_json *ended = NULL;
	char path[PATH_MAX];
	enum xos_status st = xos_tokenfile_path(path, err);
	if (!st && opt_everywhere)
		st = end_all(cli, &ended, err);
	if (st)
		return st;
	st = xos_tokenfile_remove(path, err);
	bool was = st == XOS_OK;
	if (st == XOS_NOT_FOUND) /* the state asked for is reached */
		st = XOS_OK;
	if (st) {
		xos_json_free(ended);
		return st;
	}
	if (cli->json) {
		struct xos_json *doc = ended ? ended : xos_json_object();
		xos_json_set_string(doc, "path", path);
		xos_json_set_bool(doc, "removed", was);
		return xos_cli_print_json(doc, err);
	}
	if (ended)
		say_ended(ended);
	xos_json_free(ended);
	printf(was ? "%s is removed\n" : "there was no token (%s)\n", path);
	return XOS_OK;
}

static const struct xos_cli_option options[] = {
    {.name = "everywhere",
        .about = "end all your tokens first, wherever they are, and what hangs on them",
        .flag = &opt_everywhere},
    {.name = NULL},
};

static const struct xos_cli_verb verbs[] = {
    {NULL, "", "remove the current token", 0, 0, false, options, run},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-logout",
	    .about = "remove the current token from this machine",
	    .verbs = verbs,
	    .nverbs = 1,
	    .examples = "  xos-logout\n"
	                "  xos-logout --everywhere\n"
	                "  XOS_TOKEN=~/other.pem xos-logout\n",
	};
	return xos_cli_main(&program, argc, argv);
}
