#include "net/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "net/tls.h"
#include "pki/key.h"

enum xos_status xos_tls_pair_init(
    struct xos_tls_pair *p, const char *certificate, const char *key, struct xos_err *err)
{
	*p = (struct xos_tls_pair){.certificate = strdup(certificate), .key = strdup(key)};
	if (p->certificate && p->key)
		return XOS_OK;
	xos_tls_pair_clear(p);
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

void xos_tls_pair_clear(struct xos_tls_pair *p)
{
	free(p->certificate);
	free(p->key);
	*p = (struct xos_tls_pair){.certificate = NULL};
}

/* The folder, not a file in it: it is there, and whoever may replace the files may open it. */
static int open_folder(const char *file)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(file, '/');

	if (!slash)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!xos_str_printf(dir, sizeof(dir), "%.*s/", (int)(slash - file), file)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum xos_status xos_tls_pair_lock(
    const struct xos_tls_pair *p, int64_t until, int *fd, struct xos_err *err)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int dir = open_folder(p->key);

	if (dir < 0)
		return xos_err_errno(
		    err, errno, "renew-file", "cannot open the folder of %s", p->key);
	while (flock(dir, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK && xos_clock_mono_ms() < until) {
			nanosleep(&pause, NULL);
			continue;
		}
		enum xos_status st =
		    errno == EWOULDBLOCK
		        ? xos_err_set(err, XOS_UNAVAILABLE, "renew-busy",
		              "another program is renewing %s; try again in a moment",
		              p->certificate)
		        : xos_err_errno(
		              err, errno, "renew-file", "cannot lock the folder of %s", p->key);
		close(dir);
		return st;
	}
	*fd = dir;
	return XOS_OK;
}

void xos_tls_pair_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

static enum xos_status next_path(const char *path, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_str_printf(out, PATH_MAX, "%s.next", path))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "%s is too long", path);
}

static enum xos_status replace(const char *from, const char *to, struct xos_err *err)
{
	if (rename(from, to))
		return xos_err_errno(err, errno, "renew-file", "cannot rename %s to %s", from, to);
	return XOS_OK;
}

/* Both .next are whole before the first rename: what is there can be finished, and a key alone was
 * never announced to anybody. */
enum xos_status xos_tls_pair_finish(const struct xos_tls_pair *p, struct xos_err *err)
{
	char key[PATH_MAX], certificate[PATH_MAX];
	enum xos_status st = next_path(p->key, key, err);
	if (!st)
		st = next_path(p->certificate, certificate, err);
	if (st)
		return st;
	bool has_key = access(key, F_OK) == 0, has_cert = access(certificate, F_OK) == 0;
	if (!has_cert && has_key && unlink(key))
		return xos_err_errno(err, errno, "renew-file", "cannot remove %s", key);
	if (has_cert && has_key)
		st = replace(key, p->key, err);
	if (!st && has_cert)
		st = replace(certificate, p->certificate, err);
	return st;
}

enum xos_status xos_tls_pair_load(
    struct xos_tls_pair *p, struct xos_chain *out, struct xos_err *err)
{
	enum xos_status st = xos_tls_pair_finish(p, err);
	if (!st)
		st = xos_tls_load(p->certificate, p->key, out, err);
	if (st)
		return st;
	p->not_before = xos_cert_not_before(out->cert[0]);
	p->not_after = xos_cert_not_after(out->cert[0]);
	int64_t life = p->not_after - p->not_before;
	p->renew_after = p->not_before + life / 2;
	/* Nodes that joined in the same minute must not come back in the same minute. */
	if (life >= 20)
		p->renew_after += (int64_t)xos_random_below((uint64_t)life / 10);
	return XOS_OK;
}

enum xos_status xos_tls_pair_save(
    const struct xos_tls_pair *p, const struct xos_chain *fresh, struct xos_err *err)
{
	char key[PATH_MAX], certificate[PATH_MAX];
	struct xos_buf pem;
	enum xos_status st = next_path(p->key, key, err);
	if (!st)
		st = next_path(p->certificate, certificate, err);
	if (!st && !xos_key_same(fresh->key, xos_cert_key(fresh->cert[0])))
		st = xos_err_set(err, XOS_DENIED, "renew-key",
		    "the new certificate is for another key than the one made for it");
	if (st)
		return st;
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < fresh->n; i++)
		xos_cert_to_pem(fresh->cert[i], &pem);
	st = xos_key_save(fresh->key, key, NULL, err);
	if (!st)
		st = xos_file_write(certificate, 0644, xos_buf_bytes(&pem), err);
	if (!st)
		st = xos_tls_pair_finish(p, err);
	xos_buf_free(&pem);
	return st;
}
