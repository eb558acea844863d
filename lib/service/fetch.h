#ifndef XOS_SERVICE_FETCH_H
#define XOS_SERVICE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "service/cert.h"
#include "token/trust.h"

/*
 * The thread of a network process that asks other authorities of the VO for signed objects, at an
 * interval with jitter and when poked, and hands what came to whoever verifies it. What cannot be fetched
 * leaves the last good in force; health says so.
 */
struct xos_fetch;

struct xos_fetch_source {
	const char *service, *url; /* who is asked: "ca", "https://127.0.0.1:4443" */
	const char *path;          /* below /v1/vo/{vo}/, encoded: "roster", "log/head" */
	const char *name;          /* for people: "roster" */
	bool spare;                /* going without it is a warning, not a failure */
};
#define XOS_FETCH_SOURCES_MAX 16
#define XOS_FETCH_OBJECT_MAX (10u * 1024 * 1024) /* bytes of one object */

/* All borrowed; they outlive the fetcher. Sources of one service stand together and have one url. */
struct xos_fetch_options {
	const char *vo;
	const struct xos_trust *trust;
	struct xos_service_cert *cert; /* our client certificate */
	const struct xos_fetch_source *sources;
	size_t nsources;
	int64_t refresh; /* seconds between two rounds; a tenth of it is added at random */
	/* On the fetcher's thread, for what differs from what was taken last. */
	enum xos_status (*take)(
	    void *ctx, size_t source, struct xos_bytes object, struct xos_err *err);
	void *ctx;
};
XOS_MUST_USE enum xos_status xos_fetch_new(
    const struct xos_fetch_options *o, struct xos_fetch **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_fetch_start(struct xos_fetch *f, struct xos_err *err);
void xos_fetch_poke(struct xos_fetch *f); /* fetch now; any thread; NULL is accepted */
void xos_fetch_free(struct xos_fetch *f); /* stops the thread and waits for it */
/* For xos_health_check: UNAVAILABLE names what is old, since when and why. */
enum xos_status xos_fetch_health(void *fetch, struct xos_err *err);
/* The same of what is spare, for xos_health_warning. */
enum xos_status xos_fetch_warning(void *fetch, struct xos_err *err);

#endif
