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
#include "jobs/end.h"
#include "jobs/hub.h"
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

/* Starters first: what the front asks for is there when it begins to serve. A starter and a courier for each VO. */
enum { STARTER, COURIER, FRONT, ROLES };
static const char *const roles[ROLES] = {"starter", "courier", "front"};
#define VOS_MAX (1 + XOS_JOBS_VOS_MAX)
#define CHILDREN_MAX (2 * VOS_MAX + 1)

/* The set of processes, and the names in it. */
struct parts {
	struct xos_child children[CHILDREN_MAX];
	const char *argv[CHILDREN_MAX][10];
	char role[CHILDREN_MAX][XOS_VO_MAX + 16];
	struct xos_child_link links[VOS_MAX];
	char link[VOS_MAX][XOS_VO_MAX + 16]; /* as the front finds it */
	size_t n;
};

/* The front's end of the channel to the starter of VO i; the first one's has no VO's name in it. */
static void link_name(char out[XOS_VO_MAX + 16], const char *vo)
{
	snprintf(out, XOS_VO_MAX + 16, "starter%s%s", vo ? "-" : "", vo ? vo : "");
}

static void add_part(struct parts *p, const struct xos_service_run *run, const char *role,
    const char *vo, const char *config)
{
	const char *const args[] = {run->program->name, "run", "--config", config, "--role", role,
	    run->log_level ? "--log-level" : NULL, run->log_level, NULL};

	memcpy(p->argv[p->n], args, sizeof(args));
	snprintf(p->role[p->n], sizeof(p->role[0]), "%s%s%s", role, vo ? "@" : "", vo ? vo : "");
	p->children[p->n] = (struct xos_child){.role = p->role[p->n], .argv = p->argv[p->n]};
	p->n++;
}

static enum xos_status supervise(const struct xos_service_run *run, const struct xos_jobs_vos *vos,
    int listen_fd, struct xos_err *err)
{
	const struct xos_child_fd listen = {"listen", listen_fd};
	struct parts p = {.n = 0};
	struct xos_supervisor s = {.children = p.children,
	    .links = p.links,
	    .nlinks = 1 + vos->n,
	    .pid_file = run->pid_file,
	    .ready_fd = run->ready_fd};

	for (size_t i = 0; i < 1 + vos->n; i++) {
		const char *vo = i ? vos->conf[i - 1].common.vo : NULL;
		const char *config = i ? vos->path[i - 1] : run->config_path;

		link_name(p.link[i], vo);
		p.links[i] = (struct xos_child_link){
		    .a = 2 * (1 + vos->n), .b = p.n, .name_a = p.link[i], .name_b = "front"};
		add_part(&p, run, roles[STARTER], vo, config);
		add_part(&p, run, roles[COURIER], vo, config);
	}
	struct xos_err why = XOS_ERR_INIT;
	/* Before there is a second process: a group with processes hands no controllers on. */
	if (geteuid() == 0 && xos_cgroups_prepare(&why) != XOS_OK)
		xos_event_err(XOS_WARN, "jobs.control-groups", &why, (const char *)NULL);
	add_part(&p, run, roles[FRONT], NULL, run->config_path);
	/* Bound here, so that whoever connects while the front is restarted waits instead of failing. */
	p.children[p.n - 1].fds = &listen;
	p.children[p.n - 1].nfds = 1;
	s.nchildren = p.n;
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

static enum xos_status close_courier(const struct xos_jobs_config *c, struct xos_err *err)
{
	char certificate[PATH_MAX], key[PATH_MAX], run[PATH_MAX], write[PATH_MAX];
	const char *const read_only[] = {c->common.trust, certificate, key, run, NULL};
	const char *const read_write[] = {
	    write, c->rca ? certificate : NULL, c->rca ? key : NULL, NULL};
	struct xos_sandbox box = {.name = "jobd/courier",
	    .allow = XOS_ALLOW_NET_CLIENT | XOS_ALLOW_FILE_WRITE,
	    .read_only = read_only,
	    .read_write = read_write};

	if (!folder_of(c->common.tls_certificate, certificate) ||
	    !folder_of(c->common.tls_key, key) ||
	    !xos_path_join(run, sizeof(run), c->common.state, "run") ||
	    !xos_path_join(write, sizeof(write), c->common.state, "spool"))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	return xos_sandbox_enter(&box, err);
}

static enum xos_status take_channel(const char *name, struct xos_channel **out, struct xos_err *err)
{
	int fd = -1;
	enum xos_status st = xos_child_fd_take(name, &fd, err);

	return st == XOS_OK ? xos_channel_new(fd, out, err) : st;
}

/* Folders of the front: for each VO trust, certificate, key, runs; and its table to write. */
struct front_paths {
	char text[VOS_MAX][4][PATH_MAX];
	const char *read[4 * VOS_MAX + 1], *write[VOS_MAX + 1];
	size_t n;
};

static bool add_paths(struct front_paths *p, const struct xos_jobs_config *c)
{
	char(*text)[PATH_MAX] = p->text[p->n];
	const char **read = &p->read[4 * p->n];

	for (size_t i = 0; i < 3; i++)
		read[i] = text[i];
	read[3] = c->common.trust;
	p->write[p->n++] = text[3];
	return folder_of(c->common.tls_certificate, text[0]) &&
	       folder_of(c->common.tls_key, text[1]) &&
	       xos_path_join(text[2], PATH_MAX, c->common.state, "run") &&
	       xos_path_join(text[3], PATH_MAX, c->common.state, "front");
}

/* Files are renewed by putting new ones in their place, so the rules are for folders. */
static enum xos_status close_front(
    const struct xos_jobs_config *c, const struct xos_jobs_vos *vos, struct xos_err *err)
{
	struct front_paths *p = calloc(1, sizeof(*p));
	enum xos_status st;
	bool fits;

	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	const struct xos_sandbox box = {.name = "jobd/front",
	    .allow = XOS_ALLOW_NET_SERVER | XOS_ALLOW_FILE_WRITE,
	    .read_only = p->read,
	    .read_write = p->write};

	fits = add_paths(p, c);
	for (size_t i = 0; fits && i < vos->n; i++)
		fits = add_paths(p, &vos->conf[i]);
	st = fits ? xos_sandbox_enter(&box, err)
	          : xos_err_set(err, XOS_LIMIT, "state", "path too long");
	free(p);
	return st;
}

/* What the front has of one VO: the channel to its starter, and a folder that is its own. */
static enum xos_status take_vo(const struct xos_jobs_config *c, const char *vo,
    struct xos_channel **starter, struct xos_err *err)
{
	char dir[PATH_MAX], name[XOS_VO_MAX + 16];

	link_name(name, vo);
	enum xos_status st = take_channel(name, starter, err);
	if (st == XOS_OK && !xos_path_join(dir, sizeof(dir), c->common.state, "front"))
		st = xos_err_set(err, XOS_LIMIT, "state", "path too long");
	return st == XOS_OK
	           ? xos_service_own(dir, geteuid() == 0 ? c->common.user_network : NULL, err)
	           : st;
}

static enum xos_status run_front(
    const struct xos_jobs_config *c, int signal_fd, struct xos_err *err)
{
	struct xos_channel *starters[VOS_MAX] = {NULL};
	struct xos_jobs_vos *vos = NULL;
	struct xos_job_hub *hub = NULL;
	int listen_fd = -1;
	enum xos_status st = xos_jobs_vos_load(c, &vos, err);

	if (st == XOS_OK)
		st = take_vo(c, NULL, &starters[0], err);
	for (size_t i = 0; st == XOS_OK && i < vos->n; i++)
		st = take_vo(&vos->conf[i], vos->conf[i].common.vo, &starters[1 + i], err);
	if (st == XOS_OK)
		st = xos_child_fd_take("listen", &listen_fd, err);
	if (st == XOS_OK)
		st = xos_job_hub_open(c, vos, starters, listen_fd, &hub, err);
	if (st == XOS_OK)
		st = become_network(c, err);
	if (st == XOS_OK)
		st = close_front(c, vos, err);
	if (st == XOS_OK)
		st = xos_job_hub_serve(hub, signal_fd, err);
	xos_job_hub_free(hub);
	for (size_t i = 0; i < VOS_MAX; i++)
		xos_channel_free(starters[i]);
	xos_jobs_vos_free(vos);
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
		st = close_courier(c, err);
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

/* Before the children, which all use these folders. */
static enum xos_status prepare(const struct xos_jobs_config *c, struct xos_err *err)
{
	struct xos_stage stage;
	enum xos_status st = xos_stage_open(&stage, c->common.state, c->common.user_network, err);

	return st == XOS_OK && c->rca ? own_certificate(c, err) : st;
}

static enum xos_status verb_run(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct xos_jobs_config *c = run->conf;
	struct xos_jobs_vos *vos = NULL;
	int listen_fd = -1;
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st != XOS_OK)
		return st;
	if (run->role)
		return run_role(run, err);
	st = xos_jobs_vos_load(c, &vos, err);
	if (st == XOS_OK)
		st = prepare(c, err);
	for (size_t i = 0; st == XOS_OK && i < vos->n; i++)
		if ((st = prepare(&vos->conf[i], err)) != XOS_OK)
			st = xos_err_prefix(err, st, "VO %s", vos->conf[i].common.vo);
	if (st == XOS_OK)
		st = xos_server_bind(c->common.listen, &listen_fd, err);
	if (st == XOS_OK)
		st = supervise(run, vos, listen_fd, err);
	else
		xos_ready_report(run->ready_fd, err);
	if (listen_fd >= 0)
		close(listen_fd);
	xos_jobs_vos_free(vos);
	return st;
}

static void print_ended(const struct xos_jobs_ended *e, bool json)
{
	if (json)
		printf("{\"ended\": %zu, \"running\": %zu, \"unsettled\": %zu, \"unsent\": %zu}\n",
		    e->ended, e->running, e->unsettled, e->unsent);
	else
		printf("%zu jobs ended; %zu still run; %zu ends are not written down; %zu records "
		       "are not sent\n",
		    e->ended, e->running, e->unsettled, e->unsent);
}

static enum xos_status verb_end(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	struct xos_jobs_ended ended = {.ended = 0};
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK)
		st = xos_jobs_end(run->conf, &ended, err);
	if (st != XOS_OK)
		return st;
	print_ended(&ended, run->json);
	return ended.running ? xos_err_set(err, XOS_UNAVAILABLE, "jobs-run",
	                           "%zu jobs did not end in time", ended.running)
	                     : XOS_OK;
}

static const char *const json_verbs[] = {"end", NULL};

static const struct xos_service_verb verbs[] = {
    {"run", "", "run jobs of members on this node", true, verb_run},
    {"end", "", "end the running jobs of this configuration's VO, for good", true, verb_end},
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
	    .json = json_verbs,
	    .examples = "  xos-jobd --check --config /etc/xos/jobd.conf\n"
	                "  xos-jobd run --config /etc/xos/jobd.conf\n"
	                "  xos-jobd end --config /etc/xos/vos/other/jobd.conf\n"};

	return xos_service_main(&program, argc, argv);
}
