#include "jobs/starter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "jobs/abilities.h"
#include "jobs/preview.h"
#include "jobs/hold.h"
#include "jobs/order.h"
#include "jobs/outcome.h"
#include "jobs/place.h"
#include "jobs/spawn.h"
#include "pki/digest.h"
#include "service/own.h"

#define CREDD_TIMEOUT_MS 5000
#define TICK_MS 200
#define TELL_MS 3600000
#define TELL_RETRY_MS 5000

static enum xos_status memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status xos_starter_watch(struct xos_starter *s, const char *id, struct xos_err *err)
{
	struct xos_starter_job *grown;

	for (size_t i = 0; i < s->njobs; i++)
		if (strcmp(s->jobs[i].id, id) == 0)
			return XOS_OK;
	if (s->njobs >= XOS_STARTER_JOBS_MAX)
		return xos_err_set(err, XOS_LIMIT, "jobs-many", "too many jobs on this node");
	grown = realloc(s->jobs, (s->njobs + 1) * sizeof(*grown));
	if (!grown)
		return memory(err);
	s->jobs = grown;
	s->jobs[s->njobs] = (struct xos_starter_job){.again_ms = 0};
	memcpy(s->jobs[s->njobs].id, id, XOS_JOB_ID_TEXT);
	s->njobs++;
	return XOS_OK;
}

enum xos_status xos_starter_cred(
    const struct xos_starter *s, const char *id, char out[PATH_MAX], struct xos_err *err)
{
	char name[64];

	if (s->stage.root) { /* one mount point for all: each job sees its own tmpfs there */
		memcpy(out, s->stage.credential, strlen(s->stage.credential) + 1);
		return XOS_OK;
	}
	/* Memory, not disk, where the machine has such a folder. */
	xos_str_printf(name, sizeof(name), "xos-job-%s", id);
	if (!xos_path_join(out, PATH_MAX,
	        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : s->stage.credential, name))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	return XOS_OK;
}

/* What an order claims, checked as far as the order itself goes. */
struct checked {
	struct xos_order order;
	struct xos_job_spec *spec;
	char id[XOS_JOB_ID_TEXT];
};

static enum xos_status open_order(
    const struct xos_starter *s, struct xos_bytes payload, struct checked *c, struct xos_err *err)
{
	enum xos_status st;

	*c = (struct checked){.spec = NULL};
	st = xos_order_decode(payload, &c->order, err);
	if (st == XOS_OK)
		st = xos_job_spec_decode(c->order.spec, &c->spec, err);
	if (st == XOS_OK && xos_job_id(c->order.spec, c->id) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "job-id", "cannot compute the job's id");
	if (st == XOS_OK &&
	    (strcmp(c->spec->vo, s->ask.vo) != 0 || strcmp(c->spec->node, s->ask.node) != 0))
		st = xos_err_set(err, XOS_DENIED, "job-node",
		    "job %s is for node %s of VO %s, and this is node %s of VO %s", c->id,
		    c->spec->node, c->spec->vo, s->ask.node, s->ask.vo);
	return st;
}

static int64_t latest_end(const struct xos_permission *p)
{
	int64_t now = xos_clock_now();

	if (p->lifetime < p->not_after - now)
		return now + p->lifetime;
	return p->not_after;
}

static enum xos_status handle_prepare(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;
	struct xos_order_offer offer = {.ncsr = 0};
	struct xos_permission p;
	struct checked c;
	uint8_t *csr = NULL;
	size_t ncsr = 0;
	enum xos_status st = open_order(s, payload, &c, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_ask_permission(
		    &s->ask, c.spec, c.id, &c.order, c.order.chain, c.order.n, &p, err);
	if (st == XOS_OK && latest_end(&p) <= xos_clock_now())
		st = xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "the token has ended by this node's clock; log in again");
	if (st == XOS_OK)
		st = xos_local_job_prepare(
		    s->credd, c.id, c.order.chain, c.order.n, &csr, &ncsr, err);
	if (st == XOS_OK && ncsr > sizeof(offer.csr))
		st = xos_err_set(err, XOS_INTERNAL, "job-csr", "the request is too long");
	if (st == XOS_OK) {
		memcpy(offer.csr, csr, ncsr);
		offer.ncsr = ncsr;
		offer.not_after = latest_end(&p);
		offer.wall = (int64_t)p.limits.wall;
		xos_order_offer_encode(&offer, reply);
		st = xos_buf_status(reply);
	}
	free(csr);
	xos_job_spec_free(c.spec);
	return st;
}

static enum xos_status digest_chain(const struct xos_order *o, struct xos_record *r)
{
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_sha256_parts(o->chain, o->n, digest);

	xos_fingerprint_text(digest, r->delegation);
	return st;
}

static bool add_env(struct xos_launch *l, const char *name, const char *value)
{
	struct xos_buf b;
	bool ok;

	xos_buf_init(&b, 2 * PATH_MAX);
	xos_buf_printf(&b, "%s=%s", name, value);
	ok = xos_buf_str(&b) && xos_strings_add(&l->env, xos_buf_str(&b));
	xos_buf_free(&b);
	return ok;
}

static bool given(const struct xos_job_spec *spec, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < spec->nenv; i++)
		if (strncmp(spec->env[i], name, n) == 0 && spec->env[i][n] == '=')
			return true;
	return false;
}

static bool fill_env(const struct xos_starter *s, const struct checked *c,
    const struct xos_permission *p, const char *cred, struct xos_launch *l)
{
	char proxy[PATH_MAX];
	bool ok = xos_path_join(proxy, sizeof(proxy), cred, XOS_CRED_FILE);

	for (size_t i = 0; ok && i < c->spec->nenv; i++)
		ok = xos_strings_add(&l->env, c->spec->env[i]);
	if (ok && !given(c->spec, "PATH"))
		ok = add_env(l, "PATH", s->path);
	if (ok && !given(c->spec, "LANG"))
		ok = add_env(l, "LANG", "C.UTF-8");
	return ok && add_env(l, "HOME", l->work) && add_env(l, "USER", p->account.name) &&
	       add_env(l, "LOGNAME", p->account.name) && add_env(l, "X509_USER_PROXY", proxy) &&
	       add_env(l, "XOS_JOB_ID", c->id) && add_env(l, "XOS_NODE", s->ask.node) &&
	       add_env(l, "XOS_CONFIG", s->tools) &&
	       add_env(l, "XOS_CREDD_SOCKET", s->c->credd_socket);
}

/* Folders that jobs need and that a private /tmp must not hide. */
static bool fill_keep(const struct xos_starter *s, struct xos_launch *l)
{
	char dirs[PATH_MAX], socket[PATH_MAX], *slash, *save = NULL;

	if (!xos_str_copy(dirs, sizeof(dirs), s->path) ||
	    !xos_str_copy(socket, sizeof(socket), s->c->credd_socket))
		return false;
	for (char *d = strtok_r(dirs, ":", &save); d; d = strtok_r(NULL, ":", &save))
		if (d[0] == '/' && access(d, F_OK) == 0 && l->keep.n < XOS_LAUNCH_KEEP - 3 &&
		    !xos_strings_add(&l->keep, d))
			return false;
	slash = strrchr(socket, '/');
	if (slash && slash != socket) {
		*slash = 0;
		if (access(socket, F_OK) == 0 && !xos_strings_add(&l->keep, socket))
			return false;
	}
	return xos_strings_add(&l->keep, s->tools);
}

static enum xos_status fill_launch(const struct xos_starter *s, const struct checked *c,
    const struct xos_permission *p, struct xos_launch *l, struct xos_err *err)
{
	char run[PATH_MAX], work[PATH_MAX], cred[PATH_MAX];
	enum xos_status st = xos_stage_path(&s->stage, c->id, NULL, run, err);
	bool ok;

	if (st == XOS_OK)
		st = xos_starter_cred(s, c->id, cred, err);
	if (st != XOS_OK)
		return st;
	memcpy(l->id, c->id, sizeof(l->id));
	l->isolate = s->stage.root;
	l->uid = s->stage.root ? p->account.uid : geteuid();
	l->gid = s->stage.root ? p->account.gid : getegid();
	l->limits = p->limits;
	l->group_can = (uint8_t)s->groups.can;
	l->group_unified = (uint8_t)xos_cgroups_unified(&s->groups);
	l->grace = (uint64_t)s->c->kill_grace;
	l->output_max = (uint64_t)s->c->output_max;
	l->tmp_size = (uint64_t)s->c->tmp_size;
	ok = xos_path_join(work, sizeof(work), s->stage.work, c->id);
	l->run = strdup(run);
	l->work = ok ? strdup(work) : NULL;
	l->cred = strdup(cred);
	ok = ok && l->run && l->work && l->cred;
	for (size_t i = 0; ok && i < c->spec->nargs; i++)
		ok = xos_strings_add(&l->argv, c->spec->argv[i]);
	ok = ok && fill_env(s, c, p, cred, l) && (!l->isolate || fill_keep(s, l));
	return ok ? XOS_OK : memory(err);
}

/* True: this order was carried out before, and must not be again. */
static bool began(const struct xos_starter *s, const char *id)
{
	char run[PATH_MAX];
	pid_t holder = 0;

	return xos_stage_has(&s->stage, id, "started") || xos_stage_has(&s->stage, id, "status") ||
	       (xos_stage_path(&s->stage, id, NULL, run, NULL) == XOS_OK &&
	           xos_hold_who(run, &holder, NULL) == XOS_OK && holder != 0);
}

static enum xos_status begin(
    struct xos_starter *s, const struct checked *c, struct xos_permission *p, struct xos_err *err)
{
	struct xos_launch l = {.uid = 0};
	enum xos_status st;

	if (s->stage.root)
		st = xos_stage_make(&s->stage, c->id, p->account.uid, p->account.gid, err);
	else
		st = xos_stage_make(&s->stage, c->id, geteuid(), getegid(), err);
	if (st == XOS_CONFLICT)
		st = XOS_OK; /* made by a start that was cut off; only one monitor can win */
	if (st == XOS_OK)
		st = xos_starter_watch(s, c->id, err);
	if (st == XOS_OK)
		st = xos_running_begin(s, c->id, &c->order, c->spec->wall, err);
	if (st == XOS_OK)
		st = digest_chain(&c->order, &p->record);
	if (st == XOS_OK)
		st = xos_stage_save(&s->stage, &p->record, err);
	if (st == XOS_OK)
		st = fill_launch(s, c, p, &l, err);
	if (st == XOS_OK)
		st = xos_local_job_credential(s->credd, c->id, &l.credential, err);
	if (st == XOS_OK)
		st = xos_monitor_spawn(s->monitor, &l, err);
	xos_launch_free(&l);
	return st;
}

static enum xos_status check_accepted(const struct xos_starter *s, const struct xos_permission *p,
    const struct xos_local_job *job, struct xos_err *err)
{
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];

	xos_str_printf(subject, sizeof(subject), "%s:%s", p->record.vo, p->record.member);
	if (strcmp(job->subject, subject) != 0 ||
	    (s->stage.root && (!job->account.present || job->account.uid != p->account.uid)))
		return xos_err_set(err, XOS_DENIED, "job-member",
		    "the delegation is %s's, and the job was permitted to %s", job->subject,
		    subject);
	if (job->not_after > latest_end(p) + 60)
		return xos_err_set(err, XOS_DENIED, "delegation-lifetime",
		    "policy lets a job's credential live until a time before the delegation's end; "
		    "delegate for less with --lifetime");
	return XOS_OK;
}

static enum xos_status handle_start(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;
	struct xos_permission p;
	struct xos_local_job job = {.not_after = 0};
	struct checked c;
	enum xos_status st = open_order(s, payload, &c, err);

	(void)from;
	if (st == XOS_OK && c.order.n < 2)
		st = xos_err_set(
		    err, XOS_DENIED, "job-undelegated", "a job takes a delegation, not a token");
	/* credd verifies: a delegation for this very id (which commits to what runs), for the key that it
	 * made, for this node, by the member who submitted. */
	if (st == XOS_OK)
		st = xos_local_job_accept(s->credd, c.id, c.order.chain, c.order.n, &job, err);
	/* Decided by what signed the delegation: the member's own chain stands right behind it. */
	if (st == XOS_OK)
		st = xos_ask_permission(
		    &s->ask, c.spec, c.id, &c.order, c.order.chain + 1, c.order.n - 1, &p, err);
	if (st == XOS_OK)
		st = check_accepted(s, &p, &job, err);
	if (st == XOS_OK && !began(s, c.id))
		st = begin(s, &c, &p, err);
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "job.start", "job", c.id, "member", p.record.member, "account",
		    p.record.account);
		xos_buf_u64(reply, (uint64_t)job.not_after);
		st = xos_buf_status(reply);
	}
	xos_job_spec_free(c.spec);
	return st;
}

static enum xos_status handle_cancel(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;
	char id[XOS_JOB_ID_TEXT], run[PATH_MAX];
	pid_t holder = 0;
	enum xos_status st = xos_order_id_decode(payload, id, err);

	(void)from;
	(void)reply;
	if (st == XOS_OK)
		st = xos_stage_path(&s->stage, id, NULL, run, err);
	if (st == XOS_OK && access(run, F_OK) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown", "job %s did not start", id);
	if (st == XOS_OK)
		st = xos_hold_who(run, &holder, err);
	/* The lock's holder lives: its pid is not another process's. */
	if (st == XOS_OK && holder > 1 && kill(holder, SIGTERM) != 0 && errno != ESRCH)
		st = xos_err_errno(err, errno, "job-cancel", "cannot signal the job's monitor");
	return st;
}

static enum xos_status handle_release(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;
	char id[XOS_JOB_ID_TEXT], run[PATH_MAX];
	enum xos_status st = xos_order_id_decode(payload, id, err);

	(void)from;
	(void)reply;
	if (st == XOS_OK)
		st = xos_stage_path(&s->stage, id, NULL, run, err);
	if (st == XOS_OK && access(run, F_OK) == 0)
		return xos_err_set(err, XOS_CONFLICT, "job-started", "job %s has started", id);
	return st == XOS_OK ? xos_local_job_release(s->credd, id, err) : st;
}

/* credd verifies who asks. */
static enum xos_status handle_preview(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_starter *s = ctx;

	(void)from;
	return xos_preview_ask(s->credd, payload, reply, err);
}

static const struct xos_channel_handler orders[] = {
    {XOS_ORDER_PREPARE, "prepare", 1, handle_prepare},
    {XOS_ORDER_START, "start", 1, handle_start},
    {XOS_ORDER_CANCEL, "cancel", 1, handle_cancel},
    {XOS_ORDER_RELEASE, "release", 1, handle_release},
    {XOS_ORDER_PREVIEW, "preview", 1, handle_preview},
};

/* xos-credd may be away, or have lost it: said anew at times. */
static void on_tick(void *ctx)
{
	struct xos_starter *s = ctx;
	struct xos_err err = XOS_ERR_INIT;
	int64_t now = xos_clock_mono_ms();

	if (now >= s->tell_ms) {
		bool told = xos_abilities_tell(s->credd, s->ask.can, &err) == XOS_OK;

		if (!told)
			xos_event_err(XOS_WARN, "abilities.not-told", &err, (const char *)NULL);
		s->tell_ms = now + (told ? TELL_MS : TELL_RETRY_MS);
	}
	xos_running_look(s);
	xos_starter_settle(s);
}

enum xos_status xos_starter_serve(
    struct xos_starter *s, struct xos_channel *front, int signal_fd, struct xos_err *err)
{
	struct xos_channel *channels[] = {front};
	struct xos_channel_server server = {.channels = channels,
	    .nchannels = 1,
	    .table = orders,
	    .ntable = sizeof(orders) / sizeof(orders[0]),
	    .ctx = s,
	    .signal_fd = signal_fd,
	    .on_tick = on_tick,
	    .tick_ms = TICK_MS};

	return xos_channel_serve(&server, err);
}

static void find_unsettled(void *ctx, const char *id)
{
	struct xos_starter *s = ctx;
	struct xos_err err = XOS_ERR_INIT;

	if (!xos_stage_has(&s->stage, id, "done") && xos_starter_watch(s, id, &err) != XOS_OK)
		xos_event_err(XOS_ERROR, "job.not-watched", &err, "job", id, (const char *)NULL);
}

static enum xos_status copy_file(
    const char *from_dir, const char *to_dir, const char *name, struct xos_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	if (!xos_path_join(from, sizeof(from), from_dir, name) ||
	    !xos_path_join(to, sizeof(to), to_dir, name))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	st = xos_file_read(from, XOS_CHAIN_PEM_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_file_write(to, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

/* A joined VO as the tools want it, so that they work inside jobs. */
static enum xos_status make_tools(struct xos_starter *s, struct xos_err *err)
{
	const struct xos_jobs_config *c = s->c;
	char dir[PATH_MAX], path[PATH_MAX], text[1024];
	bool reachable = strncmp(c->common.listen, "0.0.0.0:", 8) != 0 &&
	                 strncmp(c->common.listen, "[::]:", 5) != 0;
	enum xos_status st;

	if (!xos_path_join(s->tools, sizeof(s->tools), c->common.state, "tools") ||
	    !xos_path_join(dir, sizeof(dir), s->tools, c->common.vo) ||
	    !xos_path_join(path, sizeof(path), dir, "vo.conf") ||
	    !xos_str_printf(text, sizeof(text), "vo = %s\n%s%s%s%s%s%s", c->common.vo,
	        c->accounting ? "accounting = " : "", c->accounting ? c->accounting : "",
	        c->accounting ? "\n" : "", reachable ? "jobs = https://" : "",
	        reachable ? c->common.listen : "", reachable ? "\n" : ""))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	st = xos_dir_make(dir, 0755, err);
	if (st == XOS_OK && (chmod(s->tools, 0755) != 0 || chmod(dir, 0755) != 0))
		st = xos_err_errno(err, errno, "state", "cannot set up %s", dir);
	if (st == XOS_OK)
		st = xos_file_write(path, 0644, xos_bytes_str(text), err);
	if (st == XOS_OK)
		st = copy_file(c->common.trust, dir, "root.pem", err);
	if (st == XOS_OK)
		st = copy_file(c->common.trust, dir, "issuers.pem", err);
	if (st == XOS_OK && !xos_path_join(path, sizeof(path), s->tools, "default"))
		st = xos_err_set(err, XOS_LIMIT, "state", "path too long");
	xos_str_printf(text, sizeof(text), "%s\n", c->common.vo);
	return st == XOS_OK ? xos_file_write(path, 0644, xos_bytes_str(text), err) : st;
}

static enum xos_status open_credd(struct xos_starter *s, struct xos_err *err)
{
	struct xos_local_options opt = {.path = s->c->credd_socket, .timeout_ms = CREDD_TIMEOUT_MS};
	gid_t gid;
	enum xos_status st = XOS_OK;

	if (s->c->credd_user) {
		opt.other_user = true;
		st = xos_service_user(s->c->credd_user, &opt.user, &gid, err);
	}
	if (st == XOS_OK)
		st = xos_local_new(&opt, &s->credd, err);
	return st == XOS_OK ? xos_running_open(s, &opt, err) : st;
}

/* Said once: what is missing here refuses jobs whose limits need it. */
static void find_groups(struct xos_starter *s)
{
	char can[64] = "";

	xos_cgroups_find(&s->groups);
	for (unsigned i = 0; i < XOS_CGROUP_CONTROLS; i++)
		if (s->groups.can & (1u << i)) {
			size_t n = strlen(can);

			(void)!xos_str_printf(can + n, sizeof(can) - n, "%s%s", n ? "," : "",
			    xos_cgroup_control_name(1u << i));
		} else {
			XOS_EVENT(XOS_INFO, "jobs.no-control", "control",
			    xos_cgroup_control_name(1u << i), "why", s->groups.control[i].why);
		}
	XOS_EVENT(XOS_INFO, "jobs.control-groups", "can", can);
}

enum xos_status xos_starter_new(
    const struct xos_jobs_config *c, struct xos_starter **out, struct xos_err *err)
{
	struct xos_starter *s = calloc(1, sizeof(*s));
	enum xos_status st;

	*out = NULL;
	if (!s)
		return memory(err);
	s->c = c;
	st = xos_jobs_path(c, s->path, sizeof(s->path), err);
	if (st == XOS_OK)
		st = xos_jobs_monitor(c, s->monitor, sizeof(s->monitor), err);
	if (st == XOS_OK)
		st = xos_stage_open(&s->stage, c->common.state, c->common.user_network, err);
	if (st == XOS_OK)
		st = make_tools(s, err);
	if (st == XOS_OK)
		st = open_credd(s, err);
	if (st == XOS_OK)
		st = xos_stage_each(&s->stage, find_unsettled, s, err);
	if (st != XOS_OK) {
		xos_starter_free(s);
		return st;
	}
	find_groups(s);
	s->ask = (struct xos_ask){.credd = s->credd,
	    .vo = c->common.vo,
	    .site = c->site,
	    .node = c->node,
	    .member = c->member,
	    .root = s->stage.root,
	    .wall_default = c->wall_default,
	    .wall_max = c->wall_max,
	    .can = s->groups.can};
	*out = s;
	return XOS_OK;
}

void xos_starter_free(struct xos_starter *s)
{
	if (!s)
		return;
	xos_running_close(s);
	xos_local_free(s->credd);
	free(s->jobs);
	free(s);
}
