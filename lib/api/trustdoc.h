#ifndef XOS_API_TRUSTDOC_H
#define XOS_API_TRUSTDOC_H

#include <stdbool.h>

#include "base/name.h"
#include "base/status.h"
#include "json/json.h"
#include "pki/cert.h"
#include "pki/digest.h"
#include "token/trust.h"

/*
 * GET /v1/vo/{vo}/trust: {"vo", "root", "issuers", "list"?}, what a client needs to join. The same at every
 * authority. The root is proven by the fingerprint that came by another way, the issuers by the root; "list" is the
 * trust list that the root signed (token/trustlist.h), compact.
 */
#define XOS_TRUST_DOC_MAX (512 * 1024)

/* What a server has to say. Borrowed. */
struct xos_trust_doc {
	const struct xos_trust *trust;
	const char *vo;
};
/* The document; NULL if the trust has no root of that VO, or out of memory. */
struct xos_json *xos_trust_doc_encode(const struct xos_trust_doc *d);

struct xos_joined {
	char vo[XOS_VO_MAX + 1];
	struct xos_cert *root;
	struct xos_chain issuers;
	struct xos_buf list; /* compact, verified; empty: there is none */
};
void xos_joined_free(struct xos_joined *j);
/* Takes what was fetched only if SHA-256 of the root is the fingerprint (code "fingerprint"), the root
 * is that of the VO, every issuer was made by it, and the list was signed by it. */
XOS_MUST_USE enum xos_status xos_trust_doc_decode(struct xos_bytes body,
    const uint8_t fingerprint[XOS_SHA256_LEN], int64_t now, struct xos_joined **out,
    struct xos_err *err);
/* Fetches from an authority that nobody vouches for yet, and decodes. vo: as the person gave it. */
XOS_MUST_USE enum xos_status xos_trust_doc_join(const char *base, const char *vo,
    const uint8_t fingerprint[XOS_SHA256_LEN], int64_t now, struct xos_joined **out,
    struct xos_err *err);

/*
 * Takes the list in such a document into a trust that knows the root already; root and issuers in it are passed
 * over. OK without a list. *news (may be NULL): another list is in force now.
 */
XOS_MUST_USE enum xos_status xos_trust_doc_take(
    const struct xos_trust *trust, struct xos_bytes body, bool *news, struct xos_err *err);
/* Asks an authority for it and takes it. Who answers is not looked at: the root's signature is all that counts, and
 * whoever has no list that we believe may need the next one to believe the server. */
XOS_MUST_USE enum xos_status xos_trust_doc_refresh(const struct xos_trust *trust, const char *base,
    const char *vo, bool *news, struct xos_err *err);

#endif
