#ifndef XOS_JOBS_FRONT_H
#define XOS_JOBS_FRONT_H

#include <pthread.h>

#include "jobs/config.h"
#include "jobs/order.h"
#include "jobs/table.h"
#include "net/http.h"
#include "proc/channel.h"
#include "service/front.h"
#include "token/verify.h"

/*
 * One VO in the network process: knows who asks, keeps what was submitted, orders its starter about. The process
 * holds the TLS keys of the service and no other secret; hub.h puts it together.
 */
#define XOS_FRONT_WAITERS_MAX 1024

struct xos_job_front {
	const struct xos_jobs_config *c;
	struct xos_table *table;
	struct xos_channel *starter;
	struct xos_trust *trust; /* of this VO alone */
	/* Orders that wait for the starter, and how many may at a time (0: no bound). */
	size_t orders, orders_max;
	/* Requests that wait for news of a job. */
	pthread_mutex_t lock;
	struct xos_waiter {
		const struct xos_request *req;
		struct xos_response *res;
		char id[XOS_JOB_ID_TEXT];
		int64_t until_ms;
	} * waiters;
	size_t nwaiters;
	/* Work that waits for the starter is done by a thread of its own, not on the loop. */
	pthread_t janitor;
	pthread_cond_t wake;
	bool janitor_runs, ending;
};

/* c and starter are borrowed. */
XOS_MUST_USE enum xos_status xos_job_front_open(const struct xos_jobs_config *c,
    struct xos_channel *starter, struct xos_job_front **out, struct xos_err *err);
/* The routes of all VOs, with this one as their ctx. */
XOS_MUST_USE enum xos_status xos_job_front_routes(
    struct xos_job_front *f, struct xos_front *front, struct xos_err *err);
/* Starts the thread that does what waits; before requests come. */
XOS_MUST_USE enum xos_status xos_job_front_begin(struct xos_job_front *f, struct xos_err *err);
/* Answers who waits and ends the thread; also after a begin that failed. */
void xos_job_front_end(struct xos_job_front *f);
void xos_job_front_free(struct xos_job_front *f);

/* --- inside: routes of submit.c and watch.c --- */

/* The job {id} of the request if the caller may touch it: its member, with a token of its own or with
 * the delegation that submitted it; with admin true also a VO administrator. DENIED with code
 * "job-not-yours". */
XOS_MUST_USE enum xos_status xos_job_front_find(struct xos_job_front *f,
    const struct xos_request *req, bool admin, struct xos_entry *out, struct xos_err *err);
/* May the caller see this entry in a list? */
bool xos_job_front_sees(const struct xos_identity *who, const struct xos_entry *e, bool admin);
/* Is the VO's role of administrator active, without a delegation? */
bool xos_job_front_admin(const struct xos_identity *who);
/* Asks the starter; UNAVAILABLE (code "channel-busy") while too many do. */
XOS_MUST_USE enum xos_status xos_job_front_order(struct xos_job_front *f, enum xos_order_type type,
    struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* Starts what has its delegation on disk and was not started: after a crash, or while xos-credd or the
 * starter was away. */
void xos_job_front_resume(struct xos_job_front *f);
/* Lets jobs go whose credential never came. */
void xos_job_front_expire(struct xos_job_front *f);
/* Answers waiting requests that have news or have waited long enough; all of them if stop. */
void xos_job_front_wake(struct xos_job_front *f, bool stop);

/* The member "grant" of a body, if there is one: {"chain", "grant"}, whose chain must be what signed the delegation. Keeps it
 * for whoever extends it; *grant is borrowed from doc. MALFORMED "grant-chain". */
XOS_MUST_USE enum xos_status xos_job_front_grant(struct xos_job_front *f, const char *id,
    const struct xos_json *doc, const struct xos_chain *delegation, struct xos_bytes *grant,
    struct xos_err *err);

enum xos_status xos_job_route_submit(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_credential(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_cancel(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_list(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_show(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_output(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_grant(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_extend(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status xos_job_route_status(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);

#endif
