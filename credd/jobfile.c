#include "credd/jobfile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/key.h"
#include "token/delegation.h"

#define JOB_FILE_MAX (512u * 1024)
#define JOB_KEY_MAX 4096

static const uint8_t magic[] = {'X', 'O', 'S', 'J'};
#define VERSION_PLAIN 1
#define VERSION_GRANT 2

struct xos_credd_job *xos_credd_job_new(void)
{
	return calloc(1, sizeof(struct xos_credd_job));
}

void xos_credd_job_free(struct xos_credd_job *job)
{
	if (!job)
		return;
	xos_secret_free(job->key);
	xos_chain_clear(&job->chain);
	xos_credd_grant_free(job->grant);
	free(job);
}

struct xos_credd_grant *xos_credd_grant_new(void)
{
	struct xos_credd_grant *g = calloc(1, sizeof(*g));
	if (g)
		xos_buf_init(&g->wire, XOS_CREDD_GRANT_MAX);
	return g;
}

void xos_credd_grant_free(struct xos_credd_grant *g)
{
	if (g)
		xos_buf_free(&g->wire);
	free(g);
}

/* Two passes over the same steps: the first counts, the second writes into secret memory. */
struct writer {
	uint8_t *p;
	size_t n;
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->p && n)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_number(struct writer *w, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t b = (uint8_t)(v >> (8 * (bytes - 1 - i)));
		put(w, &b, 1);
	}
}

static void put_text(struct writer *w, struct xos_bytes v)
{
	put_number(w, v.n, 4);
	put(w, v.p, v.n);
}

static void put_grant(struct writer *w, const struct xos_credd_grant *g)
{
	put_number(w, (uint64_t)g->token_ends, 8);
	put_number(w, (uint64_t)g->ends, 8);
	put_number(w, (uint64_t)g->taken, 8);
	put_number(w, g->renewed, 4);
	put_number(w, g->registered, 1);
	put_number(w, g->depth, 1);
	put(w, g->restriction, sizeof(g->restriction));
	put_text(w, xos_bytes_str(g->refusal));
	put_number(w, (uint64_t)g->refused, 8);
	put_text(w, xos_bytes_str(g->refusal[0] ? g->text : ""));
	put_text(w, xos_buf_bytes(&g->wire));
}

static void put_job(struct writer *w, const struct xos_credd_job *job)
{
	put(w, magic, sizeof(magic));
	put_number(w, job->grant ? VERSION_GRANT : VERSION_PLAIN, 1);
	put_text(w, xos_bytes_str(job->id));
	put_text(w, xos_bytes_str(job->vo));
	put_text(w, xos_bytes_str(job->member));
	put_number(w, job->number, 8);
	put_text(w, xos_bytes_str(job->account.name));
	put_number(w, job->computed ? job->computed : job->account.uid, 4);
	put_number(w, job->computed ? job->computed : job->account.gid, 4);
	put_number(w, (uint64_t)job->created, 8);
	put_number(w, (uint64_t)job->not_after, 8);
	put_number(w, job->chain.n, 1);
	for (size_t i = 0; i < job->chain.n; i++)
		put_text(w, xos_cert_der(job->chain.cert[i]));
	put_text(w, (struct xos_bytes){xos_secret_data(job->key), xos_secret_len(job->key)});
	if (job->grant)
		put_grant(w, job->grant);
}

enum xos_status xos_credd_job_write(
    const char *dir, const struct xos_credd_job *job, struct xos_err *err)
{
	char path[PATH_MAX];
	struct writer w = {.p = NULL};
	put_job(&w, job);
	struct xos_secret *s = xos_secret_new(w.n);
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	w = (struct writer){.p = xos_secret_data(s)};
	put_job(&w, job);
	enum xos_status st;
	if (w.n > JOB_FILE_MAX || !xos_path_join(path, sizeof(path), dir, job->id))
		st = xos_err_set(
		    err, XOS_LIMIT, "job-file", "the record of job %s is too large", job->id);
	else
		st = xos_file_write(path, 0600, (struct xos_bytes){w.p, w.n}, err);
	xos_secret_free(s);
	return st;
}

static bool read_names(struct xos_reader *r, struct xos_credd_job *job, uint8_t *version)
{
	struct xos_bytes m;
	return xos_reader_take(r, sizeof(magic), &m) && memcmp(m.p, magic, sizeof(magic)) == 0 &&
	       xos_reader_u8(r, version) && *version >= VERSION_PLAIN &&
	       *version <= VERSION_GRANT && xos_reader_lp_str(r, job->id, sizeof(job->id)) &&
	       xos_local_job_valid(job->id) && xos_reader_lp_str(r, job->vo, sizeof(job->vo)) &&
	       xos_name_is_vo(job->vo) && xos_reader_lp_str(r, job->member, sizeof(job->member)) &&
	       xos_name_is_member(job->vo, job->member) && xos_reader_u64(r, &job->number) &&
	       xos_reader_lp_str(r, job->account.name, sizeof(job->account.name)) &&
	       xos_reader_u32(r, &job->account.uid) && xos_reader_u32(r, &job->account.gid) &&
	       xos_reader_i64(r, &job->created) && xos_reader_i64(r, &job->not_after);
}

static enum xos_status read_chain(
    struct xos_reader *r, struct xos_credd_job *job, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	uint8_t n;
	bool ok = xos_reader_u8(r, &n) && n <= XOS_CHAIN_MAX;
	for (size_t i = 0; ok && i < n; i++)
		ok = xos_reader_lp(r, XOS_CERT_MAX, &der[i]);
	if (!ok)
		return xos_err_set(err, XOS_MALFORMED, "job-file", "bad certificates");
	return n ? xos_chain_from_der(der, n, &job->chain, err) : XOS_OK;
}

/* The key is parsed once, to know that it is one and which. */
static enum xos_status read_key(
    struct xos_reader *r, struct xos_credd_job *job, struct xos_err *err)
{
	struct xos_bytes pem;
	struct xos_key *key = NULL;
	if (!xos_reader_lp(r, JOB_KEY_MAX, &pem))
		return xos_err_set(err, XOS_MALFORMED, "job-file", "bad key");
	enum xos_status st = xos_key_from_pem(pem, &key, err);
	if (st)
		return st;
	memcpy(job->spki, xos_key_spki_sha256(key), XOS_SHA256_LEN);
	xos_key_free(key);
	job->key = xos_secret_from(pem.p, pem.n);
	return job->key ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

bool xos_credd_grant_parts(struct xos_bytes wire, struct xos_bytes chain[XOS_CHAIN_MAX], size_t *n,
    struct xos_bytes *grant)
{
	struct xos_reader r;
	uint8_t count;
	xos_reader_init(&r, wire);
	bool ok = xos_reader_u8(&r, &count) && count && count <= XOS_CHAIN_MAX;
	for (size_t i = 0; ok && i < count; i++)
		ok = xos_reader_lp(&r, XOS_CERT_MAX, &chain[i]);
	*n = count;
	return ok && xos_reader_lp(&r, XOS_CREDD_GRANT_MAX, grant) && grant->n &&
	       xos_reader_end(&r) == XOS_OK;
}

static bool read_plan(struct xos_reader *r, struct xos_credd_grant *g)
{
	struct xos_bytes digest, wire, chain[XOS_CHAIN_MAX], grant;
	uint8_t registered;
	size_t n;
	if (!xos_reader_i64(r, &g->token_ends) || !xos_reader_i64(r, &g->ends) ||
	    !xos_reader_i64(r, &g->taken) || !xos_reader_u32(r, &g->renewed) ||
	    !xos_reader_u8(r, &registered) || registered > 1 || !xos_reader_u8(r, &g->depth) ||
	    g->depth > XOS_DELEGATION_DEPTH_MAX ||
	    !xos_reader_take(r, sizeof(g->restriction), &digest) ||
	    !xos_reader_lp_str(r, g->refusal, sizeof(g->refusal)) ||
	    !xos_reader_i64(r, &g->refused) || !xos_reader_lp_str(r, g->text, sizeof(g->text)) ||
	    !xos_reader_lp(r, XOS_CREDD_GRANT_MAX, &wire))
		return false;
	g->registered = registered;
	memcpy(g->restriction, digest.p, sizeof(g->restriction));
	xos_buf_put(&g->wire, wire.p, wire.n);
	return xos_buf_status(&g->wire) == XOS_OK && xos_utf8_valid(xos_bytes_str(g->text)) &&
	       xos_credd_grant_parts(wire, chain, &n, &grant);
}

static enum xos_status read_grant(
    struct xos_reader *r, struct xos_credd_job *job, struct xos_err *err)
{
	job->grant = xos_credd_grant_new();
	if (!job->grant)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	/* What is not accepted yet has nothing to renew. */
	return read_plan(r, job->grant) && job->chain.n
	           ? XOS_OK
	           : xos_err_set(err, XOS_MALFORMED, "job-file", "bad grant");
}

enum xos_status xos_credd_job_decode(
    struct xos_bytes in, struct xos_credd_job **out, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_credd_job *job = xos_credd_job_new();
	if (!job)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_reader_init(&r, in);
	enum xos_status st = XOS_OK;
	uint8_t version = 0;
	if (!read_names(&r, job, &version))
		st = xos_err_set(err, XOS_MALFORMED, "job-file", "bad names or numbers");
	if (!st)
		st = read_chain(&r, job, err);
	if (!st)
		st = read_key(&r, job, err);
	if (!st && version == VERSION_GRANT)
		st = read_grant(&r, job, err);
	if (!st && xos_reader_end(&r))
		st = xos_err_set(err, XOS_MALFORMED, "job-file", "bad length");
	if (!st && job->chain.n &&
	    memcmp(xos_key_spki_sha256(xos_cert_key(job->chain.cert[0])), job->spki,
	        XOS_SHA256_LEN) != 0)
		st = xos_err_set(
		    err, XOS_MALFORMED, "job-file", "key and certificate do not belong together");
	if (st)
		xos_credd_job_free(job);
	else
		*out = job;
	return st;
}

enum xos_status xos_credd_job_read(
    const char *dir, const char *id, struct xos_credd_job **out, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_secret *s = NULL;
	struct xos_credd_job *job = NULL;
	if (!xos_path_join(path, sizeof(path), dir, id))
		return xos_err_set(
		    err, XOS_LIMIT, "job-file", "the path of job %s is too long", id);
	enum xos_status st = xos_file_read_secret(path, JOB_FILE_MAX, &s, err);
	if (st)
		return st;
	st = xos_credd_job_decode(
	    (struct xos_bytes){xos_secret_data(s), xos_secret_len(s)}, &job, err);
	if (!st && strcmp(job->id, id) != 0)
		st = xos_err_set(
		    err, XOS_MALFORMED, "job-file", "it is the record of job %s", job->id);
	xos_secret_free(s);
	if (st) {
		xos_credd_job_free(job);
		return xos_err_prefix(err, st, "%s", path);
	}
	*out = job;
	return XOS_OK;
}
