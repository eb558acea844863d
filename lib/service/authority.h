#ifndef XOS_SERVICE_AUTHORITY_H
#define XOS_SERVICE_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "proc/channel.h"
#include "proc/sandbox.h"
#include "service/main.h"

/*
 * A service as several processes: network (parses TLS and HTTP, holds nothing of value), auth (the
 * verifiers of passwords and signatures), key (signs). Any two may be linked by a channel of their
 * own; auth's channel to key is how key believes auth and not what network says about it. A service
 * without an auth process leaves that part out.
 *
 * `xos-cad run` becomes the supervisor and starts itself anew for each part with `--role NAME`. In
 * the part: the configuration is read again, `open` runs with the rights of the start (root's files
 * can still be opened), then the user changes, then the sandbox closes, then `serve` runs and takes
 * the first byte from anywhere.
 */
#define XOS_PAIR_ROLE "pair" /* --role of the supervisor of a further VO's processes */
enum xos_part { XOS_PART_NETWORK, XOS_PART_AUTH, XOS_PART_KEY };
#define XOS_PARTS 3

struct xos_part_self {
	enum xos_part part;
	const struct xos_service_run *run; /* run->conf is the configuration */
	struct xos_channel *to[XOS_PARTS]; /* to each other part; NULL where there is no link */
	int signal_fd;                     /* SIGTERM, SIGINT, SIGHUP */
	int listen_fd; /* network: the bound socket, for xos_front_options; -1 elsewhere */
	void *state;   /* of `open` */
};

struct xos_part_plan {
	bool present;
	const char *user; /* from the configuration: name or number; NULL: stay (refused as root) */
	/* Opens what needs the rights of the start. May be NULL. */
	enum xos_status (*open)(struct xos_part_self *self, struct xos_err *err);
	struct xos_sandbox sandbox;
	/* Serves until told to stop; calls xos_child_ready once it does (xos_front_run calls it
	 * itself). */
	enum xos_status (*serve)(struct xos_part_self *self, struct xos_err *err);
	void (*close)(struct xos_part_self *self); /* frees state; may be NULL */
};

/*
 * Another VO on the same server: auth and key of its own, from a configuration of its own, under a supervisor of their
 * own (role "pair"), so that their death is theirs alone. The network process finds a descriptor named
 * "pair-" and the name, and receives there (proc/pass.h), each time that they were started, the channels to
 * auth and key, in this order, as far as there are such links.
 */
struct xos_authority_pair {
	const char *name;
	const char *config_path;
};
#define XOS_PAIRS_MAX 12

struct xos_authority {
	const char *name; /* "cad": processes appear as cad/network, cad/auth, cad/key */
	struct xos_part_plan parts[XOS_PARTS];
	bool network_auth, network_key, auth_key;
	const struct xos_authority_pair *pairs;
	size_t npairs;
	/* Where network listens: bound by the supervisor, so that the address survives restarts of the
	 * parts and a low port needs no rights in them. */
	const char *listen;
};

/* The whole of a daemon's `run` verb: supervisor or part, as run->role says. */
XOS_MUST_USE enum xos_status xos_authority_run(
    const struct xos_authority *a, const struct xos_service_run *run, struct xos_err *err);

/*
 * The usual authority: network speaks to auth only, auth to key; auth's files are in STATE/auth, key's in
 * STATE/key, and the supervisor makes sure that they belong to the right users.
 */
struct xos_authority_part {
	enum xos_status (*open)(struct xos_part_self *self, struct xos_err *err);
	enum xos_status (*serve)(struct xos_part_self *self, struct xos_err *err);
	void (*close)(struct xos_part_self *self);
};
struct xos_authority_usual {
	const char *name; /* as in struct xos_authority */
	struct xos_authority_part network, auth, key;
	bool asks; /* network calls other servers */
	/* A folder of network's own below the state folder, which alone it may write; NULL: none. */
	const char *network_folder;
};
XOS_MUST_USE enum xos_status xos_authority_usual_run(const struct xos_authority_usual *u,
    const struct xos_service_conf *conf, const struct xos_service_run *run, int argc, char **argv,
    struct xos_err *err);
/* For a program's check function: xos_service_conf_check, and that the signing key KIND.key and its
 * certificate KIND.pem are there; daemon ("xos-rcad") is for the text. */
void xos_authority_usual_check(const struct xos_service_conf *conf, const char *daemon,
    const char *kind, void (*report)(void *ctx, const struct xos_err *err), void *ctx);

/* For channel servers (auth, key): sets channels, nchannels and signal_fd of *server. list has room
 * for XOS_PARTS and outlives the serving. Channels stand in the order network, auth, without holes:
 * whoever has a link to network sees it at bit 0 of struct xos_channel_handler.from; key with both
 * links sees auth at bit 1. */
void xos_part_channels(
    const struct xos_part_self *self, struct xos_channel **list, struct xos_channel_server *server);

#endif
