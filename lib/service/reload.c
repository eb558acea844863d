#include "service/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/digest.h"

#define TEXT_MAX ((size_t)256 * 1024)
#define NAMES_MAX 1024

struct xos_reload {
	const struct xos_service_run *run;
	int fd;       /* written here */
	int parts_fd; /* the same memory, open for reading only */
	void *accepted;
};

/* ---- the shared memory: a digest, then the text, so that nobody takes half of one for a whole ---- */

static enum xos_status put_text(int fd, struct xos_bytes text, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];

	if (xos_sha256(text, digest) != XOS_OK || ftruncate(fd, 0) != 0 ||
	    pwrite(fd, text.p, text.n, sizeof(digest)) != (ssize_t)text.n ||
	    pwrite(fd, digest, sizeof(digest), 0) != (ssize_t)sizeof(digest))
		return xos_err_errno(err, errno, "config-memory", "cannot keep the configuration");
	return XOS_OK;
}

static enum xos_status get_text(int fd, struct xos_buf *out, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN], real[XOS_SHA256_LEN], piece[4096];
	off_t at = sizeof(digest);
	ssize_t n;

	xos_buf_init(out, TEXT_MAX);
	while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
		xos_buf_put(out, piece, (size_t)n);
		at += n;
	}
	if (n == 0 && xos_buf_status(out) == XOS_OK &&
	    pread(fd, digest, sizeof(digest), 0) == (ssize_t)sizeof(digest) &&
	    xos_sha256(xos_buf_bytes(out), real) == XOS_OK &&
	    memcmp(digest, real, sizeof(real)) == 0)
		return XOS_OK;
	xos_buf_free(out);
	return xos_err_set(err, XOS_UNAVAILABLE, "config-memory",
	    "the configuration is being exchanged at this moment");
}

static enum xos_status parse(const struct xos_service_program *p, const char *path,
    struct xos_bytes text, void **conf, struct xos_err *err)
{
	void *fresh = calloc(1, p->conf_size ? p->conf_size : 1);
	enum xos_status st;

	if (!fresh)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = xos_config_parse(path, text, p->keys, p->nkeys, fresh, err);
	if (st == XOS_OK)
		*conf = fresh;
	else
		free(fresh);
	return st;
}

enum xos_status xos_service_conf_again(const struct xos_service_program *program, const char *path,
    int fd, void **conf, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st = get_text(fd, &text, err);

	if (st != XOS_OK)
		return st;
	st = parse(program, path, xos_buf_bytes(&text), conf, err);
	xos_buf_free(&text);
	return st;
}

void xos_service_conf_free(const struct xos_service_program *program, void *conf)
{
	if (!conf)
		return;
	xos_config_free(program->keys, program->nkeys, conf);
	free(conf);
}

/* ---- what changed ---- */

static bool same_value(const struct xos_config_key *k, const void *a, const void *b)
{
	const char *x = (const char *)a + k->offset, *y = (const char *)b + k->offset;
	const char *s, *t;

	switch (k->type) {
	case XOS_CONFIG_STRING:
	case XOS_CONFIG_PATH:
		memcpy(&s, x, sizeof(s));
		memcpy(&t, y, sizeof(t));
		return (!s && !t) || (s && t && strcmp(s, t) == 0);
	case XOS_CONFIG_BOOL:
		return memcmp(x, y, sizeof(bool)) == 0;
	default:
		return memcmp(x, y, sizeof(int64_t)) == 0;
	}
}

static void name_of(const struct xos_config_key *k, char out[128])
{
	if (!xos_str_printf(out, 128, "%s%s%s", k->section, k->section[0] ? "." : "", k->name))
		out[0] = '\0';
}

static bool reloads(const struct xos_service_program *p, const char *name)
{
	for (const char *const *r = p->reloads; r && *r; r++)
		if (strcmp(*r, name) == 0)
			return true;
	return false;
}

/* Names of keys that differ: those that take effect at once, or those that do not. */
static void differing(const struct xos_service_program *p, const void *a, const void *b,
    bool at_once, char out[NAMES_MAX])
{
	char name[128];

	out[0] = '\0';
	for (size_t i = 0; a && b && i < p->nkeys; i++) {
		size_t n = strlen(out);

		name_of(&p->keys[i], name);
		if (!same_value(&p->keys[i], a, b) && reloads(p, name) == at_once)
			snprintf(out + n, NAMES_MAX - n, "%s%s", n ? "," : "", name);
	}
}

/* ---- the supervisor ---- */

enum xos_status xos_reload_new(
    const struct xos_service_run *run, struct xos_reload **out, struct xos_err *err)
{
	struct xos_reload *r = calloc(1, sizeof(*r));
	struct xos_buf text;
	char self[64];
	enum xos_status st;

	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	r->run = run;
	r->parts_fd = -1;
	r->fd = memfd_create("xos-config", MFD_CLOEXEC);
	xos_str_printf(self, sizeof(self), "/proc/self/fd/%d", r->fd);
	if (r->fd >= 0)
		r->parts_fd = open(self, O_RDONLY | O_CLOEXEC);
	if (r->parts_fd < 0) {
		st = xos_err_errno(err, errno, "config-memory", "cannot keep the configuration");
		xos_reload_free(r);
		return st;
	}
	st = xos_file_read(run->config_path, TEXT_MAX, &text, err);
	if (st == XOS_OK) {
		st = put_text(r->fd, xos_buf_bytes(&text), err);
		xos_buf_free(&text);
	}
	if (st != XOS_OK) {
		xos_reload_free(r);
		return st;
	}
	*out = r;
	return XOS_OK;
}

void xos_reload_free(struct xos_reload *r)
{
	if (!r)
		return;
	xos_service_conf_free(r->run->program, r->accepted);
	if (r->fd >= 0)
		close(r->fd);
	if (r->parts_fd >= 0)
		close(r->parts_fd);
	free(r);
}

int xos_reload_fd(const struct xos_reload *r)
{
	return r->parts_fd;
}

struct complaints {
	const char *path;
	size_t n;
};

static void complain(void *ctx, const struct xos_err *err)
{
	struct complaints *c = ctx;

	xos_event_err(XOS_ERROR, "config.kept", err, "file", c->path, (const char *)NULL);
	c->n++;
}

/* The file as it is now, if it is good. */
static bool read_again(struct xos_reload *r, struct xos_buf *text, void **fresh)
{
	const struct xos_service_program *p = r->run->program;
	struct complaints c = {.path = r->run->config_path};
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_file_read(c.path, TEXT_MAX, text, &err);

	if (st == XOS_OK && parse(p, c.path, xos_buf_bytes(text), fresh, &err) != XOS_OK) {
		st = err.status;
		xos_buf_free(text);
	}
	if (st != XOS_OK) {
		complain(&c, &err);
		return false;
	}
	if (p->check)
		p->check(*fresh, complain, &c);
	if (c.n == 0)
		return true;
	xos_service_conf_free(p, *fresh);
	xos_buf_free(text);
	return false;
}

bool xos_reload_on_hup(void *reload)
{
	struct xos_reload *r = reload;
	const struct xos_service_program *p = r->run->program;
	char changed[NAMES_MAX], restart[NAMES_MAX];
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf text;
	void *fresh = NULL;

	if (!read_again(r, &text, &fresh))
		return false;
	differing(p, r->accepted ? r->accepted : r->run->conf, fresh, true, changed);
	differing(p, r->run->conf, fresh, false, restart);
	enum xos_status st = put_text(r->fd, xos_buf_bytes(&text), &err);
	xos_buf_free(&text);
	if (st != XOS_OK) {
		xos_event_err(XOS_ERROR, "config.kept", &err, (const char *)NULL);
		xos_service_conf_free(p, fresh);
		return false;
	}
	xos_service_conf_free(p, r->accepted);
	r->accepted = fresh;
	XOS_EVENT(restart[0] ? XOS_WARN : XOS_INFO, "config.reloaded", "changed",
	    changed[0] ? changed : "nothing", "needs-restart", restart[0] ? restart : NULL);
	return true;
}
