/* What a subject and a resource are, as hashed names. */
#include "policy/index.h"

/* Subjects of more groups and roles than this have their facts in a table too. */
#define FEW 12u

static bool in_list(
    const struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].hash == hash && f->list[i].kind == kind && f->list[i].n == n &&
		    memcmp(f->list[i].s, s, n) == 0)
			return true;
	return false;
}

static bool in_table(
    const struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n)
{
	for (uint32_t at = (uint32_t)hash & f->mask; f->table[at]; at = (at + 1) & f->mask) {
		const struct xos_fact *have = &f->list[f->table[at] - 1];
		if (have->hash == hash && have->kind == kind && have->n == n &&
		    memcmp(have->s, s, n) == 0)
			return true;
	}
	return false;
}

bool xos_subject_has(
    const struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n)
{
	if (!(f->seen >> (hash >> 58) & 1))
		return false;
	return f->table ? in_table(f, hash, kind, s, n) : in_list(f, hash, kind, s, n);
}

static void put_table(struct xos_subject_facts *f, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & f->mask;
	while (f->table[at])
		at = (at + 1) & f->mask;
	f->table[at] = (uint32_t)f->n;
}

static inline bool is_wanted(const struct xos_subject_facts *f, unsigned kind)
{
	return !f->of || f->of->who_kinds >> kind & 1;
}

/* Groups share those above them: each counts once. */
static inline void put_hashed(
    struct xos_subject_facts *f, uint64_t hash, unsigned kind, const char *s, size_t n)
{
	if (f->of && !xos_policy_names(f->of, hash))
		return;
	if (f->seen >> (hash >> 58) & 1 && xos_subject_has(f, hash, kind, s, n))
		return;
	f->list[f->n++] = (struct xos_fact){hash, s, (uint32_t)n, (uint8_t)kind};
	f->seen |= UINT64_C(1) << (hash >> 58);
	if (f->table)
		put_table(f, hash);
}

/* whole: the hash of the name, not yet mixed. */
static inline void put_fact(
    struct xos_subject_facts *f, uint64_t whole, unsigned kind, const char *s, size_t n)
{
	if (is_wanted(f, kind))
		put_hashed(f, xos_hash_mix(whole, XOS_HASH_WHO + kind), kind, s, n);
}

static void put_name(struct xos_subject_facts *f, unsigned kind, const char *s)
{
	if (!is_wanted(f, kind))
		return;
	size_t n = strlen(s);
	put_fact(f, xos_hash_whole(s, n), kind, s, n);
}

/* Bytes of a component of a group's name: 1 may begin it, 2 may only follow. See base/name.h. */
static const uint8_t group_byte[256] = {['a'] = 1,
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

#define COMPONENTS_MAX 16u

/* "/a/b/c": the groups /a, /a/b and /a/b/c, and exactly /a/b/c; checked in the same pass. root: bytes
 * of "/a", which is everybody's. False: it is no group of that VO. */
static bool put_group(struct xos_subject_facts *f, const char *s, size_t root)
{
	size_t n = 0, components = 1;
	while (n < root && s[n] == f->user[n])
		n++;
	if (n < root)
		return false;
	uint64_t whole = f->root;
	while (s[n]) {
		size_t start = n + 1;
		if (s[n] != '/' || group_byte[(unsigned char)s[start]] != 1 ||
		    ++components > COMPONENTS_MAX)
			return false;
		for (n = start; group_byte[(unsigned char)s[n]]; n++)
			;
		if (n - start > 63 || n > XOS_FQAN_MAX)
			return false;
		whole = xos_hash_whole(s, n);
		put_fact(f, whole, XOS_WHO_GROUP, s, n);
	}
	put_fact(f, whole, XOS_WHO_EXACTLY, s, n);
	return true;
}

/* Room for all facts: VO, user, home, the VO's own group twice; the groups; the roles. */
static bool make_room(struct xos_subject_facts *f, const struct xos_policy_subject *s,
    const struct xos_policy *of, struct xos_policy_memory *m)
{
	size_t most = 5 + s->ngroups * COMPONENTS_MAX + s->nroles, size = 64;
	*f = (struct xos_subject_facts){
	    .of = of, .list = xos_policy_memory_raw(m, most * sizeof(*f->list))};
	if (!f->list || s->ngroups + s->nroles <= FEW)
		return f->list;
	while (size < most * 2)
		size *= 2;
	f->table = xos_policy_memory_take(m, size * sizeof(*f->table));
	f->mask = (uint32_t)size - 1;
	return f->table;
}

/* "/demo:alice": the VO's group, and the user's name as sets of sites write it, are parts of it. */
static void put_member(
    struct xos_subject_facts *f, const struct xos_policy_subject *s, size_t vo_len)
{
	size_t n = strlen(s->member);
	f->user[0] = '/';
	memcpy(f->user + 1, s->vo, vo_len);
	f->user[vo_len + 1] = ':';
	memcpy(f->user + vo_len + 2, s->member, n + 1);
	n += vo_len + 1;
	put_fact(f, xos_hash_whole(f->user + 1, n), XOS_WHO_USER, f->user + 1, n);
	f->root = f->vo ? f->vo->root : xos_hash_whole(f->user, vo_len + 1);
	put_fact(f, f->root, XOS_WHO_GROUP, f->user, vo_len + 1);
	put_fact(f, f->root, XOS_WHO_EXACTLY, f->user, vo_len + 1);
}

/* "demo:data/n1" is also "demo:data" and "demo:*"; a node is itself and "demo:*". False: no memory. */
static bool put_machine(
    struct xos_subject_facts *f, const struct xos_policy_subject *s, struct xos_policy_memory *m)
{
	unsigned kind = s->kind == XOS_SUBJECT_NODE ? XOS_WHO_NODE : XOS_WHO_SERVICE;
	size_t n = strlen(s->member), vo_len = strlen(s->vo);
	char *name = xos_policy_memory_take(m, vo_len + n + 2);
	if (!name)
		return false;
	memcpy(f->user, s->vo, vo_len);
	memcpy(f->user + vo_len, ":*", 3);
	put_name(f, kind, f->user);
	memcpy(name, s->vo, vo_len);
	name[vo_len] = ':';
	memcpy(name + vo_len + 1, s->member, n + 1);
	put_name(f, kind, name);
	if (kind == XOS_WHO_NODE)
		return true;
	n = vo_len + 1 + strcspn(s->member, "/");
	put_fact(f, xos_hash_whole(name, n), kind, name, n);
	return true;
}

const char *xos_subject_facts_make(struct xos_subject_facts *f, const struct xos_policy_subject *s,
    const struct xos_policy *of, struct xos_policy_memory *m, bool *failed)
{
	f->list = NULL;
	f->n = f->seen = 0;
	*failed = s->kind != XOS_SUBJECT_LOCAL && !make_room(f, s, of, m);
	if (*failed || s->kind == XOS_SUBJECT_LOCAL)
		return NULL;
	size_t vo_len = strlen(s->vo);
	f->vo = of ? xos_policy_find_scope(of, XOS_POLICY_VO, s->vo, vo_len) : NULL;
	if (s->kind != XOS_SUBJECT_MEMBER) {
		*failed = !put_machine(f, s, m);
		return NULL;
	}
	put_member(f, s, vo_len);
	if (f->vo && is_wanted(f, XOS_WHO_VO))
		put_hashed(f, f->vo->who, XOS_WHO_VO, s->vo, vo_len);
	else
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

void xos_resource_facts_make(struct xos_resource_facts *f, const struct xos_policy_resource *r,
    const struct xos_known_place *known)
{
	f->node = f->id = 0;
	f->site_len = f->place_len = f->id_len = 0;
	f->folders = NULL;
	f->nfolders = 0;
	f->have_folders = false;
	f->kind_len = known->kind->len;
	f->kind = known->kind->term;
	f->is_file = known->kind->needs == XOS_NEEDS_PATH;
	f->is_job = known->kind->needs == XOS_NEEDS_JOB;
	if (r->id && !f->is_file) {
		f->id_len = (uint32_t)strlen(r->id);
		f->id = f->is_job ? term_hash(XOS_TERM_JOB, xos_hash_whole(r->id, f->id_len))
		                  : object_hash(r, f);
	}
	f->site = 0;
	if (!r->site)
		return;
	f->site_len = f->place_len = known->site ? known->site->len : (uint32_t)strlen(r->site);
	memcpy(f->place, r->site, f->site_len + 1);
	f->site = known->site ? known->site->term
	                      : term_hash(XOS_TERM_SITE, xos_hash_whole(r->site, f->site_len));
	if (!r->node)
		return;
	size_t n = known->declared ? known->declared->len : strlen(r->node);
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
