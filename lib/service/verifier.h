#ifndef XOS_SERVICE_VERIFIER_H
#define XOS_SERVICE_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "net/tls.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * lib/token's judgement for lib/net's connections: the identity that xos_request_identity and
 * xos_client_identity give is a struct xos_identity.
 */
struct xos_service_verifier;

struct xos_service_verifier_options {
	const char *vo;        /* NULL: any VO that is trusted */
	unsigned kinds;        /* XOS_KIND_BIT set */
	bool allow_delegation; /* proxies with our extension */
	const char *service;   /* kind service: only this kind of service; NULL: any */
	const char *name;      /* only this name; NULL: any */
	int64_t skew;          /* seconds */
	/* For clients: an authority of vo that is asked for a newer trust list when the one in force does not know
	 * the peer's issuer. NULL: nobody is. */
	const char *list_url;
	bool peer_is_server;    /* for clients: the peer's certificate must be fit for a server */
	xos_revoked_fn revoked; /* may be NULL */
	/* Asked at the start of a connection and before each request: locks. May be NULL. */
	enum xos_status (*standing)(void *arg, const struct xos_identity *id, struct xos_err *err);
	void *arg;
};

/* Strings are copied; trust gets one more owner. */
XOS_MUST_USE enum xos_status xos_service_verifier_new(const struct xos_trust *trust,
    const struct xos_service_verifier_options *opts, struct xos_service_verifier **out,
    struct xos_err *err);
void xos_service_verifier_free(struct xos_service_verifier *v);
/* Another trust from now on; any thread. */
void xos_service_verifier_trust(struct xos_service_verifier *v, const struct xos_trust *trust);
/* What to hand to lib/net; lives as long as v. */
const struct xos_verifier *xos_service_verifier_get(const struct xos_service_verifier *v);

#endif
