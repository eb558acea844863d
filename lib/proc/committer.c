#include "proc/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct committer {
	enum xos_status (*commit)(void *ctx, struct xos_err *err);
	void *ctx;
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	/* Under the lock: */
	bool asked, ended, stop;
	enum xos_status rc;
	struct xos_err err;
};

static void *run(void *arg)
{
	struct committer *c = arg;
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (!c->asked) {
			pthread_cond_wait(&c->wanted, &c->lock);
			continue;
		}
		c->asked = false;
		pthread_mutex_unlock(&c->lock);
		struct xos_err err = XOS_ERR_INIT;
		enum xos_status rc = c->commit(c->ctx, &err);
		pthread_mutex_lock(&c->lock);
		c->rc = rc;
		c->err = err;
		c->ended = true;
		(void)eventfd_write(c->fd, 1);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

enum xos_status committer_new(enum xos_status (*commit)(void *ctx, struct xos_err *err), void *ctx,
    struct committer **out, struct xos_err *err)
{
	struct committer *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->commit = commit;
	c->ctx = ctx;
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->fd < 0) {
		enum xos_status rc =
		    xos_err_errno(err, errno, "channel-commit", "cannot make an eventfd");
		free(c);
		return rc;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wanted, NULL);
	int failed = pthread_create(&c->thread, NULL, run, c);
	if (failed == 0) {
		*out = c;
		return XOS_OK;
	}
	pthread_cond_destroy(&c->wanted);
	pthread_mutex_destroy(&c->lock);
	close(c->fd);
	free(c);
	return xos_err_errno(err, failed, "channel-commit", "cannot start a thread");
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wanted);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wanted);
	pthread_mutex_destroy(&c->lock);
	close(c->fd);
	free(c);
}

int committer_fd(const struct committer *c)
{
	return c->fd;
}

void committer_begin(struct committer *c)
{
	pthread_mutex_lock(&c->lock);
	c->asked = true;
	pthread_cond_signal(&c->wanted);
	pthread_mutex_unlock(&c->lock);
}

bool committer_end(struct committer *c, enum xos_status *rc, struct xos_err *err)
{
	eventfd_t count;
	pthread_mutex_lock(&c->lock);
	bool ended = c->ended;
	if (ended) {
		(void)eventfd_read(c->fd, &count);
		*rc = c->rc;
		*err = c->err;
		c->ended = false;
	}
	pthread_mutex_unlock(&c->lock);
	return ended;
}
