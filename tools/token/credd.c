/* xos-token list --credd, get, choose, destroy: credentials that xos-credd keeps. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/keep.h"
#include "tokentool/credd.h"
#include "tokentool/verbs.h"

#define LIST_MAX 200000 /* bytes */

static bool opt_credd;
static const char *opt_socket, *opt_out;

const struct xos_cli_option token_credd_options[] = {
    {.name = "credd", .about = "of those that xos-credd keeps for you here", .flag = &opt_credd},
    {.name = "credd-socket",
        .arg = "PATH",
        .about = "xos-credd's socket ($XOS_CREDD_SOCKET, /run/xos/credd.sock)",
        .value = &opt_socket},
    {.name = NULL},
};

const struct xos_cli_option token_kept_options[] = {
    {.name = "credd-socket",
        .arg = "PATH",
        .about = "xos-credd's socket ($XOS_CREDD_SOCKET, /run/xos/credd.sock)",
        .value = &opt_socket},
    {.name = NULL},
};

const struct xos_cli_option token_get_options[] = {
    {.name = "out",
        .arg = "FILE",
        .about = "write it there, not into the session's own folder in memory",
        .value = &opt_out},
    {.name = "credd-socket",
        .arg = "PATH",
        .about = "xos-credd's socket ($XOS_CREDD_SOCKET, /run/xos/credd.sock)",
        .value = &opt_socket},
    {.name = NULL},
};

bool token_of_credd(void)
{
	return opt_credd || opt_socket;
}

enum xos_status token_credd_chain(
    const char *id, char path[PATH_MAX], struct xos_chain *chain, struct xos_err *err)
{
	struct xos_credd *c = NULL;
	struct xos_credential_id used;
	char *pem = NULL;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	if (!st)
		st = xos_credential_chain(c, id, &used, &pem, err);
	if (!st)
		st = xos_chain_from_pem(xos_bytes_str(pem), chain, err);
	if (!st && !xos_str_printf(path, PATH_MAX, "xos-credd:%s", used.text))
		st = xos_err_set(err, XOS_LIMIT, "path", "the name is too long");
	xos_free(pem);
	xos_close(c);
	return st;
}

/* --- list --- */

static void add_row(struct xos_cli_table *t, const struct xos_json *o)
{
	const char *id = NULL, *kind = NULL, *subject = NULL, *state = NULL, *until = NULL;
	bool chosen = false, leaves = false;
	if (xos_json_get_string(o, "id", 128, &id, NULL) ||
	    xos_json_get_string(o, "kind", 32, &kind, NULL) ||
	    xos_json_opt_string(o, "subject", 512, &subject, NULL) ||
	    xos_json_get_string(o, "state", 32, &state, NULL) ||
	    xos_json_get_bool(o, "export", &leaves, NULL) ||
	    xos_json_get_bool(o, "default", &chosen, NULL))
		return;
	if (xos_json_opt_string(o, "not_after", 64, &until, NULL)) /* null while it is awaited */
		until = NULL;
	const char *cells[] = {
	    id, kind, subject, state, until, leaves ? NULL : "stays", chosen ? "default" : NULL};
	xos_cli_table_row(t, cells);
}

static enum xos_status print_list(const struct xos_json *doc, struct xos_err *err)
{
	static const char *const heads[] = {"ID", "OF", "SUBJECT", "STATE", "UNTIL", "KEY", "NOTE"};
	const struct xos_json *list = NULL;
	bool more = false;
	enum xos_status st = xos_json_get_array(doc, "credentials", 100000, &list, err);
	if (!st)
		st = xos_json_get_bool(doc, "more", &more, err);
	if (st)
		return st;
	struct xos_cli_table *t = xos_cli_table_new(heads, 7);
	for (size_t i = 0; i < xos_json_count(list); i++)
		add_row(t, xos_json_at(list, i));
	st = xos_cli_table_print(t, err);
	if (!st && more)
		xos_cli_say("There are more than these.");
	return st;
}

static enum xos_status list_kept(const struct xos_cli *cli, struct xos_err *err)
{
	struct xos_credd *c = NULL;
	struct xos_json *doc = NULL;
	char *text = NULL;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	if (!st)
		st = xos_credential_list(c, &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), LIST_MAX, &doc, err);
	if (!st && cli->json) {
		st = xos_cli_print_json(doc, err);
		doc = NULL;
	} else if (!st) {
		st = print_list(doc, err);
	}
	xos_json_free(doc);
	xos_free(text);
	xos_close(c);
	return st;
}

enum xos_status token_list_any(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	return token_of_credd() ? list_kept(cli, err) : token_list(cli, argc, argv, err);
}

/* --- get, choose, destroy --- */

static enum xos_status tell(
    const struct xos_cli *cli, const char *key, const char *value, struct xos_err *err)
{
	if (!cli->json) {
		printf("%s\n", value);
		return XOS_OK;
	}
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, key, value);
	return xos_cli_print_json(doc, err);
}

static enum xos_status write_out(
    struct xos_credd *c, const char *id, const char *path, struct xos_err *err)
{
	struct xos_pem *pem = NULL;
	size_t n = 0;
	enum xos_status st = xos_credential_get(c, id, &pem, err);
	if (st)
		return st;
	const char *text = xos_pem_text(pem, &n);
	st = xos_file_write(path, 0600, (struct xos_bytes){(const uint8_t *)text, n}, err);
	xos_pem_free(pem);
	return st;
}

enum xos_status token_get(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_credd *c = NULL;
	char path[PATH_MAX];
	const char *id = argc > 0 ? argv[0] : NULL, *where = opt_out ? opt_out : path;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	if (!st)
		st = opt_out ? write_out(c, id, opt_out, err)
		             : xos_credential_file(c, id, path, sizeof(path), err);
	xos_close(c);
	return st ? st : tell(cli, "path", where, err);
}

enum xos_status token_choose(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_credd *c = NULL;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	if (!st)
		st = xos_credential_choose(c, argv[0], err);
	xos_close(c);
	return st ? st : tell(cli, "chosen", argv[0], err);
}

enum xos_status token_destroy(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_credd *c = NULL;
	enum xos_status st = xos_cli_keeper(opt_socket, &c, err);
	for (int i = 0; !st && i < argc; i++)
		st = xos_credential_destroy(c, argv[i], err);
	xos_close(c);
	if (st)
		return st;
	if (!cli->json) {
		for (int i = 0; i < argc; i++)
			xos_cli_say("%s is destroyed", argv[i]);
		return XOS_OK;
	}
	struct xos_json *doc = xos_json_object();
	xos_json_set_strings(doc, "destroyed", (const char *const *)argv, (size_t)argc);
	return xos_cli_print_json(doc, err);
}
