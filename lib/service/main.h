#ifndef XOS_SERVICE_MAIN_H
#define XOS_SERVICE_MAIN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/event.h"
#include "base/status.h"
#include "service/front.h"

/*
 * What every daemon's main does:
 *
 *   xos-cad VERB [--config FILE] [--ready-fd N] [--pid-file PATH] [--log-level LEVEL] [ARGUMENT...]
 *   xos-cad --check --config FILE | --version | --help
 *
 * Exit status 0 done, 1 refused, 2 usage or a configuration that does not check, 3 not decided or
 * reached. Errors go to standard error as "xos-cad: text"; with --json, for verbs that take it, to standard
 * output as one object, {"error": {"code": ..., "status": ..., "text": ...}}, as with all tools.
 */
struct xos_service_run {
	const struct xos_service_program *program;
	const char *config_path; /* as given; NULL only for verbs without a configuration */
	int config_fd;           /* in a part: what reload.h reads again; else -1 */
	void *conf;              /* the filled struct; NULL likewise */
	int ready_fd;            /* for xos_ready_report or xos_supervisor; -1 */
	const char *pid_file;    /* NULL */
	const char *role;        /* --role, in a child started by the supervisor; NULL */
	const char *log_level;   /* as given, handed on to children; NULL */
	enum xos_level level;    /* what it means */
	bool check, json;        /* --check, --json, for verbs that take them */
};

struct xos_service_verb {
	const char *name;  /* "run" */
	const char *args;  /* for --help: "--vo NAME --dir DIR" */
	const char *about; /* one line */
	bool config;       /* needs --config, which is loaded before run is called */
	/* argv: what followed and was none of the common options; argv[0] is the verb. A result of
	 * MALFORMED with code "usage" exits with 2. */
	enum xos_status (*run)(
	    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
};

struct xos_service_program {
	const char *name;  /* "xos-cad" */
	const char *about; /* one line */
	const struct xos_config_key *keys;
	size_t nkeys, conf_size;
	/* What the grammar cannot say: key files, their modes, folders. Called for each problem it finds
	 * with report(); it goes on after one. Used by --check and before `run`. May be NULL. */
	void (*check)(
	    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx);
	/* Keys ("section.name") that count from a SIGHUP on, see reload.h; ends with NULL. May be NULL. */
	const char *const *reloads;
	const char
	    *checks_itself; /* the verb with which --check is its own (run->check); NULL: none */
	/* Verbs that take --json: answers (theirs, by run->json) and errors; ends with NULL. May be NULL. */
	const char *const *json;
	const struct xos_service_verb *verbs;
	size_t nverbs;
	const char *examples; /* for --help; NULL */
};

int xos_service_main(const struct xos_service_program *program, int argc, char **argv);

/* For verbs: takes "--name VALUE" or "--name=VALUE" out of argv. Each at most once; afterwards
 * xos_service_args_end refuses what nobody took. */
XOS_MUST_USE enum xos_status xos_service_arg(int *argc, char **argv, const char *name,
    bool required, const char **value, struct xos_err *err);
/* Takes "--name" out of argv: was it there? */
bool xos_service_flag(int *argc, char **argv, const char *name);
XOS_MUST_USE enum xos_status xos_service_args_end(int argc, char **argv, struct xos_err *err);

/* The keys that all daemons have. Put `struct xos_service_conf common` (any field name) into the
 * daemon's struct and XOS_SERVICE_KEYS(struct cad_conf, common) into its table. */
struct xos_service_conf {
	char *vo, *listen, *state, *trust, *tls_certificate, *tls_key;
	char *user_network, *user_auth, *user_key; /* names or numbers; NULL if not given */
	struct xos_front_limits limits;            /* [limits] */
};

/* Parameters are named unlike the fields that the macro sets. */
#define XOS_SERVICE_KEY(conf_type, member, key, kind, need)                                        \
	{                                                                                          \
		.section = "", .name = #key, .type = kind,                                         \
		.offset = offsetof(conf_type, member.key), .required = need                        \
	}
/* The fallbacks are what stands in front.h. */
#define XOS_SERVICE_LIMIT(conf_type, member, key, field, kind, least, most)                        \
	{                                                                                          \
		.section = "limits", .name = #key, .type = kind,                                   \
		.offset = offsetof(conf_type, member.limits.field), .min = least, .max = most      \
	}
#define XOS_SERVICE_KEYS(conf_type, member)                                                        \
	XOS_SERVICE_LIMIT(                                                                         \
	    conf_type, member, connections, connections, XOS_CONFIG_NUMBER, 8, 100000),            \
	    XOS_SERVICE_LIMIT(conf_type, member, connections_per_address, connections_per_address, \
	        XOS_CONFIG_NUMBER, 1, 100000),                                                     \
	    XOS_SERVICE_LIMIT(                                                                     \
	        conf_type, member, request, request_seconds, XOS_CONFIG_DURATION, 1, 3600),        \
	    XOS_SERVICE_LIMIT(                                                                     \
	        conf_type, member, idle, idle_seconds, XOS_CONFIG_DURATION, 1, 86400),             \
	    XOS_SERVICE_COMMON_KEYS(conf_type, member)
#define XOS_SERVICE_COMMON_KEYS(conf_type, member)                                                 \
	XOS_SERVICE_KEY(conf_type, member, vo, XOS_CONFIG_STRING, true),                           \
	    XOS_SERVICE_KEY(conf_type, member, listen, XOS_CONFIG_STRING, true),                   \
	    XOS_SERVICE_KEY(conf_type, member, state, XOS_CONFIG_PATH, true),                      \
	    XOS_SERVICE_KEY(conf_type, member, trust, XOS_CONFIG_PATH, true),                      \
	    XOS_SERVICE_KEY(conf_type, member, tls_certificate, XOS_CONFIG_PATH, true),            \
	    XOS_SERVICE_KEY(conf_type, member, tls_key, XOS_CONFIG_PATH, true),                    \
	    XOS_SERVICE_KEY(conf_type, member, user_network, XOS_CONFIG_STRING, false),            \
	    XOS_SERVICE_KEY(conf_type, member, user_auth, XOS_CONFIG_STRING, false),               \
	    XOS_SERVICE_KEY(conf_type, member, user_key, XOS_CONFIG_STRING, false)

/* The folder of the TLS certificate, so that a sandbox lets one be read that replaced it; false if that is
 * the state folder, where other secrets may stand: then only the files that are there now can be read. */
bool xos_service_tls_folder(const struct xos_service_conf *c, char out[PATH_MAX]);

/* Checks what the common keys point to: VO name, trust folder with that VO's root, certificate and
 * key that belong together, the key's mode, the state folder. For programs' check functions. */
void xos_service_conf_check(const struct xos_service_conf *c,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx);

#endif
