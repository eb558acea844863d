/* xos-vo apply, application: for people who are no members yet. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "api/apply.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/vo.h"
#include "vo/verbs.h"

#define KEPT_MAX 1024

static const char *opt_contact, *opt_text, *opt_password_fd;
static bool opt_password_stdin;

const struct xos_cli_option vo_apply_options[] = {
    {"contact", "TEXT", "how the administrators reach you, such as an e-mail address", NULL,
        &opt_contact, NULL},
    {"text", "TEXT", "why you should be a member", NULL, &opt_text, NULL},
    {"password-stdin", NULL, "read the wished password from standard input", &opt_password_stdin,
        NULL, NULL},
    {"password-fd", "N", "read the wished password from descriptor N", NULL, &opt_password_fd,
        NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static bool kept_path(const struct xos_cli_vo *vo, char path[PATH_MAX])
{
	return xos_path_join(path, PATH_MAX, vo->dir, "application");
}

/* Reference and secret stand beside the VO's address, for the owner of the folder alone. */
static enum xos_status keep(
    const struct xos_cli_vo *vo, const char *id, const char *secret, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_json *doc = xos_json_object();
	struct xos_buf b;
	xos_buf_init(&b, KEPT_MAX);
	xos_json_set_string(doc, "id", id);
	xos_json_set_string(doc, "secret", secret);
	enum xos_status st = xos_json_dump(doc, &b, err);
	if (!st && !kept_path(vo, path))
		st = xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	if (!st)
		st = xos_file_write(path, 0600, xos_buf_bytes(&b), err);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

static enum xos_status fill(const char *name, struct xos_client *client, const char *vo,
    struct xos_application *a, struct xos_err *err)
{
	const struct xos_cli_password how = {
	    .from_stdin = opt_password_stdin, .fd = opt_password_fd};
	struct xos_json *about = NULL;
	uint64_t iterations = 0;
	enum xos_status st = XOS_OK;
	if (!xos_str_copy(a->name, sizeof(a->name), name) ||
	    !xos_str_copy(a->contact, sizeof(a->contact), opt_contact) ||
	    !xos_str_copy(a->text, sizeof(a->text), opt_text ? opt_text : ""))
		st = xos_cli_usage(err, "a name has at most %d, the contact %d, the text %d bytes",
		    XOS_MEMBER_MAX, XOS_APPLY_CONTACT_MAX, XOS_APPLY_TEXT_MAX);
	if (!st && !xos_name_is_member(vo, name))
		st = xos_cli_usage(err, "'%s' is no member name of VO %s", name, vo);
	if (!st)
		st = xos_cli_password_check(&how, err);
	if (!st)
		st = xos_about_fetch(client, vo, &about, err);
	if (!st)
		st = xos_json_get_uint64(
		    about, "iterations", XOS_SCRAM_ITERATIONS_MAX, &iterations, err);
	if (!st)
		st = vo_verifier_make(&how, (uint32_t)iterations, &a->verifier, err);
	xos_json_free(about);
	return st;
}

static enum xos_status say(
    const struct xos_cli *cli, const char *vo, const char *id, struct xos_err *err)
{
	if (cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "id", id);
		return xos_cli_print_json(doc, err);
	}
	xos_cli_say("your application to VO %s has the reference %s; xos-vo application says what "
	            "became of it",
	    vo, id);
	return XOS_OK;
}

enum xos_status vo_apply(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_application a = {.name = ""};
	char id[XOS_APPLY_ID_LEN + 1] = "", secret[XOS_APPLY_SECRET_LEN + 1];
	if (!opt_contact || !opt_contact[0])
		return xos_cli_usage(err, "say how you can be reached: --contact TEXT");
	xos_random_id(secret, XOS_APPLY_SECRET_LEN / 2);
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = fill(argv[0], xos_cli_client(client), vo->name, &a, err);
	if (!st)
		st = xos_sha256(xos_bytes_str(secret), a.secret);
	if (!st)
		st = xos_application_send(xos_cli_client(client), vo->name, &a, id, err);
	if (!st)
		st = keep(vo, id, secret, err);
	if (!st)
		st = say(cli, vo->name, id, err);
	xos_wipe(&a, sizeof(a));
	xos_wipe(secret, sizeof(secret));
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}

static enum xos_status read_kept(const struct xos_cli_vo *vo, char id[XOS_APPLY_ID_LEN + 1],
    char secret[XOS_APPLY_SECRET_LEN + 1], struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_json *doc = NULL;
	struct xos_buf b;
	xos_buf_init(&b, KEPT_MAX);
	if (!kept_path(vo, path))
		return xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	enum xos_status st = xos_file_read(path, KEPT_MAX, &b, err);
	if (st == XOS_NOT_FOUND)
		st = xos_err_set(err, st, "no-application",
		    "you have not applied to VO %s from here: xos-vo apply NAME --contact TEXT",
		    vo->name);
	if (!st)
		st = xos_json_parse(xos_buf_bytes(&b), KEPT_MAX, &doc, err);
	if (!st)
		st = xos_json_copy_string(doc, "id", id, XOS_APPLY_ID_LEN + 1, err);
	if (!st)
		st = xos_json_copy_string(doc, "secret", secret, XOS_APPLY_SECRET_LEN + 1, err);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

/* Exit status 0 for a member, 1 for one who was denied or waits: for scripts that wait. */
static enum xos_status tell(
    struct xos_cli *cli, const struct xos_cli_vo *vo, struct xos_json *doc, struct xos_err *err)
{
	const char *state = NULL, *name = NULL, *message = NULL;
	enum xos_status st = xos_json_get_string(doc, "state", 32, &state, err);
	if (!st)
		st = xos_json_get_string(doc, "name", 64, &name, err);
	if (!st)
		st = xos_json_opt_string(doc, "message", 1024, &message, err);
	bool approved = !st && strcmp(state, "approved") == 0;
	if (!st)
		cli->exit_status = approved ? 0 : 1;
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st && approved)
		xos_cli_say("%s is a member of VO %s: xos-login %s", name, vo->name, name);
	else if (!st)
		xos_cli_say("the application of %s to VO %s is %s%s%s", name, vo->name, state,
		    message ? ": " : "", message ? message : "");
	xos_json_free(doc);
	return st;
}

enum xos_status vo_application(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_json *doc = NULL;
	char id[XOS_APPLY_ID_LEN + 1], secret[XOS_APPLY_SECRET_LEN + 1];
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = read_kept(vo, id, secret, err);
	if (!st)
		st = xos_cli_client_new(vo, "ca", NULL, false, &client, err);
	if (!st)
		st = xos_application_ask(xos_cli_client(client), vo->name, id, secret, &doc, err);
	if (!st)
		st = tell(cli, vo, doc, err);
	xos_wipe(secret, sizeof(secret));
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}
