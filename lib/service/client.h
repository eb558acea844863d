#ifndef XOS_SERVICE_CLIENT_H
#define XOS_SERVICE_CLIENT_H

#include "base/status.h"
#include "net/client.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * A client for a service of a VO: the server must hold a certificate of kind service, of that
 * service and VO, under a root that is trusted. For daemons among each other and for tools.
 */
struct xos_service_client;

struct xos_service_client_options {
	const char *url;      /* "https://127.0.0.1:4443" */
	const char *list_url; /* the authority that has the trust list; NULL: url */
	const char *vo;
	const char *service;           /* "ca" */
	const struct xos_trust *trust; /* one more owner */
	const struct xos_chain *own;   /* with key; NULL: no client certificate */
	int64_t skew;                  /* seconds */
	int64_t total_ms;              /* of one call; 0: the default of net/client.h */
	size_t body_max;               /* of an answer; 0: the default of net/client.h */
	const char *hint;              /* as in net/client.h; may be NULL */
};

XOS_MUST_USE enum xos_status xos_service_client_new(const struct xos_service_client_options *opts,
    struct xos_service_client **out, struct xos_err *err);
void xos_service_client_free(struct xos_service_client *c);
struct xos_client *xos_service_client(struct xos_service_client *c); /* borrowed */
/* Who answered last; NULL before the first call. */
const struct xos_identity *xos_service_client_peer(const struct xos_service_client *c);

#endif
