#ifndef XOS_BUNDLE_LOCKS_H
#define XOS_BUNDLE_LOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/signed.h"

/*
 * Locks: what may not act any more although its certificate is still valid.
 *   {"vo", "by": "ca"|"rca", "serial", "issued", "expires",
 *    "locks": [{"id", "kind", "name", "since", "until", "message"}]}
 * A lock without an end has the "until" of RFC 5280 4.1.2.5, 9999-12-31T23:59:59Z. The ca locks members, groups, roles, jobs, grants,
 * gateways, home organisations and single tokens; the rca locks nodes. A list is complete: what is no longer in
 * a newer list is unlocked.
 */
#define XOS_LOCKS_TYP "xos-locks+jws"
#define XOS_LOCKS_MAX (2u * 1024 * 1024) /* compact form, bytes */
#define XOS_LOCKS_COUNT_MAX 5000u
#define XOS_LOCK_ID_MAX 64 /* [A-Za-z0-9._-]+ */
#define XOS_LOCK_NAME_MAX 255
#define XOS_LOCK_MESSAGE_MAX 200
#define XOS_LOCK_NO_END INT64_C(253402300799)

enum xos_lock_kind {
	XOS_LOCK_MEMBER, /* name: member name */
	XOS_LOCK_GROUP,  /* name: "/demo/students"; locks its subgroups too */
	XOS_LOCK_ROLE,   /* name: "/demo/Role=admin" */
	XOS_LOCK_NODE,   /* name: node name; locks its services too */
	XOS_LOCK_JOB,    /* name: job id */
	XOS_LOCK_GRANT,
	XOS_LOCK_GATEWAY,
	XOS_LOCK_HOME, /* home organisation */
	XOS_LOCK_TOKEN /* name: serial, hexadecimal as xos_cert_serial_text; locks what is delegated of it too */
};
const char *xos_lock_kind_name(enum xos_lock_kind k); /* "member", ..., "home" */
XOS_MUST_USE enum xos_status xos_lock_kind_parse(const char *s, enum xos_lock_kind *out);
/* May that signer lock that kind? */
bool xos_lock_kind_of(enum xos_lock_kind k, enum xos_signer by);

/* Could this be the name of a lock of kind token? */
bool xos_lock_serial_valid(const char *serial);

struct xos_lock {
	char id[XOS_LOCK_ID_MAX + 1];
	enum xos_lock_kind kind;
	char name[XOS_LOCK_NAME_MAX + 1];
	int64_t since;
	int64_t until;                          /* INT64_MAX: no end */
	char message[XOS_LOCK_MESSAGE_MAX + 1]; /* UTF-8 for the person who is refused; may be "" */
};

struct xos_locks;

void xos_locks_free(struct xos_locks *l);
enum xos_signer xos_locks_by(const struct xos_locks *l);
uint64_t xos_locks_serial(const struct xos_locks *l);
int64_t xos_locks_issued(const struct xos_locks *l);
int64_t xos_locks_expires(const struct xos_locks *l);
size_t xos_locks_count(const struct xos_locks *l);
const struct xos_lock *xos_locks_at(const struct xos_locks *l, size_t i); /* NULL past the end */
/* The lock in force at now for exactly this kind and name, NULL if there is none. A lock counts
 * from its first appearance, whatever its since says: a clock that is behind must not open it. */
const struct xos_lock *xos_locks_find(
    const struct xos_locks *l, enum xos_lock_kind kind, const char *name, int64_t now);
/* The same for a group or role, looking at every group above it as well. */
const struct xos_lock *xos_locks_find_fqan(
    const struct xos_locks *l, const char *fqan, int64_t now);

struct xos_locks_fields {
	const char *vo;
	enum xos_signer by; /* CA or RCA */
	uint64_t serial;    /* grows with every list that is signed anew */
	int64_t issued, expires;
	const struct xos_lock *locks; /* borrowed */
	size_t n;
};
/* Appends the compact form. MALFORMED: a field that does not fit, or a kind that `by` may not lock. */
XOS_MUST_USE enum xos_status xos_locks_sign(const struct xos_key *key,
    const struct xos_locks_fields *f, struct xos_buf *out, struct xos_err *err);

XOS_MUST_USE enum xos_status xos_locks_verify(struct xos_bytes compact, enum xos_signer by,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_locks **out, struct xos_err *err);

#endif
