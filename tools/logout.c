/* xos-logout: removes the current token. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/keep.h"
#include "json/json.h"
#include "token/tokenfile.h"

#define KEPT_MAX 200000 /* bytes of a list of credentials */

static bool opt_everywhere, opt_credd;
static const char *opt_socket;

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

/* Ends those of sessions; jobs' end with their jobs. */
static enum xos_status destroy_all(
    struct xos_credd *c, const struct xos_json *list, size_t *n, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < xos_json_count(list); i++) {
		const char *id = NULL, *kind = NULL;
		st = xos_json_get_string(xos_json_at(list, i), "id", 128, &id, err);
		if (!st)
			st = xos_json_get_string(xos_json_at(list, i), "kind", 32, &kind, err);
		if (st || strcmp(kind, "session") != 0)
			continue;
		st = xos_credential_destroy(c, id, err);
		if (st == XOS_NOT_FOUND || st == XOS_EXPIRED) /* it ended meanwhile */
			st = XOS_OK;
		else if (!st)
			++*n;
	}
	return st;
}

static enum xos_status end_kept(size_t *n, struct xos_err *err)
{
	struct xos_credd *c = NULL;
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	char *text = NULL;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	if (!st)
		st = xos_credential_list(c, &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), KEPT_MAX, &doc, err);
	if (!st)
		st = xos_json_get_array(doc, "credentials", 1000, &list, err);
	if (!st)
		st = destroy_all(c, list, n, err);
	xos_json_free(doc);
	xos_free(text);
	xos_close(c);
	return st;
}

static enum xos_status run(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_json *ended = NULL;
	char path[PATH_MAX];
	size_t kept = 0;
	enum xos_status st = xos_tokenfile_path(path, err);
	if (!st && opt_everywhere)
		st = end_all(cli, &ended, err);
	if (!st && (opt_credd || opt_socket))
		st = end_kept(&kept, err);
	if (st) {
		xos_json_free(ended);
		return st;
	}
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
		if (opt_credd || opt_socket)
			xos_json_set_int(doc, "destroyed", (int64_t)kept);
		return xos_cli_print_json(doc, err);
	}
	if (ended)
		say_ended(ended);
	xos_json_free(ended);
	if (opt_credd || opt_socket)
		xos_cli_say(
		    "%zu credential%s of xos-credd's destroyed", kept, kept == 1 ? " is" : "s are");
	printf(was ? "%s is removed\n" : "there was no token (%s)\n", path);
	return XOS_OK;
}

static const struct xos_cli_option options[] = {
    {.name = "everywhere",
        .about = "end all your tokens first, wherever they are, and what hangs on them",
        .flag = &opt_everywhere},
    {.name = "credd",
        .about = "end the credentials that xos-credd keeps for your sessions, too",
        .flag = &opt_credd},
    {.name = "credd-socket",
        .arg = "PATH",
        .about = "xos-credd's socket ($XOS_CREDD_SOCKET, /run/xos/credd.sock)",
        .value = &opt_socket},
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
	                "  xos-logout --credd\n"
	                "  XOS_TOKEN=~/other.pem xos-logout\n",
	};
	return xos_cli_main(&program, argc, argv);
}
