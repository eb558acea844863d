#ifndef XOS_RCA_ADMIT_H
#define XOS_RCA_ADMIT_H

#include "rca/auth.h"

/*
 * What approval does, by hand or by a code: the node gets its name and its certificates. In the caller's transaction,
 * which also keeps what is given as outcome, {"chain", "services"}.
 */
struct rca_admitting {
	struct rca_admit how;
	const char *by;     /* who decided, for the issuance log */
	const char *digest; /* of the command, or the application's id; hexadecimal */
};
XOS_MUST_USE enum xos_status rca_admit_node(struct rca_auth *a,
    const struct xos_rca_application *app, const struct rca_admitting *by, int64_t now,
    struct xos_json **outcome, struct xos_err *err);

/* "sha256:..." of the key that a request proves. */
XOS_MUST_USE enum xos_status rca_csr_fingerprint(
    const struct xos_buf *csr, char out[XOS_FINGERPRINT_TEXT], struct xos_err *err);

/*
 * Joins by a code, for whoever carried it here, address for the log: checks the code, that its maker may still approve,
 * and what every application is checked for, and admits at once. id: of the approved application, whose outcome waits
 * as that of any other. The same keys again get the same id, and use nothing up. DENIED "join-code" for whatever does
 * not fit about the code. One transaction of its own. Guessing is throttled by the caller (guess.h).
 */
XOS_MUST_USE enum xos_status rca_join(struct rca_auth *a, const struct xos_rca_application *app,
    const char *code, int64_t now, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err);

#endif
