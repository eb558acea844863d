#include "net/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 64

struct job {
	void (*fn)(void *ctx);
	void *ctx;
};

struct xos_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job *ring;
	size_t head, count, size;
	bool ending;
	size_t nthreads;
	pthread_t threads[THREADS_MAX];
};

static void *worker(void *arg)
{
	struct xos_pool *p = arg;
	for (;;) {
		pthread_mutex_lock(&p->lock);
		while (p->count == 0 && !p->ending)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->count == 0) {
			pthread_mutex_unlock(&p->lock);
			return NULL;
		}
		struct job j = p->ring[p->head];
		p->head = (p->head + 1) % p->size;
		p->count--;
		pthread_mutex_unlock(&p->lock);
		j.fn(j.ctx);
	}
}

enum xos_status xos_pool_new(
    size_t threads, size_t queue_max, struct xos_pool **out, struct xos_err *err)
{
	struct xos_pool *p = NULL;
	if (threads == 0 || threads > THREADS_MAX || queue_max == 0)
		return xos_err_set(err, XOS_MALFORMED, "pool-size",
		    "a pool has 1 to %d threads and room for one job at least", THREADS_MAX);
	p = calloc(1, sizeof(*p));
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	p->ring = calloc(queue_max, sizeof(*p->ring));
	p->size = queue_max;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	int rc = p->ring ? 0 : ENOMEM;
	while (rc == 0 && p->nthreads < threads) {
		rc = pthread_create(&p->threads[p->nthreads], NULL, worker, p);
		if (rc == 0)
			p->nthreads++;
	}
	if (rc != 0) {
		xos_pool_free(p);
		return xos_err_errno(
		    err, rc, "pool-thread", "cannot start %zu worker threads", threads);
	}
	*out = p;
	return XOS_OK;
}

enum xos_status xos_pool_submit(struct xos_pool *p, void (*fn)(void *ctx), void *ctx)
{
	enum xos_status st = XOS_LIMIT;
	pthread_mutex_lock(&p->lock);
	if (p->count < p->size && !p->ending) {
		p->ring[(p->head + p->count) % p->size] = (struct job){fn, ctx};
		p->count++;
		pthread_cond_signal(&p->work);
		st = XOS_OK;
	}
	pthread_mutex_unlock(&p->lock);
	return st;
}

size_t xos_pool_waiting(struct xos_pool *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->count;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void xos_pool_free(struct xos_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->ring);
	free(p);
}
