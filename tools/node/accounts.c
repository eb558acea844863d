/* xos-node accounts: who has an account here, by which rules of the site, and how it stands with the uids of jobs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "local/accountmap.h"
#include "local/client.h"
#include "node/verbs.h"

#define LEASES_TOLD 100000

static enum xos_status ask_accounts(
    struct xos_local *credd, struct xos_json **out, struct xos_err *err)
{
	char *text = NULL;
	enum xos_status st = xos_local_accounts(credd, &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), XOS_LOCAL_PEM_MAX, out, err);
	free(text);
	return st;
}

/* One page of leases, added to list; *after: the last uid. */
static enum xos_status add_page(
    struct xos_local *credd, int64_t *after, bool *more, struct xos_json *list, struct xos_err *err)
{
	char question[48] = "{}", *text = NULL;
	struct xos_json *doc = NULL;
	const struct xos_json *page = NULL;
	if (*after >= 0)
		(void)!xos_str_printf(
		    question, sizeof(question), "{\"after\":%lld}", (long long)*after);
	enum xos_status st = xos_local_leases(credd, xos_bytes_str(question), &text, err);
	if (!st)
		st = xos_json_parse(xos_bytes_str(text), XOS_LOCAL_PEM_MAX, &doc, err);
	if (!st)
		st = xos_json_get_array(doc, "leases", 1024, &page, err);
	if (!st)
		st = xos_json_get_bool(doc, "more", more, err);
	for (size_t i = 0; !st && i < xos_json_count(page); i++) {
		const struct xos_json *one = xos_json_at(page, i);
		st = xos_json_get_int64(one, "uid", 0, UINT32_MAX, after, err);
		xos_json_add(list, xos_json_copy(one));
	}
	*more = *more && xos_json_count(page) > 0;
	xos_json_free(doc);
	free(text);
	return st;
}

static enum xos_status add_leases(
    struct xos_local *credd, struct xos_json *doc, struct xos_err *err)
{
	struct xos_json *list = xos_json_array();
	int64_t after = -1;
	bool more = true;
	enum xos_status st = XOS_OK;
	while (!st && more && xos_json_count(list) < LEASES_TOLD)
		st = add_page(credd, &after, &more, list, err);
	xos_json_set(doc, "leases", list);
	return st;
}

/* What NSS finds there; as root alone there is one. */
static void add_map(const struct xos_node *n, struct xos_json *doc)
{
	struct xos_account_map *m = NULL;
	struct xos_err why = XOS_ERR_INIT;
	char path[PATH_MAX];
	struct xos_json *o = xos_json_object();
	enum xos_status st = xos_node_path(n, "credd/accounts.map", path, &why);
	if (!st)
		st = xos_account_map_open(path, (uid_t)n->uid_base, &m, &why);
	xos_json_set_text(o, "file", path);
	if (st) {
		xos_json_set_text(o, "error", why.text);
	} else {
		const struct xos_account_map_head *h = xos_account_map_head(m);
		xos_json_set_time(o, "written", h->built);
		xos_json_set_int(o, "roster", (int64_t)h->serial);
		xos_json_set_int(o, "members", h->members);
		xos_json_set_int(o, "groups", h->groups);
	}
	xos_account_map_free(m);
	xos_json_set(doc, "nss", o);
}

static int64_t number(const struct xos_json *o, const char *key)
{
	int64_t v = 0;
	return o && !xos_json_opt_int64(o, key, 0, INT64_MAX, 0, &v, NULL) ? v : 0;
}

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *s = NULL;
	return o && !xos_json_opt_string(o, key, 4096, &s, NULL) ? s : NULL;
}

/* For printing: never NULL. */
static const char *said(const struct xos_json *o, const char *key)
{
	const char *s = text_of(o, key);
	return s ? s : "?";
}

static const struct xos_json *object_of(const struct xos_json *o, const char *key)
{
	const struct xos_json *v = NULL;
	return !xos_json_opt_object(o, key, &v, NULL) ? v : NULL;
}

static void print_rules(const struct xos_json *doc)
{
	const struct xos_json *uids = object_of(doc, "uids"), *groups = NULL;
	const char *refused = text_of(doc, "refused"), *home = text_of(doc, "home");
	xos_cli_print_pair("vo", "%s", said(doc, "vo"));
	if (refused)
		xos_cli_print_pair("accounts", "none: %s", refused);
	else if (uids)
		xos_cli_print_pair("uids", "%lld-%lld", (long long)number(uids, "first"),
		    (long long)number(uids, "last"));
	else if (text_of(doc, "member"))
		xos_cli_print_pair(
		    "accounts", "xos-credd's own user, for the member %s", text_of(doc, "member"));
	xos_cli_print_pair("homes", "%s", home ? home : "none");
	if (xos_json_opt_array(doc, "groups", 4096, &groups, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(groups); i++) {
		const struct xos_json *g = xos_json_at(groups, i);
		xos_cli_print_pair(
		    "group", "%s: gid %lld", said(g, "group"), (long long)number(g, "gid"));
	}
}

static void print_figures(const struct xos_json *doc)
{
	const struct xos_json *r = object_of(doc, "roster"), *m = object_of(doc, "nss"),
	                      *j = object_of(doc, "jobs");
	xos_cli_print_pair("roster",
	    "%lld members: %lld active, %lld suspended, %lld removed; %lld have an account here",
	    (long long)number(r, "members"), (long long)number(r, "active"),
	    (long long)number(r, "suspended"), (long long)number(r, "removed"),
	    (long long)number(r, "with_account"));
	if (m && text_of(m, "error"))
		xos_cli_print_pair("map", "%s", said(m, "error"));
	else if (m)
		xos_cli_print_pair("map", "%lld members, %lld groups, written %s",
		    (long long)number(m, "members"), (long long)number(m, "groups"),
		    said(m, "written"));
	if (text_of(j, "refused"))
		xos_cli_print_pair("uids of jobs", "none: %s", said(j, "refused"));
	else if (number(j, "first") || number(j, "leased"))
		xos_cli_print_pair("uids of jobs",
		    "%lld-%lld: %lld leased, of these %lld held by what is left; %lld wait to be "
		    "used again",
		    (long long)number(j, "first"), (long long)number(j, "last"),
		    (long long)number(j, "leased"), (long long)number(j, "held"),
		    (long long)number(j, "waiting"));
	else
		xos_cli_print_pair("uids of jobs", "jobs run under their member's account");
}

static void print_leases(const struct xos_json *doc)
{
	const struct xos_json *list = NULL;
	if (xos_json_opt_array(doc, "leases", LEASES_TOLD + 1024, &list, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *l = xos_json_at(list, i);
		const char *left = text_of(l, "left");
		if (left)
			xos_cli_say("uid %lld is held: %s (job %s of %s, since %s)",
			    (long long)number(l, "uid"), left, said(l, "job"), said(l, "member"),
			    said(l, "held"));
		else
			xos_cli_say("uid %lld: job %s of %s, since %s", (long long)number(l, "uid"),
			    said(l, "job"), said(l, "member"), said(l, "since"));
	}
}

static enum xos_status part_accounts(
    const struct xos_node_part *p, struct xos_json **out, struct xos_err *err)
{
	struct xos_local *credd = NULL;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_node_credd(&p->n, &credd, err);
	if (!st)
		st = ask_accounts(credd, &doc, err);
	if (!st)
		st = add_leases(credd, doc, err);
	if (!st && p->n.uid_base)
		add_map(&p->n, doc);
	xos_local_free(credd);
	if (st)
		xos_json_free(doc);
	else
		*out = doc;
	return st;
}

XOS_NODE_VERB(accounts)
{
	(void)argc;
	(void)argv;
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	struct xos_json *vos = xos_json_array();
	enum xos_status st = xos_node_open_parts(&top, &parts, err);
	for (size_t i = 0; !st && i < parts->n; i++) {
		struct xos_json *doc = NULL;
		st = part_accounts(&parts->part[i], &doc, err);
		if (!st && text_of(doc, "refused"))
			cli->exit_status = 1;
		if (!st && !cli->json) {
			if (i)
				putchar('\n');
			print_rules(doc);
			print_figures(doc);
			print_leases(doc);
		}
		if (!st)
			xos_json_add(vos, doc);
	}
	if (!st && cli->json) {
		struct xos_json *all = xos_json_object();
		xos_json_set_string(all, "node", top.name);
		xos_json_set(all, "vos", xos_json_copy(vos));
		st = xos_cli_print_json(all, err);
	}
	xos_json_free(vos);
	xos_node_parts_free(parts);
	xos_node_free(&top);
	return st;
}
