#ifndef XOS_SERVICE_RELAY_H
#define XOS_SERVICE_RELAY_H

#include <stdint.h>

#include "service/authority.h"
#include "service/bulk.h"
#include "service/fetch.h"
#include "service/front.h"
#include "service/monitor.h"
#include "service/trustwatch.h"
#include "service/verifier.h"

/*
 * The network process of an authority whose auth process decides everything: TLS and HTTP here, bodies go on
 * as they came, answers come back. Has the routes that all such authorities share (trust, commands); takes
 * clients that are members, nodes and services of the VO, or nobody.
 */
struct xos_relay {
	const struct xos_service_conf *conf;
	struct xos_trust *trust;
	struct xos_trust_watch watch;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	struct xos_bulk *auth;
	struct xos_monitor *monitor;    /* of auth */
	struct xos_fetch *fetch;        /* NULL: xos_relay_fetch was not called */
	struct xos_fetch_options asked; /* as the caller gave them */
	struct xos_fetch_source sources[XOS_FETCH_SOURCES_MAX]; /* the trust list before them */
	size_t queue_max; /* requests that may wait for a worker; before open; 0: as the front */
	uint16_t command; /* the message that carries the body of a command to auth */
	void (*changed)(void *ctx); /* a command was carried out; any thread; may be NULL */
	void *changed_ctx;
};

/* In `open`. *r is zeroed; on failure, too, the caller calls xos_relay_close. */
XOS_MUST_USE enum xos_status xos_relay_open(struct xos_relay *r, struct xos_part_self *self,
    const struct xos_service_conf *conf, uint16_t command, struct xos_err *err);
/* What a relay's auth process gets beside its own messages: a compact trust list that is news. */
#define XOS_RELAY_TRUST 50

/* Fetches from other authorities while serving; a command that was carried out pokes it. vo, cert and trust
 * are filled in here. The first source is the ca's; of the ca the trust list is fetched too, taken here and handed
 * to auth. */
XOS_MUST_USE enum xos_status xos_relay_fetch(
    struct xos_relay *r, const struct xos_fetch_options *o, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_relay_serve(
    struct xos_relay *r, struct xos_part_self *self, struct xos_err *err);
/* Ends the threads that ask auth, so that what they call can be freed; close follows. */
void xos_relay_end(struct xos_relay *r);
void xos_relay_close(struct xos_relay *r);

/* For routes. Is {vo} the VO that is served? */
XOS_MUST_USE enum xos_status xos_relay_check_vo(
    const struct xos_relay *r, const struct xos_request *req, struct xos_err *err);
/* Asks auth; reply is initialised here. Any thread. */
XOS_MUST_USE enum xos_status xos_relay_ask(struct xos_relay *r, uint16_t type,
    struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
/* Both: the payload goes to auth, what it says becomes the answer. */
XOS_MUST_USE enum xos_status xos_relay_pass(struct xos_relay *r, const struct xos_request *req,
    uint16_t type, struct xos_bytes payload, const char *content_type, struct xos_response *res,
    struct xos_err *err);

#endif
