#include "policytool/madeup.h"

#include <string.h>

#include "base/text.h"
#include "policytool/names.h"

#define TERMS_MAX 256u /* of one kind; more are left out */

struct terms {
	const char *item[TERMS_MAX];
	size_t n;
};

struct named {
	struct terms sites, nodes, classes, tags;
};

static void add(struct terms *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->item[i], name) == 0)
			return;
	if (t->n < TERMS_MAX)
		t->item[t->n++] = name;
}

static void note_who(void *arg, const struct xos_policy_who *who)
{
	(void)arg;
	(void)who;
}

static void note_id(void *arg, const struct xos_policy_cond *test)
{
	(void)arg;
	(void)test;
}

static void note_term(void *arg, const struct xos_policy_term *t)
{
	struct named *n = arg;
	if (t->kind == XOS_TERM_SITE)
		add(&n->sites, t->name);
	else if (t->kind == XOS_TERM_NODE)
		add(&n->nodes, t->name);
	else if (t->kind == XOS_TERM_CLASS)
		add(&n->classes, t->name);
	else if (t->kind == XOS_TERM_TAG)
		add(&n->tags, t->name);
}

/* False: there is a site's set. */
static bool note_sets(const struct xos_policytool_sets *sets, struct named *n)
{
	const struct xos_policytool_namer namer = {note_who, note_term, note_id, n};
	for (size_t i = 0; i < sets->n; i++) {
		const struct xos_policy_set *set = sets->list[i].set;
		if (set->level == XOS_POLICY_SITE)
			return false;
		for (size_t j = 0; j < set->n; j++)
			xos_policytool_names(&set->statements[j], &namer);
	}
	return true;
}

/* Of each class a node without tags, one with each tag alone, and one with all of them. */
static void put_nodes(struct xos_buf *b, const struct named *n)
{
	for (size_t i = 0; i < n->classes.n; i++) {
		const char *c = n->classes.item[i];
		xos_buf_printf(b, "node any-%zu { class %s; }\n", i, c);
		for (size_t j = 0; j < n->tags.n; j++)
			xos_buf_printf(b, "node any-%zu-%zu { class %s; tag %s; }\n", i, j, c,
			    n->tags.item[j]);
		if (n->tags.n < 2)
			continue;
		xos_buf_printf(b, "node any-%zu-all { class %s; tag ", i, c);
		for (size_t j = 0; j < n->tags.n; j++)
			xos_buf_printf(b, "%s%s", j ? ", " : "", n->tags.item[j]);
		xos_buf_put_str(b, "; }\n");
	}
}

static enum xos_status make_site(const struct named *n, const char *site, size_t len,
    struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_POLICY_TEXT_MAX);
	xos_buf_printf(
	    &b, "site \"%.*s\" serial 1 schema %u {\n", (int)len, site, XOS_POLICY_SCHEMA);
	for (size_t i = 0; i < n->nodes.n; i++)
		if (strncmp(n->nodes.item[i], site, len) == 0 && n->nodes.item[i][len] == '/')
			xos_buf_printf(&b, "node %s { class %s; }\n", n->nodes.item[i] + len + 1,
			    n->classes.item[0]);
	put_nodes(&b, n);
	xos_buf_put_str(&b, "permit any, local action any on any;\n}\n");
	const char *text = xos_buf_str(&b);
	enum xos_status st =
	    text ? xos_policy_set_load(text, b.n, "made-up site", out, err)
	         : xos_err_set(err, XOS_LIMIT, "madeup", "the sets name too many places");
	xos_buf_free(&b);
	return st;
}

/* A node stands for its site too, cut at the '/'; each site once. */
static void add_site(struct terms *sites, const char *name)
{
	size_t len = strcspn(name, "/");
	for (size_t i = 0; i < sites->n; i++)
		if (strcspn(sites->item[i], "/") == len && strncmp(sites->item[i], name, len) == 0)
			return;
	add(sites, name);
}

enum xos_status xos_policytool_madeup_sites(
    struct xos_policytool_sets *a, struct xos_policytool_sets *b, bool *made, struct xos_err *err)
{
	struct named n;
	enum xos_status st = XOS_OK;
	memset(&n, 0, sizeof(n));
	*made = note_sets(a, &n) && note_sets(b, &n);
	if (!*made)
		return XOS_OK;
	if (!n.classes.n)
		add(&n.classes, "compute");
	for (size_t i = 0; i < n.nodes.n; i++)
		add_site(&n.sites, n.nodes.item[i]);
	add_site(&n.sites, "anywhere");
	for (size_t i = 0; !st && i < n.sites.n; i++) {
		struct xos_policy_set *set = NULL;
		const char *site = n.sites.item[i];
		st = make_site(&n, site, strcspn(site, "/"), &set, err);
		if (!st)
			st = xos_policytool_sets_add(
			    a, "made-up site", xos_policy_set_ref(set), err);
		if (!st)
			st = xos_policytool_sets_add(
			    b, "made-up site", xos_policy_set_ref(set), err);
		xos_policy_set_unref(set);
	}
	return st;
}
