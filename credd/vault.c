#include "credd/vault.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define SLAB 65536
#define PER_SLAB (SLAB / XOS_CREDD_VAULT_SLOT)
#define KEY_MAX (XOS_CREDD_VAULT_SLOT - 2)

/* Of the slots that are free: a stack. */
struct xos_credd_vault {
	struct xos_secret **slab;
	size_t nslabs;
	uint32_t *spare;
	size_t nspare;
	bool unlocked; /* a slab could not be locked */
};

struct xos_credd_vault *xos_credd_vault_new(void)
{
	return calloc(1, sizeof(struct xos_credd_vault));
}

void xos_credd_vault_free(struct xos_credd_vault *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->nslabs; i++)
		xos_secret_free(v->slab[i]);
	free(v->slab);
	free(v->spare);
	free(v);
}

static uint8_t *slot_at(const struct xos_credd_vault *v, uint32_t slot)
{
	size_t i = slot - 1;
	return xos_secret_data(v->slab[i / PER_SLAB]) + i % PER_SLAB * XOS_CREDD_VAULT_SLOT;
}

static bool grow(struct xos_credd_vault *v)
{
	size_t n = v->nslabs + 1;
	struct xos_secret **slab = realloc(v->slab, n * sizeof(struct xos_secret *));
	if (!slab)
		return false;
	v->slab = slab;
	uint32_t *spare = realloc(v->spare, n * PER_SLAB * sizeof(*spare));
	if (!spare)
		return false;
	v->spare = spare;
	slab[v->nslabs] = xos_secret_new(SLAB);
	if (!slab[v->nslabs])
		return false;
	v->unlocked |= !xos_secret_locked(slab[v->nslabs]);
	for (size_t i = PER_SLAB; i > 0; i--)
		spare[v->nspare++] = (uint32_t)(v->nslabs * PER_SLAB + i);
	v->nslabs = n;
	return true;
}

uint32_t xos_credd_vault_put(struct xos_credd_vault *v, struct xos_bytes key)
{
	if (!key.n || key.n > KEY_MAX || (!v->nspare && !grow(v)))
		return 0;
	uint32_t slot = v->spare[--v->nspare];
	uint8_t *p = slot_at(v, slot);
	p[0] = (uint8_t)(key.n >> 8);
	p[1] = (uint8_t)key.n;
	memcpy(p + 2, key.p, key.n);
	return slot;
}

struct xos_bytes xos_credd_vault_get(const struct xos_credd_vault *v, uint32_t slot)
{
	const uint8_t *p = slot_at(v, slot);
	return (struct xos_bytes){p + 2, (size_t)p[0] << 8 | p[1]};
}

void xos_credd_vault_drop(struct xos_credd_vault *v, uint32_t slot)
{
	if (!slot)
		return;
	xos_wipe(slot_at(v, slot), XOS_CREDD_VAULT_SLOT);
	v->spare[v->nspare++] = slot;
}

bool xos_credd_vault_locked(const struct xos_credd_vault *v)
{
	return !v->unlocked;
}
