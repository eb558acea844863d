#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "credd/claims.h"
#include "credd/node.h"
#include "credd/renew.h"
#include "credd/server.h"
#include "credd/source.h"
#include "local/client.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"
#include "service/main.h"
#include "service/own.h"

#define ROLE "credd"

/* As root: what xos-credd's own user has to read and replace becomes its own. */
static enum xos_status give_file(
    const char *path, const struct xos_credd_self *self, struct xos_err *err)
{
	struct stat sb;
	if (!path)
		return XOS_OK;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) /* missing: the daemon says so, and decides without asking servers */
		return errno == ENOENT
		           ? XOS_OK
		           : xos_err_errno(err, errno, "state-file", "cannot open %s", path);
	enum xos_status st = XOS_OK;
	if (fstat(fd, &sb) || !S_ISREG(sb.st_mode) || sb.st_nlink != 1)
		st = xos_err_set(err, XOS_DENIED, "state-file",
		    "%s is no plain file with one name: it is not given to xos-credd's user", path);
	else if (sb.st_uid != self->uid && fchown(fd, self->uid, self->gid))
		st = xos_err_errno(err, errno, "state-file", "cannot give %s away", path);
	close(fd);
	return st;
}

/* For the map of accounts, which everybody reads; whatever else is in there has modes of its own. */
static enum xos_status let_through(const char *dir, struct xos_err *err)
{
	struct stat sb;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum xos_status st = XOS_OK;
	if (fd < 0 || fstat(fd, &sb) != 0 || fchmod(fd, (sb.st_mode & 0777) | 0111) != 0)
		st = xos_err_errno(err, errno, "state-folder", "cannot let others through %s", dir);
	if (fd >= 0)
		close(fd);
	return st;
}

static enum xos_status prepare_files(const struct xos_credd_self *self, struct xos_err *err)
{
	const struct xos_credd_conf *conf = self->conf;
	char jobs[PATH_MAX], ssh[PATH_MAX], sessions[PATH_MAX];
	enum xos_status st = xos_service_own(conf->state, conf->user, err);
	if (!st && !xos_path_join(jobs, sizeof(jobs), conf->state, "jobs"))
		st = xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
	if (!st)
		st = xos_service_own(jobs, conf->user, err);
	if (!st && self->root)
		st = let_through(conf->state, err);
	if (!st)
		st = xos_credd_sessions_dir(conf, sessions, err);
	if (!st)
		st = xos_service_own(sessions, conf->user, err);
	if (!st && self->root && conf->slices)
		st = xos_credd_claims_prepare(conf->slices, conf->vo, self->uid, self->gid, err);
	/* xos-node ssh-host may have made it as root, before the first start. */
	if (!st && !xos_path_join(ssh, sizeof(ssh), conf->state, "ssh"))
		st = xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
	if (!st && conf->ssh_host_keys)
		st = xos_service_own(ssh, conf->user, err);
	if (!st && self->root)
		st = give_file(conf->tls_key, self, err);
	if (!st && self->root)
		st = give_file(conf->tls_certificate, self, err);
	return st;
}

static enum xos_status supervise(
    const struct xos_service_run *run, int listen_fd, struct xos_err *err)
{
	const char *argv[10] = {
	    run->program->name, "run", "--config", run->config_path, "--role", ROLE};
	if (run->log_level) {
		argv[6] = "--log-level";
		argv[7] = run->log_level;
	}
	struct xos_child_fd fd = {"socket", listen_fd};
	struct xos_child child = {.role = ROLE, .argv = argv, .fds = &fd, .nfds = 1};
	struct xos_supervisor s = {
	    .children = &child,
	    .nchildren = 1,
	    .pid_file = run->pid_file,
	    .ready_fd = run->ready_fd,
	};
	return xos_supervise(&s, err);
}

/*
 * The supervisor makes the socket, so that it belongs to whoever started the service (clients check
 * that), stays while the daemon restarts, and queues who connects meanwhile. It reads nothing from
 * anybody.
 */
static enum xos_status run_supervisor(const struct xos_service_run *run, struct xos_err *err)
{
	struct xos_credd_self self;
	char lock[PATH_MAX];
	int lock_fd = -1, fd = -1;
	const struct xos_credd_conf *conf = run->conf;
	enum xos_status st = xos_credd_self_init(conf, &self, err);
	if (!st)
		st = prepare_files(&self, err);
	if (!st && !xos_path_join(lock, sizeof(lock), conf->state, "lock"))
		st = xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
	if (!st)
		st = xos_file_lock(lock, &lock_fd, err);
	if (!st)
		st = xos_credd_socket_bind(conf->socket, &fd, err);
	if (st)
		xos_ready_report(run->ready_fd, err);
	else
		st = supervise(run, fd, err);
	if (fd >= 0) {
		unlink(conf->socket);
		close(fd);
	}
	if (lock_fd >= 0)
		close(lock_fd);
	return st;
}

static enum xos_status verb_run(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	enum xos_status st = xos_service_args_end(argc, argv, err);
	if (st)
		return st;
	if (!run->role)
		return run_supervisor(run, err);
	if (strcmp(run->role, ROLE) != 0)
		return xos_err_set(
		    err, XOS_MALFORMED, "usage", "there is no role \"%s\"", run->role);
	st = xos_credd_node_run(run->conf, err);
	if (st)
		xos_child_failed(err);
	return st;
}

static enum xos_status verb_status(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct xos_credd_conf *conf = run->conf;
	struct xos_local_options opts = {.path = conf->socket};
	struct xos_local *client = NULL;
	char *json = NULL;
	enum xos_status st = xos_service_args_end(argc, argv, err);
	if (!st)
		st = xos_local_new(&opts, &client, err);
	if (!st)
		st = xos_local_status(client, &json, err);
	if (!st)
		puts(json);
	free(json);
	xos_local_free(client);
	return st;
}

static void check_certificates(const struct xos_credd_conf *conf,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_tls_pair pairs[XOS_CREDD_PAIRS_MAX];
	struct xos_err err = XOS_ERR_INIT;
	size_t n = 0;
	if (conf->tls_key) {
		if (xos_tls_pair_init(&pairs[0], conf->tls_certificate, conf->tls_key, &err)) {
			report(ctx, &err);
			return;
		}
		n = 1;
	}
	if (xos_credd_pairs_parse(conf->renew, pairs, &n, &err))
		report(ctx, &err);
	for (size_t i = 0; i < n; i++)
		xos_tls_pair_clear(&pairs[i]);
}

static void check(const void *data, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct xos_credd_conf *conf = data;
	struct xos_credd_self self;
	struct xos_credd_source *source = NULL;
	struct xos_err err = XOS_ERR_INIT;
	if (xos_credd_self_init(conf, &self, &err)) {
		report(ctx, &err);
		return;
	}
	if (xos_credd_source_new(&self, &source, &err))
		report(ctx, &err);
	xos_credd_source_free(source);
	check_certificates(conf, report, ctx);
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "hold credentials, decide, and keep the node's policy current", true, verb_run},
    {"status", "", "ask the running xos-credd how it stands; prints JSON", true, verb_status},
};

int main(int argc, char **argv)
{
	const struct xos_service_program program = {
	    .name = "xos-credd",
	    .about = "credentials, decisions and accounts of one node",
	    .keys = xos_credd_keys,
	    .nkeys = xos_credd_nkeys,
	    .conf_size = sizeof(struct xos_credd_conf),
	    .check = check,
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-credd --check --config /etc/xos/credd.conf\n"
	                "  xos-credd run --config /etc/xos/credd.conf\n"
	                "  xos-credd status --config /etc/xos/credd.conf\n",
	};
	return xos_service_main(&program, argc, argv);
}
