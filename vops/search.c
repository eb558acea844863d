#include "vops/search.h"

#include <string.h>

#include "base/text.h"
#include "json/write.h"
#include "pki/digest.h"
#include "pki/kdf.h"

#define TAG_LEN 16
#define TOKEN_LEN (2 * (8 + TAG_LEN)) /* hexadecimal digits */

struct search {
	struct vops_judge *j;
	struct vops_view *v;
	enum xos_search what;
	struct xos_decision_request *r;
	size_t n; /* candidates */
	const struct vops_place *places;
	const struct xos_policy_action *actions;
};

/* --- tokens --- */

static enum xos_status tag(const struct vops_search_key *key, const struct xos_evaluations *e,
    const char *caller, uint64_t at, uint8_t out[XOS_SHA256_LEN], struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN], position[8];
	enum xos_status st = xos_evaluations_digest(e, digest, err);

	for (int i = 0; i < 8; i++)
		position[i] = (uint8_t)(at >> (56 - 8 * i));
	const struct xos_bytes parts[] = {
	    {digest, sizeof(digest)}, {position, sizeof(position)}, xos_bytes_str(caller)};
	if (st == XOS_OK)
		st = xos_hmac_sha256(
		    (struct xos_bytes){key->bytes, sizeof(key->bytes)}, parts, 3, out);
	if (st != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "page-token", "a page token failed");
	return XOS_OK;
}

static enum xos_status token_make(const struct vops_search_key *key,
    const struct xos_evaluations *e, const char *caller, uint64_t at, char out[TOKEN_LEN + 1],
    struct xos_err *err)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t mac[XOS_SHA256_LEN];
	enum xos_status st = tag(key, e, caller, at, mac, err);

	for (int i = 0; i < 8 + TAG_LEN; i++) {
		uint8_t b = i < 8 ? (uint8_t)(at >> (56 - 8 * i)) : mac[i - 8];

		out[2 * i] = digits[b >> 4];
		out[2 * i + 1] = digits[b & 15];
	}
	out[TOKEN_LEN] = '\0';
	return st;
}

static enum xos_status bad_token(struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "page-token",
	    "the page token is of another search, or of before a restart: begin anew, without one");
}

/* Made again from the position that it states: whoever changes a digit of either is found out. */
static enum xos_status token_read(const struct vops_search_key *key,
    const struct xos_evaluations *e, const char *caller, uint64_t *at, struct xos_err *err)
{
	const char *text = xos_evaluations_token(e);
	char again[TOKEN_LEN + 1];
	unsigned differs = 0;

	*at = 0;
	if (!text[0])
		return XOS_OK;
	if (strlen(text) != TOKEN_LEN)
		return bad_token(err);
	for (int i = 0; i < 16; i++) {
		char c = text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return bad_token(err);
		*at = *at << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	enum xos_status st = token_make(key, e, caller, *at, again, err);
	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < TOKEN_LEN; i++)
		differs |= (unsigned)(again[i] ^ text[i]);
	return differs ? bad_token(err) : XOS_OK;
}

/* --- candidates --- */

static enum xos_status candidates(
    struct search *s, const struct xos_identity *caller, struct xos_err *err)
{
	const char *kind = xos_decision_request_get(s->r)->resource.kind;

	switch (s->what) {
	case XOS_SEARCH_SUBJECT:
		if (caller->claims->kind == XOS_KIND_USER)
			return xos_err_set(err, XOS_DENIED, "not-yours",
			    "who may do something is told to nodes and services only");
		s->n = s->v->membership ? xos_membership_count(s->v->membership) : 0;
		return XOS_OK;
	case XOS_SEARCH_ACTION:
		s->actions = xos_policy_actions(&s->n);
		return XOS_OK;
	case XOS_SEARCH_RESOURCE:
		s->places = strcmp(kind, "site") == 0 ? s->v->sites : s->v->nodes;
		s->n = strcmp(kind, "site") == 0 ? s->v->nsites : s->v->nnodes;
		return XOS_OK;
	case XOS_SEARCH_NOTHING:
		break;
	}
	return xos_err_set(err, XOS_INTERNAL, "search", "nothing to search for");
}

static enum xos_status attempt(
    struct search *s, size_t i, struct vops_verdict *v, struct xos_err *err)
{
	const struct vops_candidate c = {
	    .action = s->what == XOS_SEARCH_ACTION ? s->actions[i].name : NULL,
	    .place = s->what == XOS_SEARCH_RESOURCE ? &s->places[i] : NULL,
	    .member = s->what == XOS_SEARCH_SUBJECT ? xos_membership_at(s->v->membership, i) : NULL,
	};
	return vops_judge_try(s->j, s->r, &c, v, err);
}

static void put_id(struct xos_json_writer *w, const char *a, const char *between, const char *b)
{
	char id[XOS_NODE_MAX + XOS_VO_MAX + XOS_SITE_MAX + XOS_MEMBER_MAX + 4];

	(void)!xos_str_printf(id, sizeof(id), "%s%s%s", a, between, b);
	xos_json_write_text(w, "id", id);
}

static void put(const struct search *s, size_t i, struct xos_json_writer *w)
{
	xos_json_write_open(w, NULL, '{');
	if (s->what == XOS_SEARCH_ACTION) {
		xos_json_write_text(w, "name", s->actions[i].name);
	} else if (s->what == XOS_SEARCH_SUBJECT) {
		put_id(w, s->v->vo, ":", xos_membership_at(s->v->membership, i)->name);
		xos_json_write_text(w, "type", "user");
	} else {
		const struct vops_place *p = &s->places[i];

		put_id(w, p->site, p->node ? "/" : "", p->node ? p->node : "");
		xos_json_write_text(w, "type", p->node ? "node" : "site");
	}
	xos_json_write_close(w, '}');
}

/* Walks from at until the page is full, the work is done or nothing is left; gives where it stopped. */
static enum xos_status walk(struct search *s, uint64_t *at, size_t limit, struct xos_json_writer *w,
    size_t *found, struct vops_verdict *v, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	*found = 0;
	for (size_t work = 0;
	     st == XOS_OK && *at < s->n && *found < limit && work < VOPS_SEARCH_WORK;
	     work++, (*at)++) {
		st = attempt(s, (size_t)*at, v, err);
		if (st == XOS_OK && v->permitted) {
			put(s, (size_t)*at, w);
			(*found)++;
		}
	}
	return st;
}

static void put_context(const struct search *s, const struct xos_evaluations *e,
    const struct vops_verdict *v, struct xos_json_writer *w)
{
	const char *ignored[16];
	size_t n = xos_evaluations_ignored(e, s->r, ignored, 16);

	xos_json_write_open(w, "context", '{');
	xos_json_write_text(w, "basis", s->what == XOS_SEARCH_SUBJECT ? "membership" : v->basis);
	if (n)
		xos_json_write_texts(w, "ignored", ignored, n);
	if (s->v->until)
		xos_json_write_time(w, "valid_until", s->v->until);
	xos_json_write_close(w, '}');
}

static enum xos_status run(struct search *s, const struct vops_search_key *key,
    const struct xos_identity *caller, struct xos_evaluations *e, struct xos_buf *out,
    struct xos_err *err)
{
	struct xos_buf results;
	struct xos_json_writer w;
	struct vops_verdict v = {.basis = NULL};
	char next[TOKEN_LEN + 1] = "";
	uint64_t at = 0;
	size_t found = 0;

	xos_buf_init(&results, 4u * 1024 * 1024);
	xos_json_writer_init(&w, &results);
	enum xos_status st = token_read(key, e, caller->uri, &at, err);
	if (st == XOS_OK)
		st = walk(s, &at, xos_evaluations_limit(e), &w, &found, &v, err);
	if (st == XOS_OK && at < s->n)
		st = token_make(key, e, caller->uri, at, next, err);
	if (st == XOS_OK) {
		xos_json_writer_init(&w, out);
		xos_json_write_open(&w, NULL, '{');
		xos_json_write_open(&w, "page", '{');
		xos_json_write_int(&w, "count", (int64_t)found);
		xos_json_write_text(&w, "next_token", next);
		xos_json_write_close(&w, '}');
		put_context(s, e, &v, &w);
		xos_json_write_open(&w, "results", '[');
		xos_buf_put(out, results.p, results.n);
		xos_json_write_close(&w, ']');
		xos_json_write_close(&w, '}');
		st = xos_buf_status(&results) == XOS_OK ? xos_buf_status(out) : XOS_LIMIT;
		if (st != XOS_OK)
			xos_err_set(err, XOS_INTERNAL, "search", "the results do not fit");
	}
	xos_buf_free(&results);
	return st;
}

enum xos_status vops_search(struct vops_judge *j, struct vops_view *v,
    const struct vops_search_key *key, const struct xos_identity *caller, enum xos_search what,
    struct xos_evaluations *e, struct xos_buf *out, struct xos_err *err)
{
	struct search s = {.j = j, .v = v, .what = what};
	enum xos_status st = xos_evaluations_item(e, 0, &s.r, err);

	if (st == XOS_OK)
		st = candidates(&s, caller, err);
	if (st == XOS_OK)
		st = run(&s, key, caller, e, out, err);
	xos_decision_request_free(s.r);
	return st;
}
