#include "ca/network/network_root_crl.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "pki/crl.h"

#define FILE_MAX (256 * 1024)
#define SKEW 300

struct ca_root_crl {
	char path[PATH_MAX];
	const struct xos_cert *root;
	pthread_mutex_t lock; /* over all below */
	struct stat seen;
	struct xos_crl *crl; /* NULL: none, or none that can be used */
};

enum xos_status ca_root_crl_new(
    const char *trust, const struct xos_cert *root, struct ca_root_crl **out, struct xos_err *err)
{
	struct ca_root_crl *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c || pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	c->root = root;
	*out = c;
	if (xos_path_join(c->path, sizeof(c->path), trust, "root.crl"))
		return XOS_OK;
	ca_root_crl_free(c);
	*out = NULL;
	return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", trust);
}

void ca_root_crl_free(struct ca_root_crl *c)
{
	if (!c)
		return;
	xos_crl_free(c->crl);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void load(struct ca_root_crl *c)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_crl *crl = NULL;
	struct xos_buf der;
	enum xos_status st = xos_file_read(c->path, FILE_MAX, &der, &err);

	if (st == XOS_OK)
		st = xos_crl_parse(xos_buf_bytes(&der), &crl, &err);
	if (st == XOS_OK)
		st = xos_crl_verify(crl, c->root, xos_clock_now(), SKEW, &err);
	if (st != XOS_OK) {
		xos_event_err(XOS_WARN, "root-crl.refused", &err, (const char *)NULL);
		xos_crl_free(crl);
		crl = NULL;
	}
	xos_buf_free(&der);
	xos_crl_free(c->crl);
	c->crl = crl;
}

static bool changed(struct ca_root_crl *c)
{
	struct stat now;

	if (stat(c->path, &now) != 0) {
		xos_crl_free(c->crl);
		c->crl = NULL;
		c->seen.st_ino = 0;
		return false;
	}
	if (now.st_ino == c->seen.st_ino && now.st_size == c->seen.st_size &&
	    now.st_mtim.tv_sec == c->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == c->seen.st_mtim.tv_nsec)
		return false;
	c->seen = now;
	return true;
}

enum xos_status ca_root_crl_get(struct ca_root_crl *c, struct xos_buf *der, int64_t *this_update,
    int64_t *next_update, struct xos_err *err)
{
	enum xos_status st = XOS_NOT_FOUND;

	pthread_mutex_lock(&c->lock);
	if (changed(c))
		load(c);
	if (c->crl && xos_clock_now() <= xos_crl_next_update(c->crl)) {
		struct xos_bytes b = xos_crl_der(c->crl);

		xos_buf_put(der, b.p, b.n);
		*this_update = xos_crl_this_update(c->crl);
		*next_update = xos_crl_next_update(c->crl);
		st = xos_buf_status(der);
	}
	pthread_mutex_unlock(&c->lock);
	return st == XOS_OK
	           ? st
	           : xos_err_set(err, st, "no-root-crl",
	                 "the root's revocation list is missing here, or has expired: the "
	                 "authority's administrator makes one with xos-cad root-crl and puts it "
	                 "beside root.pem");
}

int64_t ca_root_crl_left(struct ca_root_crl *c)
{
	int64_t left = 0;

	pthread_mutex_lock(&c->lock);
	if (changed(c))
		load(c);
	if (c->crl)
		left = xos_crl_next_update(c->crl) - xos_clock_now();
	pthread_mutex_unlock(&c->lock);
	return left > 0 ? left : 0;
}
