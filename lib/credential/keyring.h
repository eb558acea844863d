#ifndef XOS_CREDENTIAL_KEYRING_H
#define XOS_CREDENTIAL_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * One word in the kernel's session keyring (session-keyring(7)): which credential of one xos-credd this session uses. It
 * goes with the session. It chooses only, so that whoever can write there gains nothing.
 */

/* The word that stands under name; false: none, or no keyring for us. */
bool xos_keyring_get(const char *name, char *out, size_t cap);
/* LIMIT "keyring-quota", UNAVAILABLE "keyring". word NULL: takes it away; none there is fine. */
XOS_MUST_USE enum xos_status xos_keyring_set(
    const char *name, const char *word, struct xos_err *err);

#endif
