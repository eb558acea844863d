#ifndef XOS_PKI_CSRNAMES_H
#define XOS_PKI_CSRNAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * What a certification request asks for beside its key: names, and the challenge password (RFC 2985 5.4.1). Stock
 * clients write it into their requests. Nobody may put it into a certificate: a caller compares it with what it
 * would certify anyway and refuses what does not agree. Proof of possession is csr.h's.
 */
#define XOS_CSR_HOSTS_MAX 16
#define XOS_CSR_NAME_MAX 253
#define XOS_CSR_CHALLENGE_MAX 255

struct xos_csr_names {
	/* Of the subject; "" if it has none. Attributes of other types are not looked at. */
	char o[XOS_CSR_NAME_MAX + 1], ou[XOS_CSR_NAME_MAX + 1], cn[XOS_CSR_NAME_MAX + 1];
	/* Alternative names: DNS names in lower case, addresses as text; one URI, "" if none. */
	char host[XOS_CSR_HOSTS_MAX][XOS_CSR_NAME_MAX + 1];
	size_t nhosts;
	char uri[2 * XOS_CSR_NAME_MAX + 1];
	bool challenged;
	char challenge[XOS_CSR_CHALLENGE_MAX + 1];
};

/* Strict DER with exact end, at most XOS_CSR_MAX bytes. MALFORMED "csr-malformed"; "csr-names" if it names somebody
 * twice, or by a kind of name that is not listed above (a certificate without it would be a surprise), or more
 * hosts than there is room for. On failure *out is zeroed. */
XOS_MUST_USE enum xos_status xos_csr_names_read(
    struct xos_bytes der, struct xos_csr_names *out, struct xos_err *err);

#endif
