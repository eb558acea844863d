#ifndef XOS_CREDD_VAULT_H
#define XOS_CREDD_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * Many small private keys in secret memory. A secret of lib/base has pages of its own, and locked pages are few
 * (RLIMIT_MEMLOCK); here sixteen keys share one. A slot is wiped when it is given back. One thread.
 */
#define XOS_CREDD_VAULT_SLOT                                                                       \
	256 /* bytes, the length of what is in it included: PEM of a P-256 key has 241 */

struct xos_credd_vault;

struct xos_credd_vault *xos_credd_vault_new(void);
void xos_credd_vault_free(struct xos_credd_vault *v); /* wipes all */
/* Copies the key in; the slot's number, from 1. 0: too long for a slot, or out of memory. */
uint32_t xos_credd_vault_put(struct xos_credd_vault *v, struct xos_bytes key);
/* Borrowed until the slot is dropped. */
struct xos_bytes xos_credd_vault_get(const struct xos_credd_vault *v, uint32_t slot);
void xos_credd_vault_drop(struct xos_credd_vault *v, uint32_t slot); /* 0 is accepted */
/* Could all of it be locked in memory? */
bool xos_credd_vault_locked(const struct xos_credd_vault *v);

#endif
