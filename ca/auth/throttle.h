#ifndef XOS_CA_THROTTLE_H
#define XOS_CA_THROTTLE_H

#include <stdint.h>

#include "base/status.h"

/*
 * Slows guessing of passwords: failures are counted for a member from one address, for an address whoever is
 * tried, and for a member wherever from. Past a free number each further one doubles the wait. A
 * success clears the first count only. Names that do not exist are counted alike, so that the
 * answer tells nothing.
 *
 * The table is bounded; when it is full what was not touched for an hour gives way, then the entry with
 * the fewest failures. Not persistent: a restart costs an attacker more than it gives.
 */
struct ca_throttle;

struct ca_throttle *ca_throttle_new(void); /* NULL if out of memory */
void ca_throttle_free(struct ca_throttle *t);
/* May this member be tried from this address now? LIMIT with code "login-throttled" says when. */
XOS_MUST_USE enum xos_status ca_throttle_check(struct ca_throttle *t, const char *member,
    const char *address, int64_t now, struct xos_err *err);
void ca_throttle_failed(
    struct ca_throttle *t, const char *member, const char *address, int64_t now);
void ca_throttle_passed(struct ca_throttle *t, const char *member, const char *address);

/*
 * The same for a member's second factor, counted for the member alone: whoever gets as far knows the password, so no
 * stranger can shut the member out. A success of the first factor clears nothing here. LIMIT with code
 * "totp-throttled".
 */
XOS_MUST_USE enum xos_status ca_throttle_second_check(
    struct ca_throttle *t, const char *member, int64_t now, struct xos_err *err);
void ca_throttle_second_failed(struct ca_throttle *t, const char *member, int64_t now);
void ca_throttle_second_passed(struct ca_throttle *t, const char *member);

/* Enough for every result of ca_throttle_address. */
#define CA_SCOPE_MAX 64
/*
 * What an address (text, as ca_peer_address gives it) is counted as: an IPv6 address as its network of
 * 64 bits, for whoever has one address of it has all; IPv4 inside IPv6 as IPv4; anything else as it is.
 */
void ca_throttle_address(const char *address, char out[CA_SCOPE_MAX]);

#endif
