#include "service/authority.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/text.h"
#include "net/server.h"
#include "proc/daemon.h"
#include "proc/pass.h"
#include "proc/privdrop.h"
#include "proc/supervisor.h"
#include "service/reload.h"

#define PROC_NAME_MAX 64

static const char *const part_name[XOS_PARTS] = {"network", "auth", "key"};

static const struct {
	enum xos_part a, b;
} part_links[] = {{XOS_PART_NETWORK, XOS_PART_AUTH}, {XOS_PART_NETWORK, XOS_PART_KEY},
    {XOS_PART_AUTH, XOS_PART_KEY}};

#define LINKS (sizeof(part_links) / sizeof(part_links[0]))

static bool linked(const struct xos_authority *a, size_t link)
{
	const bool wanted[LINKS] = {a->network_auth, a->network_key, a->auth_key};
	return wanted[link] && a->parts[part_links[link].a].present &&
	       a->parts[part_links[link].b].present;
}

/* The arguments of one child; strings are borrowed. */
static void child_argv(
    const struct xos_service_run *run, const char *config, const char *role, const char *argv[10])
{
	size_t n = 0;
	argv[n++] = run->program->name;
	argv[n++] = "run";
	argv[n++] = "--config";
	argv[n++] = config;
	argv[n++] = "--role";
	argv[n++] = role;
	if (run->log_level) {
		argv[n++] = "--log-level";
		argv[n++] = run->log_level;
	}
	argv[n] = NULL;
}

/* Key first, network last: what network asks for is there when it begins to serve. */
static const enum xos_part start_order[XOS_PARTS] = {XOS_PART_KEY, XOS_PART_AUTH, XOS_PART_NETWORK};

/* What the supervisor of a whole service is put together from. */
struct plan {
	struct xos_child children[XOS_PARTS + XOS_PAIRS_MAX];
	const char *argv[XOS_PARTS + XOS_PAIRS_MAX][10];
	struct xos_child_fd fds[2];
	struct xos_child_link links[LINKS + XOS_PAIRS_MAX];
	char pair_names[XOS_PAIRS_MAX][PROC_NAME_MAX];
	struct xos_child_outlet outlets[2];
	size_t index[XOS_PARTS], n, nlinks, noutlets;
};

static void plan_child(struct plan *p, const struct xos_service_run *run, const char *config,
    const char *role, size_t nfds)
{
	child_argv(run, config, role, p->argv[p->n]);
	p->children[p->n] =
	    (struct xos_child){.role = role, .argv = p->argv[p->n], .fds = p->fds, .nfds = nfds};
	p->n++;
}

static void plan_parts(
    struct plan *p, const struct xos_authority *a, const struct xos_service_run *run, bool network)
{
	for (size_t i = 0; i < XOS_PARTS; i++) {
		enum xos_part part = start_order[i];
		bool listens = part == XOS_PART_NETWORK && p->fds[1].fd >= 0;
		if (!a->parts[part].present || (part == XOS_PART_NETWORK && !network))
			continue;
		p->index[part] = p->n;
		plan_child(p, run, run->config_path, part_name[part], listens ? 2 : 1);
	}
	for (size_t l = 0; l < LINKS; l++) {
		enum xos_part x = part_links[l].a, y = part_links[l].b;
		if (!linked(a, l))
			continue;
		if (x == XOS_PART_NETWORK && !network)
			p->outlets[p->noutlets++] =
			    (struct xos_child_outlet){.child = p->index[y], .name = part_name[x]};
		else
			p->links[p->nlinks++] = (struct xos_child_link){.a = p->index[x],
			    .b = p->index[y],
			    .name_a = part_name[y],
			    .name_b = part_name[x]};
	}
}

static enum xos_status plan_pairs(struct plan *p, const struct xos_authority *a,
    const struct xos_service_run *run, struct xos_err *err)
{
	if (a->npairs > XOS_PAIRS_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "pairs", "at most %d VOs beside the first", XOS_PAIRS_MAX);
	for (size_t i = 0; i < a->npairs; i++) {
		if (!xos_str_printf(p->pair_names[i], PROC_NAME_MAX, "pair-%s", a->pairs[i].name))
			return xos_err_set(
			    err, XOS_LIMIT, "pairs", "the name %s is too long", a->pairs[i].name);
		p->links[p->nlinks++] = (struct xos_child_link){.a = p->index[XOS_PART_NETWORK],
		    .b = p->n,
		    .name_a = p->pair_names[i],
		    .name_b = "network"};
		plan_child(p, run, a->pairs[i].config_path, XOS_PAIR_ROLE, 0);
	}
	return XOS_OK;
}

static enum xos_status supervise(const struct xos_authority *a, const struct xos_service_run *run,
    int listen_fd, struct xos_reload *reload, struct xos_err *err)
{
	struct plan p = {.fds = {{"config", xos_reload_fd(reload)}, {"listen", listen_fd}}};
	plan_parts(&p, a, run, true);
	enum xos_status st = plan_pairs(&p, a, run, err);
	if (st != XOS_OK) {
		xos_ready_report(run->ready_fd, err);
		return st;
	}
	struct xos_supervisor s = {.children = p.children,
	    .nchildren = p.n,
	    .links = p.links,
	    .nlinks = p.nlinks,
	    .pid_file = run->pid_file,
	    .ready_fd = run->ready_fd,
	    .on_hup = xos_reload_on_hup,
	    .ctx = reload};
	return xos_supervise(&s, err);
}

/* ---- a pair: a child of one supervisor and the supervisor of two ---- */

struct pair {
	struct xos_reload *reload;
	int network_fd;
	size_t n;
};

static bool pair_hup(void *ctx)
{
	struct pair *p = ctx;
	return xos_reload_on_hup(p->reload);
}

static void pair_hand_over(void *ctx, const int *fds)
{
	struct pair *p = ctx;
	struct xos_err err = XOS_ERR_INIT;
	if (xos_fds_send(p->network_fd, fds, p->n, &err) != XOS_OK)
		xos_event_err(XOS_ERROR, "pair.not-handed-over", &err, (const char *)NULL);
}

static enum xos_status run_pair(
    const struct xos_authority *a, const struct xos_service_run *run, struct xos_err *err)
{
	struct pair pair = {.network_fd = -1};
	int ready_fd = -1;
	enum xos_status st = xos_child_fd_take("ready", &ready_fd, err);
	if (st == XOS_OK)
		st = xos_child_fd_take("network", &pair.network_fd, err);
	if (st == XOS_OK)
		st = xos_reload_new(run, &pair.reload, err);
	if (st != XOS_OK) {
		xos_child_failed(err);
		return st;
	}
	struct plan p = {.fds = {{"config", xos_reload_fd(pair.reload)}, {"listen", -1}}};
	plan_parts(&p, a, run, false);
	pair.n = p.noutlets;
	struct xos_supervisor s = {.children = p.children,
	    .nchildren = p.n,
	    .links = p.links,
	    .nlinks = p.nlinks,
	    .outlets = p.outlets,
	    .noutlets = p.noutlets,
	    .hand_over = pair_hand_over,
	    .ready_fd = ready_fd,
	    .on_hup = pair_hup,
	    .ctx = &pair};
	st = xos_supervise(&s, err);
	xos_reload_free(pair.reload);
	close(pair.network_fd);
	return st;
}

static enum xos_status run_supervisor(
    const struct xos_authority *a, const struct xos_service_run *run, struct xos_err *err)
{
	int listen_fd = -1;
	struct xos_reload *reload = NULL;
	enum xos_status st = xos_reload_new(run, &reload, err);
	if (st == XOS_OK && a->listen)
		st = xos_server_bind(a->listen, &listen_fd, err);
	if (st == XOS_OK)
		st = supervise(a, run, listen_fd, reload, err);
	else
		xos_ready_report(run->ready_fd, err);
	if (listen_fd >= 0)
		close(listen_fd);
	xos_reload_free(reload);
	return st;
}

static enum xos_status bad_user(struct xos_err *err, const char *user)
{
	return xos_err_set(err, XOS_MALFORMED, "config",
	    "\"%s\" is no user: write a name, a number, or NUMBER:NUMBER for user and group; not "
	    "root",
	    user);
}

static enum xos_status user_parse(const char *text, struct xos_proc_user *out, struct xos_err *err)
{
	char uid_text[32];
	uint64_t uid = 0, gid = 0;
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	const struct passwd *pw = NULL;
	if (!xos_str_printf(uid_text, sizeof(uid_text), "%.*s", (int)n, text))
		return bad_user(err, text);
	if (xos_parse_u64(uid_text, UINT32_MAX - 1, &uid)) {
		pw = getpwuid((uid_t)uid);
		gid = pw ? pw->pw_gid : uid;
		if (colon && !xos_parse_u64(colon + 1, UINT32_MAX - 1, &gid))
			return bad_user(err, text);
	} else {
		pw = colon ? NULL : getpwnam(text);
		if (!pw)
			return bad_user(err, text);
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (uid == 0 || gid == 0)
		return bad_user(err, text);
	*out = (struct xos_proc_user){.uid = (uid_t)uid, .gid = (gid_t)gid};
	return XOS_OK;
}

static enum xos_status drop(const struct xos_part_plan *plan, const char *part, struct xos_err *err)
{
	struct xos_proc_user user;
	bool skipped = false;
	enum xos_status st;
	if (geteuid() != 0)
		return xos_privdrop(NULL, NULL, err);
	if (!plan->user)
		return xos_err_set(
		    err, XOS_DENIED, "config", "user_%s must be set when started as root", part);
	st = user_parse(plan->user, &user, err);
	return st == XOS_OK ? xos_privdrop(&user, &skipped, err) : st;
}

static enum xos_status take_channels(
    const struct xos_authority *a, struct xos_part_self *self, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t l = 0; l < LINKS && st == XOS_OK; l++) {
		enum xos_part x = part_links[l].a, y = part_links[l].b;
		int fd = -1;
		if (!linked(a, l) || (x != self->part && y != self->part))
			continue;
		enum xos_part other = x == self->part ? y : x;
		st = xos_child_fd_take(part_name[other], &fd, err);
		if (st == XOS_OK)
			st = xos_channel_new(fd, &self->to[other], err);
	}
	if (st == XOS_OK && a->listen && self->part == XOS_PART_NETWORK)
		st = xos_child_fd_take("listen", &self->listen_fd, err);
	return st;
}

static enum xos_status part_find(
    const struct xos_authority *a, const char *role, enum xos_part *out, struct xos_err *err)
{
	for (int p = 0; p < XOS_PARTS; p++) {
		if (a->parts[p].present && strcmp(part_name[p], role) == 0) {
			*out = (enum xos_part)p;
			return XOS_OK;
		}
	}
	return xos_err_set(err, XOS_MALFORMED, "usage", "there is no role \"%s\"", role);
}

/* In a child: open, become nobody of note, close the sandbox, serve. */
static enum xos_status run_part(
    const struct xos_authority *a, const struct xos_service_run *run, struct xos_err *err)
{
	char name[PROC_NAME_MAX];
	struct xos_part_self self = {.run = run, .signal_fd = -1, .listen_fd = -1};
	enum xos_status st = part_find(a, run->role, &self.part, err);
	if (st != XOS_OK)
		return st;
	const struct xos_part_plan *plan = &a->parts[self.part];
	snprintf(name, sizeof(name), "%s/%s", a->name, run->role);
	xos_event_setup(name, run->level);
	st = take_channels(a, &self, err);
	if (st == XOS_OK)
		st = xos_signal_fd(&self.signal_fd, err);
	if (st == XOS_OK && plan->open)
		st = plan->open(&self, err);
	if (st == XOS_OK)
		st = drop(plan, run->role, err);
	if (st == XOS_OK)
		st = xos_sandbox_enter(&plan->sandbox, err);
	if (st == XOS_OK)
		st = plan->serve(&self, err);
	if (st != XOS_OK)
		xos_child_failed(err);
	if (plan->close)
		plan->close(&self);
	for (int p = 0; p < XOS_PARTS; p++)
		xos_channel_free(self.to[p]);
	return st;
}

enum xos_status xos_authority_run(
    const struct xos_authority *a, const struct xos_service_run *run, struct xos_err *err)
{
	if (!run->role)
		return run_supervisor(a, run, err);
	return strcmp(run->role, XOS_PAIR_ROLE) == 0 ? run_pair(a, run, err)
	                                             : run_part(a, run, err);
}

void xos_part_channels(
    const struct xos_part_self *self, struct xos_channel **list, struct xos_channel_server *server)
{
	size_t n = 0;
	for (int p = 0; p < XOS_PARTS; p++)
		if (self->to[p])
			list[n++] = self->to[p];
	server->channels = list;
	server->nchannels = n;
	server->signal_fd = self->signal_fd;
}
