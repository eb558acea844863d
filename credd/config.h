#ifndef XOS_CREDD_CONFIG_H
#define XOS_CREDD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/name.h"
#include "base/status.h"

#define XOS_CREDD_SERVICE_USERS_MAX 16

/* credd.conf: docs/protocols/credd.md lists the keys for people; the table in config.c is the law. */
struct xos_credd_config {
	char *vo, *node, *site;
	char *site_key;                  /* PEM, the site's public key, pinned */
	char *trust;                     /* folder with root.pem and issuers.pem */
	char *state;                     /* folder: bundle, clock, jobs */
	char *socket;                    /* path */
	char *tls_certificate, *tls_key; /* the node's; NULL, both: never asks a server */
	char *vops, *rca;                /* URLs; NULL: not asked */
	char *renew;         /* more certificates to renew: "CERT:KEY, CERT:KEY"; NULL: none */
	char *service_users; /* as it stands in the file; NULL: none */
	char *user;          /* as root only */
	char *member;        /* without root only: the member whose account is this very user */
	int64_t refresh;     /* seconds */
	int64_t max_age;     /* seconds since the last bundle was issued */
	int64_t connections_max, jobs_max;

	/* worked out from the above */
	uid_t service_uid[XOS_CREDD_SERVICE_USERS_MAX];
	size_t nservice;
	bool root;  /* started as root: computed accounts, other uids' jobs */
	uid_t uid;  /* whom the process will be */
	gid_t gid;
};

/* Reads and checks path. Errors name file, key and what to do. Free with xos_credd_config_free,
 * which also takes a zeroed struct. */
XOS_MUST_USE enum xos_status xos_credd_config_load(
    const char *path, struct xos_credd_config *out, struct xos_err *err);
void xos_credd_config_free(struct xos_credd_config *c);

#endif
