#ifndef XOS_RCA_CONF_H
#define XOS_RCA_CONF_H

#include <stdint.h>

#include "service/main.h"

/* rca.conf. Durations in seconds. */
struct rca_conf {
	struct xos_service_conf common;
	char *
	    ca_url; /* who says who administers the VO; NULL: nobody does, and no commands are taken */
	int64_t refresh;      /* between two questions to it; a tenth is added at random */
	int64_t node_life;    /* of the TLS certificates of nodes and of their services */
	int64_t server_life;  /* of the TLS certificates of the VO's own servers */
	int64_t lock_life;    /* of a signed lock list */
	int64_t pending_life; /* how long an application may wait for an answer */
	char *listen_est;     /* EST, for stock clients; NULL: none */
	char *est_site;    /* where those without a code apply that name no site; NULL: nowhere */
	int64_t est_retry; /* after which they are told to ask again */
	bool est_rekey;    /* a certificate seen by TLS is enough for one with a new key */
};

extern const struct xos_config_key rca_conf_keys[];
extern const size_t rca_conf_nkeys;

/* The file NAME in the state folder; LIMIT if the path is too long. */
XOS_MUST_USE enum xos_status rca_conf_path(
    const struct rca_conf *c, const char *name, char *out, size_t cap, struct xos_err *err);

#endif
