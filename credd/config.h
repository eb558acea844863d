#ifndef XOS_CREDD_CONFIG_H
#define XOS_CREDD_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/status.h"

#define XOS_CREDD_SERVICE_USERS_MAX 16

/* credd.conf: docs/protocols/credd.md lists the keys for people; the table in config.c is the law. */
struct xos_credd_conf {
	char *vo, *node, *site;
	char *site_key;                  /* PEM, the site's public key, pinned */
	char *trust;                     /* folder with root.pem and issuers.pem */
	char *state;                     /* folder: bundle, jobs */
	char *socket;                    /* path */
	char *tls_certificate, *tls_key; /* the node's; NULL, both: no server is asked */
	char *vops, *rca, *ca;           /* URLs; NULL: not asked */
	char *slices; /* folder shared with the xos-credd of the node's other VOs; NULL: none */
	char *renew;  /* more certificates to renew: "CERT:KEY, CERT:KEY"; NULL: none */
	char *ssh_host_keys; /* folder with sshd's public host keys, to be certified; NULL: not */
	char *service_users; /* as it stands in the file; NULL: none */
	char *user;          /* as root only */
	char *member;        /* without root only: the member whose account is this user */
	int64_t
	    refresh;  /* seconds between two questions, if the server does not let us wait there */
	int64_t wait; /* seconds that a question may wait at the server; 0: it does not */
	int64_t max_age;         /* seconds since the last bundle was issued */
	int64_t decision_sample; /* one permit in so many is recorded; 0: no decision is */
	int64_t decision_log_bytes, decision_log_files;
	int64_t connections_max, jobs_max;
	int64_t lease_quarantine; /* seconds that a job's uid waits before it is used again */
	char *sessions;           /* folder for the credentials of sessions; NULL: state/sessions */
	int64_t sessions_max, sessions_per_user;
};

extern const struct xos_config_key xos_credd_keys[];
extern const size_t xos_credd_nkeys;

/* What follows from the configuration and from who started the program. */
struct xos_credd_self {
	const struct xos_credd_conf *conf; /* borrowed */
	bool root; /* started as root: computed accounts, other uids' jobs */
	uid_t uid; /* whom the process is, or will be */
	gid_t gid;
	uid_t service[XOS_CREDD_SERVICE_USERS_MAX];
	size_t nservice;
};

/* Checks what the grammar cannot say and resolves users. MALFORMED (code "config-value") names the
 * key; NOT_FOUND for a user that the machine does not know. Looks users up: call it before the
 * sandbox closes. */
XOS_MUST_USE enum xos_status xos_credd_self_init(
    const struct xos_credd_conf *conf, struct xos_credd_self *out, struct xos_err *err);
/* Where the credentials of sessions are kept. */
XOS_MUST_USE enum xos_status xos_credd_sessions_dir(
    const struct xos_credd_conf *conf, char out[PATH_MAX], struct xos_err *err);
/* uid 0, the configured ones and, without root, the process's own. */
bool xos_credd_is_service(const struct xos_credd_self *self, uid_t uid);

#endif
