#ifndef XOS_TOKEN_TOKENFILE_H
#define XOS_TOKEN_TOKENFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "pki/cert.h"
#include "token/claims.h"
#include "token/delegation.h"

/*
 * The token file, as existing grid tools read it: certificate, private key, chain, in PEM; mode
 * 0600.
 */
#define XOS_TOKENFILE_MAX (256 * 1024)

/* $XOS_TOKEN, else $X509_USER_PROXY, else /tmp/x509up_u<uid>. An empty variable counts as unset.
 * LIMIT if the path is too long. */
XOS_MUST_USE enum xos_status xos_tokenfile_path(char out[PATH_MAX], struct xos_err *err);
/* Replaces path atomically, 0600. chain: leaf first, with its key; a root at its end is left out.
 */
XOS_MUST_USE enum xos_status xos_tokenfile_write(
    const char *path, const struct xos_chain *chain, struct xos_err *err);
/* Refuses files of other users or readable by others (code "file-mode"), files without a key, and a
 * key that is not the leaf's. NOT_FOUND: no token; the text says xos-login. Nothing is verified
 * yet. */
XOS_MUST_USE enum xos_status xos_tokenfile_read(
    const char *path, struct xos_chain *out, struct xos_err *err);
/* Removes the file, if it is a token file of this user. Overwrites nothing: a file system may keep
 * copies. */
XOS_MUST_USE enum xos_status xos_tokenfile_remove(const char *path, struct xos_err *err);

/*
 * What a token says about itself, for people and for xos-token show. Read from the file, not
 * verified: for a decision use verify.h.
 */
struct xos_token_info {
	struct xos_claims *claims; /* vo, name, kind, number, groups, roles, auth */
	char uri[XOS_URI_MAX];
	char serial[XOS_SERIAL_TEXT];  /* of the end entity */
	int64_t not_before, not_after; /* the tightest along the chain, delegation ends included */
	int64_t seconds_left;          /* never below 0 */
	struct xos_delegation **steps; /* first step first */
	size_t nsteps;
};

XOS_MUST_USE enum xos_status xos_token_describe(
    const struct xos_chain *chain, int64_t now, struct xos_token_info **out, struct xos_err *err);
void xos_token_info_free(struct xos_token_info *info);

/* Past half of its life, or expired? A member's tool then renews. */
bool xos_token_needs_renewal(const struct xos_token_info *info, int64_t now);

#endif
