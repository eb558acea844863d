/* xos-logout: removes the current token. */
#include <limits.h>
#include <stdio.h>

#include "cli/cli.h"
#include "json/json.h"
#include "token/tokenfile.h"

static enum xos_status run(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	char path[PATH_MAX];
	enum xos_status st = xos_tokenfile_path(path, err);
	if (st)
		return st;
	st = xos_tokenfile_remove(path, err);
	bool was = st == XOS_OK;
	if (st == XOS_NOT_FOUND) /* the state asked for is reached */
		st = XOS_OK;
	if (st)
		return st;
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "path", path);
		xos_json_set_bool(doc, "removed", was);
		return xos_cli_print_json(doc, err);
	}
	printf(was ? "%s is removed\n" : "there was no token (%s)\n", path);
	return XOS_OK;
}

static const struct xos_cli_verb verbs[] = {
    {NULL, "", "remove the current token", 0, 0, false, NULL, run},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-logout",
	    .about = "remove the current token from this machine",
	    .verbs = verbs,
	    .nverbs = 1,
	    .examples = "  xos-logout\n"
	                "  XOS_TOKEN=~/other.pem xos-logout\n",
	};
	return xos_cli_main(&program, argc, argv);
}
