#ifndef XOS_CREDD_ACCOUNTS_H
#define XOS_CREDD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/status.h"

/*
 * Accounts are computed: uid = first + member number, gid the same, name <vo>.<member>. Nothing is
 * leased, stored or looked up elsewhere, so every node of a site computes the same.
 */
struct xos_credd_slice {
	bool present; /* false: no member has an account here; why says the reason */
	char vo[XOS_VO_MAX + 1];
	uint32_t first, last; /* both included */
	char why[256];

	/* Without root: one member, one account, which exists already. */
	bool single;
	char member[XOS_MEMBER_MAX + 1];
	uint32_t uid, gid;
};

struct xos_credd_account {
	char name[XOS_ACCOUNT_MAX + 1];
	uint32_t uid, gid;
};

/* The machine's own numbers; the default paths are those of passwd(5), group(5), subuid(5). */
struct xos_credd_local_files {
	const char *passwd, *group, *subuid, *subgid;
};
extern const struct xos_credd_local_files xos_credd_local_files;

/*
 * A slice of the site's set, checked against this machine. One overlap refuses the whole slice: with
 * half of it, what a member's uid is would depend on the node. Files that are missing hold nothing;
 * one that cannot be read or parsed refuses.
 */
void xos_credd_slice_init(struct xos_credd_slice *out, const char *vo, uint32_t first,
    uint32_t last, const struct xos_credd_local_files *files);

/* NOT_FOUND (code "no-account") if this member has none: no slice, a number beyond it, a member other
 * than the configured one. */
XOS_MUST_USE enum xos_status xos_credd_account(const struct xos_credd_slice *slice,
    const char *member, uint64_t number, struct xos_credd_account *out, struct xos_err *err);

#endif
