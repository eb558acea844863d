#include "service/cert.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"

/* What tells that a file was replaced. */
struct mark {
	struct timespec mtime;
	ino_t ino;
	off_t size;
};

struct xos_service_cert {
	char *chain_path, *key_path;
	struct xos_tls_server *tls;
	pthread_mutex_t lock; /* of what follows */
	struct xos_chain chain;
	struct mark chain_mark, key_mark;
};

static struct mark mark_of(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return (struct mark){.size = -1};
	return (struct mark){.mtime = st.st_mtim, .ino = st.st_ino, .size = st.st_size};
}

static bool mark_same(const struct mark *a, const struct mark *b)
{
	return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
	       a->ino == b->ino && a->size == b->size;
}

/*
 * At the start a daemon may still be root and the key belong to the user that it will become, which a
 * root that reads secrets refuses as somebody else's: so it is read with its owner's rights, which
 * also shows now, and not at the first reload, whether that user can.
 */
static enum xos_status load(
    const char *chain_path, const char *key_path, struct xos_chain *out, struct xos_err *err)
{
	struct stat st;
	int death_signal = 0;
	pid_t parent = getppid();
	if (geteuid() != 0 || stat(key_path, &st) != 0 || st.st_uid == 0)
		return xos_tls_load(chain_path, key_path, out, err);
	/* The kernel forgets it when the user changes, and then nobody would end with the supervisor. */
	if (prctl(PR_GET_PDEATHSIG, &death_signal) != 0)
		return xos_err_errno(err, errno, "privileges", "cannot ask for the death signal");
	if (seteuid(st.st_uid) != 0)
		return xos_err_errno(
		    err, errno, "privileges", "cannot read %s as its owner", key_path);
	enum xos_status rc = xos_tls_load(chain_path, key_path, out, err);
	if (seteuid(0) != 0)
		abort(); /* half a root must not go on */
	if (death_signal && (prctl(PR_SET_PDEATHSIG, death_signal) != 0 || getppid() != parent)) {
		xos_chain_clear(out);
		return xos_err_set(
		    err, XOS_UNAVAILABLE, "privileges", "the parent process has died");
	}
	return rc;
}

enum xos_status xos_service_cert_check(
    const char *chain_path, const char *key_path, const uid_t *owner, struct xos_err *err)
{
	struct xos_chain chain = {.n = 0};
	struct stat st;
	enum xos_status rc = load(chain_path, key_path, &chain, err);
	xos_chain_clear(&chain);
	if (rc == XOS_OK && owner && stat(key_path, &st) == 0 && st.st_uid != 0 &&
	    st.st_uid != *owner)
		rc = xos_err_set(err, XOS_DENIED, "file-mode",
		    "%s belongs to uid %u, neither to root nor to the network process's user; run: "
		    "chown %u %s",
		    key_path, (unsigned)st.st_uid, (unsigned)*owner, key_path);
	return rc;
}

static enum xos_status validity(const struct xos_cert *leaf, int64_t now, struct xos_err *err)
{
	char text[XOS_TIME_TEXT];
	if (now > xos_cert_not_after(leaf)) {
		xos_duration_format(now - xos_cert_not_after(leaf), text);
		return xos_err_set(err, XOS_EXPIRED, "certificate-expired",
		    "the TLS certificate of %s expired %s ago", xos_cert_subject_text(leaf), text);
	}
	if (now < xos_cert_not_before(leaf)) {
		xos_duration_format(xos_cert_not_before(leaf) - now, text);
		return xos_err_set(err, XOS_NOT_YET_VALID, "certificate-not-yet-valid",
		    "the TLS certificate of %s is valid in %s only; is the clock right?",
		    xos_cert_subject_text(leaf), text);
	}
	return XOS_OK;
}

enum xos_status xos_service_cert_new(const char *chain_path, const char *key_path,
    const struct xos_verifier *verifier, struct xos_service_cert **out, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	struct xos_service_cert *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	pthread_mutex_init(&c->lock, NULL);
	c->chain_path = strdup(chain_path);
	c->key_path = strdup(key_path);
	enum xos_status st = XOS_OK;
	if (!c->chain_path || !c->key_path)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->chain_mark = mark_of(chain_path);
	c->key_mark = mark_of(key_path);
	if (st == XOS_OK)
		st = load(chain_path, key_path, &c->chain, err);
	if (st == XOS_OK)
		st = xos_tls_server_new(&c->chain,
		    verifier ? XOS_CLIENT_CERT_OPTIONAL : XOS_CLIENT_CERT_NONE, verifier, &c->tls,
		    err);
	if (st != XOS_OK) {
		xos_service_cert_free(c);
		return st;
	}
	if (validity(c->chain.cert[0], xos_clock_now(), &why) != XOS_OK)
		xos_event_err(XOS_WARN, "certificate.invalid", &why, (const char *)NULL);
	*out = c;
	return XOS_OK;
}

void xos_service_cert_free(struct xos_service_cert *c)
{
	if (!c)
		return;
	xos_tls_server_free(c->tls);
	xos_chain_clear(&c->chain);
	pthread_mutex_destroy(&c->lock);
	free(c->chain_path);
	free(c->key_path);
	free(c);
}

struct xos_tls_server *xos_service_cert_tls(struct xos_service_cert *c)
{
	return c->tls;
}

enum xos_status xos_service_cert_chain(
    struct xos_service_cert *c, struct xos_chain *out, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->chain.n && st == XOS_OK; i++)
		st = xos_chain_add(out, c->chain.cert[i]);
	if (st == XOS_OK)
		out->key = xos_key_ref(c->chain.key);
	pthread_mutex_unlock(&c->lock);
	if (st != XOS_OK) {
		xos_chain_clear(out);
		return xos_err_set(err, st, "chain", "the certificate chain cannot be copied");
	}
	return XOS_OK;
}

enum xos_status xos_service_cert_reload(struct xos_service_cert *c, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	/* Marks first: a file that changes while we read differs from them and is read again. */
	struct mark chain_mark = mark_of(c->chain_path), key_mark = mark_of(c->key_path);
	enum xos_status st = load(c->chain_path, c->key_path, &fresh, err);
	if (st == XOS_OK)
		st = xos_tls_server_reload(c->tls, &fresh, err);
	pthread_mutex_lock(&c->lock);
	if (st == XOS_OK) {
		struct xos_chain old = c->chain;
		c->chain = fresh;
		fresh = old;
		c->chain_mark = chain_mark;
		c->key_mark = key_mark;
	}
	pthread_mutex_unlock(&c->lock);
	xos_chain_clear(&fresh);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "certificate.loaded", "file", c->chain_path);
	return st;
}

enum xos_status xos_service_cert_poll(struct xos_service_cert *c, struct xos_err *err)
{
	struct mark chain_mark = mark_of(c->chain_path), key_mark = mark_of(c->key_path);
	pthread_mutex_lock(&c->lock);
	bool same = mark_same(&chain_mark, &c->chain_mark) && mark_same(&key_mark, &c->key_mark);
	pthread_mutex_unlock(&c->lock);
	return same ? XOS_OK : xos_service_cert_reload(c, err);
}

void xos_service_cert_again(struct xos_service_cert *c, const char *vo)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = xos_service_cert_poll(c, &err);
	if (st == XOS_UNAVAILABLE)
		xos_event_err(XOS_WARN, "certificate.reload", &err, "hint",
		    "the old one stays in use until the daemon is started again", "vo", vo,
		    (const char *)NULL);
	else if (st != XOS_OK)
		xos_event_err(XOS_ERROR, "certificate.reload", &err, "vo", vo, (const char *)NULL);
}

int64_t xos_service_cert_seconds_left(struct xos_service_cert *c, int64_t now)
{
	pthread_mutex_lock(&c->lock);
	int64_t left = xos_cert_not_after(c->chain.cert[0]) - now;
	pthread_mutex_unlock(&c->lock);
	return left;
}

bool xos_service_cert_needs_renewal(struct xos_service_cert *c, int64_t now)
{
	pthread_mutex_lock(&c->lock);
	int64_t begin = xos_cert_not_before(c->chain.cert[0]);
	int64_t end = xos_cert_not_after(c->chain.cert[0]);
	pthread_mutex_unlock(&c->lock);
	return now >= begin + (end - begin) / 2;
}

enum xos_status xos_service_cert_health(void *cert, struct xos_err *err)
{
	struct xos_service_cert *c = cert;
	pthread_mutex_lock(&c->lock);
	enum xos_status st = validity(c->chain.cert[0], xos_clock_now(), err);
	pthread_mutex_unlock(&c->lock);
	return st;
}
