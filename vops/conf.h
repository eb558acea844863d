#ifndef XOS_VOPS_CONF_H
#define XOS_VOPS_CONF_H

#include <stdint.h>

#include "service/main.h"

/* vopsd.conf. Durations in seconds. */
struct vops_conf {
	struct xos_service_conf common;
	char *ca_url, *rca_url;  /* where roster and locks come from */
	char *accounting_url;    /* whose log has a head too; NULL: not asked */
	int64_t refresh;         /* between two fetches; a tenth of it is added at random */
	int64_t bundle_life;     /* for how long nodes may decide without hearing from us */
	int64_t bundle_refresh;  /* a bundle older than this is signed anew */
	int64_t heads_refresh;   /* the same, if a log has a new head */
	int64_t decision_sample; /* one decision for services in so many is recorded; 0: none */
	int64_t decision_log_bytes, decision_log_files;
	char *authzen_url; /* by which services reach us; NULL: as they call us */
};

/* In the state folder; the network process's own, with the record of its decisions (decide/record.h). */
#define VOPS_NETWORK_FOLDER "network"

extern const struct xos_config_key vops_conf_keys[];
extern const size_t vops_conf_nkeys;

/* The file NAME in the state folder; LIMIT if the path is too long. */
XOS_MUST_USE enum xos_status vops_conf_path(
    const struct vops_conf *c, const char *name, char *out, size_t cap, struct xos_err *err);

#endif
