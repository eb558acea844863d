#include "policytool/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policytool/names.h"
#include "policytool/world_who.h"

#define NAMES_MAX 20000u /* of one kind */

/* Names of one kind, sorted once all are known. */
struct names {
	const char **item;
	size_t n;
};

struct xos_policytool_world {
	struct xos_policy_memory *memory;
	struct names vos, groups, roles, users, files, jobs, objects, owners, actions;
	struct names ids;      /* that tests of resource.id tell apart, of whatever kind */
	struct names nodes;    /* "lab/n1": told apart by name */
	struct names places;   /* "lab/n1": one of each sort */
	struct names sorts;    /* what the sorts are */
	struct names kinds;    /* of a VO's own */
	struct names machines; /* "node:demo:n1", "service:demo:data/n1" */
	bool local, failed;
	struct xos_policytool_principal *principals;
	size_t n;
	struct xos_policytool_thing *things;
	size_t nthings;
	struct xos_policy_set **sets; /* borrowed names come from them */
	size_t nsets;
};

static int order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *keep(struct xos_policytool_world *w, const char *s)
{
	char *copy = xos_policy_memory_string(w->memory, s, strlen(s));
	w->failed |= !copy;
	return copy;
}

static char *format(struct xos_policytool_world *w, const char *fmt, ...) XOS_PRINTF(2, 3);
static char *format(struct xos_policytool_world *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return keep(w, text);
}

static bool has_name(const struct names *names, const char *s)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->item[i], s) == 0)
			return true;
	return false;
}

static void append(struct xos_policytool_world *w, struct names *names, const char *s)
{
	const char **item =
	    s ? xos_policy_memory_grow(w->memory, names->item, names->n, sizeof(*item)) : NULL;
	if (!item || names->n == NAMES_MAX) {
		w->failed = true;
		return;
	}
	names->item = item;
	item[names->n++] = s;
}

static void add_name(struct xos_policytool_world *w, struct names *names, const char *s)
{
	if (s && !has_name(names, s))
		append(w, names, keep(w, s));
}

static void add_vo_of(struct xos_policytool_world *w, const char *name)
{
	char vo[XOS_VO_MAX + 1];
	size_t skip = name[0] == '/', n = strcspn(name + skip, "/:");
	if (n <= XOS_VO_MAX && xos_str_printf(vo, sizeof(vo), "%.*s", (int)n, name + skip))
		add_name(w, &w->vos, vo);
}

static void note_machine(void *arg, const char *subject)
{
	struct xos_policytool_world *w = arg;
	add_name(w, &w->machines, subject);
}

static void note_who(void *arg, const struct xos_policy_who *who)
{
	struct xos_policytool_world *w = arg;
	switch (who->kind) {
	case XOS_WHO_ANY:
	case XOS_WHO_HOME:
		return;
	case XOS_WHO_LOCAL:
		w->local = true;
		return;
	case XOS_WHO_VO:
		add_name(w, &w->vos, who->name);
		return;
	case XOS_WHO_GROUP:
	case XOS_WHO_EXACTLY:
		add_name(w, &w->groups, who->name);
		break;
	case XOS_WHO_ROLE:
		add_name(w, &w->roles, who->name);
		break;
	case XOS_WHO_USER:
		add_name(w, &w->users, who->name);
		break;
	case XOS_WHO_NODE:
	case XOS_WHO_SERVICE:
		xos_policytool_machines(who, note_machine, w);
		break;
	}
	add_vo_of(w, who->name);
}

static void note_term(void *arg, const struct xos_policy_term *t)
{
	struct xos_policytool_world *w = arg;
	if (t->kind == XOS_TERM_FILE)
		add_name(w, &w->files, t->name);
	else if (t->kind == XOS_TERM_JOB)
		add_name(w, &w->jobs, t->name);
	else if (t->kind == XOS_TERM_NODE)
		add_name(w, &w->nodes, t->name);
	else if (t->kind == XOS_TERM_OBJECT)
		add_name(w, &w->objects, t->name);
}

static void note_text(void *arg, const char *text)
{
	struct xos_policytool_world *w = arg;
	add_name(w, &w->ids, text);
}

static void note_id(void *arg, const struct xos_policy_cond *test)
{
	for (size_t i = 0; i < test->n; i++) {
		if (test->op == XOS_COND_LIKE)
			xos_policytool_like_examples(test->u.strings[i], note_text, arg);
		else if (test->op == XOS_COND_COMPARE || test->op == XOS_COND_IN)
			note_text(arg, test->u.strings[i]);
	}
}

enum xos_status xos_policytool_world_new(struct xos_policytool_world **out, struct xos_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (*out)
		(*out)->memory = xos_policy_memory_new();
	if (*out && (*out)->memory)
		return XOS_OK;
	xos_policytool_world_free(*out);
	*out = NULL;
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

void xos_policytool_world_free(struct xos_policytool_world *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++)
		xos_cases_ask_free(w->principals[i].ask);
	for (size_t i = 0; i < w->nsets; i++)
		xos_policy_set_unref(w->sets[i]);
	free(w->sets);
	free(w->principals);
	xos_policy_memory_free(w->memory);
	free(w);
}

static enum xos_status status_of(const struct xos_policytool_world *w, struct xos_err *err)
{
	return w->failed ? xos_err_set(err, XOS_INTERNAL, "memory",
	                       "out of memory, or more than %u names of one kind", NAMES_MAX)
	                 : XOS_OK;
}

enum xos_status xos_policytool_world_add(
    struct xos_policytool_world *w, const struct xos_policy_set *set, struct xos_err *err)
{
	const struct xos_policytool_namer namer = {note_who, note_term, note_id, w};
	for (size_t i = 0; i < set->n; i++)
		xos_policytool_names(&set->statements[i], &namer);
	if (set->vo)
		add_name(w, &w->vos, set->vo);
	if (set->level == XOS_POLICY_GROUP)
		add_name(w, &w->groups, set->name);
	if (set->level == XOS_POLICY_OWNER)
		add_name(w, &w->owners, set->name);
	if (set->level == XOS_POLICY_NODE)
		add_name(w, &w->nodes, set->name);
	for (size_t i = 0; i < set->nown_actions; i++)
		add_name(w, &w->actions, set->own_actions[i].name);
	for (size_t i = 0; i < set->nown_kinds; i++)
		add_name(w, &w->kinds, set->own_kinds[i]);
	struct xos_policy_set **sets = reallocarray(w->sets, w->nsets + 1, sizeof(*sets));
	if (!sets) {
		w->failed = true;
	} else {
		w->sets = sets;
		struct xos_policy_set *own = NULL;
		memcpy(&own, &set,
		    sizeof(own)); /* counting changes a set that is otherwise constant */
		sets[w->nsets++] = xos_policy_set_ref(own);
	}
	return status_of(w, err);
}

/* ---- principals ---- */

static void open_roles(
    struct xos_policytool_world *w, struct xos_policytool_principal *p, const char *held)
{
	struct names roles = {NULL, 0};
	const char *groups = xos_cases_ask_get(p->ask, "groups");
	for (size_t i = 0; !held && p->vo && i < w->roles.n; i++)
		if (xos_policytool_role_within(w->roles.item[i], p->vo, groups))
			append(w, &roles, w->roles.item[i]);
	for (const char *s = held; s && *s;) {
		size_t n = strcspn(s, " \t,");
		append(w, &roles, xos_policy_memory_string(w->memory, s, n));
		s += n + strspn(s + n, " \t,");
	}
	p->roles = roles.item;
	p->nroles = roles.n;
}

/* Takes ask. known: what the person holds is said in ask, not to be guessed. */
static struct xos_policytool_principal *add_principal(
    struct xos_policytool_world *w, const char *title, struct xos_cases_ask *ask, bool person)
{
	struct xos_policytool_principal *list =
	    ask ? reallocarray(w->principals, w->n + 1, sizeof(*list)) : NULL;
	if (!list || w->n == NAMES_MAX) {
		xos_cases_ask_free(ask);
		w->failed = true;
		return NULL;
	}
	w->principals = list;
	struct xos_policytool_principal *p = &list[w->n++];
	*p = (struct xos_policytool_principal){.title = keep(w, title), .ask = ask};
	const char *subject = xos_cases_ask_get(ask, "subject");
	/* A member's name has no colon in it, of whatever VO. */
	p->machine = subject && strncmp(subject, "local:", 6) != 0 &&
	             strchr(subject, ':') != strrchr(subject, ':');
	if (p->machine)
		subject = strchr(subject, ':') + 1;
	if (subject && strncmp(subject, "local:", 6) != 0)
		p->vo = format(w, "%.*s", (int)strcspn(subject, ":"), subject);
	const char *held = xos_cases_ask_get(ask, "held");
	p->any_home = !person && p->vo && !p->machine;
	if (p->machine)
		return p;
	open_roles(w, p, person ? (held ? held : "") : NULL);
	return p;
}

static struct xos_cases_ask *make_ask(const char *subject, const char *groups)
{
	struct xos_cases_ask *ask = xos_cases_ask_new();
	if (ask && (xos_cases_ask_set(ask, "subject", subject, NULL) ||
	               (groups && xos_cases_ask_set(ask, "groups", groups, NULL)))) {
		xos_cases_ask_free(ask);
		return NULL;
	}
	return ask;
}

/* Somebody whom no statement names. */
static const char *nobody_of(struct xos_policytool_world *w, const char *vo)
{
	const char *name = format(w, "%s:somebody", vo);
	for (unsigned i = 2;
	     name && i < 100 && (has_name(&w->users, name) || has_name(&w->owners, name)); i++)
		name = format(w, "%s:somebody%u", vo, i);
	return name ? name : "";
}

static void add_groups(struct xos_policytool_world *w, const char *vo)
{
	for (size_t i = 0; i < w->groups.n; i++) {
		const char *g = w->groups.item[i];
		if (xos_fqan_in_vo(g, vo) && strcmp(g + 1, vo) != 0)
			add_principal(
			    w, format(w, "members of %s", g), make_ask(nobody_of(w, vo), g), false);
	}
}

static void sort_names(struct names *names)
{
	if (names->n > 1)
		qsort(names->item, names->n, sizeof(names->item[0]), order);
}

/* ---- places ---- */

/* What tells a node of a site from another, apart from statements that name it. */
static void add_node(struct xos_policytool_world *w, const struct xos_policy_set *site,
    const struct xos_policy_node *n)
{
	struct xos_buf b;
	const char *name = format(w, "%s/%s", site->name, n->name);
	xos_buf_init(&b, 1 << 16);
	xos_buf_printf(&b, "%s|%s", site->name, n->class_name ? n->class_name : "");
	for (size_t i = 0; i < n->ntags; i++)
		xos_buf_printf(&b, "|%s", n->tags[i]);
	const char *sort = xos_buf_str(&b);
	if (name && sort && !has_name(&w->places, name) &&
	    (has_name(&w->nodes, name) || !has_name(&w->sorts, sort))) {
		add_name(w, &w->sorts, sort);
		append(w, &w->places, name);
	}
	xos_buf_free(&b);
}

/* A site that declares no nodes still has files and jobs, and nodes that it does not tell apart. */
static void add_bare_sites(struct xos_policytool_world *w)
{
	for (size_t i = 0; i < w->nsets; i++) {
		const struct xos_policy_set *site = w->sets[i];
		if (site->level != XOS_POLICY_SITE || site->nnodes)
			continue;
		add_name(w, &w->places, site->name);
		add_name(w, &w->places, format(w, "%s/any", site->name));
	}
}

enum xos_status xos_policytool_world_finish(struct xos_policytool_world *w, struct xos_err *err)
{
	size_t n;
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	struct names own = w->actions;
	w->actions = (struct names){NULL, 0};
	for (size_t i = 0; i < n; i++)
		append(w, &w->actions, actions[i].name);
	for (size_t i = 0; i < own.n; i++)
		add_name(w, &w->actions, own.item[i]);
	struct names *const sorted[] = {&w->vos, &w->groups, &w->roles, &w->users, &w->files,
	    &w->jobs, &w->objects, &w->owners, &w->kinds, &w->ids, &w->machines};
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		sort_names(sorted[i]);
	for (size_t i = 0; i < w->vos.n; i++) {
		const char *vo = w->vos.item[i];
		add_principal(
		    w, format(w, "members of /%s", vo), make_ask(nobody_of(w, vo), NULL), false);
		add_groups(w, vo);
	}
	for (size_t i = 0; i < w->users.n; i++)
		add_principal(w, w->users.item[i], make_ask(w->users.item[i], NULL), false);
	for (size_t i = 0; i < w->machines.n; i++) {
		const char *subject = w->machines.item[i];
		char title[XOS_POLICYTOOL_TITLE_MAX];
		xos_policytool_machine_title(subject, title);
		add_principal(w, title, make_ask(subject, NULL), false);
	}
	if (w->local)
		add_principal(w, "local accounts", make_ask("local:somebody", NULL), false);
	for (size_t i = 0; i < w->nsets; i++)
		for (size_t j = 0; j < w->sets[i]->nnodes; j++)
			add_node(w, w->sets[i], &w->sets[i]->nodes[j]);
	add_bare_sites(w);
	sort_names(&w->places);
	return status_of(w, err);
}

const struct xos_policytool_principal *xos_policytool_world_principals(
    const struct xos_policytool_world *w, size_t *n)
{
	*n = w->n;
	return w->principals;
}

const char *const *xos_policytool_world_actions(const struct xos_policytool_world *w, size_t *n)
{
	*n = w->actions.n;
	return w->actions.item;
}

bool xos_policytool_world_knows(const struct xos_policytool_world *w, const char *action)
{
	return has_name(&w->actions, action);
}

enum xos_status xos_policytool_world_people(
    struct xos_policytool_world *w, const char *path, struct xos_err *err)
{
	struct xos_cases *cases = NULL;
	enum xos_status st = xos_cases_people_read(path, &cases, err);
	for (size_t i = 0; !st && i < cases->npeople; i++) {
		add_principal(w, cases->people[i].name, cases->people[i].ask, true);
		cases->people[i].ask = NULL;
	}
	xos_cases_free(cases);
	return st ? st : status_of(w, err);
}

/* "vo:demo" as resources are written, and "demo" if there is such a VO: all its members. It is not the
 * member "demo" of a VO "vo" unless a set speaks of that VO. False: the word is none of them. */
static bool whole_vo(const struct xos_policytool_world *w, const char *word, char *out, size_t cap)
{
	bool prefixed = strncmp(word, "vo:", 3) == 0 && !has_name(&w->vos, "vo");
	const char *vo = prefixed ? word + 3 : word;
	return xos_name_is_vo(vo) && (prefixed || has_name(&w->vos, vo)) &&
	       xos_str_printf(out, cap, "/%s", vo);
}

enum xos_status xos_policytool_world_principal(struct xos_policytool_world *w, const char *word,
    const struct xos_policytool_principal **out, struct xos_err *err)
{
	char vo[XOS_VO_MAX + 1], all[XOS_VO_MAX + 2];
	struct xos_cases_ask *ask = NULL;
	for (size_t i = 0; i < w->n; i++) {
		const struct xos_policytool_principal *p = &w->principals[i];
		const char *title = p->title;
		if (strncmp(title, "members of ", 11) == 0 && word[0] == '/')
			title += 11;
		if (strcmp(title, word) != 0)
			continue;
		*out = p;
		return XOS_OK;
	}
	if (whole_vo(w, word, all, sizeof(all)))
		return xos_policytool_world_principal(w, all, out, err);
	if (xos_name_is_group(word) &&
	    xos_str_printf(vo, sizeof(vo), "%.*s", (int)strcspn(word + 1, "/"), word + 1))
		ask = make_ask(nobody_of(w, vo), strchr(word + 1, '/') ? word : NULL);
	else if (strchr(word, ':'))
		ask = make_ask(word, NULL);
	if (!ask)
		return xos_err_set(err, XOS_MALFORMED, "principal",
		    "'%s' is no principal: VO:MEMBER, a group as /demo/physics, a VO as vo:demo, "
		    "node:VO:HOST, service:VO:KIND/HOST, or a subject of --principals",
		    word);
	*out = add_principal(w, word, ask, false);
	return *out ? XOS_OK : status_of(w, err);
}

/* ---- things ---- */

static void add_thing(struct xos_policytool_world *w, struct xos_policytool_thing t)
{
	struct xos_policytool_thing *list =
	    xos_policy_memory_grow(w->memory, w->things, w->nthings, sizeof(*list));
	struct xos_buf b;
	if (!list) {
		w->failed = true;
		return;
	}
	xos_buf_init(&b, 4096);
	bool node = t.on && strncmp(t.on, "node:", 5) == 0;
	t.where = node ? t.on + 5 : t.at;
	xos_buf_put_str(&b, node ? "node" : t.on ? t.on : "the own VO");
	if (t.own)
		xos_buf_put_str(&b, ", own");
	else if (t.owner)
		xos_buf_printf(&b, " of %s", t.owner);
	else if (t.vo)
		xos_buf_printf(&b, " of VO %s", t.vo);
	const char *title = xos_buf_str(&b);
	t.what = keep(w, title ? title : "?");
	t.title = node ? t.on : t.where ? format(w, "%s at %s", t.what, t.where) : t.what;
	xos_buf_free(&b);
	w->things = list;
	list[w->nthings++] = t;
}

/* What is owned: one's own, of each owner with a set, of somebody else, of each VO. */
static void add_owned(struct xos_policytool_world *w, const char *on, bool nobodys)
{
	for (size_t i = 0; i < w->places.n; i++) {
		const char *at = w->places.item[i];
		add_thing(w, (struct xos_policytool_thing){.on = on, .at = at, .own = true});
		for (size_t j = 0; j < w->owners.n; j++)
			add_thing(w, (struct xos_policytool_thing){
			                 .on = on, .at = at, .owner = w->owners.item[j]});
		for (size_t j = 0; j < w->vos.n; j++) {
			const char *other = format(w, "%s:another", w->vos.item[j]);
			add_thing(
			    w, (struct xos_policytool_thing){.on = on, .at = at, .owner = other});
			if (nobodys)
				add_thing(w, (struct xos_policytool_thing){
				                 .on = on, .at = at, .vo = w->vos.item[j]});
		}
		if (nobodys)
			add_thing(w, (struct xos_policytool_thing){.on = on, .at = at});
	}
}

static void add_nodes(struct xos_policytool_world *w)
{
	for (size_t i = 0; i < w->places.n; i++)
		if (strchr(w->places.item[i], '/'))
			add_thing(w, (struct xos_policytool_thing){
			                 .on = format(w, "node:%s", w->places.item[i])});
}

/* Is there one of that kind and id, and none yet among what is named? */
static bool may_be(const struct names *named, const char *id, bool path)
{
	return !has_name(named, id) && (path ? xos_policy_path_ok(id) : xos_policy_word_ok(id));
}

static void add_jobs(struct xos_policytool_world *w)
{
	add_owned(w, "job:1", false);
	for (size_t i = 0; i < w->jobs.n; i++)
		add_owned(w, format(w, "job:%s", w->jobs.item[i]), false);
	for (size_t i = 0; i < w->ids.n; i++)
		if (may_be(&w->jobs, w->ids.item[i], false) && strcmp(w->ids.item[i], "1") != 0)
			add_owned(w, format(w, "job:%s", w->ids.item[i]), false);
}

static void add_sessions(struct xos_policytool_world *w)
{
	add_owned(w, "session:1", false);
	for (size_t i = 0; i < w->ids.n; i++)
		if (xos_policy_word_ok(w->ids.item[i]) && strcmp(w->ids.item[i], "1") != 0)
			add_owned(w, format(w, "session:%s", w->ids.item[i]), false);
}

static void add_files(struct xos_policytool_world *w)
{
	for (size_t i = 0; i < w->files.n; i++)
		add_owned(w, format(w, "file:%s", w->files.item[i]), true);
	add_owned(w, "file:/elsewhere", true);
	for (size_t i = 0; i < w->ids.n; i++) {
		const char *id = w->ids.item[i];
		/* "*.log" is about paths as well. */
		const char *path = id[0] == '/' ? id : format(w, "/%s", id);
		if (path && may_be(&w->files, path, true))
			add_owned(w, format(w, "file:%s", path), true);
	}
}

/* A VO's own actions are about its own kinds. */
static void add_own_kinds(struct xos_policytool_world *w, const char *action)
{
	size_t n = strcspn(action, ".");
	const char *vo = format(w, "%.*s", (int)n, action);
	for (size_t i = 0; i < w->objects.n; i++)
		if (strncmp(w->objects.item[i], action, n + 1) == 0)
			add_thing(
			    w, (struct xos_policytool_thing){.on = w->objects.item[i], .vo = vo});
	for (size_t i = 0; i < w->kinds.n; i++) {
		const char *kind = w->kinds.item[i];
		if (strncmp(kind, action, n + 1) != 0)
			continue;
		add_thing(
		    w, (struct xos_policytool_thing){.on = format(w, "%s:any", kind), .vo = vo});
		for (size_t j = 0; j < w->ids.n; j++)
			add_thing(w, (struct xos_policytool_thing){
			                 .on = format(w, "%s:%s", kind, w->ids.item[j]), .vo = vo});
	}
}

enum xos_status xos_policytool_world_things(struct xos_policytool_world *w, const char *action,
    const struct xos_policytool_thing **out, size_t *n, struct xos_err *err)
{
	w->things = NULL;
	w->nthings = 0;
	if (strcmp(action, "job.submit") == 0 || strcmp(action, "session.open") == 0 ||
	    strncmp(action, "node.", 5) == 0) {
		add_nodes(w);
	} else if (strncmp(action, "job.", 4) == 0) {
		add_jobs(w);
	} else if (strncmp(action, "session.", 8) == 0) {
		add_sessions(w);
	} else if (strncmp(action, "file.", 5) == 0) {
		add_files(w);
	} else if (strncmp(action, "token.", 6) == 0) {
		add_thing(w, (struct xos_policytool_thing){.own_vo = true});
	} else {
		add_own_kinds(w, action);
	}
	*out = w->things;
	*n = w->nthings;
	return status_of(w, err);
}
