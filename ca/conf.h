#ifndef XOS_CA_CONF_H
#define XOS_CA_CONF_H

#include <limits.h>
#include <stdint.h>

#include "service/main.h"

/* Configuration of xos-cad; the file is described in xos-cad(8). */
struct ca_conf {
	struct xos_service_conf common;
	/* What the directory says: ca_url, rca_url, vops_url, accounting_url. */
	char *dir_ca, *dir_rca, *dir_vops, *dir_accounting;
	char *listen_http, *http_url; /* CRL and OCSP; NULL: none */
	char *
	    vos; /* folder with the configurations of further VOs on this server (vos.h); NULL: none */
	int64_t lifetime, lifetime_max; /* [token], seconds */
	int64_t renew_max;              /* [token], seconds */
	int64_t grant_max;              /* [token], seconds */
	int64_t iterations;             /* [password] */
};

extern const struct xos_config_key ca_conf_keys[];
extern const size_t ca_conf_nkeys;
void ca_conf_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx);

/*
 * The state folder: what belongs to one process stands in a folder of its own, so that as root only that
 * process' user can enter it.
 *   ca.key ca.csr ca.pem tls.key tls.pem trust/   made before the first start
 *   delegation.key delegation.csr delegation.pem  the key for delegations that are renewed, likewise; where there is
 *                                                 none (a VO of an older version), grants are not taken
 *   auth/membership.db auth/verifiers.db          the auth process (the key process reads the first
 *                                                 through a descriptor opened at the start)
 *   key/issuance.log key/issuance.log.head        the key process
 */
struct ca_paths {
	char key[PATH_MAX], csr[PATH_MAX], cert[PATH_MAX];
	char delegation_key[PATH_MAX], delegation_csr[PATH_MAX], delegation_cert[PATH_MAX];
	char auth_dir[PATH_MAX], membership[PATH_MAX], verifiers[PATH_MAX];
	char key_dir[PATH_MAX], log[PATH_MAX];
};
XOS_MUST_USE enum xos_status ca_paths_fill(
    const char *state, struct ca_paths *p, struct xos_err *err);

#endif
