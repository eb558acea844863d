/*
 * The caps that are sets of networks. Both are kept as the canonical texts of their prefixes, in the order of the prefixes, like
 * other sets of names. `networks` is what may be reached: limits meet in what all of them leave, and where that is nothing the
 * rest is "closed", which can be enforced; so it never refuses. `closed_networks` is what may not be reached: limits unite.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/parser.h"
#include "policy/run.h"

#define CLOSED "closed"

struct network {
	struct xos_policy_ip ip;
	const char *text;
};

static bool closed(const char *const *names, size_t n)
{
	return n == 1 && strcmp(names[0], CLOSED) == 0;
}

/* ---- reading ---- */

static const char *canonical(struct xos_policy_memory *memory, const struct xos_policy_ip *ip)
{
	struct xos_buf text;

	xos_buf_init(&text, 64);
	xos_policy_ip_print(&text, ip);
	const char *s = xos_buf_str(&text)
	                    ? xos_policy_memory_string(memory, (const char *)text.p, text.n)
	                    : NULL;
	xos_buf_free(&text);
	return s;
}

bool xos_parser_networks(struct xos_policy_parser *p, struct xos_policy_cap_value *v)
{
	static const char usage[] =
	    "write networks in {10.0.0.0/8, 2001:db8::/32}, or networks closed";
	struct xos_names list = {.kind = XOS_NAMES_PREFIXES};
	bool nothing = v->cap == XOS_CAP_NETWORKS && xos_parser_accept(p, CLOSED);

	if (!nothing && (!xos_parser_expect(p, "in", usage) || !xos_parser_list(p, &list)))
		return false;
	v->n = nothing ? 1 : list.n;
	v->names = xos_policy_memory_take(p->set->memory, v->n * sizeof(*v->names));
	if (!v->names)
		return xos_parser_memory(p);
	if (nothing)
		v->names[0] = CLOSED;
	for (size_t i = 0; !nothing && i < v->n; i++)
		if (!(v->names[i] = canonical(p->set->memory, &list.u.prefixes[i])))
			return xos_parser_memory(p);
	return true;
}

bool xos_networks_ok(const struct xos_policy_cap_value *v)
{
	struct xos_policy_ip ip, before;
	struct xos_buf text;
	bool ok = true;

	if (v->cap == XOS_CAP_NETWORKS && closed(v->names, v->n))
		return true;
	for (size_t i = 0; ok && i < v->n; i++, before = ip) {
		xos_buf_init(&text, 64);
		ok = v->names[i] && xos_policy_prefix_parse(v->names[i], &ip);
		if (ok)
			xos_policy_ip_print(&text, &ip);
		ok = ok && xos_buf_str(&text) && strcmp(xos_buf_str(&text), v->names[i]) == 0 &&
		     (i == 0 || xos_policy_prefix_order(&before, &ip) < 0);
		xos_buf_free(&text);
	}
	return ok;
}

/* ---- meeting ---- */

static struct network *read_all(struct xos_run *r, const char *const *names, size_t n)
{
	struct network *list = xos_policy_memory_take(r->memory, (n + 1) * sizeof(*list));

	for (size_t i = 0; list && i < n; i++) {
		list[i].text = names[i];
		if (!xos_policy_prefix_parse(names[i], &list[i].ip))
			return NULL;
	}
	return list;
}

static int network_order(const void *a, const void *b)
{
	const struct network *x = a, *y = b;

	return xos_policy_prefix_order(&x->ip, &y->ip);
}

/* The one that lies in the other; NULL: they have nothing in common. */
static const struct network *inner(const struct network *a, const struct network *b)
{
	if (a->ip.length <= b->ip.length)
		return xos_policy_prefix_has(&a->ip, &b->ip) ? b : NULL;
	return xos_policy_prefix_has(&b->ip, &a->ip) ? a : NULL;
}

/* Into out, which has room for most; how many, most + 1 if there are more. */
static size_t intersect(const struct network *a, size_t n, const struct network *b, size_t m,
    struct network *out, size_t most)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++) {
			const struct network *one = inner(&a[i], &b[j]);

			if (!one)
				continue;
			if (kept == most) {
				kept = xos_policy_unique(out, kept, sizeof(*out), network_order);
				if (kept == most)
					return most + 1;
			}
			out[kept++] = *one;
		}
	return xos_policy_unique(out, kept, sizeof(*out), network_order);
}

static size_t unite(const struct network *a, size_t n, const struct network *b, size_t m,
    struct network *out, size_t most)
{
	if (n + m > most)
		return most + 1;
	memcpy(out, a, n * sizeof(*a));
	memcpy(out + n, b, m * sizeof(*b));
	return xos_policy_unique(out, n + m, sizeof(*out), network_order);
}

static void keep_all(struct xos_run *r, struct xos_policy_limit *l, const struct network *list,
    size_t n, const struct xos_policy_statement *s)
{
	const char **names = xos_policy_memory_take(r->memory, (n + 1) * sizeof(*names));
	bool same = n == l->nnames;

	if (!names) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		names[i] = list[i].text;
		same = same && strcmp(names[i], l->names[i]) == 0;
	}
	if (n == 0) {
		names[n++] = CLOSED;
		same = false;
	}
	if (!same)
		l->from = s;
	l->names = names;
	l->nnames = n;
}

void xos_merge_networks(struct xos_run *r, struct xos_policy_limit *l,
    const struct xos_policy_cap_value *v, const struct xos_policy_statement *s)
{
	const size_t most = 2 * (size_t)XOS_POLICY_VALUES_IN_SET;

	if (!l->from) {
		*l = (struct xos_policy_limit){
		    .cap = v->cap, .from = s, .names = v->names, .nnames = v->n};
		return;
	}
	if (closed(l->names, l->nnames))
		return;
	if (closed(v->names, v->n)) {
		keep_all(r, l, NULL, 0, s);
		return;
	}
	struct network *a = read_all(r, l->names, l->nnames), *b = read_all(r, v->names, v->n);
	struct network *out = xos_policy_memory_take(r->memory, most * sizeof(*out));
	if (!a || !b || !out) {
		r->failed = true;
		return;
	}
	size_t n = v->cap == XOS_CAP_NETWORKS ? intersect(a, l->nnames, b, v->n, out, most)
	                                      : unite(a, l->nnames, b, v->n, out, most);
	/* More than anybody enforces: not decided, and so refused. */
	if (n > XOS_POLICY_VALUES_IN_SET)
		r->failed = true;
	else
		keep_all(r, l, out, n, s);
}
