#ifndef XOS_API_SSHHOST_H
#define XOS_API_SSHHOST_H

#include "api/rca.h"
#include "pki/sshcert.h"

/*
 * Host certificates of ssh from xos-rcad.
 *
 *   POST /v1/vo/{vo}/ssh-host       xos-ssh-host+jws with "keys", lines of public host keys, by the node's key ->
 *                                   {"certificates": [line, ...]}, in the order of the keys
 *   GET  /v1/vo/{vo}/ssh-authority  -> compact xos-ssh-authority+jws by the rca issuer: {"vo", "key", "issued",
 *                                   "expires"}; key is a line
 */
#define XOS_RCA_SSH_HOST_TYP "xos-ssh-host+jws"
#define XOS_SSH_AUTHORITY_TYP "xos-ssh-authority+jws"
#define XOS_RCA_SSH_KEYS_MAX 8
#define XOS_SSH_STATEMENT_MAX 4096

struct xos_rca_ssh_keys {
	struct xos_ssh_key key[XOS_RCA_SSH_KEYS_MAX];
	size_t n;
};
struct xos_json *xos_rca_ssh_keys_json(const struct xos_rca_ssh_keys *k);
/* The member "keys" of doc: one to XOS_RCA_SSH_KEYS_MAX, none twice. */
XOS_MUST_USE enum xos_status xos_rca_ssh_keys_read(
    const struct xos_json *doc, struct xos_rca_ssh_keys *out, struct xos_err *err);

XOS_MUST_USE enum xos_status xos_rca_ssh_host_sign(const char *vo, const struct xos_chain *own,
    const struct xos_rca_ssh_keys *keys, int64_t now, struct xos_json **body, struct xos_err *err);
/* DENIED "token-kind" for a service's certificate. The keys are in the payload. */
XOS_MUST_USE enum xos_status xos_rca_ssh_host_open(struct xos_bytes body,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_rca_renewal **out,
    struct xos_err *err);
/* certs: of the keys, in their order; each is checked to be for its key and to be signed by authority. */
XOS_MUST_USE enum xos_status xos_rca_ssh_host(struct xos_client *c, const char *vo,
    const struct xos_chain *own, const struct xos_rca_ssh_keys *keys,
    const struct xos_ssh_key *authority, struct xos_buf lines[XOS_RCA_SSH_KEYS_MAX],
    struct xos_err *err);

/* The statement, signed and verified; out is the authority's key. */
XOS_MUST_USE enum xos_status xos_ssh_authority_sign(const struct xos_key *rca, const char *vo,
    const struct xos_key *ssh, int64_t now, int64_t life, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_ssh_authority_open(struct xos_bytes compact,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_ssh_key *out,
    struct xos_err *err);
XOS_MUST_USE enum xos_status xos_rca_ssh_authority(struct xos_client *c, const char *vo,
    const struct xos_trust *trust, struct xos_ssh_key *out, struct xos_err *err);

#endif
