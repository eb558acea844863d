#include "credd/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "credd/jobfile.h"
#include "credd/tokenpem.h"
#include "pki/csr.h"
#include "pki/key.h"

#define BUCKETS 1024

struct xos_credd_jobs {
	char dir[PATH_MAX];
	size_t max, count;
	struct xos_credd_job *bucket[BUCKETS];
};

static size_t hash(const char *id)
{
	uint32_t h = 2166136261u;
	for (; *id; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return h % BUCKETS;
}

static struct xos_credd_job *find(const struct xos_credd_jobs *jobs, const char *id)
{
	struct xos_credd_job *j = jobs->bucket[hash(id)];
	while (j && strcmp(j->id, id) != 0)
		j = j->next;
	return j;
}

struct xos_credd_job *xos_credd_jobs_find(const struct xos_credd_jobs *jobs, const char *id)
{
	return find(jobs, id);
}

void xos_credd_jobs_each(const struct xos_credd_jobs *jobs,
    void (*each)(void *ctx, struct xos_credd_job *job), void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct xos_credd_job *j = jobs->bucket[i]; j; j = j->next)
			each(ctx, j);
}

enum xos_status xos_credd_jobs_store(
    const struct xos_credd_jobs *jobs, const struct xos_credd_job *job, struct xos_err *err)
{
	return xos_credd_job_write(jobs->dir, job, err);
}

static void insert(struct xos_credd_jobs *jobs, struct xos_credd_job *job)
{
	struct xos_credd_job **at = &jobs->bucket[hash(job->id)];
	job->next = *at;
	*at = job;
	jobs->count++;
}

static enum xos_status remove_file(
    const struct xos_credd_jobs *jobs, const char *id, struct xos_err *err)
{
	char path[PATH_MAX];
	if (!xos_path_join(path, sizeof(path), jobs->dir, id))
		return xos_err_set(
		    err, XOS_LIMIT, "job-file", "the path of job %s is too long", id);
	if (unlink(path) && errno != ENOENT)
		return xos_err_errno(err, errno, "job-file", "cannot remove %s", path);
	return XOS_OK;
}

static void forget(struct xos_credd_jobs *jobs, const char *id)
{
	struct xos_credd_job **at = &jobs->bucket[hash(id)];
	while (*at && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	struct xos_credd_job *job = *at;
	if (!job)
		return;
	*at = job->next;
	xos_credd_job_free(job);
	jobs->count--;
}

static void set_aside(const struct xos_credd_jobs *jobs, const char *id, const struct xos_err *why)
{
	char from[PATH_MAX], to[PATH_MAX];
	xos_event_err(XOS_ERROR, "job.damaged", why, "job", id, (const char *)NULL);
	if (!xos_path_join(from, sizeof(from), jobs->dir, id) ||
	    !xos_str_printf(to, sizeof(to), "%s/.damaged-%s", jobs->dir, id) || rename(from, to))
		XOS_EVENT(XOS_ERROR, "job.set-aside-failed", "job", id);
}

static enum xos_status load_all(struct xos_credd_jobs *jobs, struct xos_err *err)
{
	DIR *d = opendir(jobs->dir);
	if (!d)
		return xos_err_errno(err, errno, "job-folder", "cannot read %s", jobs->dir);
	for (struct dirent *e; (e = readdir(d));) {
		struct xos_credd_job *job = NULL;
		struct xos_err why = XOS_ERR_INIT;
		if (!xos_local_job_valid(e->d_name)) /* what begins with a dot is no record */
			continue;
		enum xos_status st = xos_credd_job_read(jobs->dir, e->d_name, &job, &why);
		if (!st) {
			/* Who ran it says so again, if it is asked in time. */
			job->running = xos_clock_now();
			insert(jobs, job);
		} else if (st == XOS_MALFORMED || st == XOS_DENIED || st == XOS_LIMIT)
			set_aside(jobs, e->d_name, &why);
		else /* what cannot be read now (memory, a failing disk) is not damaged: it stays for the next start */
			xos_event_err(XOS_ERROR, "job.unreadable", &why, "job", e->d_name,
			    (const char *)NULL);
	}
	closedir(d);
	return XOS_OK;
}

enum xos_status xos_credd_jobs_open(
    const char *dir, size_t max, struct xos_credd_jobs **out, struct xos_err *err)
{
	struct xos_credd_jobs *jobs = calloc(1, sizeof(*jobs));
	if (!jobs)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	jobs->max = max;
	enum xos_status st = XOS_OK;
	if (!xos_str_copy(jobs->dir, sizeof(jobs->dir), dir))
		st = xos_err_set(err, XOS_LIMIT, "job-folder", "the path %s is too long", dir);
	if (!st)
		st = xos_dir_make(dir, 0700, err);
	if (!st)
		st = load_all(jobs, err);
	if (st)
		xos_credd_jobs_free(jobs);
	else
		*out = jobs;
	return st;
}

void xos_credd_jobs_free(struct xos_credd_jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (jobs->bucket[i]) {
			struct xos_credd_job *job = jobs->bucket[i];
			jobs->bucket[i] = job->next;
			xos_credd_job_free(job);
		}
	}
	free(jobs);
}

size_t xos_credd_jobs_count(const struct xos_credd_jobs *jobs)
{
	return jobs->count;
}

static enum xos_status make_csr(
    const struct xos_credd_job *job, struct xos_buf *csr, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_bytes pem = {xos_secret_data(job->key), xos_secret_len(job->key)};
	enum xos_status st = xos_key_from_pem(pem, &key, err);
	if (!st)
		st = xos_csr_make(key, csr, err);
	xos_key_free(key);
	return st;
}

/* The key leaves OpenSSL's memory at once; what stays is PEM in secret memory. */
static enum xos_status make_key(struct xos_credd_job *job, struct xos_err *err)
{
	struct xos_key *key = NULL;
	enum xos_status st = xos_key_generate(&key, err);
	if (!st)
		st = xos_key_to_pem(key, &job->key, err);
	if (!st)
		memcpy(job->spki, xos_key_spki_sha256(key), XOS_SHA256_LEN);
	xos_key_free(key);
	return st;
}

bool xos_credd_job_is_of(const struct xos_credd_job *job, const struct xos_claims *c)
{
	return job->number == c->number && strcmp(job->vo, c->vo) == 0 &&
	       strcmp(job->member, c->name) == 0;
}

static enum xos_status new_job(struct xos_credd_jobs *jobs, const char *id,
    const struct xos_claims *c, const struct xos_credd_account *account, int64_t now,
    struct xos_credd_job **out, struct xos_err *err)
{
	if (jobs->count >= jobs->max)
		return xos_err_set(err, XOS_LIMIT, "jobs-max",
		    "xos-credd keeps %zu jobs already (jobs_max in credd.conf)", jobs->count);
	struct xos_credd_job *job = xos_credd_job_new();
	if (!job)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	job->number = c->number;
	job->account = *account;
	job->created = now;
	enum xos_status st = make_key(job, err);
	if (!st && (!xos_str_copy(job->id, sizeof(job->id), id) ||
	               !xos_str_copy(job->vo, sizeof(job->vo), c->vo) ||
	               !xos_str_copy(job->member, sizeof(job->member), c->name)))
		st = xos_err_set(err, XOS_MALFORMED, "job", "a name that is too long");
	if (st)
		xos_credd_job_free(job);
	else
		*out = job;
	return st;
}

/* Nobody could sign what is made of it: said before a key is made that nobody uses. */
static enum xos_status may_pass_on(const struct xos_identity *who, struct xos_err *err)
{
	const struct xos_delegation *last = who->nsteps ? who->steps[who->nsteps - 1] : NULL;
	char text[XOS_DELEGATION_TEXT];
	if (!last || last->depth > 0)
		return XOS_OK;
	xos_delegation_text(last, text);
	return xos_err_set(err, XOS_DENIED, "delegation-depth",
	    "the credential of %s may not be passed on any further (a job's depth is said when it "
	    "is "
	    "submitted: --depth)",
	    text);
}

enum xos_status xos_credd_jobs_prepare(struct xos_credd_jobs *jobs, const char *id,
    const struct xos_identity *who, const struct xos_credd_account *account, int64_t now,
    struct xos_buf *csr, struct xos_err *err)
{
	struct xos_credd_job *job = find(jobs, id);
	enum xos_status st = may_pass_on(who, err);
	if (st)
		return st;
	if (job && !xos_credd_job_is_of(job, who->claims))
		return xos_err_set(err, XOS_CONFLICT, "job-member",
		    "the job %s was submitted by somebody else", id);
	if (job)
		return make_csr(job, csr, err);
	st = new_job(jobs, id, who->claims, account, now, &job, err);
	if (st)
		return st;
	st = make_csr(job, csr, err);
	if (!st)
		st = xos_credd_job_write(jobs->dir, job, err);
	if (st)
		xos_credd_job_free(job);
	else
		insert(jobs, job);
	return st;
}

static enum xos_status check_delegation(const struct xos_credd_job *job,
    const struct xos_known *known, const char *node, struct xos_err *err)
{
	const struct xos_identity *id = known->id;
	if (!xos_credd_job_is_of(job, id->claims))
		return xos_err_set(err, XOS_DENIED, "job-member",
		    "the job %s was submitted by %s:%s, and this credential is of %s", job->id,
		    job->vo, job->member, known->subject);
	if (!id->nsteps)
		return xos_err_set(err, XOS_DENIED, "job-undelegated",
		    "this is the member's own credential; a job takes a delegation only");
	if (memcmp(id->spki_sha256, job->spki, XOS_SHA256_LEN) != 0)
		return xos_err_set(err, XOS_DENIED, "job-key",
		    "the delegation is for another key than the one made for job %s", job->id);
	const struct xos_delegation *last = id->steps[id->nsteps - 1];
	if (strcmp(last->node, node) != 0)
		return xos_err_set(err, XOS_DENIED, "job-node",
		    "the delegation is bound to %s%s, and this is %s",
		    last->node[0] ? "node " : "no node", last->node, node);
	if (strcmp(last->id, job->id) != 0)
		return xos_err_set(err, XOS_DENIED, "job-id",
		    "the delegation names %s%s, not job %s", last->id[0] ? "job " : "no job",
		    last->id, job->id);
	return XOS_OK;
}

static void tell(const struct xos_credd_job *job, struct xos_credd_job_info *out)
{
	*out = (struct xos_credd_job_info){.account = job->account, .not_after = job->not_after};
	if (job->computed) /* what the member was permitted as */
		out->account.uid = out->account.gid = job->computed;
	(void)!xos_str_printf(out->subject, sizeof(out->subject), "%s:%s", job->vo, job->member);
}

enum xos_status xos_credd_jobs_accept(struct xos_credd_jobs *jobs, const char *id,
    const struct xos_known *known, const struct xos_bytes *chain, size_t n, const char *node,
    struct xos_credd_job_info *out, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	struct xos_credd_job *job = find(jobs, id);
	if (!job)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown",
		    "xos-credd has prepared no key for job %s, or not lately: submit it again", id);
	enum xos_status st = check_delegation(job, known, node, err);
	/* The same again, from a job service that did not hear of it: what was renewed since stays. */
	if (!st && job->grant && job->grant->renewed) {
		tell(job, out);
		return XOS_OK;
	}
	if (!st)
		st = xos_chain_from_der(chain, n, &fresh, err);
	if (st)
		return st;
	struct xos_chain old = job->chain;
	int64_t old_end = job->not_after;
	job->chain = fresh;
	job->not_after = known->id->not_after;
	st = xos_credd_job_write(jobs->dir, job, err);
	if (st) { /* what is not durable was not accepted */
		job->chain = old;
		job->not_after = old_end;
		old = fresh;
	} else {
		tell(job, out);
	}
	xos_chain_clear(&old);
	return st;
}

enum xos_status xos_credd_jobs_credential(struct xos_credd_jobs *jobs, const char *id, int64_t now,
    struct xos_secret **pem, struct xos_err *err)
{
	char age[XOS_TIME_TEXT];
	const struct xos_credd_job *job = find(jobs, id);
	if (!job || !job->chain.n)
		return xos_err_set(
		    err, XOS_NOT_FOUND, "job-unknown", "there is no credential for job %s", id);
	if (now > job->not_after) {
		xos_duration_format(now - job->not_after, age);
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "the credential of job %s ended %s ago", id, age);
	}
	struct xos_bytes key = {xos_secret_data(job->key), xos_secret_len(job->key)};
	return xos_credd_token_file(&job->chain, key, pem, err);
}

enum xos_status xos_credd_jobs_choose(const struct xos_credd_jobs *jobs, uid_t uid,
    const char *hint, int64_t now, const char **out, struct xos_err *err)
{
	const struct xos_credd_job *best = NULL;
	if (hint[0]) {
		const struct xos_credd_job *job = find(jobs, hint);
		if (job && job->account.uid == uid && job->chain.n)
			best = job;
	}
	for (size_t i = 0; !hint[0] && i < BUCKETS; i++)
		for (const struct xos_credd_job *j = jobs->bucket[i]; j; j = j->next)
			if (j->account.uid == uid && j->chain.n && j->not_after >= now &&
			    (!best || j->created > best->created ||
			        (j->created == best->created && strcmp(j->id, best->id) > 0)))
				best = j;
	if (!best)
		return xos_err_set(err, XOS_NOT_FOUND, "no-credential",
		    "xos-credd keeps no credential%s%s for uid %u", hint[0] ? " of job " : "", hint,
		    (unsigned)uid);
	*out = best->id;
	return XOS_OK;
}

size_t xos_credd_jobs_chain(
    const struct xos_credd_jobs *jobs, const char *job_id, struct xos_bytes out[XOS_CHAIN_MAX])
{
	const struct xos_credd_job *job = find(jobs, job_id);
	if (!job)
		return 0;
	for (size_t i = 0; i < job->chain.n; i++)
		out[i] = xos_cert_der(job->chain.cert[i]);
	return job->chain.n;
}

void xos_credd_jobs_move(struct xos_credd_jobs *jobs, const char *id, uint32_t uid)
{
	struct xos_credd_job *job = find(jobs, id);
	if (!job)
		return;
	if (!job->computed)
		job->computed = job->account.uid;
	job->account.uid = job->account.gid = uid;
}

void xos_credd_jobs_move_back(struct xos_credd_jobs *jobs, const char *id)
{
	struct xos_credd_job *job = find(jobs, id);
	if (!job || !job->computed)
		return;
	job->account.uid = job->account.gid = job->computed;
	job->computed = 0;
}

const struct xos_credd_job *xos_credd_jobs_get(
    const struct xos_credd_jobs *jobs, const char *job_id)
{
	return find(jobs, job_id);
}

const struct xos_credd_job *xos_credd_jobs_next(
    const struct xos_credd_jobs *jobs, const struct xos_credd_job *at)
{
	if (at && at->next)
		return at->next;
	for (size_t i = at ? hash(at->id) + 1 : 0; i < BUCKETS; i++)
		if (jobs->bucket[i])
			return jobs->bucket[i];
	return NULL;
}

enum xos_status xos_credd_jobs_release(
    struct xos_credd_jobs *jobs, const char *id, struct xos_err *err)
{
	enum xos_status st = remove_file(jobs, id, err);
	if (!st)
		forget(jobs, id);
	return st;
}

static int newer_first(const void *a, const void *b)
{
	const struct xos_credd_job *x = *(const struct xos_credd_job *const *)a;
	const struct xos_credd_job *y = *(const struct xos_credd_job *const *)b;
	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	return strcmp(x->id, y->id);
}

static void describe(const struct xos_credd_job *job, int64_t now, struct xos_local_entry *e)
{
	*e = (struct xos_local_entry){.uid = job->account.uid, .not_after = job->not_after};
	memcpy(e->job, job->id, sizeof(e->job));
	(void)!xos_str_printf(e->subject, sizeof(e->subject), "%s:%s", job->vo, job->member);
	e->state = !job->chain.n          ? XOS_LOCAL_PREPARED
	           : now > job->not_after ? XOS_LOCAL_OVER
	                                  : XOS_LOCAL_READY;
}

size_t xos_credd_jobs_list(const struct xos_credd_jobs *jobs, const uid_t *uid, int64_t now,
    struct xos_local_entry *list, size_t max)
{
	size_t n = 0;
	const struct xos_credd_job **found =
	    calloc(jobs->count + 1, sizeof(const struct xos_credd_job *));
	if (!found)
		return 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct xos_credd_job *j = jobs->bucket[i]; j; j = j->next)
			if (!uid || j->account.uid == *uid)
				found[n++] = j;
	qsort(found, n, sizeof(const struct xos_credd_job *), newer_first);
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		describe(found[i], now, &list[i]);
	free(found);
	return n;
}

const struct xos_chain *xos_credd_jobs_held(const struct xos_credd_jobs *jobs, const char *job_id)
{
	const struct xos_credd_job *j = find(jobs, job_id);
	return j && j->chain.n ? &j->chain : NULL;
}

void xos_credd_jobs_running(struct xos_credd_jobs *jobs, const char *job_id, int64_t now)
{
	struct xos_credd_job *j = find(jobs, job_id);
	if (j)
		j->running = now;
}

/* A credential that ended while the authority was away can still be renewed; and what runs is decided about by it. */
static int64_t last_use(const struct xos_credd_job *j)
{
	const struct xos_credd_grant *g = j->grant;
	int64_t end = g && !g->refusal[0] && g->ends > j->not_after ? g->ends : j->not_after;
	return j->running > end ? j->running : end;
}

void xos_credd_jobs_sweep(struct xos_credd_jobs *jobs, int64_t now, int64_t mono_ms)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct xos_credd_job *j = jobs->bucket[i], *next; j; j = next) {
			struct xos_err err = XOS_ERR_INIT;
			next = j->next;
			bool over = j->chain.n ? now > last_use(j) + XOS_CREDD_OVER_KEEP
			                       : now > j->created + XOS_CREDD_PREPARED_KEEP;
			if (!over || !j->over)
				j->over_since_ms = mono_ms;
			j->over = over;
			if (!over || mono_ms - j->over_since_ms < XOS_CREDD_SEEN_KEEP_MS)
				continue;
			XOS_EVENT(XOS_INFO, "job.forgotten", "job", j->id, "member", j->member);
			if (xos_credd_jobs_release(jobs, j->id, &err))
				xos_event_err(
				    XOS_WARN, "job.release-failed", &err, (const char *)NULL);
		}
	}
}
