/* What the owner of a site says about accounts: slices of uids, uids for single jobs, homes, gids of groups. */
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "policy/parser.h"

/*
 * Numbers that must never be given to a VO's members (https://systemd.io/UIDS-GIDS, login.defs(5)): those
 * of the system and of its local users, those that systemd gives to dynamic users and containers,
 * those that useradd hands out in /etc/subuid, the overflow uid, and what is not a valid uid or is
 * negative where an old program takes it for an int.
 */
static const struct {
	uint32_t first, last;
	const char *what;
} taken[] = {
    {0, 999, "system accounts"},
    {1000, 60000, "local accounts"},
    {60001, 65535, "systemd and the overflow uid"},
    {100000, 600100000, "subordinate uids (/etc/subuid)"},
    {524288, 1879048191, "systemd's containers"},
    {2147483648u, 4294967295u, "numbers that many programs take for negative"},
};

static const char usage[] = "write accounts vo demo uid 1900000000-1900999999;";
static const char usage_group[] = "write accounts vo demo group /demo/physics gid 1950000001;";
static const char usage_home[] =
    "write home none, or home \"/home/%\": the account's name stands in place of the %";

static bool free_range(struct xos_policy_parser *p, const char *what, uint64_t lo, uint64_t hi)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (lo <= taken[i].last && hi >= taken[i].first)
			return xos_parser_error(p, NULL,
			    "1879048192-2147483647 is free on every Linux",
			    "%s %llu-%llu belong to %s", what, (unsigned long long)lo,
			    (unsigned long long)hi, taken[i].what);
	return true;
}

static bool parse_range(struct xos_policy_parser *p, uint32_t *from, uint32_t *to)
{
	char first[16] = "", last[16] = "";
	uint64_t lo = 0, hi = 0;
	const char *dash = strchr(p->word, '-');
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (dash && (size_t)(dash - p->word) < sizeof(first) && strlen(dash + 1) < sizeof(last)) {
		memcpy(first, p->word, (size_t)(dash - p->word));
		memcpy(last, dash + 1, strlen(dash + 1) + 1);
	}
	if (!xos_parse_u64(first, UINT32_MAX, &lo) || !xos_parse_u64(last, UINT32_MAX, &hi) ||
	    lo > hi)
		return xos_parser_error(p, NULL, usage, "'%.60s' is not a range of uids", p->word);
	if (!free_range(p, "uids", lo, hi))
		return false;
	*from = (uint32_t)lo;
	*to = (uint32_t)hi;
	xos_parser_next(p);
	return true;
}

/* The account's name is the whole last component, so that no name reaches out of the folder that the owner named. */
static bool home_ok(const char *s)
{
	size_t n = strlen(s);
	return n > 2 && strcmp(s + n - 2, "/%") == 0 && strchr(s, '%') == s + n - 1 &&
	       xos_policy_path_ok(s);
}

static bool parse_home(struct xos_policy_parser *p, const char **home)
{
	struct xos_policy_token at = p->t;
	if (xos_parser_accept(p, "none"))
		return true;
	if (!xos_parser_string(p, XOS_POLICY_HOME_MAX, "the folder of homes", home))
		return false;
	for (const char *c = *home; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == ':' || (unsigned char)*c >= 0x7f)
			return xos_parser_error(p, &at, usage_home,
			    "blanks, colons and letters beyond ASCII do not go into passwd(5)");
	if (!home_ok(*home))
		return xos_parser_error(p, &at, usage_home,
		    "'%s' is not an absolute path whose last part is a single %%", *home);
	return true;
}

static bool parse_slice(struct xos_policy_parser *p, const char *vo)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_accounts a = {.vo = vo};
	if (!parse_range(p, &a.first, &a.last))
		return false;
	if (xos_parser_accept(p, "jobs") && !parse_range(p, &a.jobs_first, &a.jobs_last))
		return false;
	if (xos_parser_accept(p, "home") && !parse_home(p, &a.home))
		return false;
	if (!xos_parser_expect(p, ";", "a statement ends with ';'"))
		return false;
	set->accounts =
	    xos_policy_memory_grow(set->memory, set->accounts, set->naccounts, sizeof(a));
	if (!set->accounts) {
		set->naccounts = 0;
		return xos_parser_memory(p);
	}
	set->accounts[set->naccounts++] = a;
	return true;
}

static bool parse_group(struct xos_policy_parser *p, const char *vo)
{
	struct xos_policy_set *set = p->set;
	struct xos_policy_account_group g = {.vo = vo};
	uint64_t gid = 0;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_group(p->word) ||
	    !xos_fqan_in_vo(p->word, vo))
		return xos_parser_error(
		    p, NULL, usage_group, "'%.60s' is not a group of VO %s", p->word, vo);
	if (!(g.group = xos_parser_keep(p)))
		return false;
	xos_parser_next(p);
	if (!xos_parser_expect(p, "gid", usage_group))
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_parse_u64(p->word, UINT32_MAX, &gid))
		return xos_parser_error(p, NULL, usage_group, "'%.60s' is not a gid", p->word);
	if (!free_range(p, "gids", gid, gid))
		return false;
	g.gid = (uint32_t)gid;
	xos_parser_next(p);
	if (!xos_parser_expect(p, ";", "a statement ends with ';'"))
		return false;
	if (set->ngroups == XOS_POLICY_ACCOUNT_GROUPS_MAX)
		return xos_parser_error(
		    p, NULL, NULL, "more than %u groups with gids", XOS_POLICY_ACCOUNT_GROUPS_MAX);
	set->groups = xos_policy_memory_grow(set->memory, set->groups, set->ngroups, sizeof(g));
	if (!set->groups) {
		set->ngroups = 0;
		return xos_parser_memory(p);
	}
	set->groups[set->ngroups++] = g;
	return true;
}

bool xos_parser_accounts(struct xos_policy_parser *p)
{
	const char *vo;
	xos_parser_next(p);
	if (!xos_parser_expect(p, "vo", usage))
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_name_is_vo(p->word))
		return xos_parser_error(p, NULL, usage, "'%.60s' is not the name of a VO", p->word);
	if (!(vo = xos_parser_keep(p)))
		return false;
	xos_parser_next(p);
	if (xos_parser_accept(p, "group"))
		return parse_group(p, vo);
	return xos_parser_expect(p, "uid", usage) && parse_slice(p, vo);
}

static int by_vo(const void *a, const void *b)
{
	const struct xos_policy_accounts *x = a, *y = b;
	return strcmp(x->vo, y->vo);
}

static int by_first(const void *a, const void *b)
{
	const struct xos_policy_accounts *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int by_group(const void *a, const void *b)
{
	const struct xos_policy_account_group *x = a, *y = b;
	return strcmp(x->group, y->group); /* begins with the VO */
}

/* Every range that some line of the set hands out. */
struct range {
	uint32_t first, last;
	const char *vo, *what;
};

static int by_range(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void check_ranges(struct xos_policy_parser *p)
{
	const struct xos_policy_set *set = p->set;
	size_t n = 0;
	struct range *all = calloc(2 * set->naccounts + set->ngroups + 1, sizeof(*all));
	if (!all) {
		xos_parser_memory(p);
		return;
	}
	for (size_t i = 0; i < set->naccounts; i++) {
		const struct xos_policy_accounts *a = &set->accounts[i];
		all[n++] = (struct range){a->first, a->last, a->vo, "slices of uids"};
		if (a->jobs_first)
			all[n++] =
			    (struct range){a->jobs_first, a->jobs_last, a->vo, "uids of jobs"};
	}
	for (size_t i = 0; i < set->ngroups; i++)
		all[n++] = (struct range){
		    set->groups[i].gid, set->groups[i].gid, set->groups[i].vo, "gids of groups"};
	qsort(all, n, sizeof(*all), by_range);
	for (size_t i = 1; i < n; i++) {
		if (all[i].first <= all[i - 1].last && strcmp(all[i].what, all[i - 1].what) == 0)
			xos_parser_error(p, NULL, "a number belongs to one VO and one use only",
			    "the %s of %s and %s overlap", all[i].what, all[i - 1].vo, all[i].vo);
		else if (all[i].first <= all[i - 1].last)
			xos_parser_error(p, NULL, "a number belongs to one VO and one use only",
			    "%u: the %s of %s and the %s of %s overlap", all[i].first,
			    all[i - 1].what, all[i - 1].vo, all[i].what, all[i].vo);
		/* What contains the next may contain those after it as well. */
		if (all[i].last < all[i - 1].last)
			all[i].last = all[i - 1].last;
	}
	free(all);
}

static bool has_slice(const struct xos_policy_set *set, const char *vo)
{
	for (size_t i = 0; i < set->naccounts; i++)
		if (strcmp(set->accounts[i].vo, vo) == 0)
			return true;
	return false;
}

void xos_parser_check_accounts(struct xos_policy_parser *p)
{
	struct xos_policy_set *set = p->set;
	if (set->naccounts)
		qsort(set->accounts, set->naccounts, sizeof(*set->accounts), by_vo);
	for (size_t i = 1; i < set->naccounts; i++)
		if (strcmp(set->accounts[i - 1].vo, set->accounts[i].vo) == 0)
			xos_parser_error(p, NULL, "a member's uid must never be ambiguous",
			    "VO %s has a slice of uids already", set->accounts[i].vo);
	if (set->naccounts)
		qsort(set->accounts, set->naccounts, sizeof(*set->accounts), by_first);
	if (set->ngroups)
		qsort(set->groups, set->ngroups, sizeof(*set->groups), by_group);
	for (size_t i = 0; i < set->ngroups; i++) {
		if (i && strcmp(set->groups[i - 1].group, set->groups[i].group) == 0)
			xos_parser_error(p, NULL, "a group has one gid",
			    "group %s has a gid already", set->groups[i].group);
		if (!has_slice(set, set->groups[i].vo))
			xos_parser_error(p, NULL, usage,
			    "group %s has a gid, and the members of VO %s have no uids",
			    set->groups[i].group, set->groups[i].vo);
	}
	check_ranges(p);
}
