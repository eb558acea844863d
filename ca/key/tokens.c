#include "ca/key/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NAMES_MAX (XOS_CLAIMS_GROUPS_MAX + XOS_CLAIMS_ROLES_MAX + 1) /* of one token */
#define FIRST 256 /* places at first; a power of two, as all sizes here */

/* A hash table of places in some array: 0 is free, else 1 + the place. At most half full. */
struct table {
	uint32_t *slot;
	size_t size, used;
};

struct span {
	size_t at;
	uint32_t n;
};

struct ca_tokens {
	struct ca_token *token;
	size_t n, cap;
	struct table by_serial, by_number; /* the latter has each member's newest */
	char **name;
	size_t nnames, cnames;
	struct table by_name;
	struct span *set;
	size_t nsets, csets;
	struct table by_set;
	uint32_t *ids; /* of names, which the sets point into */
	size_t nids, cids;
};

struct ca_tokens *ca_tokens_new(void)
{
	return calloc(1, sizeof(struct ca_tokens));
}

static void clear(struct ca_tokens *t)
{
	for (size_t i = 0; i < t->nnames; i++)
		free(t->name[i]);
	free(t->name);
	free(t->token);
	free(t->set);
	free(t->ids);
	free(t->by_serial.slot);
	free(t->by_number.slot);
	free(t->by_name.slot);
	free(t->by_set.slot);
	memset(t, 0, sizeof(*t));
}

void ca_tokens_free(struct ca_tokens *t)
{
	if (!t)
		return;
	clear(t);
	free(t);
}

/* --- tables --- */

static uint64_t hash(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

typedef uint64_t (*hash_fn)(const struct ca_tokens *t, size_t place);

static void insert(struct table *tab, uint64_t h, size_t place)
{
	size_t i = h & (tab->size - 1);

	while (tab->slot[i])
		i = (i + 1) & (tab->size - 1);
	tab->slot[i] = (uint32_t)(place + 1);
	tab->used++;
}

/* Makes room for one more, then adds it. */
static bool add_place(const struct ca_tokens *t, struct table *tab, hash_fn h, size_t place)
{
	if (2 * (tab->used + 1) > tab->size) {
		struct table more = {.size = tab->size ? 2 * tab->size : 2 * FIRST};

		more.slot = calloc(more.size, sizeof(*more.slot));
		if (!more.slot)
			return false;
		for (size_t i = 0; i < tab->size; i++)
			if (tab->slot[i])
				insert(&more, h(t, tab->slot[i] - 1), tab->slot[i] - 1);
		free(tab->slot);
		*tab = more;
	}
	insert(tab, h(t, place), place);
	return true;
}

/* p with room for want items, of which *cap had room before; NULL without memory, p is then as it was. */
static void *grown(void *p, size_t *cap, size_t want, size_t item)
{
	size_t c = *cap ? *cap : FIRST;
	void *more;

	if (want <= *cap)
		return p;
	while (c < want)
		c *= 2;
	more = reallocarray(p, c, item);
	if (more)
		*cap = c;
	return more;
}

static bool room_for_token(struct ca_tokens *t, size_t want)
{
	struct ca_token *more = grown(t->token, &t->cap, want, sizeof(*more));

	if (more)
		t->token = more;
	return more != NULL;
}

static bool room_for_name(struct ca_tokens *t)
{
	char **more = grown(t->name, &t->cnames, t->nnames + 1, sizeof(*more));

	if (more)
		t->name = more;
	return more != NULL;
}

static bool room_for_set(struct ca_tokens *t)
{
	struct span *more = grown(t->set, &t->csets, t->nsets + 1, sizeof(*more));

	if (more)
		t->set = more;
	return more != NULL;
}

static bool room_for_ids(struct ca_tokens *t, size_t n)
{
	uint32_t *more = grown(t->ids, &t->cids, t->nids + n, sizeof(*more));

	if (more)
		t->ids = more;
	return more != NULL;
}

static uint64_t hash_name(const struct ca_tokens *t, size_t i)
{
	return hash(t->name[i], strlen(t->name[i]));
}

static uint64_t hash_set(const struct ca_tokens *t, size_t i)
{
	return hash(t->ids + t->set[i].at, t->set[i].n * sizeof(*t->ids));
}

static uint64_t hash_token(const struct ca_tokens *t, size_t i)
{
	return hash(t->token[i].serial, t->token[i].nserial);
}

static uint64_t hash_number(const struct ca_tokens *t, size_t i)
{
	return hash(&t->token[i].number, sizeof(t->token[i].number));
}

/* --- names and sets --- */

static bool name_id(struct ca_tokens *t, const char *s, uint32_t *id)
{
	const struct table *tab = &t->by_name;
	size_t i = tab->size ? hash(s, strlen(s)) & (tab->size - 1) : 0;

	for (; tab->size && tab->slot[i]; i = (i + 1) & (tab->size - 1)) {
		*id = tab->slot[i] - 1;
		if (strcmp(t->name[*id], s) == 0)
			return true;
	}
	if (!room_for_name(t) || !(t->name[t->nnames] = strdup(s)))
		return false;
	*id = (uint32_t)t->nnames++;
	return add_place(t, &t->by_name, hash_name, *id);
}

/* The ids of the last n of t->ids as a set: one that exists, or a new one that takes them. */
static bool set_id(struct ca_tokens *t, size_t n, uint32_t *id)
{
	const struct table *tab = &t->by_set;
	const uint32_t *ids = t->ids + t->nids - n;
	size_t i = tab->size ? hash(ids, n * sizeof(*ids)) & (tab->size - 1) : 0;

	for (; tab->size && tab->slot[i]; i = (i + 1) & (tab->size - 1)) {
		*id = tab->slot[i] - 1;
		if (t->set[*id].n == n &&
		    memcmp(t->ids + t->set[*id].at, ids, n * sizeof(*ids)) == 0) {
			t->nids -= n;
			return true;
		}
	}
	if (!room_for_set(t))
		return false;
	t->set[t->nsets] = (struct span){t->nids - n, (uint32_t)n};
	*id = (uint32_t)t->nsets++;
	return add_place(t, &t->by_set, hash_set, *id);
}

static bool intern(struct ca_tokens *t, const char *const *names, size_t n, uint32_t *set)
{
	/* Room even for none, so that there is something to point at. */
	if (!room_for_ids(t, n + 1))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_id(t, names[i], &t->ids[t->nids + i]))
			return false;
	t->nids += n;
	return set_id(t, n, set);
}

/* --- tokens --- */

struct ca_token *ca_tokens_find(struct ca_tokens *t, struct xos_bytes serial)
{
	const struct table *tab = &t->by_serial;
	size_t i = tab->size ? hash(serial.p, serial.n) & (tab->size - 1) : 0;

	for (; tab->size && tab->slot[i]; i = (i + 1) & (tab->size - 1)) {
		struct ca_token *k = &t->token[tab->slot[i] - 1];

		if (xos_bytes_eq(serial, (struct xos_bytes){k->serial, k->nserial}))
			return k;
	}
	return NULL;
}

/* The slot of the member's newest token; NULL: none is there. */
static uint32_t *newest(struct ca_tokens *t, uint64_t number)
{
	const struct table *tab = &t->by_number;
	size_t i = tab->size ? hash(&number, sizeof(number)) & (tab->size - 1) : 0;

	for (; tab->size && tab->slot[i]; i = (i + 1) & (tab->size - 1))
		if (t->token[tab->slot[i] - 1].number == number)
			return &tab->slot[i];
	return NULL;
}

/* The last token becomes its member's newest. */
static bool count_in(struct ca_tokens *t, size_t place)
{
	uint32_t *slot = newest(t, t->token[place].number);

	t->token[place].before = slot ? *slot : 0;
	if (!slot)
		return add_place(t, &t->by_number, hash_number, place);
	*slot = (uint32_t)(place + 1);
	return true;
}

size_t ca_tokens_usable(struct ca_tokens *t, uint64_t number, int64_t now)
{
	const uint32_t *slot = newest(t, number);
	size_t n = 0;

	for (uint32_t i = slot ? *slot : 0; i; i = t->token[i - 1].before)
		n += t->token[i - 1].not_after > now && !t->token[i - 1].held &&
		     !t->token[i - 1].delegation;
	return n;
}

size_t ca_tokens_named(struct ca_tokens *t, uint64_t number, const char *name, int64_t now)
{
	const uint32_t *slot = newest(t, number);
	size_t n = 0;

	for (uint32_t i = slot ? *slot : 0; i; i = t->token[i - 1].before) {
		const struct span *s = &t->set[t->token[i - 1].set];

		/* The grant stands last. */
		n += t->token[i - 1].not_after > now && s->n &&
		     strcmp(t->name[t->ids[s->at + s->n - 1]], name) == 0;
	}
	return n;
}

static bool add(struct ca_tokens *t, const struct ca_token *k, const char *const *names, size_t n)
{
	uint32_t set = 0;

	if (!intern(t, names, n, &set) || !room_for_token(t, t->n + 1))
		return false;
	t->token[t->n] = *k;
	t->token[t->n].set = set;
	return count_in(t, t->n) && add_place(t, &t->by_serial, hash_token, t->n++);
}

/* Anew, with what has not expired: names and sets that nobody has any more go, too. */
static bool forget_expired(struct ca_tokens *t, int64_t now)
{
	const char *names[NAMES_MAX];
	struct ca_tokens fresh = {.n = 0};

	for (size_t i = 0; i < t->n; i++) {
		const struct span *s = &t->set[t->token[i].set];

		if (t->token[i].not_after + CA_TOKENS_KEEP <= now)
			continue;
		for (uint32_t k = 0; k < s->n; k++)
			names[k] = t->name[t->ids[s->at + k]];
		if (!add(&fresh, &t->token[i], names, s->n)) {
			clear(&fresh);
			return false;
		}
	}
	clear(t);
	*t = fresh;
	/* Not to come back here at once when little has expired. */
	return t->n * 2 < t->cap || room_for_token(t, t->cap + 1);
}

enum xos_status ca_tokens_put(struct ca_tokens *t, const struct ca_token_entry *e, int64_t now,
    struct ca_token **added, struct xos_err *err)
{
	struct ca_token k = {.number = e->number,
	    .delegation = e->delegation,
	    .not_before = e->not_before,
	    .not_after = e->not_after};
	struct xos_buf serial;
	bool ok = true;

	if (e->names.n > NAMES_MAX)
		return xos_err_set(
		    err, XOS_MALFORMED, "token", "a token with %zu groups and roles", e->names.n);
	xos_buf_init(&serial, sizeof(k.serial));
	if (xos_hex_decode(&serial, e->serial, strlen(e->serial)) != XOS_OK || serial.n == 0) {
		xos_buf_free(&serial);
		return xos_err_set(
		    err, XOS_MALFORMED, "token", "\"%s\" is no serial of a token", e->serial);
	}
	memcpy(k.serial, serial.p, serial.n);
	k.nserial = (uint8_t)serial.n;
	xos_buf_free(&serial);
	struct ca_token *have = ca_tokens_find(t, (struct xos_bytes){k.serial, k.nserial});
	if (have) {
		if (added)
			*added = have;
		return XOS_OK;
	}
	if (t->n == t->cap && t->n)
		ok = forget_expired(t, now);
	if (!ok || !add(t, &k, (const char *const *)e->names.item, e->names.n))
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (added)
		*added = &t->token[t->n - 1];
	return XOS_OK;
}

size_t ca_tokens_count(const struct ca_tokens *t)
{
	return t->n;
}

struct ca_token *ca_tokens_at(struct ca_tokens *t, size_t i)
{
	return i < t->n ? &t->token[i] : NULL;
}

size_t ca_tokens_names(const struct ca_tokens *t)
{
	return t->nnames;
}

const char *ca_tokens_name(const struct ca_tokens *t, size_t name)
{
	return t->name[name];
}

size_t ca_tokens_sets(const struct ca_tokens *t)
{
	return t->nsets;
}

const uint32_t *ca_tokens_set(const struct ca_tokens *t, size_t set, size_t *n)
{
	*n = t->set[set].n;
	return t->ids + t->set[set].at;
}
