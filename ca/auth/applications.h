#ifndef XOS_CA_APPLICATIONS_H
#define XOS_CA_APPLICATIONS_H

#include "api/apply.h"
#include "ca/membership/membership.h"
#include "ca/auth/verifiers.h"

/*
 * Applications for membership, sent by anybody. The queue is bounded, in all and by address; the verifier
 * of the wished password stands in the database of verifiers until the application is decided. An
 * application never changes: who approves one by its id approves what was shown.
 *
 * A wished name is not compared with the members' until somebody approves: the answer would tell
 * strangers who is one.
 */
#define CA_APPLICATIONS_MAX 1000
#define CA_APPLICATIONS_ADDRESS 5           /* waiting, from one address (throttle.h) */
#define CA_APPLICATIONS_WAIT (60 * 86400LL) /* then it is forgotten undecided */
#define CA_APPLICATIONS_TOLD (30 * 86400LL) /* then its decision is */

enum ca_application_state { CA_PENDING, CA_APPROVED, CA_DENIED };
const char *ca_application_state_name(enum ca_application_state s);

struct ca_application {
	char id[XOS_APPLY_ID_LEN + 1];
	char name[XOS_MEMBER_MAX + 1];
	char contact[XOS_APPLY_CONTACT_MAX + 1];
	char text[XOS_APPLY_TEXT_MAX + 1];
	char address[64];
	int64_t at;
	enum ca_application_state state;
	char message[CA_REASON_MAX + 1];
	bool taken; /* the name is, or was, somebody's */
	uint8_t secret[XOS_SHA256_LEN];
};

/* Takes it in, durably; its own transactions. LIMIT: "applications-full", "applications-address". */
XOS_MUST_USE enum xos_status ca_application_add(struct ca_membership *m, struct ca_verifiers *v,
    const struct xos_application *a, const char *address, int64_t now,
    char id[XOS_APPLY_ID_LEN + 1], struct xos_err *err);
/* NOT_FOUND with code "no-application". */
XOS_MUST_USE enum xos_status ca_application_get(
    struct ca_membership *m, const char *id, struct ca_application *out, struct xos_err *err);
/* Those that wait, in the order of id, malloc'd. */
XOS_MUST_USE enum xos_status ca_application_page(struct ca_membership *m, const char *after,
    size_t max, struct ca_application **out, size_t *n, struct xos_err *err);
/* In the caller's transaction. CONFLICT (code "application-decided") unless it waits. */
XOS_MUST_USE enum xos_status ca_application_decide(struct ca_membership *m, const char *id,
    enum ca_application_state state, const char *message, int64_t now, struct xos_err *err);
XOS_MUST_USE enum xos_status ca_application_verifier(
    struct ca_verifiers *v, const char *id, struct xos_scram_verifier *out, struct xos_err *err);
/* Forgets what is old, and verifiers of what was decided; its own transactions. */
XOS_MUST_USE enum xos_status ca_applications_tidy(
    struct ca_membership *m, struct ca_verifiers *v, int64_t now, struct xos_err *err);

#endif
