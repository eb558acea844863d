#include <stdlib.h>
#include <string.h>

#include "api/jobs.h"
#include "base/random.h"
#include "base/text.h"
#include "pki/digest.h"

#define MAGIC "xos-job-1"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status bad(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "job-spec", "the job's description: %s", what);
}

enum xos_status xos_job_spec_new(
    const char *vo, const char *node, struct xos_job_spec **out, struct xos_err *err)
{
	struct xos_job_spec *s;

	*out = NULL;
	if (!xos_name_is_vo(vo) || !xos_name_is_node(node))
		return bad(err, "no valid VO or node name");
	s = calloc(1, sizeof(*s));
	if (!s)
		return no_memory(err);
	if (!xos_str_copy(s->vo, sizeof(s->vo), vo) ||
	    !xos_str_copy(s->node, sizeof(s->node), node)) {
		free(s);
		return bad(err, "no valid VO or node name");
	}
	xos_random(s->nonce, sizeof(s->nonce));
	*out = s;
	return XOS_OK;
}

static void free_list(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void xos_job_spec_free(struct xos_job_spec *s)
{
	if (!s)
		return;
	free_list(s->argv, s->nargs);
	free_list(s->env, s->nenv);
	free(s);
}

/* A copy of v at place `at` of the list. */
static bool insert(char ***list, size_t *n, size_t at, const char *v)
{
	char **grown = realloc(*list, (*n + 2) * sizeof(*grown));
	char *copy = strdup(v);

	if (grown)
		*list = grown;
	if (!grown || !copy) {
		free(copy);
		return false;
	}
	memmove(grown + at + 1, grown + at, (*n - at) * sizeof(*grown));
	grown[at] = copy;
	grown[++*n] = NULL;
	return true;
}

enum xos_status xos_job_spec_arg(struct xos_job_spec *s, const char *arg, struct xos_err *err)
{
	if (s->nargs >= XOS_JOB_ARGS_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-arguments",
		    "a job takes at most %d arguments", XOS_JOB_ARGS_MAX);
	return insert(&s->argv, &s->nargs, s->nargs, arg) ? XOS_OK : no_memory(err);
}

static size_t name_len(const char *assignment)
{
	size_t n =
	    strspn(assignment, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	if (n == 0 || assignment[n] != '=' || (assignment[0] >= '0' && assignment[0] <= '9'))
		return 0;
	return n;
}

/* By name alone: "A=1" before "AB=0" although '=' sorts after nothing. */
static int compare_names(const char *a, const char *b)
{
	size_t na = name_len(a), nb = name_len(b);
	int c = memcmp(a, b, na < nb ? na : nb);

	return c ? c : (na > nb) - (na < nb);
}

static bool is_reserved(const char *assignment)
{
	static const char *const names[] = {
	    "HOME=", "USER=", "LOGNAME=", "X509_USER_PROXY=", "XOS_"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(assignment, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static enum xos_status check_env(const char *assignment, struct xos_err *err)
{
	size_t n = name_len(assignment);

	if (n == 0)
		return xos_err_set(err, XOS_MALFORMED, "job-environment",
		    "\"%.64s\" is not NAME=value (letters, digits and _)", assignment);
	if (is_reserved(assignment))
		return xos_err_set(err, XOS_MALFORMED, "job-environment",
		    "the node itself sets %.*s for a job; choose another name", (int)n, assignment);
	return XOS_OK;
}

enum xos_status xos_job_spec_env(
    struct xos_job_spec *s, const char *assignment, struct xos_err *err)
{
	enum xos_status st = check_env(assignment, err);
	size_t at = 0;
	int c = -1;

	if (st != XOS_OK)
		return st;
	if (s->nenv >= XOS_JOB_ENV_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-environment",
		    "a job takes at most %d variables", XOS_JOB_ENV_MAX);
	while (at < s->nenv && (c = compare_names(s->env[at], assignment)) < 0)
		at++;
	if (at < s->nenv && c == 0)
		return xos_err_set(err, XOS_CONFLICT, "job-environment", "%.*s is given twice",
		    (int)name_len(assignment), assignment);
	return insert(&s->env, &s->nenv, at, assignment) ? XOS_OK : no_memory(err);
}

enum xos_status xos_job_spec_check(const struct xos_job_spec *s, struct xos_err *err)
{
	enum xos_status st;

	if (!xos_name_is_vo(s->vo) || !xos_name_is_node(s->node))
		return bad(err, "no valid VO or node name");
	if (s->nargs == 0 || s->argv[0][0] == 0)
		return bad(err, "no program to run");
	if (s->nargs > XOS_JOB_ARGS_MAX || s->nenv > XOS_JOB_ENV_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-arguments",
		    "a job takes at most %d arguments and %d variables", XOS_JOB_ARGS_MAX,
		    XOS_JOB_ENV_MAX);
	for (const char *p = s->name; *p; p++)
		if (*p < ' ' || *p > '~')
			return bad(err, "a name is printable ASCII");
	for (size_t i = 0; i < s->nargs; i++)
		if (!xos_utf8_valid(xos_bytes_str(s->argv[i])))
			return bad(err, "an argument is not UTF-8");
	for (size_t i = 0; i < s->nenv; i++) {
		st = check_env(s->env[i], err);
		if (st != XOS_OK)
			return st;
		if (!xos_utf8_valid(xos_bytes_str(s->env[i])))
			return bad(err, "a variable is not UTF-8");
		if (i > 0 && compare_names(s->env[i - 1], s->env[i]) >= 0)
			return bad(err, "variables are not in order");
	}
	if (s->wall < 0 || s->wall > XOS_JOB_WALL_MAX)
		return bad(err, "the wall time is not within 1 s and 366 d");
	return XOS_OK;
}

enum xos_status xos_job_spec_encode(
    const struct xos_job_spec *s, struct xos_buf *out, struct xos_err *err)
{
	enum xos_status st = xos_job_spec_check(s, err);
	size_t start = out->n;

	if (st != XOS_OK)
		return st;
	xos_buf_lp_str(out, MAGIC);
	xos_buf_lp_str(out, s->vo);
	xos_buf_lp_str(out, s->node);
	xos_buf_lp(out, (struct xos_bytes){s->nonce, sizeof(s->nonce)});
	xos_buf_lp_str(out, s->name);
	xos_buf_u32(out, (uint32_t)s->nargs);
	for (size_t i = 0; i < s->nargs; i++)
		xos_buf_lp_str(out, s->argv[i]);
	xos_buf_u32(out, (uint32_t)s->nenv);
	for (size_t i = 0; i < s->nenv; i++)
		xos_buf_lp_str(out, s->env[i]);
	xos_buf_u64(out, (uint64_t)s->wall);
	if (xos_buf_status(out) == XOS_INTERNAL)
		return no_memory(err);
	if (xos_buf_status(out) != XOS_OK || out->n - start > XOS_JOB_SPEC_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-too-long",
		    "arguments and variables of a job take at most %d bytes; put data into a file",
		    XOS_JOB_SPEC_MAX);
	return XOS_OK;
}

static void take_list(struct xos_reader *r, size_t max, char ***list, size_t *n)
{
	struct xos_bytes v;
	uint32_t count = 0;

	if (!xos_reader_u32(r, &count) || count > max) {
		r->failed = true;
		return;
	}
	for (uint32_t i = 0; i < count && xos_reader_lp(r, XOS_JOB_SPEC_MAX, &v); i++) {
		char *copy = memchr(v.p, 0, v.n) ? NULL : strndup((const char *)v.p, v.n);

		if (!copy || !insert(list, n, *n, copy))
			r->failed = true;
		free(copy);
		if (r->failed)
			return;
	}
}

static enum xos_status take(struct xos_bytes in, struct xos_job_spec *s, struct xos_err *err)
{
	char magic[sizeof(MAGIC)] = "";
	struct xos_bytes nonce = XOS_BYTES_NONE;
	struct xos_reader r;
	uint64_t wall = 0;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, magic, sizeof(magic));
	xos_reader_lp_str(&r, s->vo, sizeof(s->vo));
	xos_reader_lp_str(&r, s->node, sizeof(s->node));
	xos_reader_lp(&r, XOS_JOB_NONCE, &nonce);
	xos_reader_lp_str(&r, s->name, sizeof(s->name));
	take_list(&r, XOS_JOB_ARGS_MAX, &s->argv, &s->nargs);
	take_list(&r, XOS_JOB_ENV_MAX, &s->env, &s->nenv);
	xos_reader_u64(&r, &wall);
	if (xos_reader_end(&r) != XOS_OK || strcmp(magic, MAGIC) != 0 || nonce.n != XOS_JOB_NONCE ||
	    wall > XOS_JOB_WALL_MAX)
		return bad(err, "malformed");
	memcpy(s->nonce, nonce.p, nonce.n);
	s->wall = (int64_t)wall;
	return xos_job_spec_check(s, err);
}

enum xos_status xos_job_spec_decode(
    struct xos_bytes in, struct xos_job_spec **out, struct xos_err *err)
{
	struct xos_job_spec *s;
	enum xos_status st;

	*out = NULL;
	if (in.n > XOS_JOB_SPEC_MAX)
		return xos_err_set(err, XOS_LIMIT, "job-too-long", "the description is too long");
	s = calloc(1, sizeof(*s));
	if (!s)
		return no_memory(err);
	st = take(in, s, err);
	if (st != XOS_OK) {
		xos_job_spec_free(s);
		return st;
	}
	*out = s;
	return XOS_OK;
}

enum xos_status xos_job_id(struct xos_bytes canonical, char out[XOS_JOB_ID_TEXT])
{
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_sha256(canonical, digest);

	xos_hex_encode(out, digest, (XOS_JOB_ID_TEXT - 1) / 2);
	return st;
}

bool xos_job_id_valid(const char *id)
{
	return strlen(id) == XOS_JOB_ID_TEXT - 1 &&
	       strspn(id, "0123456789abcdef") == XOS_JOB_ID_TEXT - 1;
}
