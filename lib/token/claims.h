#ifndef XOS_TOKEN_CLAIMS_H
#define XOS_TOKEN_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"
#include "token/kind.h"

/*
 * What a token says about its holder: the contents of the token extension.
 *
 *   XosToken ::= SEQUENCE {
 *     version  INTEGER (1 or 2),              -- 2 if and only if mfa is there
 *     kind     ENUMERATED,
 *     vo       UTF8String,
 *     name     UTF8String,                    -- member, or host name of a node or service
 *     service  [0] IMPLICIT UTF8String OPTIONAL,  -- kind service: "ca", "job"; no other kind
 *     number   INTEGER,                       -- members: never reused, above 0; others 0
 *     groups   SEQUENCE OF UTF8String,        -- all groups, in the authority's order
 *     roles    SEQUENCE OF UTF8String,        -- those asked for
 *     auth     [1] IMPLICIT SEQUENCE {        -- kinds user and delegation, no other
 *       method UTF8String, time GeneralizedTime, home [0] IMPLICIT UTF8String OPTIONAL,
 *       mfa [1] IMPLICIT INTEGER (1) OPTIONAL } OPTIONAL }
 *
 * A token of somebody who proved one factor stays as it was in version 1, so that nodes that know no other
 * read it; such a node refuses one of version 2 as a whole, and never reads it as something else.
 */
#define XOS_CLAIMS_GROUPS_MAX 256
#define XOS_CLAIMS_ROLES_MAX 64
#define XOS_CLAIMS_DER_MAX (32 * 1024)
#define XOS_SERVICE_MAX 31     /* [a-z][a-z0-9-]* */
#define XOS_AUTH_METHOD_MAX 31 /* [a-z][a-z0-9-]*, for example "password", "krb5" */
#define XOS_HOME_MAX 255       /* home organisation: printable ASCII without spaces */

struct xos_claims {
	enum xos_kind kind;
	char vo[XOS_VO_MAX + 1];
	char name[XOS_NODE_MAX + 1];
	char service[XOS_SERVICE_MAX + 1]; /* "" unless kind service */
	uint64_t number;
	char **groups; /* owned, as are roles; add with the functions below */
	size_t ngroups;
	char **roles;
	size_t nroles;
	char auth_method[XOS_AUTH_METHOD_MAX + 1]; /* "" if not a person's */
	int64_t auth_time;
	bool auth_mfa;                   /* a second factor was proven as well */
	char home_org[XOS_HOME_MAX + 1]; /* "" if the VO itself */
};

/* Empty claims of this kind. MALFORMED if vo or name are no valid names for it. */
XOS_MUST_USE enum xos_status xos_claims_new(enum xos_kind kind, const char *vo, const char *name,
    struct xos_claims **out, struct xos_err *err);
void xos_claims_free(struct xos_claims *c);
XOS_MUST_USE enum xos_status xos_claims_dup(
    const struct xos_claims *c, struct xos_claims **out, struct xos_err *err);
/* Copies. MALFORMED: no valid name, or of another VO; CONFLICT: there already; LIMIT: too many. */
XOS_MUST_USE enum xos_status xos_claims_add_group(
    struct xos_claims *c, const char *group, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_claims_add_role(
    struct xos_claims *c, const char *role, struct xos_err *err);

/* Is everything in c as the extension wants it? Encode asks this; so does decode. A user has a
 * number, an authentication method and time; nodes and services have no groups, roles or
 * authentication. */
XOS_MUST_USE enum xos_status xos_claims_check(const struct xos_claims *c, struct xos_err *err);

/* The extension's value. Decoding takes nothing but what encoding gives. */
XOS_MUST_USE enum xos_status xos_claims_encode(
    const struct xos_claims *c, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_claims_decode(
    struct xos_bytes der, struct xos_claims **out, struct xos_err *err);

/* The URI that stands in the certificate: spiffe://<vo>/user/<member>, /node/<fqdn>,
 * /service/<kind>/<fqdn>, /policy/<name>, /accounting/<name>. MALFORMED for kind delegation, whose URI names the
 * grant (xos_delegation_uri). */
#define XOS_URI_MAX 512
XOS_MUST_USE enum xos_status xos_claims_uri(
    const struct xos_claims *c, char out[XOS_URI_MAX], struct xos_err *err);

#endif
