#ifndef XOS_BUNDLE_SITESET_H
#define XOS_BUNDLE_SITESET_H

#include <stdint.h>

#include "bundle/signed.h"
#include "policy/set.h"

/*
 * A site's own policy set, signed by the site's key, which no VO holds:
 *   {"site", "serial", "issued", "expires", "text"}
 * Whoever stores or forwards it cannot change it; nodes pin the key (site key PEM in a folder of
 * their owner) and take nothing else.
 */
#define XOS_SITESET_TYP "xos-site-set+jws"
/* The set of one of its nodes, by the same key: {"site", "node", "serial", "issued", "expires", "text"} */
#define XOS_NODESET_TYP "xos-node-set+jws"
#define XOS_SITESET_MAX (2u * 1024 * 1024) /* compact form, bytes */

struct xos_siteset {
	char site[XOS_SITE_MAX + 1];
	char node[XOS_NODE_MAX + 1]; /* of a node set; else "" */
	uint64_t serial;             /* the set's own, as its text says; 1 or more */
	int64_t issued, expires;
	struct xos_policy_set *set; /* level site or node, with that name */
	char *text;
	size_t text_len;
};

void xos_siteset_free(struct xos_siteset *s);

/* Signs the text of a set. Site, node and serial are taken from the text, which must parse (MALFORMED
 * with file:line:col as policy/set.h says) and be of level site or node. Appends the compact form. */
XOS_MUST_USE enum xos_status xos_siteset_sign(const struct xos_key *site_key, const char *text,
    size_t len, const char *filename, int64_t issued, int64_t expires, struct xos_buf *out,
    struct xos_err *err);

/* Verifies under the pinned key and parses. site: which site's it must be. Times are checked
 * against now with skew. DENIED: another key ("foreign-signer"), another site ("wrong-site"). */
XOS_MUST_USE enum xos_status xos_siteset_verify(const struct xos_key *site_key, const char *site,
    struct xos_bytes compact, int64_t now, int64_t skew, struct xos_siteset **out,
    struct xos_err *err);
/* The same of a node's set; DENIED "wrong-site" also for another node's. */
XOS_MUST_USE enum xos_status xos_nodeset_verify(const struct xos_key *site_key, const char *site,
    const char *node, struct xos_bytes compact, int64_t now, int64_t skew, struct xos_siteset **out,
    struct xos_err *err);

#endif
