/* The sets and requests that policy-bench decides with. */
#include "policy-world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOON INT64_C(1795348800) /* 2026-11-22T12:00Z */
#define SET_STATEMENTS 6000u     /* a set has at most 1 MiB of text */
#define SUBGROUPS 4u
#define CLASSES 8u
#define TAGS 16u

static uint64_t state;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

int64_t bench_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What a statement of a VO says beside who; i keeps any two apart. */
static void vo_statement(struct xos_buf *out, const char *vo, unsigned groups, unsigned i)
{
	char who[64];
	unsigned g = i % groups, sub = below(SUBGROUPS + 2);
	if (sub < SUBGROUPS)
		snprintf(who, sizeof(who), "/%s/g%u/s%u", vo, g, sub);
	else
		snprintf(who, sizeof(who), "/%s/g%u", vo, g);
	switch (below(20)) {
	default:
		xos_buf_printf(out, "permit group %s action job.submit, job.show on class:c%u;\n",
		    who, i % CLASSES);
		return;
	case 7:
	case 8:
	case 9:
		xos_buf_printf(out,
		    "permit group %s action job.submit when time in %02u:00-%02u:00 UTC "
		    "and auth.age < %uh;\n",
		    who, below(10), 13 + below(8), 4 + i % 40);
		return;
	case 10:
	case 11:
	case 12:
		xos_buf_printf(out,
		    "permit group %s action file.read, file.write on file:/%s/g%u/d%u;\n", who, vo,
		    g, i);
		return;
	case 13:
	case 14:
		xos_buf_printf(out,
		    "limit group %s action job.submit { wall <= %uh; cpu <= %u; }\n", who,
		    1 + i % 72, 1 + i % 64);
		return;
	case 15:
	case 16:
		xos_buf_printf(out,
		    "forbid @gpu-%u group %s action job.submit on tag:t%u unless role "
		    "/%s/g%u/Role=gpu because \"GPU nodes need the gpu role\" contact "
		    "\"ops@%s.example\";\n",
		    i, who, i % TAGS, vo, g, vo);
		return;
	case 17:
		xos_buf_printf(
		    out, "forbid user m%u action any because \"Locked, case %u\";\n", i, i);
		return;
	case 18:
		xos_buf_printf(out,
		    "permit group %s action session.open on class:c%u when has ctx.src and "
		    "ip(ctx.src) in {10.%u.0.0/16, 2001:db8:%x::/48};\n",
		    who, i % CLASSES, i % 256, i);
		return;
	case 19:
		xos_buf_printf(
		    out, "duty group %s action job.submit { record \"case%u\"; }\n", who, i);
		return;
	}
}

static void site_statement(
    struct xos_buf *out, const struct bench_world *w, const char *site, unsigned i)
{
	const char *vo = w->vo_names[below(w->nvos)];
	unsigned n = i % w->nodes;
	switch (below(10)) {
	default:
		xos_buf_printf(out,
		    "permit vo %s action job.submit, job.show, session.open on node:%s/n%u;\n", vo,
		    site, n);
		return;
	case 4:
		xos_buf_printf(out,
		    "permit group /%s/g%u action file.read on site:%s & class:c%u;\n", vo,
		    i % w->groups, site, i % CLASSES);
		return;
	case 5:
	case 6:
		xos_buf_printf(out,
		    "limit vo %s action job.submit on node:%s/n%u { wall <= %uh; memory <= %uGiB; "
		    "}\n",
		    vo, site, n, 2 + i % 70, 1 + i % 63);
		return;
	case 7:
		xos_buf_printf(out,
		    "forbid @night-%u vo %s action job.submit on node:%s/n%u when not (time in "
		    "0%u:00-20:00 UTC) because \"By day only\";\n",
		    i, vo, site, n, below(10));
		return;
	case 8:
		xos_buf_printf(out,
		    "forbid user %s:m%u action any on site:%s when has ctx.src and ip(ctx.src) in "
		    "{192.0.2.0/24, 198.51.100.0/24};\n",
		    vo, i, site);
		return;
	case 9:
		xos_buf_printf(out,
		    "permit group /%s/g%u/s%u action job.submit on node:%s/n%u when has job.wall "
		    "and job.wall <= %uh;\n",
		    vo, below(w->groups), below(SUBGROUPS), site, n, 1 + i % 48);
		return;
	}
}

static bool take_set(struct bench_world *w, struct xos_buf *text, int64_t *load_ns)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	xos_buf_put_str(text, "}\n");
	int64_t start = bench_now();
	enum xos_status st =
	    xos_policy_set_parse((const char *)text->p, text->n, "bench", &set, &errs);
	*load_ns += bench_now() - start;
	if (st != XOS_OK) {
		fprintf(
		    stderr, "policy-bench: line %u: %s\n", errs.list[0].line, errs.list[0].text);
		return false;
	}
	w->written += xos_policy_set_count(set);
	w->parts[w->nparts++] = (struct xos_policy_part){.set = set};
	text->n = 0;
	return true;
}

static bool make_vo(struct bench_world *w, struct xos_buf *text, unsigned v, unsigned n, int64_t *t)
{
	const char *vo = w->vo_names[v];
	xos_buf_printf(text, "vo \"%s\" serial 7 {\n", vo);
	for (unsigned i = 0; i < n; i++)
		vo_statement(text, vo, w->groups, i);
	return take_set(w, text, t);
}

static bool make_site(
    struct bench_world *w, struct xos_buf *text, unsigned s, unsigned n, int64_t *t)
{
	const char *site = w->site_names[s];
	xos_buf_printf(text, "site \"%s\" serial 3 {\n", site);
	for (unsigned i = 0; i < w->nodes; i++)
		xos_buf_printf(text, "node n%u { class c%u; tag t%u, x%u; }\n", i, i % CLASSES,
		    i % TAGS, i % 5);
	/* Each VO may use half of the classes; the rest of what is permitted is said node by node. */
	unsigned broad = w->nvos * CLASSES / 2 < n ? w->nvos * CLASSES / 2 : 0;
	for (unsigned i = 0; i < broad; i++)
		xos_buf_printf(text,
		    "permit vo %s action job.submit, session.open, file.read on class:c%u;\n",
		    w->vo_names[i % w->nvos], (i / w->nvos * 2 + i % 2) % CLASSES);
	for (unsigned i = broad; i < n; i++)
		site_statement(text, w, site, i);
	return take_set(w, text, t);
}

static bool make_nodes(struct bench_world *w, struct xos_buf *text, unsigned n, int64_t *t)
{
	/* Five statements a node, for as many nodes as that takes. */
	for (unsigned i = 0; i < n / 5; i++) {
		const char *site = w->site_names[i % w->nsites];
		unsigned node = i / w->nsites;
		if (node >= w->nodes)
			break;
		xos_buf_printf(text,
		    "node \"%s/n%u\" serial 2 {\n"
		    "limit any action job.submit { cpu <= %u; }\n"
		    "limit vo %s action job.submit { wall <= %uh; }\n"
		    "forbid vo %s action session.open when not (time in 06:00-22:00 UTC);\n"
		    "forbid user %s:m%u action any;\n"
		    "duty any action job.submit { record; }\n",
		    site, node, 4 + i % 60, w->vo_names[i % w->nvos], 1 + i % 40,
		    w->vo_names[i % w->nvos], w->vo_names[i % w->nvos], i);
		if (!take_set(w, text, t))
			return false;
	}
	return true;
}

static const char *put(struct bench_request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *put(struct bench_request *r, const char *fmt, ...)
{
	char *at = r->text + r->used;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(at, sizeof(r->text) - r->used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(r->text) - r->used)
		abort();
	r->used += (size_t)n + 1;
	return at;
}

static void draw_subject(const struct bench_world *w, struct bench_request *r)
{
	struct xos_policy_subject *s = &r->request.subject;
	s->kind = XOS_SUBJECT_MEMBER;
	s->vo = w->vo_names[below(w->nvos)];
	s->member = put(r, "m%u", below(w->groups * 40));
	s->home = put(r, "uni%u.example", below(5));
	s->ngroups = 1 + below(4);
	for (size_t i = 0; i < s->ngroups; i++) {
		unsigned g = below(w->groups);
		if (below(4))
			r->groups[i] = put(r, "/%s/g%u/s%u", s->vo, g, below(SUBGROUPS));
		else
			r->groups[i] = put(r, "/%s/g%u", s->vo, g);
		if (i == 0)
			r->roles[0] = put(r, "/%s/g%u/Role=gpu", s->vo, g);
	}
	s->nroles = below(2);
	s->groups = r->groups;
	s->roles = r->roles;
	s->auth_method = below(2) ? "krb5" : "password";
	s->auth_time = NOON - 60 * (int64_t)below(600);
	s->auth_mfa = (int)below(3) - 1;
}

static void draw_request(const struct bench_world *w, struct bench_request *r)
{
	struct xos_policy_request *q = &r->request;
	draw_subject(w, r);
	unsigned action = below(10);
	q->now = NOON + below(86400);
	q->resource.site = w->site_names[below(w->nsites)];
	q->resource.node = w->node_names[below(w->nodes)];
	q->resource.kind = "node";
	r->values[0] = (struct xos_policy_value){.name = "ctx.src",
	    .type = XOS_POLICY_IP,
	    .string = put(r, "10.%u.3.%u", below(256), below(256))};
	q->values = r->values;
	q->nvalues = 1;
	q->action = action < 6 ? "job.submit" : action < 8 ? "session.open" : "file.read";
	if (action < 6) {
		r->values[1] = (struct xos_policy_value){.name = "job.wall",
		    .type = XOS_POLICY_DURATION,
		    .number = 3600 * (1 + below(48))};
		r->values[2] = (struct xos_policy_value){
		    .name = "job.cpu", .type = XOS_POLICY_NUMBER, .number = 1 + below(32)};
		q->nvalues = 3;
	} else if (action >= 8) {
		q->resource.kind = "file";
		q->resource.id =
		    put(r, "%s/d%u/file%u", r->groups[0], below(w->groups * 40), below(1000));
	}
}

static bool name_all(struct bench_world *w)
{
	w->vo_names = calloc(w->nvos, sizeof(*w->vo_names));
	w->site_names = calloc(w->nsites, sizeof(*w->site_names));
	w->node_names = calloc(w->nodes, sizeof(*w->node_names));
	w->parts = calloc(w->nvos + w->nsites + w->nsites * w->nodes, sizeof(*w->parts));
	w->requests = calloc(BENCH_REQUESTS, sizeof(*w->requests));
	if (!w->vo_names || !w->site_names || !w->node_names || !w->parts || !w->requests)
		return false;
	for (unsigned i = 0; i < w->nvos; i++)
		snprintf(w->vo_names[i], sizeof(*w->vo_names), "vo%u", i);
	for (unsigned i = 0; i < w->nsites; i++)
		snprintf(w->site_names[i], sizeof(*w->site_names), "site%u", i);
	for (unsigned i = 0; i < w->nodes; i++)
		snprintf(w->node_names[i], sizeof(*w->node_names), "n%u", i);
	return true;
}

bool bench_world_make(struct bench_world *w, unsigned statements, unsigned levels, int64_t *load_ns)
{
	struct xos_buf text;
	bool ok = true;
	/* Half by VOs, most of the rest by sites; a twentieth on nodes. */
	unsigned nodes = levels > 2 ? statements / 20 : 0;
	unsigned sites = levels > 1 ? (statements - nodes) / 2 : 0;
	unsigned vos = statements - nodes - sites;
	state = 20261122;
	*w = (struct bench_world){.statements = statements, .levels = levels};
	w->nvos = 3 + vos / SET_STATEMENTS;
	w->nsites = 2 + sites / SET_STATEMENTS;
	w->groups = 4 + vos / w->nvos / 25;
	w->nodes = 8 + sites / w->nsites / 12;
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	*load_ns = 0;
	ok = name_all(w);
	for (unsigned i = 0; ok && i < w->nvos; i++)
		ok = make_vo(w, &text, i, vos / w->nvos, load_ns);
	for (unsigned i = 0; ok && levels > 1 && i < w->nsites; i++)
		ok = make_site(w, &text, i, sites / w->nsites, load_ns);
	ok = ok && make_nodes(w, &text, nodes, load_ns);
	for (unsigned i = 0; ok && i < BENCH_REQUESTS; i++)
		draw_request(w, &w->requests[i]);
	xos_buf_free(&text);
	return ok;
}

void bench_world_free(struct bench_world *w)
{
	for (size_t i = 0; i < w->nparts; i++)
		xos_policy_set_unref(w->parts[i].set);
	free(w->parts);
	free(w->requests);
	free(w->vo_names);
	free(w->site_names);
	free(w->node_names);
}
