#include "credd/node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "credd/confine.h"
#include "credd/fetch.h"
#include "credd/ops.h"
#include "credd/ops_accounts.h"
#include "credd/renewer.h"
#include "credd/server.h"
#include "credd/source.h"
#include "net/loop.h"
#include "proc/daemon.h"
#include "proc/supervisor.h"

#define SWEEP_MS 60000
#define LISTS_MS 1000
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct node {
	struct xos_credd_self self;
	struct xos_loop *loop;
	struct xos_watch *signals;
	struct xos_timer *sweep, *lists;
	int signal_fd, listen_fd;
	struct xos_credd_ops ops;
	struct xos_credd_fetch *fetch;
	struct xos_credd_renewer *renewer;
	struct xos_credd_server *server;
};

static void on_signal(void *ctx, unsigned events)
{
	struct node *n = ctx;
	(void)events;
	for (int sig; (sig = xos_signal_next(n->signal_fd)) != 0;) {
		if (sig == SIGHUP)
			xos_credd_fetch_wake(n->fetch);
		else
			xos_loop_stop(n->loop);
	}
}

static void on_sweep(void *ctx)
{
	struct node *n = ctx;
	int64_t now = xos_credd_view_now(xos_credd_decider_view(n->ops.decider));
	xos_credd_jobs_sweep(n->ops.jobs, now, xos_clock_mono_ms());
	xos_credd_sessions_sweep(n->ops.sessions, now, xos_clock_mono_ms());
}

static void on_lists(void *ctx)
{
	struct node *n = ctx;
	xos_trust_look(xos_credd_decider_view(n->ops.decider)->trust);
}

static bool is_service(void *ctx, uid_t uid)
{
	const struct node *n = ctx;
	return xos_credd_is_service(&n->self, uid);
}

static enum xos_status handle(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err)
{
	struct node *n = ctx;
	return xos_credd_ops_handle(&n->ops, peer, req, answer, plain, secret, err);
}

/* A file of /proc, which has no size that could be asked for first. */
static enum xos_status boot_id(char out[XOS_CREDD_BOOT_ID + 1], struct xos_err *err)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, XOS_CREDD_BOOT_ID) : -1;
	enum xos_status st = XOS_OK;
	if (n != XOS_CREDD_BOOT_ID)
		st = xos_err_errno(err, n < 0 ? errno : EIO, "boot", "cannot read %s", BOOT_ID);
	else
		out[n] = '\0';
	if (fd >= 0)
		close(fd);
	return st;
}

static enum xos_status load_sessions(struct node *n, struct xos_err *err)
{
	const struct xos_credd_conf *conf = n->self.conf;
	char dir[PATH_MAX], boot[XOS_CREDD_BOOT_ID + 1];
	const struct xos_credd_sessions_options opts = {
	    .dir = dir,
	    .boot = boot,
	    .max = (size_t)conf->sessions_max,
	    .per_user = (size_t)conf->sessions_per_user,
	};
	enum xos_status st = xos_credd_sessions_dir(conf, dir, err);
	if (!st)
		st = boot_id(boot, err);
	return st ? st : xos_credd_sessions_open(&opts, &n->ops.sessions, err);
}

/* State from disk: jobs, sessions, then the last good bundle. */
static enum xos_status load(struct node *n, struct xos_credd_source *source, struct xos_err *err)
{
	const struct xos_credd_conf *conf = n->self.conf;
	char dir[PATH_MAX];
	struct xos_credd_view *view = NULL;
	if (!xos_path_join(dir, sizeof(dir), conf->state, "jobs"))
		return xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
	enum xos_status st = xos_credd_jobs_open(dir, (size_t)conf->jobs_max, &n->ops.jobs, err);
	if (!st)
		st =
		    xos_credd_leases_open(conf->state, conf->lease_quarantine, &n->ops.leases, err);
	if (!st)
		xos_credd_leases_apply(&n->ops);
	if (!st)
		st = load_sessions(n, err);
	if (!st)
		st = xos_credd_source_stored(source, &view, err);
	if (!st)
		st = xos_credd_decider_new(&n->self, view, &n->ops.decider, err);
	return st;
}

static enum xos_status start(struct node *n, struct xos_err *err)
{
	struct xos_credd_source *source = NULL;
	const struct xos_credd_conf *conf = n->self.conf;
	n->ops.self = &n->self;
	enum xos_status st = xos_credd_source_new(&n->self, &source, err);
	if (!st) {
		xos_credd_source_pace(source);
		st = load(n, source, err);
	}
	if (!st)
		st = xos_loop_new(&n->loop, err);
	if (st) {
		xos_credd_source_free(source);
		return st;
	}
	struct xos_credd_server_options opts = {
	    .listen_fd = n->listen_fd,
	    .connections_max = (size_t)conf->connections_max,
	    .handle = handle,
	    .is_service = is_service,
	    .ctx = n,
	};
	st = xos_credd_server_new(n->loop, &opts, &n->server, err);
	n->signals = xos_watch_new(n->loop, n->signal_fd, on_signal, n);
	n->sweep = xos_timer_new(n->loop, on_sweep, n);
	n->lists = xos_timer_new(n->loop, on_lists, n);
	if (!st && (!n->signals || !n->sweep || !n->lists))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = xos_credd_renewer_start(
		    n->loop, &n->ops, xos_credd_source_trust(source), &n->renewer, err);
	if (st) {
		xos_credd_source_free(source);
		return st;
	}
	xos_watch_set(n->signals, XOS_WATCH_READ);
	xos_timer_every(n->sweep, SWEEP_MS);
	xos_timer_every(n->lists, LISTS_MS);
	return xos_credd_fetch_start(n->loop, &n->ops, source, &n->fetch, err);
}

static void announce(const struct node *n)
{
	struct xos_buf b;
	struct xos_err err = XOS_ERR_INIT;
	char uid[16];
	const struct xos_credd_view *v = xos_credd_decider_view(n->ops.decider);
	enum xos_status st = xos_credd_view_usable(v, xos_credd_view_now(v), &err);
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)n->self.uid);
	xos_buf_init(&b, 64);
	xos_buf_printf(&b, "%zu", xos_credd_jobs_count(n->ops.jobs));
	XOS_EVENT(XOS_INFO, "credd.serving", "node", n->self.conf->node, "user", uid, "jobs",
	    xos_buf_str(&b), "mode", n->self.root ? "root" : "user", "decides", st ? "no" : "yes",
	    "why", st ? err.text : NULL);
	xos_buf_free(&b);
	if (!xos_secret_would_lock(XOS_CREDD_LOCK_MIN))
		XOS_EVENT(XOS_WARN, "memory.not-locked", "means",
		    "keys may be written to swap: raise RLIMIT_MEMLOCK (LimitMEMLOCK in the unit)");
}

static void stop(struct node *n)
{
	xos_credd_renewer_stop(n->renewer);
	xos_credd_fetch_stop(n->fetch);
	xos_credd_server_free(n->server);
	xos_watch_free(n->signals);
	xos_timer_free(n->sweep);
	xos_timer_free(n->lists);
	xos_loop_free(n->loop); /* runs what was posted: the decider must still be there */
	xos_credd_renewer_free(n->renewer);
	xos_credd_decider_free(n->ops.decider);
	xos_credd_leases_free(n->ops.leases);
	xos_credd_jobs_free(n->ops.jobs);
	xos_credd_sessions_free(n->ops.sessions);
	if (n->listen_fd >= 0)
		close(n->listen_fd);
	if (n->signal_fd >= 0)
		close(n->signal_fd);
}

enum xos_status xos_credd_node_run(const struct xos_credd_conf *conf, struct xos_err *err)
{
	struct node n = {.signal_fd = -1, .listen_fd = -1};
	enum xos_status st = xos_credd_self_init(conf, &n.self, err);
	if (!st)
		st = xos_child_fd_take("socket", &n.listen_fd, err);
	if (!st)
		st = xos_signal_fd(&n.signal_fd, err);
	if (!st)
		st = xos_credd_confine(&n.self, err);
	if (!st)
		st = start(&n, err);
	if (!st) {
		xos_child_ready();
		announce(&n);
		st = xos_loop_run(n.loop, err);
	}
	stop(&n);
	return st;
}
