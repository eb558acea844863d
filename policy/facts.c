/* What a subject and a resource are, as hashed names. */
#include "policy/eval.h"

/* whole: the hash of the name, not yet mixed. */
static inline void put_fact(
    struct xos_subject_facts *f, uint64_t whole, unsigned kind, const char *s, size_t n)
{
	uint64_t hash = xos_hash_mix(whole, XOS_HASH_WHO + kind);
	uint32_t at = (uint32_t)hash & f->mask;
	for (; f->table[at]; at = (at + 1) & f->mask) {
		const struct xos_fact *have = &f->list[f->table[at] - 1];
		if (have->hash == hash && have->kind == kind && have->n == n &&
		    memcmp(have->s, s, n) == 0)
			return; /* groups share those above them */
	}
	f->list[f->n++] = (struct xos_fact){hash, s, (uint32_t)n, (uint8_t)kind};
	f->table[at] = (uint16_t)f->n;
}

static void put_name(struct xos_subject_facts *f, unsigned kind, const char *s)
{
	size_t n = strlen(s);
	put_fact(f, xos_hash_whole(s, n), kind, s, n);
}

/* Bytes of a component of a group's name: 1 may begin it, 2 may only follow. See base/name.h. */
static const uint8_t component_byte[256] = {['a'] = 1,
    ['b'] = 1,
    ['c'] = 1,
    ['d'] = 1,
    ['e'] = 1,
    ['f'] = 1,
    ['g'] = 1,
    ['h'] = 1,
    ['i'] = 1,
    ['j'] = 1,
    ['k'] = 1,
    ['l'] = 1,
    ['m'] = 1,
    ['n'] = 1,
    ['o'] = 1,
    ['p'] = 1,
    ['q'] = 1,
    ['r'] = 1,
    ['s'] = 1,
    ['t'] = 1,
    ['u'] = 1,
    ['v'] = 1,
    ['w'] = 1,
    ['x'] = 1,
    ['y'] = 1,
    ['z'] = 1,
    ['A'] = 1,
    ['B'] = 1,
    ['C'] = 1,
    ['D'] = 1,
    ['E'] = 1,
    ['F'] = 1,
    ['G'] = 1,
    ['H'] = 1,
    ['I'] = 1,
    ['J'] = 1,
    ['K'] = 1,
    ['L'] = 1,
    ['M'] = 1,
    ['N'] = 1,
    ['O'] = 1,
    ['P'] = 1,
    ['Q'] = 1,
    ['R'] = 1,
    ['S'] = 1,
    ['T'] = 1,
    ['U'] = 1,
    ['V'] = 1,
    ['W'] = 1,
    ['X'] = 1,
    ['Y'] = 1,
    ['Z'] = 1,
    ['0'] = 1,
    ['1'] = 1,
    ['2'] = 1,
    ['3'] = 1,
    ['4'] = 1,
    ['5'] = 1,
    ['6'] = 1,
    ['7'] = 1,
    ['8'] = 1,
    ['9'] = 1,
    ['.'] = 2,
    ['_'] = 2,
    ['-'] = 2};

/* "/a/b/c": the groups /a, /a/b and /a/b/c, and exactly /a/b/c; checked in the same pass. root: bytes
 * of "/a", which is everybody's. False: it is no group of that VO. */
static bool put_group(struct xos_subject_facts *f, const char *s, size_t root)
{
	size_t n = root, components = 1;
	if (strncmp(s, f->user, root) != 0)
		return false;
	uint64_t whole = xos_hash_whole(s, n);
	while (s[n]) {
		size_t start = n + 1;
		if (s[n] != '/' || component_byte[(unsigned char)s[start]] != 1 ||
		    ++components > 16)
			return false;
		for (n = start; component_byte[(unsigned char)s[n]]; n++)
			;
		if (n - start > 63 || n > XOS_FQAN_MAX)
			return false;
		whole = xos_hash_whole(s, n);
		put_fact(f, whole, XOS_WHO_GROUP, s, n);
	}
	put_fact(f, whole, XOS_WHO_EXACTLY, s, n);
	return true;
}

/* At most so many: each component of a group has a slash and a letter. */
static size_t count_facts(const struct xos_policy_subject *s)
{
	size_t n = 5; /* VO, user, home, the VO's own group twice */
	for (size_t i = 0; i < s->ngroups; i++)
		n += strnlen(s->groups[i], XOS_FQAN_MAX) / 2 + 1;
	return n + s->nroles;
}

/* The user's name has the VO's before its colon: the group "/demo" is made of the same bytes. */
static void put_member(
    struct xos_subject_facts *f, const struct xos_policy_subject *s, size_t vo_len)
{
	size_t n = strlen(s->member);
	f->user[0] = '/';
	memcpy(f->user + 1, s->vo, vo_len);
	memcpy(f->user + XOS_VO_MAX + 2, s->vo, vo_len);
	char *user = f->user + XOS_VO_MAX + 2;
	user[vo_len] = ':';
	memcpy(user + vo_len + 1, s->member, n + 1);
	n += vo_len + 1;
	put_fact(f, xos_hash_whole(user, n), XOS_WHO_USER, user, n);
}

/* "demo:data/n1" is also "demo:data" and "demo:*"; a node is itself and "demo:*". */
static void put_machine(
    struct xos_subject_facts *f, const struct xos_policy_subject *s, char *name, size_t vo_len)
{
	unsigned kind = s->kind == XOS_SUBJECT_NODE ? XOS_WHO_NODE : XOS_WHO_SERVICE;
	size_t n = strlen(s->member);
	memcpy(f->user, s->vo, vo_len);
	memcpy(f->user + vo_len, ":*", 3);
	put_name(f, kind, f->user);
	memcpy(name, s->vo, vo_len);
	name[vo_len] = ':';
	memcpy(name + vo_len + 1, s->member, n + 1);
	put_name(f, kind, name);
	if (kind == XOS_WHO_NODE)
		return;
	n = vo_len + 1 + strcspn(s->member, "/");
	put_fact(f, xos_hash_whole(name, n), kind, name, n);
}

static bool make_machine(
    struct xos_subject_facts *f, const struct xos_policy_subject *s, struct xos_policy_memory *m)
{
	const size_t most = 3, size = 8;
	size_t vo_len = strlen(s->vo);
	char *name = xos_policy_memory_take(m, vo_len + strlen(s->member) + 2);
	f->list = xos_policy_memory_take(m, most * sizeof(*f->list));
	f->table = xos_policy_memory_take(m, size * sizeof(*f->table));
	f->mask = (uint32_t)size - 1;
	if (!name || !f->list || !f->table)
		return false;
	put_machine(f, s, name, vo_len);
	return true;
}

const char *xos_subject_facts_make(struct xos_subject_facts *f, const struct xos_policy_subject *s,
    struct xos_policy_memory *m, bool *failed)
{
	f->list = NULL;
	f->n = 0;
	*failed = false;
	if (s->kind != XOS_SUBJECT_MEMBER) {
		*failed = s->kind != XOS_SUBJECT_LOCAL && !make_machine(f, s, m);
		return NULL;
	}
	size_t most = count_facts(s), size = 32, vo_len = strlen(s->vo);
	while (size < most * 2)
		size *= 2;
	f->list = xos_policy_memory_take(m, most * sizeof(*f->list));
	f->table = xos_policy_memory_take(m, size * sizeof(*f->table));
	*failed = !f->list || !f->table;
	if (*failed)
		return NULL;
	f->mask = (uint32_t)size - 1;
	put_member(f, s, vo_len);
	uint64_t root = xos_hash_whole(f->user, vo_len + 1);
	put_fact(f, root, XOS_WHO_GROUP, f->user, vo_len + 1);
	put_fact(f, root, XOS_WHO_EXACTLY, f->user, vo_len + 1);
	put_name(f, XOS_WHO_VO, s->vo);
	for (size_t i = 0; i < s->ngroups; i++)
		if (!put_group(f, s->groups[i], vo_len + 1))
			return "a group that is not of the subject's VO";
	for (size_t i = 0; i < s->nroles; i++)
		put_name(f, XOS_WHO_ROLE, s->roles[i]);
	if (s->home)
		put_name(f, XOS_WHO_HOME, s->home);
	return NULL;
}

bool xos_subject_has(
    const struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n)
{
	if (!f->n)
		return false;
	for (uint32_t at = (uint32_t)hash & f->mask; f->table[at]; at = (at + 1) & f->mask) {
		const struct xos_fact *have = &f->list[f->table[at] - 1];
		if (have->hash == hash && have->kind == kind && have->n == n &&
		    memcmp(have->s, s, n) == 0)
			return true;
	}
	return false;
}

static uint64_t term_hash(unsigned kind, uint64_t inner)
{
	return xos_hash_mix(inner, XOS_HASH_TERM + kind);
}

/* "kind:id" */
static uint64_t object_hash(const struct xos_policy_resource *r, const struct xos_resource_facts *f)
{
	uint64_t h = xos_hash_byte(xos_hash_more(XOS_HASH_START, r->kind, f->kind_len), ':');
	return term_hash(XOS_TERM_OBJECT, xos_hash_more(h, r->id, f->id_len));
}

void xos_resource_facts_make(struct xos_resource_facts *f, const struct xos_policy_resource *r)
{
	f->site = f->node = f->id = 0;
	f->site_len = f->place_len = f->id_len = 0;
	f->folders = NULL;
	f->nfolders = 0;
	f->have_folders = false;
	f->kind_len = (uint32_t)strlen(r->kind);
	f->kind = term_hash(XOS_TERM_KIND, xos_hash_whole(r->kind, f->kind_len));
	f->is_file = f->kind_len == 4 && memcmp(r->kind, "file", 4) == 0;
	f->is_job = f->kind_len == 3 && memcmp(r->kind, "job", 3) == 0;
	if (r->id && !f->is_file) {
		f->id_len = (uint32_t)strlen(r->id);
		f->id = f->is_job ? term_hash(XOS_TERM_JOB, xos_hash_whole(r->id, f->id_len))
		                  : object_hash(r, f);
	}
	if (!r->site)
		return;
	f->site_len = f->place_len = (uint32_t)strlen(r->site);
	memcpy(f->place, r->site, f->site_len + 1);
	f->site = term_hash(XOS_TERM_SITE, xos_hash_whole(r->site, f->site_len));
	if (!r->node)
		return;
	size_t n = strlen(r->node);
	f->place[f->site_len] = '/';
	memcpy(f->place + f->site_len + 1, r->node, n + 1);
	f->place_len += 1 + (uint32_t)n;
	f->node = term_hash(XOS_TERM_NODE, xos_hash_whole(f->place, f->place_len));
}

/* "/a/b": "/", "/a" and "/a/b". */
bool xos_resource_folders_make(
    struct xos_resource_facts *f, const struct xos_policy_resource *r, struct xos_policy_memory *m)
{
	size_t most = 2, n = 0;
	if (!f->is_file || f->have_folders || !r->id)
		return true;
	for (const char *p = r->id; p; p = strchr(p + 1, '/'))
		most++;
	f->folders = xos_policy_memory_take(m, most * sizeof(*f->folders));
	if (!f->folders)
		return false;
	f->folders[f->nfolders++] = term_hash(XOS_TERM_FILE, xos_hash_byte(XOS_HASH_START, '/'));
	uint64_t inner = XOS_HASH_START;
	while (r->id[n] && r->id[1]) {
		do
			inner = xos_hash_byte(inner, (unsigned char)r->id[n++]);
		while (r->id[n] && r->id[n] != '/');
		f->folders[f->nfolders++] = term_hash(XOS_TERM_FILE, inner);
	}
	f->have_folders = true;
	return true;
}
