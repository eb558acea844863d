#include "jobs/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define MAGIC "xos-launch-1"
#define STRING_MAX (1u << 18)

void xos_strings_free(struct xos_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct xos_strings){NULL, 0};
}

bool xos_strings_add(struct xos_strings *s, const char *v)
{
	char **grown = realloc(s->v, (s->n + 2) * sizeof(*grown));

	if (!grown)
		return false;
	s->v = grown;
	s->v[s->n] = strdup(v);
	s->v[s->n + 1] = NULL;
	if (!s->v[s->n])
		return false;
	s->n++;
	return true;
}

void xos_launch_free(struct xos_launch *l)
{
	if (!l)
		return;
	free(l->run);
	free(l->work);
	free(l->cred);
	xos_strings_free(&l->argv);
	xos_strings_free(&l->env);
	xos_strings_free(&l->keep);
	xos_secret_free(l->credential);
	*l = (struct xos_launch){0};
}

static void put_strings(struct xos_buf *b, const struct xos_strings *s)
{
	xos_buf_u32(b, (uint32_t)s->n);
	for (size_t i = 0; i < s->n; i++)
		xos_buf_lp_str(b, s->v[i]);
}

bool xos_launch_without_network(const struct xos_launch_limits *m)
{
	return m->networks.limited && m->networks.nopen == 0;
}

bool xos_launch_needs_net_rules(const struct xos_launch_limits *m)
{
	return !xos_launch_without_network(m) && (m->networks.limited || m->networks.nclosed > 0);
}

static void put_prefixes(struct xos_buf *b, const struct xos_net_prefix *list, size_t n)
{
	xos_buf_u16(b, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		xos_buf_u8(b, list[i].family);
		xos_buf_u8(b, list[i].length);
		xos_buf_put(b, list[i].addr, sizeof(list[i].addr));
	}
}

void xos_launch_encode(struct xos_buf *b, const struct xos_launch *l)
{
	const struct xos_launch_limits *m = &l->limits;

	xos_buf_lp_str(b, MAGIC);
	xos_buf_lp_str(b, l->id);
	xos_buf_lp_str(b, l->run);
	xos_buf_lp_str(b, l->work);
	xos_buf_lp_str(b, l->cred);
	xos_buf_u8(b, l->isolate);
	xos_buf_u8(b, l->all_calls);
	xos_buf_u32(b, l->uid);
	xos_buf_u32(b, l->gid);
	xos_buf_u32(b, (uint32_t)l->ngroups);
	for (size_t i = 0; i < l->ngroups; i++)
		xos_buf_u32(b, l->groups[i]);
	xos_buf_u8(b, l->alone);
	xos_buf_u64(b, m->wall);
	xos_buf_u64(b, m->cpu);
	xos_buf_u64(b, m->memory);
	xos_buf_u64(b, m->files);
	xos_buf_u64(b, m->file_size);
	xos_buf_u64(b, m->processes);
	xos_buf_u64(b, m->processors);
	xos_buf_u8(b, m->networks.limited);
	put_prefixes(b, m->networks.open, m->networks.nopen);
	put_prefixes(b, m->networks.closed, m->networks.nclosed);
	xos_buf_u8(b, l->group_can);
	xos_buf_u8(b, l->group_unified);
	xos_buf_u64(b, l->grace);
	xos_buf_u64(b, l->output_max);
	xos_buf_u64(b, l->tmp_size);
	put_strings(b, &l->argv);
	put_strings(b, &l->env);
	put_strings(b, &l->keep);
}

static bool get_string(struct xos_reader *r, size_t max, char **out)
{
	struct xos_bytes v;
	char *s;

	if (!xos_reader_lp(r, max, &v) || memchr(v.p, 0, v.n)) {
		r->failed = true;
		return false;
	}
	s = strndup((const char *)v.p, v.n);
	if (!s) {
		r->failed = true;
		return false;
	}
	*out = s;
	return true;
}

static void get_strings(struct xos_reader *r, size_t max, struct xos_strings *out)
{
	uint32_t n = 0;

	if (!xos_reader_u32(r, &n) || n > max) {
		r->failed = true;
		return;
	}
	for (uint32_t i = 0; i < n && !r->failed; i++) {
		char *s = NULL;

		if (!get_string(r, STRING_MAX, &s))
			return;
		if (!xos_strings_add(out, s))
			r->failed = true;
		free(s);
	}
}

static void get_bool(struct xos_reader *r, bool *out)
{
	uint8_t v = 2;

	xos_reader_u8(r, &v);
	if (v > 1)
		r->failed = true;
	*out = v == 1;
}

static void get_account(struct xos_reader *r, struct xos_launch *l)
{
	uint8_t alone = 2;
	uint32_t n = 0;

	get_bool(r, &l->isolate);
	get_bool(r, &l->all_calls);
	xos_reader_u32(r, &l->uid);
	xos_reader_u32(r, &l->gid);
	xos_reader_u32(r, &n);
	if (n > XOS_LAUNCH_GROUPS)
		r->failed = true;
	for (uint32_t i = 0; i < n && !r->failed; i++)
		xos_reader_u32(r, &l->groups[i]);
	l->ngroups = r->failed ? 0 : n;
	xos_reader_u8(r, &alone);
	if (alone > 1)
		r->failed = true;
	l->alone = alone == 1;
}

static void get_prefixes(struct xos_reader *r, struct xos_net_prefix *list, uint16_t *n)
{
	struct xos_bytes addr;

	if (!xos_reader_u16(r, n) || *n > XOS_NET_PREFIXES_MAX) {
		r->failed = true;
		*n = 0;
	}
	for (size_t i = 0; i < *n && !r->failed; i++) {
		xos_reader_u8(r, &list[i].family);
		xos_reader_u8(r, &list[i].length);
		if (!xos_reader_take(r, sizeof(list[i].addr), &addr))
			return;
		memcpy(list[i].addr, addr.p, addr.n);
		if ((list[i].family != 4 && list[i].family != 6) ||
		    list[i].length > (list[i].family == 4 ? 32 : 128))
			r->failed = true;
	}
}

static void get_limits(struct xos_reader *r, struct xos_launch_limits *m)
{
	xos_reader_u64(r, &m->wall);
	xos_reader_u64(r, &m->cpu);
	xos_reader_u64(r, &m->memory);
	xos_reader_u64(r, &m->files);
	xos_reader_u64(r, &m->file_size);
	xos_reader_u64(r, &m->processes);
	xos_reader_u64(r, &m->processors);
	get_bool(r, &m->networks.limited);
	get_prefixes(r, m->networks.open, &m->networks.nopen);
	get_prefixes(r, m->networks.closed, &m->networks.nclosed);
}

static bool sane(const struct xos_launch *l)
{
	if (strlen(l->id) != XOS_JOB_ID_LEN || l->argv.n == 0 || l->limits.wall == XOS_LIMIT_NONE)
		return false;
	/* An isolated job runs under a member's account, and no member's account is root's. */
	if (l->isolate && (l->uid == 0 || l->gid == 0))
		return false;
	for (size_t i = 0; i < l->ngroups; i++)
		if (l->isolate && l->groups[i] == 0)
			return false;
	return l->run[0] == '/' && l->work[0] == '/' && l->cred[0] == '/';
}

enum xos_status xos_launch_decode(struct xos_bytes in, struct xos_launch *l, struct xos_err *err)
{
	struct xos_launch f = {0};
	struct xos_reader r;
	char magic[sizeof(MAGIC)];

	*l = f;
	xos_reader_init(&r, in);
	if (!xos_reader_lp_str(&r, magic, sizeof(magic)) || strcmp(magic, MAGIC) != 0)
		r.failed = true;
	xos_reader_lp_str(&r, f.id, sizeof(f.id));
	get_string(&r, STRING_MAX, &f.run);
	get_string(&r, STRING_MAX, &f.work);
	get_string(&r, STRING_MAX, &f.cred);
	get_account(&r, &f);
	get_limits(&r, &f.limits);
	xos_reader_u8(&r, &f.group_can);
	xos_reader_u8(&r, &f.group_unified);
	xos_reader_u64(&r, &f.grace);
	xos_reader_u64(&r, &f.output_max);
	xos_reader_u64(&r, &f.tmp_size);
	get_strings(&r, XOS_LAUNCH_STRINGS, &f.argv);
	get_strings(&r, XOS_LAUNCH_STRINGS, &f.env);
	get_strings(&r, XOS_LAUNCH_KEEP, &f.keep);
	if (xos_reader_end(&r) != XOS_OK || !sane(&f)) {
		xos_launch_free(&f);
		return xos_err_set(err, XOS_MALFORMED, "launch",
		    "the starter's order to the monitor is malformed");
	}
	*l = f;
	return XOS_OK;
}

enum xos_status xos_launch_send(int fd, const struct xos_launch *l, struct xos_err *err)
{
	struct xos_buf b, head;
	size_t ncred = l->credential ? xos_secret_len(l->credential) : 0;
	enum xos_status st;

	xos_buf_init(&b, XOS_LAUNCH_MAX);
	xos_buf_init(&head, 16);
	xos_launch_encode(&b, l);
	st = xos_buf_status(&b);
	if (st != XOS_OK || ncred > XOS_LAUNCH_CRED_MAX) {
		st =
		    xos_err_set(err, XOS_LIMIT, "launch-size", "the job's description is too long");
		goto out;
	}
	xos_buf_u32(&head, (uint32_t)b.n);
	xos_buf_u32(&head, (uint32_t)ncred);
	st = xos_fd_write_all(fd, xos_buf_bytes(&head), err);
	if (st == XOS_OK)
		st = xos_fd_write_all(fd, xos_buf_bytes(&b), err);
	if (st == XOS_OK && ncred > 0)
		st = xos_fd_write_all(
		    fd, (struct xos_bytes){xos_secret_data(l->credential), ncred}, err);
out:
	xos_buf_free(&head);
	xos_buf_free(&b);
	return st;
}

static bool read_exact(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

enum xos_status xos_launch_receive(int fd, struct xos_launch *l, struct xos_err *err)
{
	uint8_t head[8], extra, *body = NULL;
	struct xos_secret *cred = NULL;
	struct xos_reader r;
	uint32_t n = 0, ncred = 0;
	enum xos_status st;

	*l = (struct xos_launch){0};
	st = xos_err_set(err, XOS_MALFORMED, "launch", "the starter's order is cut short");
	if (!read_exact(fd, head, sizeof(head)))
		goto out;
	xos_reader_init(&r, (struct xos_bytes){head, sizeof(head)});
	xos_reader_u32(&r, &n);
	xos_reader_u32(&r, &ncred);
	if (n > XOS_LAUNCH_MAX || ncred > XOS_LAUNCH_CRED_MAX)
		goto out;
	body = malloc(n ? n : 1);
	if (!body || !read_exact(fd, body, n))
		goto out;
	if (ncred > 0) {
		cred = xos_secret_new(ncred);
		if (!cred || !read_exact(fd, xos_secret_data(cred), ncred))
			goto out;
	}
	if (read_exact(fd, &extra, 1))
		goto out;
	st = xos_launch_decode((struct xos_bytes){body, n}, l, err);
	if (st == XOS_OK) {
		l->credential = cred;
		cred = NULL;
	}
out:
	xos_secret_free(cred);
	free(body);
	return st;
}
