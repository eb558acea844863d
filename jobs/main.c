#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "jobs/config.h"
#include "jobs/courier.h"
#include "jobs/front.h"
#include "jobs/starter.h"
#include "net/pair.h"
#include "net/server.h"
#include "proc/cgroup.h"
#include "proc/daemon.h"
#include "proc/privdrop.h"
#include "proc/sandbox.h"
#include "proc/supervisor.h"
#include "service/main.h"
#include "service/own.h"

#define RENEW_MS 20000 /* how long another program may be renewing the certificate */

/* Starter first: what the front asks for is there when it begins to serve. */
enum { STARTER, COURIER, FRONT, ROLES };
static const char *const roles[ROLES] = {"starter", "courier", "front"};

static enum xos_status supervise(
    const struct xos_service_run *run, int listen_fd, struct xos_err *err)
{
	const struct xos_child_fd listen = {"listen", listen_fd};
	const char *argv[ROLES][10] = {{NULL}};
	struct xos_child children[ROLES] = {{0}};
	const struct xos_child_link link = {
	    .a = FRONT, .b = STARTER, .name_a = "starter", .name_b = "front"};
	struct xos_supervisor s = {.children = children,
	    .nchildren = ROLES,
	    .links = &link,
	    .nlinks = 1,
	    .pid_file = run->pid_file,
	    .ready_fd = run->ready_fd};

	for (size_t i = 0; i < ROLES; i++) {
		const char *const args[] = {run->program->name, "run", "--config", run->config_path,
		    "--role", roles[i], run->log_level ? "--log-level" : NULL, run->log_level,
		    NULL};

		memcpy(argv[i], args, sizeof(args));
		children[i] = (struct xos_child){.role = roles[i], .argv = argv[i]};
	}
	struct xos_err why = XOS_ERR_INIT;
	/* Before there is a second process: a group with processes hands no controllers on. */
	if (geteuid() == 0 && xos_cgroups_prepare(&why) != XOS_OK)
		xos_event_err(XOS_WARN, "jobs.control-groups", &why, (const char *)NULL);
	/* Bound here, so that whoever connects while the front is restarted waits instead of failing. */
	children[FRONT].fds = &listen;
	children[FRONT].nfds = 1;
	return xos_supervise(&s, err);
}

/* Front and courier: as nobody of note. */
static enum xos_status become_network(const struct xos_jobs_config *c, struct xos_err *err)
{
	struct xos_proc_user user = {.ngroups = 0};
	enum xos_status st;

	if (geteuid() != 0)
		return xos_privdrop(NULL, NULL, err);
	st = xos_service_user(c->common.user_network, &user.uid, &user.gid, err);
	return st == XOS_OK ? xos_privdrop(&user, NULL, err) : st;
}

static bool folder_of(const char *file, char out[PATH_MAX])
{
	char *slash;

	if (strlen(file) >= PATH_MAX)
		return false;
	memcpy(out, file, strlen(file) + 1);
	slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = 0;
	return true;
}

/* Files are renewed by putting new ones in their place, so the rules are for folders. */
static enum xos_status close_sandbox(const struct xos_jobs_config *c, const char *name,
    unsigned allow, const char *own, bool renews, struct xos_err *err)
{
	char certificate[PATH_MAX], key[PATH_MAX], run[PATH_MAX], write[PATH_MAX];
	const char *const read_only[] = {c->common.trust, certificate, key, run, NULL};
	const char *const read_write[] = {
	    write, renews ? certificate : NULL, renews ? key : NULL, NULL};
	struct xos_sandbox box = {
	    .name = name, .allow = allow, .read_only = read_only, .read_write = read_write};

	if (!folder_of(c->common.tls_certificate, certificate) ||
	    !folder_of(c->common.tls_key, key) ||
	    !xos_path_join(run, sizeof(run), c->common.state, "run") ||
	    !xos_path_join(write, sizeof(write), c->common.state, own))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	return xos_sandbox_enter(&box, err);
}

static enum xos_status take_channel(const char *name, struct xos_channel **out, struct xos_err *err)
{
	int fd = -1;
	enum xos_status st = xos_child_fd_take(name, &fd, err);

	return st == XOS_OK ? xos_channel_new(fd, out, err) : st;
}

static enum xos_status run_front(
    const struct xos_jobs_config *c, int signal_fd, struct xos_err *err)
{
	struct xos_channel *starter = NULL;
	struct xos_job_front *front = NULL;
	char dir[PATH_MAX];
	int listen_fd = -1;
	enum xos_status st = take_channel("starter", &starter, err);

	if (st == XOS_OK)
		st = xos_child_fd_take("listen", &listen_fd, err);
	if (st == XOS_OK && !xos_path_join(dir, sizeof(dir), c->common.state, "front"))
		st = xos_err_set(err, XOS_LIMIT, "state", "path too long");
	if (st == XOS_OK)
		st = xos_service_own(dir, geteuid() == 0 ? c->common.user_network : NULL, err);
	if (st == XOS_OK)
		st = xos_job_front_open(c, starter, listen_fd, &front, err);
	if (st == XOS_OK)
		st = become_network(c, err);
	if (st == XOS_OK)
		st = close_sandbox(c, "jobd/front", XOS_ALLOW_NET_SERVER | XOS_ALLOW_FILE_WRITE,
		    "front", false, err);
	if (st == XOS_OK)
		st = xos_job_front_serve(front, signal_fd, err);
	xos_job_front_free(front);
	xos_channel_free(starter);
	return st;
}

static enum xos_status run_courier(
    const struct xos_jobs_config *c, int signal_fd, struct xos_err *err)
{
	struct xos_courier *courier = NULL;
	enum xos_status st = xos_courier_open(c, &courier, err);

	if (st == XOS_OK)
		st = become_network(c, err);
	if (st == XOS_OK)
		st = close_sandbox(c, "jobd/courier", XOS_ALLOW_NET_CLIENT | XOS_ALLOW_FILE_WRITE,
		    "spool", c->rca, err);
	if (st == XOS_OK)
		st = xos_courier_serve(courier, signal_fd, err);
	xos_courier_free(courier);
	return st;
}

/* No sandbox: a filter would be inherited by every monitor and every job. Its protection is that it
 * reads nothing but orders, through a bounded reader, and believes none of them. */
static enum xos_status run_starter(
    const struct xos_jobs_config *c, int signal_fd, struct xos_err *err)
{
	struct xos_channel *front = NULL;
	struct xos_starter *starter = NULL;
	enum xos_status st = take_channel("front", &front, err);

	if (st == XOS_OK)
		st = xos_starter_new(c, &starter, err);
	if (st == XOS_OK)
		st = xos_proc_harden(err);
	if (st == XOS_OK) {
		if (c->member)
			XOS_EVENT(XOS_INFO, "jobs.one-member", "member", c->member);
		xos_child_ready();
		st = xos_starter_serve(starter, front, signal_fd, err);
	}
	xos_starter_free(starter);
	xos_channel_free(front);
	return st;
}

static enum xos_status run_role(const struct xos_service_run *run, struct xos_err *err)
{
	const struct xos_jobs_config *c = run->conf;
	enum xos_status st;
	char name[32];
	int signal_fd = -1;

	snprintf(name, sizeof(name), "jobd/%s", run->role);
	xos_event_setup(name, run->level);
	st = xos_signal_fd(&signal_fd, err);
	if (st != XOS_OK)
		;
	else if (strcmp(run->role, roles[FRONT]) == 0)
		st = run_front(c, signal_fd, err);
	else if (strcmp(run->role, roles[COURIER]) == 0)
		st = run_courier(c, signal_fd, err);
	else if (strcmp(run->role, roles[STARTER]) == 0)
		st = run_starter(c, signal_fd, err);
	else
		st = xos_err_set(err, XOS_MALFORMED, "usage", "there is no role \"%s\"", run->role);
	if (st != XOS_OK)
		xos_child_failed(err);
	return st;
}

/* The courier renews it, the front reads it: both are the network's user. What a crash left half
 * replaced is finished before anybody reads it. */
static enum xos_status own_certificate(const struct xos_jobs_config *c, struct xos_err *err)
{
	const char *user = geteuid() == 0 ? c->common.user_network : NULL;
	const char *const files[] = {c->common.tls_certificate, c->common.tls_key};
	struct xos_tls_pair pair = {.certificate = NULL};
	char folder[PATH_MAX];
	int lock = -1;
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < 2; i++) {
		if (!folder_of(files[i], folder))
			return xos_err_set(err, XOS_LIMIT, "state", "path too long");
		st = xos_service_own(folder, user, err);
	}
	if (st == XOS_OK)
		st = xos_tls_pair_init(&pair, files[0], files[1], err);
	if (st == XOS_OK)
		st = xos_tls_pair_lock(&pair, xos_clock_mono_ms() + RENEW_MS, &lock, err);
	if (st == XOS_OK)
		st = xos_tls_pair_finish(&pair, err);
	xos_tls_pair_unlock(lock);
	xos_tls_pair_clear(&pair);
	return st;
}

static enum xos_status verb_run(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct xos_jobs_config *c = run->conf;
	struct xos_stage stage;
	int listen_fd = -1;
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st != XOS_OK)
		return st;
	if (run->role)
		return run_role(run, err);
	/* Before the children, which all use these folders. */
	st = xos_stage_open(&stage, c->common.state, c->common.user_network, err);
	if (st == XOS_OK && c->rca)
		st = own_certificate(c, err);
	if (st == XOS_OK)
		st = xos_server_bind(c->common.listen, &listen_fd, err);
	if (st != XOS_OK) {
		xos_ready_report(run->ready_fd, err);
		return st;
	}
	st = supervise(run, listen_fd, err);
	close(listen_fd);
	return st;
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "run jobs of members on this node", true, verb_run},
};

int main(int argc, char **argv)
{
	const struct xos_service_program program = {.name = "xos-jobd",
	    .about =
	        "The job service of one node: runs members' jobs under their own accounts, within "
	        "policy.",
	    .keys = xos_jobs_keys,
	    .nkeys = xos_jobs_nkeys,
	    .conf_size = sizeof(struct xos_jobs_config),
	    .check = xos_jobs_config_check,
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-jobd --check --config /etc/xos/jobd.conf\n"
	                "  xos-jobd run --config /etc/xos/jobd.conf\n"};

	return xos_service_main(&program, argc, argv);
}
