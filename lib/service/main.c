#include "service/main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/name.h"
#include "base/text.h"
#include "json/json.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"
#include "service/cert.h"
#include "service/own.h"
#include "service/reload.h"
#include "token/trust.h"

enum { EXIT_USAGE_OR_CONFIG = 2 };

/* The options that all verbs have, as given. */
struct common {
	const char *config, *ready_fd, *pid_file, *role, *log_level;
	bool check, json, version, help;
};

static enum xos_status common_take(int *argc, char **argv, struct common *c, struct xos_err *err)
{
	const struct {
		const char *name;
		const char **value;
	} all[] = {{"--config", &c->config}, {"--ready-fd", &c->ready_fd},
	    {"--pid-file", &c->pid_file}, {"--role", &c->role}, {"--log-level", &c->log_level}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum xos_status st =
		    xos_service_arg(argc, argv, all[i].name, false, all[i].value, err);
		if (st != XOS_OK)
			return st;
	}
	c->check = xos_service_flag(argc, argv, "--check");
	c->json = xos_service_flag(argc, argv, "--json");
	c->version = xos_service_flag(argc, argv, "--version");
	c->help = xos_service_flag(argc, argv, "--help") || xos_service_flag(argc, argv, "-h");
	return XOS_OK;
}

static void print_help(const struct xos_service_program *p)
{
	printf("%s: %s\n\nUsage:\n", p->name, p->about);
	for (size_t i = 0; i < p->nverbs; i++)
		printf("  %s %s%s%s%s\n      %s\n", p->name, p->verbs[i].name,
		    p->verbs[i].config ? " --config FILE" : "", p->verbs[i].args[0] ? " " : "",
		    p->verbs[i].args, p->verbs[i].about);
	printf("  %s --check --config FILE\n"
	       "      say what is wrong with the configuration and what it names\n"
	       "\nOptions:\n"
	       "  --config FILE      the configuration\n"
	       "  --ready-fd N       report there that the service is ready, or why not\n"
	       "  --pid-file PATH    write the process there while running\n"
	       "  --log-level LEVEL  debug, info (default), warn or error\n"
	       "  --version, --help\n"
	       "\nExit status: 0 done, 1 refused, 2 usage or configuration, 3 could not be decided "
	       "or reached.\n",
	    p->name);
	if (p->examples)
		printf("\nExamples:\n%s", p->examples);
}

static bool print_json_error(const struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *e = xos_json_object();
	struct xos_buf text;
	xos_json_set_text(e, "code", err->code[0] ? err->code : "error");
	xos_json_set_string(e, "status", xos_status_name(err->status));
	xos_json_set_text(e, "text", err->text);
	xos_json_set(doc, "error", e);
	xos_buf_init(&text, 8192);
	bool ok = xos_json_dump_line(doc, &text, NULL) == XOS_OK;
	if (ok)
		printf("%s\n", xos_buf_str(&text));
	xos_buf_free(&text);
	xos_json_free(doc);
	return ok;
}

static int complain(
    const struct xos_service_program *p, const struct xos_err *err, bool json, int status)
{
	bool usage = strcmp(err->code, "usage") == 0;
	if (!json || !print_json_error(err)) {
		fprintf(stderr, "%s: %s\n", p->name, err->text);
		if (usage)
			fprintf(stderr, "Try: %s --help\n", p->name);
	}
	return usage ? EXIT_USAGE_OR_CONFIG : status;
}

static enum xos_status level_parse(const char *text, enum xos_level *out, struct xos_err *err)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	for (int i = 0; text && i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum xos_level)i;
			return XOS_OK;
		}
	}
	return text ? xos_err_set(
	                  err, XOS_MALFORMED, "usage", "--log-level is debug, info, warn or error")
	            : XOS_OK;
}

struct report {
	const struct xos_service_program *program;
	bool quiet; /* the first is told otherwise */
	size_t count;
	struct xos_err first;
};

static void report_one(void *ctx, const struct xos_err *err)
{
	struct report *r = ctx;
	if (!r->quiet)
		fprintf(stderr, "%s: %s\n", r->program->name, err->text);
	if (r->count++ == 0)
		r->first = *err;
}

/* Loads and checks. Everything that is wrong is printed, unless quiet; the first finding is in err. */
static enum xos_status load(const struct xos_service_program *p, const char *path, bool check,
    bool quiet, void **out, struct xos_err *err)
{
	struct report r = {.program = p, .quiet = quiet};
	void *conf = calloc(1, p->conf_size ? p->conf_size : 1);
	if (!conf)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_config_load(path, p->keys, p->nkeys, conf, err);
	if (st != XOS_OK) {
		report_one(&r, err);
		free(conf);
		return st;
	}
	if (check && p->check)
		p->check(conf, report_one, &r);
	if (r.count > 0) {
		*err = r.first;
		xos_config_free(p->keys, p->nkeys, conf);
		free(conf);
		return err->status;
	}
	*out = conf;
	return XOS_OK;
}

static const struct xos_service_verb *verb_find(
    const struct xos_service_program *p, const char *name)
{
	for (size_t i = 0; i < p->nverbs; i++)
		if (strcmp(p->verbs[i].name, name) == 0)
			return &p->verbs[i];
	return NULL;
}

static bool knows_json(const struct xos_service_program *p, const char *verb)
{
	for (const char *const *v = p->json; v && *v; v++)
		if (strcmp(*v, verb) == 0)
			return true;
	return false;
}

static enum xos_status run_make(const struct xos_service_program *p, const struct common *c,
    struct xos_service_run *run, struct xos_err *err)
{
	uint64_t fd = 0;
	enum xos_level level = XOS_INFO;
	enum xos_status st = level_parse(c->log_level, &level, err);
	if (st != XOS_OK)
		return st;
	if (c->ready_fd && !xos_parse_u64(c->ready_fd, 1 << 20, &fd))
		return xos_err_set(err, XOS_MALFORMED, "usage", "--ready-fd needs a number");
	xos_event_setup(p->name, level);
	*run = (struct xos_service_run){.program = p,
	    .config_path = c->config,
	    .config_fd = -1,
	    .ready_fd = c->ready_fd ? (int)fd : -1,
	    .pid_file = c->pid_file,
	    .role = c->role,
	    .log_level = c->log_level,
	    .level = level,
	    .check = c->check,
	    .json = c->json};
	return XOS_OK;
}

static int run_verb(
    const struct xos_service_program *p, const struct common *c, int argc, char **argv)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_service_run run;
	if (argc < 1) {
		xos_err_set(&err, XOS_MALFORMED, "usage", "say what to do");
		return complain(p, &err, c->json, 2);
	}
	const struct xos_service_verb *verb = verb_find(p, argv[0]);
	bool json = c->json && (!verb || knows_json(p, verb->name));
	enum xos_status st = XOS_OK;
	if (!verb)
		st = xos_err_set(&err, XOS_MALFORMED, "usage", "unknown verb \"%s\"", argv[0]);
	else if (c->json && !json)
		st = xos_err_set(&err, XOS_MALFORMED, "usage", "%s has no --json", argv[0]);
	else if (verb->config && !c->config)
		st = xos_err_set(&err, XOS_MALFORMED, "usage", "%s needs --config FILE", argv[0]);
	if (st == XOS_OK)
		st = run_make(p, c, &run, &err);
	if (st != XOS_OK)
		return complain(p, &err, json, 2);
	/* Children were checked by their supervisor, with rights that they may lack; other verbs make
	 * what is missing. */
	if (c->role && xos_child_fd_take("config", &run.config_fd, NULL) == XOS_OK)
		st = xos_service_conf_again(p, c->config, run.config_fd, &run.conf, &err);
	else if (verb->config)
		st = load(p, c->config, !c->role && strcmp(verb->name, "run") == 0, json, &run.conf,
		    &err);
	if (st != XOS_OK) {
		if (json)
			(void)print_json_error(&err);
		xos_ready_report(run.ready_fd, &err);
		if (run.role)
			xos_child_failed(&err);
		return EXIT_USAGE_OR_CONFIG;
	}
	st = verb->run(&run, argc, argv, &err);
	int status = st == XOS_OK ? 0 : complain(p, &err, json, xos_status_exit(st));
	if (run.conf)
		xos_config_free(p->keys, p->nkeys, run.conf);
	free(run.conf);
	return status;
}

static int run_check(const struct xos_service_program *p, const struct common *c)
{
	struct xos_err err = XOS_ERR_INIT;
	void *conf = NULL;
	if (!c->config) {
		xos_err_set(&err, XOS_MALFORMED, "usage", "--check needs --config FILE");
		return complain(p, &err, c->json, 2);
	}
	if (load(p, c->config, true, false, &conf, &err) != XOS_OK)
		return EXIT_USAGE_OR_CONFIG;
	xos_config_free(p->keys, p->nkeys, conf);
	free(conf);
	printf("%s: %s is good\n", p->name, c->config);
	return 0;
}

int xos_service_main(const struct xos_service_program *p, int argc, char **argv)
{
	struct common c = {.config = NULL};
	struct xos_err err = XOS_ERR_INIT;
	if (common_take(&argc, argv, &c, &err) != XOS_OK)
		return complain(p, &err, c.json, 2);
	if (c.help) {
		print_help(p);
		return 0;
	}
	if (c.version) {
		printf("%s %s\n", p->name, XOS_VERSION);
		return 0;
	}
	bool own = p->checks_itself && argc > 1 && strcmp(argv[1], p->checks_itself) == 0;
	return c.check && !own ? run_check(p, &c) : run_verb(p, &c, argc - 1, argv + 1);
}

bool xos_service_tls_folder(const struct xos_service_conf *c, char out[PATH_MAX])
{
	char state[PATH_MAX], folder[PATH_MAX];
	const char *slash = strrchr(c->tls_certificate, '/');
	if (!slash || !xos_str_printf(folder, sizeof(folder), "%.*s",
	                  (int)(slash - c->tls_certificate), c->tls_certificate))
		return false;
	return realpath(folder, out) && realpath(c->state, state) && strcmp(out, state) != 0;
}

static void check_trust(const struct xos_service_conf *c,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_trust *trust = xos_trust_new();
	enum xos_status st = XOS_OK;
	if (!trust)
		st = xos_err_set(&err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_trust_load(trust, c->trust, &err);
	if (st == XOS_OK && !xos_trust_root(trust, c->vo))
		st = xos_err_set(&err, XOS_NOT_FOUND, "trust-root",
		    "%s holds no root of VO %s; put its root.pem there", c->trust, c->vo);
	if (st != XOS_OK)
		report(ctx, &err);
	xos_trust_free(trust);
}

void xos_service_conf_check(const struct xos_service_conf *c,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;
	struct stat st;
	uid_t uid = 0;
	gid_t gid = 0;
	bool root = geteuid() == 0, user = false;
	if (!xos_name_is_vo(c->vo)) {
		xos_err_set(&err, XOS_MALFORMED, "config", "vo: \"%s\" is no name of a VO", c->vo);
		report(ctx, &err);
	}
	if (stat(c->state, &st) != 0 || !S_ISDIR(st.st_mode)) {
		xos_err_set(
		    &err, XOS_NOT_FOUND, "config", "state: there is no folder %s", c->state);
		report(ctx, &err);
	}
	check_trust(c, report, ctx);
	if (root && c->user_network) {
		user = xos_service_user(c->user_network, &uid, &gid, &err) == XOS_OK;
		if (!user)
			report(ctx, &err);
	}
	if (xos_service_cert_check(c->tls_certificate, c->tls_key, user ? &uid : NULL, &err) !=
	    XOS_OK)
		report(ctx, &err);
	if (root && !c->user_network) {
		xos_err_set(&err, XOS_MALFORMED, "config",
		    "user_network is needed when started as root: no process that reads the "
		    "network "
		    "stays root");
		report(ctx, &err);
	}
}
