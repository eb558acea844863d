#include "vops/contacts.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u

struct vops_contacts {
	struct vops_contact *list;
	size_t n, room;
	uint32_t *
	    index; /* open addressing: place in list and 1; 0: free. A power of two, at most half full */
	size_t slots;
};

struct vops_contacts *vops_contacts_new(void)
{
	return calloc(1, sizeof(struct vops_contacts));
}

void vops_contacts_free(struct vops_contacts *c)
{
	if (!c)
		return;
	free(c->list);
	free(c->index);
	free(c);
}

/* FNV-1a; names are those of certificates, so nobody chooses them freely. */
static size_t hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
	return (size_t)(h ^ (h >> 32));
}

static size_t slot_of(const struct vops_contacts *c, const char *node)
{
	size_t at = hash(node) & (c->slots - 1);

	while (c->index[at] && strcmp(c->list[c->index[at] - 1].node, node) != 0)
		at = (at + 1) & (c->slots - 1);
	return at;
}

static enum xos_status grow(struct vops_contacts *c, struct xos_err *err)
{
	size_t room = c->room ? 2 * c->room : FIRST_ROOM, slots = 2 * room;
	struct vops_contact *list;
	uint32_t *index;

	if (c->n < c->room)
		return XOS_OK;
	if (c->n >= VOPS_CONTACTS_MAX)
		return xos_err_set(err, XOS_LIMIT, "contacts", "more than %u nodes ask for bundles",
		    VOPS_CONTACTS_MAX);
	list = realloc(c->list, room * sizeof(*list));
	index = list ? calloc(slots, sizeof(*index)) : NULL;
	if (list)
		c->list = list;
	if (!index)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->room = room;
	free(c->index);
	c->index = index;
	c->slots = slots;
	for (size_t i = 0; i < c->n; i++)
		index[slot_of(c, c->list[i].node)] = (uint32_t)i + 1;
	return XOS_OK;
}

enum xos_status vops_contacts_note(
    struct vops_contacts *c, const struct vops_contact *now, struct xos_err *err)
{
	enum xos_status st = grow(c, err);

	if (!c->slots)
		return st;
	size_t at = slot_of(c, now->node);
	if (c->index[at]) {
		c->list[c->index[at] - 1] = *now;
		return XOS_OK;
	}
	if (st != XOS_OK)
		return st;
	c->list[c->n++] = *now;
	c->index[at] = (uint32_t)c->n;
	return XOS_OK;
}

size_t vops_contacts_count(const struct vops_contacts *c)
{
	return c->n;
}

const struct vops_contact *vops_contacts_at(const struct vops_contacts *c, size_t i)
{
	return &c->list[i];
}
