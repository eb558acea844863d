/* xos-server: the servers of a VO on one machine, set up, started, checked and stopped by one
 * command each; with systemd or without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/daemons.h"
#include "cli/password.h"
#include "cli/remove.h"
#include "json/json.h"
#include "server/certs.h"
#include "server/daemons.h"
#include "server/init.h"
#include "server/rollover.h"
#include "server/shared.h"
#include "server/trust.h"

#define PASSWORD_MAX 1024
#define UID_BASE_DEFAULT "1899999000" /* docs/decisions/uid-ranges.md */

static const char *opt_dir, *opt_vo, *opt_admin, *opt_address, *opt_uid_base, *opt_password_fd,
    *opt_with, *opt_root, *opt_passphrase_fd, *opt_since, *opt_reason;
static bool opt_password_stdin, opt_yes;

#define DIR_OPTION                                                                                 \
	{                                                                                          \
		"dir", "DIR", "the folder that holds the servers", NULL, &opt_dir, NULL            \
	}

static enum xos_status need_dir(struct xos_err *err)
{
	if (!opt_dir)
		return xos_cli_usage(err, "say which servers: --dir DIR");
	return XOS_OK;
}

/* With --json: {"vo", "dir", "done": verb}. */
static enum xos_status say_done(const struct xos_cli *cli, const char *vo, const char *dir,
    const char *done, struct xos_err *err)
{
	if (!cli->json)
		return XOS_OK;
	struct xos_json *doc = xos_json_object();
	xos_json_set_string(doc, "vo", vo);
	xos_json_set_string(doc, "dir", dir);
	xos_json_set_string(doc, "done", done);
	return xos_cli_print_json(doc, err);
}

/* What all verbs but init do: the servers of --dir, handed to what the verb does with them. */
static enum xos_status with_servers(struct xos_cli *cli,
    enum xos_status (*run)(struct xos_cli *cli, struct xos_server *s, struct xos_err *err),
    struct xos_err *err)
{
	struct xos_server s;
	enum xos_status st = need_dir(err);
	if (!st)
		st = xos_server_load(&s, opt_dir, err);
	if (st)
		return st;
	st = run(cli, &s, err);
	xos_server_free(&s);
	return st;
}

/* Beside the server of --with, unless the caller chose: same address, the users after its own. */
static void as_host(struct xos_server_init *o, const struct xos_server *host, uint64_t *uid)
{
	o->host = host;
	o->address = host->address;
	if (geteuid() == 0 && !opt_uid_base)
		*uid = (uint64_t)host->uid_base + 16;
}

static enum xos_status init_server(
    struct xos_cli *cli, const struct xos_server *host, struct xos_err *err)
{
	enum xos_status st;
	struct xos_server_init o = {.dir = opt_dir,
	    .vo = opt_vo,
	    .admin = opt_admin,
	    .address = opt_address ? opt_address : "127.0.0.1"};
	uint64_t uid = 0;
	if (geteuid() == 0 &&
	    !xos_parse_u64(opt_uid_base ? opt_uid_base : UID_BASE_DEFAULT, INT32_MAX - 100, &uid))
		return xos_cli_usage(err, "--uid-base takes the first of 16 free user numbers");
	if (geteuid() == 0 && uid < 1000)
		return xos_cli_usage(err, "--uid-base must lie above the system's own users");
	if (host)
		as_host(&o, host, &uid);
	o.uid_base = (int64_t)uid;
	const struct xos_cli_password how = {.prompt = "Password of the first administrator: ",
	    .from_stdin = opt_password_stdin,
	    .fd = opt_password_fd,
	    .twice = true,
	    .max = PASSWORD_MAX};
	/* Nobody types a password for what cannot be done. */
	if ((st = xos_cli_password_check(&how, err)) || (st = xos_server_init_check(&o, err)) ||
	    (st = xos_cli_password_get(&how, &o.password, err)))
		return st;
	st = xos_server_init(&o, err);
	xos_secret_free(o.password);
	if (!st && !cli->json)
		printf("VO %s is set up in %s.\n"
		       "Its root key is %s/root/root.key: once you have looked around, move that "
		       "folder "
		       "to a place off line.\nStart it: xos-server start --dir %s\n",
		    o.vo, opt_dir, opt_dir, opt_dir);
	return st ? st : say_done(cli, o.vo, opt_dir, "init", err);
}

static enum xos_status verb_init(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	struct xos_server host;
	enum xos_status st = need_dir(err);
	if (st)
		return st;
	if (!opt_vo || !opt_admin)
		return xos_cli_usage(
		    err, "name the VO and its first administrator: --vo NAME --admin NAME");
	if (!opt_with)
		return init_server(cli, NULL, err);
	if (opt_address)
		return xos_cli_usage(err, "--with has that server's address: leave --address out");
	if ((st = xos_server_load(&host, opt_with, err)))
		return st;
	st = init_server(cli, &host, err);
	xos_server_free(&host);
	return st;
}

static enum xos_status start_servers(struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	enum xos_status st;
	xos_cli_progress(cli, "starting the servers of VO %s", s->vo);
	st = xos_server_start(s, err);
	if (!st && !cli->json) {
		char url[128];
		xos_server_url(s, XOS_CAD, url);
		printf("the servers of VO %s run; members join at %s\n", s->vo, url);
	}
	return st ? st : say_done(cli, s->vo, s->dir, "start", err);
}

static enum xos_status verb_start(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, start_servers, err);
}

static enum xos_status stop_servers(struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	enum xos_status st = xos_server_stop(s, err);
	if (!st && !cli->json)
		printf("the servers of VO %s are stopped\n", s->vo);
	return st ? st : say_done(cli, s->vo, s->dir, "stop", err);
}

static enum xos_status verb_stop(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, stop_servers, err);
}

static enum xos_status check_servers(struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	enum xos_status st = xos_server_check(s, err);
	if (!st && !cli->json)
		printf("the configuration of every daemon is in order\n");
	return st ? st : say_done(cli, s->vo, s->dir, "check", err);
}

static enum xos_status verb_check(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, check_servers, err);
}

static bool running(const struct xos_server *s, enum xos_server_daemon d, struct xos_proc_id *id)
{
	const char *dir = s->host && d == XOS_CAD ? s->host : s->dir;
	return xos_cli_daemon_running(dir, xos_server_kinds[d].program, id);
}

static struct xos_json *status_entry(const struct xos_server *s, enum xos_server_daemon d, bool *up)
{
	struct xos_proc_id id = {0, 0};
	char url[128];
	*up = running(s, d, &id);
	xos_server_url(s, d, url);
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "program", xos_server_kinds[d].program);
	xos_json_set_string(o, "state", *up ? "running" : "stopped");
	if (*up)
		xos_json_set_int(o, "pid", id.pid);
	xos_json_set_string(o, "url", url);
	return o;
}

static enum xos_status print_status_table(
    const struct xos_server *s, bool *all, struct xos_err *err)
{
	static const char *const heads[] = {"PROGRAM", "STATE", "PID", "URL"};
	struct xos_cli_table *t = xos_cli_table_new(heads, 4);
	for (int d = 0; d < XOS_DAEMONS; d++) {
		struct xos_proc_id id = {0, 0};
		char url[128], pid[32];
		bool up = running(s, (enum xos_server_daemon)d, &id);
		*all = *all && up;
		xos_server_url(s, d, url);
		snprintf(pid, sizeof(pid), "%ld", (long)id.pid);
		const char *cells[] = {
		    xos_server_kinds[d].program, up ? "running" : "stopped", up ? pid : NULL, url};
		xos_cli_table_row(t, cells);
	}
	enum xos_status st = xos_cli_table_print(t, err);
	char est[128];
	xos_server_est_url(s, est);
	if (!st && est[0])
		printf("stock clients enrol (EST) at %s/.well-known/est\n", est);
	return st ? st : xos_server_trust_print(s, err);
}

static enum xos_status print_status_json(const struct xos_server *s, bool *all, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	for (int d = 0; d < XOS_DAEMONS; d++) {
		bool up = false;
		xos_json_add(list, status_entry(s, d, &up));
		*all = *all && up;
	}
	char est[128];
	xos_server_est_url(s, est);
	xos_json_set_string(doc, "vo", s->vo);
	xos_json_set(doc, "daemons", list);
	struct xos_json *trust = NULL;
	enum xos_status st = xos_server_trust_json(s, &trust, err);
	if (st) {
		xos_json_free(doc);
		return st;
	}
	xos_json_set(doc, "trust", trust);
	if (est[0])
		xos_json_set_string(doc, "est", est);
	return xos_cli_print_json(doc, err);
}

static enum xos_status status_servers(
    struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	bool all = true;
	enum xos_status st =
	    cli->json ? print_status_json(s, &all, err) : print_status_table(s, &all, err);
	cli->exit_status = all ? 0 : 1;
	return st;
}

static enum xos_status verb_status(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, status_servers, err);
}

static enum xos_status print_join_arguments(
    struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	char url[128], fingerprint[80];
	xos_server_url(s, XOS_CAD, url);
	enum xos_status st = xos_server_fingerprint(s, fingerprint, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "url", url);
		xos_json_set_string(doc, "fingerprint", fingerprint);
		xos_json_set_string(doc, "vo", s->vo);
		return xos_cli_print_json(doc, err);
	}
	if (!st)
		printf("%s --fingerprint %s --vo %s\n", url, fingerprint, s->vo);
	return st;
}

static enum xos_status verb_join_arguments(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, print_join_arguments, err);
}

static enum xos_status read_passphrase(struct xos_secret **out, struct xos_err *err)
{
	uint64_t fd = 0;
	if (!opt_passphrase_fd)
		return XOS_OK;
	if (!xos_parse_u64(opt_passphrase_fd, INT32_MAX, &fd))
		return xos_cli_usage(err, "--passphrase-fd takes the number of a descriptor");
	return xos_secret_read_line((int)fd, PASSWORD_MAX, out, err);
}

static enum xos_status verb_rollover(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_rollover r = {.kind = argv[0],
	    .step = argv[1],
	    .root = opt_root,
	    .since = opt_since,
	    .reason = opt_reason};
	struct xos_server s;
	char done[64];
	(void)argc;
	enum xos_status st = need_dir(err);
	if (!st)
		st = read_passphrase(&r.passphrase, err);
	if (!st && !(st = xos_server_load(&s, opt_dir, err))) {
		xos_cli_progress(cli, "%s: %s", r.kind, r.step);
		st = xos_server_rollover(&s, &r, err);
		if (!st && !cli->json)
			printf("VO %s: %s of the %s key is done\n", s.vo, r.step, r.kind);
		if (!st && xos_str_printf(done, sizeof(done), "rollover %s %s", r.kind, r.step))
			st = say_done(cli, s.vo, opt_dir, done, err);
		xos_server_free(&s);
	}
	xos_secret_free(r.passphrase);
	return st;
}

static enum xos_status remove_servers(
    struct xos_cli *cli, struct xos_server *s, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	if (!opt_yes)
		st = xos_cli_usage(err,
		    "this removes VO %s with its members, keys and logs in %s for ever; if that is "
		    "meant: --yes",
		    s->vo, s->dir);
	if (!st)
		st = xos_server_stop(s, err);
	if (!st && s->host)
		st = xos_server_shared_leave(s, err);
	if (!st)
		st = xos_cli_remove_tree(s->dir, err);
	if (!st && !cli->json)
		printf("VO %s is removed\n", s->vo);
	return st ? st : say_done(cli, s->vo, s->dir, "remove", err);
}

static enum xos_status verb_remove(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	return with_servers(cli, remove_servers, err);
}

static const struct xos_cli_option dir_only[] = {DIR_OPTION, {NULL, NULL, NULL, NULL, NULL, NULL}};

static const struct xos_cli_option init_options[] = {
    DIR_OPTION,
    {"vo", "NAME", "the new VO, for ever: at most 15 lower-case letters, digits and hyphens", NULL,
        &opt_vo, NULL},
    {"admin", "NAME", "its first administrator", NULL, &opt_admin, NULL},
    {"password-stdin", NULL, "read the administrator's password from standard input",
        &opt_password_stdin, NULL, NULL},
    {"password-fd", "N", "read it from descriptor N", NULL, &opt_password_fd, NULL},
    {"address", "IP", "address to listen on (127.0.0.1)", NULL, &opt_address, NULL},
    {"with", "DIR", "let the xos-cad of that folder serve this VO too, at its address", NULL,
        &opt_with, NULL},
    {"uid-base", "N", "as root: first of 16 user numbers for the daemons (" UID_BASE_DEFAULT ")",
        NULL, &opt_uid_base, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct xos_cli_option rollover_options[] = {
    DIR_OPTION,
    {"root", "DIR", "where the root's key is (DIR/root)", NULL, &opt_root, NULL},
    {"passphrase-fd", "N", "read the pass phrase of the root's key from descriptor N", NULL,
        &opt_passphrase_fd, NULL},
    {"since", "TIME", "taint: what was signed later counts no more (now)", NULL, &opt_since, NULL},
    {"reason", "TEXT", "taint, revoke: shown to whoever is refused", NULL, &opt_reason, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct xos_cli_option remove_options[] = {
    DIR_OPTION,
    {"yes", NULL, "I know that this cannot be undone", &opt_yes, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct xos_cli_verb verbs[] = {
    {"init", "--dir DIR --vo NAME --admin NAME", "set the servers of a new VO up", 0, 0, false,
        init_options, verb_init},
    {"start", "--dir DIR", "start what does not run", 0, 0, false, dir_only, verb_start},
    {"status", "--dir DIR", "what runs (exit status 1 if not all)", 0, 0, false, dir_only,
        verb_status},
    {"check", "--dir DIR", "check every daemon's configuration", 0, 0, false, dir_only, verb_check},
    {"stop", "--dir DIR", "stop exactly what was started", 0, 0, false, dir_only, verb_stop},
    {"rollover", "ca|delegation|rca|vops|accounting prepare|activate|taint|revoke|undo --dir DIR",
        "give one of the keys below the root a successor, step by step", 2, 2, false,
        rollover_options, verb_rollover},
    {"join-arguments", "--dir DIR", "what members and nodes give to join", 0, 0, false, dir_only,
        verb_join_arguments},
    {"remove", "--dir DIR --yes", "stop and remove everything", 0, 0, false, remove_options,
        verb_remove},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-server",
	    .about = "the servers of a VO on one machine",
	    .no_joined = true,
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-server init --dir /srv/demo --vo demo --admin carol\n"
	        "  xos-server start --dir /srv/demo\n"
	        "  xos-server init --dir /srv/other --vo other --admin dave --with /srv/demo\n"
	        "  xos-login --join $(xos-server join-arguments --dir /srv/demo)\n",
	};
	struct xos_err err = XOS_ERR_INIT;
	if (xos_cli_daemon_path(&err) != XOS_OK) {
		fprintf(stderr, "%s: %s\n", program.name, err.text);
		return 3;
	}
	return xos_cli_main(&program, argc, argv);
}
