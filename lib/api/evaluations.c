#include "api/evaluations.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/decision_scan.h"
#include "pki/digest.h"

struct xos_evaluations {
	struct xos_json *doc; /* NULL: scanned is all there is */
	struct xos_decision_request *scanned;
	const struct xos_json *items; /* NULL: the document itself is the only one */
	size_t n;
	enum xos_evaluations_semantic semantic;
	enum xos_search search;
	bool brief;
	uint64_t limit;
	const char *token;
	const char *ignored[XOS_DECISION_IGNORED_MAX];
	size_t nignored;
};

static const char *const semantics[] = {
    [XOS_EVALUATIONS_ALL] = "execute_all",
    [XOS_EVALUATIONS_FIRST_DENY] = "deny_on_first_deny",
    [XOS_EVALUATIONS_FIRST_PERMIT] = "permit_on_first_permit",
};

static const char *const tuple[] = {"subject", "action", "resource", "context", NULL};

/* Appends the keys of obj that are not known to list; returns how many are in it then. */
static size_t note_unknown(
    const struct xos_json *obj, const char *const *known, const char **list, size_t n)
{
	const struct xos_json *value;
	const char *key;
	void *it = NULL;

	while (n < XOS_DECISION_IGNORED_MAX && xos_json_next(obj, &it, &key, &value)) {
		const char *const *k = known;

		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			list[n++] = key;
	}
	return n;
}

static void note(struct xos_evaluations *e, const struct xos_json *obj, const char *const *known)
{
	e->nignored = note_unknown(obj, known, e->ignored, e->nignored);
}

static enum xos_status decode_semantic(
    const struct xos_json *options, struct xos_evaluations *e, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_opt_string(options, "evaluations_semantic", 63, &text, err);

	if (st || !text)
		return st;
	for (size_t i = 0; i < sizeof(semantics) / sizeof(semantics[0]); i++) {
		if (strcmp(semantics[i], text) != 0)
			continue;
		e->semantic = (enum xos_evaluations_semantic)i;
		return XOS_OK;
	}
	return xos_json_refuse(options, err,
	    "evaluations_semantic is execute_all, deny_on_first_deny or permit_on_first_permit");
}

/* How an answer is made is never guessed: an option that is nearly one of these is refused with it. */
static enum xos_status decode_options(struct xos_evaluations *e, struct xos_err *err)
{
	static const char *const known[] = {"evaluations_semantic", "detail", NULL};
	const struct xos_json *options = NULL;
	const char *detail = NULL;
	enum xos_status st = xos_json_opt_object(e->doc, "options", &options, err);

	if (st || !options)
		return st;
	note(e, options, known);
	if (xos_json_has(options, "evaluation_semantics") ||
	    xos_json_has(options, "evaluation_semantic") ||
	    xos_json_has(options, "evaluations_semantics"))
		return xos_json_refuse(options, err, "the option's name is evaluations_semantic");
	st = decode_semantic(options, e, err);
	if (!st)
		st = xos_json_opt_string(options, "detail", 15, &detail, err);
	if (!st && detail && strcmp(detail, "brief") != 0 && strcmp(detail, "full") != 0)
		st = xos_json_refuse(options, err, "detail is \"full\" or \"brief\"");
	e->brief = !st && detail && strcmp(detail, "brief") == 0;
	return st;
}

static enum xos_status decode_page(struct xos_evaluations *e, struct xos_err *err)
{
	static const char *const known[] = {"token", "limit", "properties", NULL};
	const struct xos_json *page = NULL, *props = NULL;
	enum xos_status st = xos_json_opt_object(e->doc, "page", &page, err);

	e->limit = XOS_SEARCH_PAGE_MAX;
	e->token = "";
	if (st || !page)
		return st;
	note(e, page, known);
	st = xos_json_opt_object(page, "properties", &props, err);
	if (!st && xos_json_count(props))
		st = xos_json_refuse(props, err, "pages have no properties here");
	if (!st)
		st = xos_json_opt_uint64(page, "limit", INT64_MAX, e->limit, &e->limit, err);
	if (!st && xos_json_has(page, "token"))
		st = xos_json_get_string(page, "token", XOS_SEARCH_TOKEN_MAX, &e->token, err);
	if (e->limit > XOS_SEARCH_PAGE_MAX || e->limit == 0)
		e->limit = XOS_SEARCH_PAGE_MAX;
	return st;
}

enum xos_status xos_evaluation_decode(
    struct xos_bytes in, enum xos_search search, struct xos_evaluations **out, struct xos_err *err)
{
	static const char *const searched[] = {
	    "subject", "action", "resource", "context", "page", NULL};
	struct xos_evaluations *e = calloc(1, sizeof(*e));

	if (!e)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	e->n = 1;
	e->search = search;
	e->token = "";
	enum xos_status st = XOS_OK;
	if (search == XOS_SEARCH_NOTHING)
		e->scanned = xos_decision_request_scan(in);
	if (!e->scanned)
		st = xos_json_parse(in, XOS_EVALUATION_BODY_MAX, &e->doc, err);
	if (!st && e->doc)
		st = xos_json_as_object(e->doc, err);
	if (!st && e->doc)
		note(e, e->doc, search == XOS_SEARCH_NOTHING ? tuple : searched);
	if (!st && search != XOS_SEARCH_NOTHING)
		st = decode_page(e, err);
	if (st)
		xos_evaluations_free(e);
	else
		*out = e;
	return st;
}

enum xos_status xos_evaluations_decode(
    struct xos_bytes in, struct xos_evaluations **out, struct xos_err *err)
{
	static const char *const known[] = {
	    "subject", "action", "resource", "context", "evaluations", "options", NULL};
	struct xos_evaluations *e = calloc(1, sizeof(*e));

	if (!e)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	e->token = "";
	enum xos_status st = xos_json_parse(in, XOS_EVALUATIONS_BODY_MAX, &e->doc, err);
	if (!st)
		st = xos_json_as_object(e->doc, err);
	if (!st)
		st = xos_json_opt_array(e->doc, "evaluations", XOS_EVALUATIONS_MAX, &e->items, err);
	if (!st) {
		note(e, e->doc, known);
		st = decode_options(e, err);
	}
	e->n = xos_json_count(e->items);
	if (e->n == 0) {
		e->items = NULL;
		e->n = 1;
	}
	if (st)
		xos_evaluations_free(e);
	else
		*out = e;
	return st;
}

void xos_evaluations_free(struct xos_evaluations *e)
{
	if (!e)
		return;
	xos_decision_request_free(e->scanned);
	xos_json_free(e->doc);
	free(e);
}

bool xos_evaluations_many(const struct xos_evaluations *e)
{
	return e->items != NULL;
}

size_t xos_evaluations_count(const struct xos_evaluations *e)
{
	return e->n;
}

enum xos_evaluations_semantic xos_evaluations_semantic(const struct xos_evaluations *e)
{
	return e->semantic;
}

bool xos_evaluations_brief(const struct xos_evaluations *e)
{
	return e->brief;
}

size_t xos_evaluations_limit(const struct xos_evaluations *e)
{
	return (size_t)e->limit;
}

const char *xos_evaluations_token(const struct xos_evaluations *e)
{
	return e->token;
}

enum xos_status xos_evaluations_digest(
    const struct xos_evaluations *e, uint8_t out[32], struct xos_err *err)
{
	static const char *const keys[] = {"subject", "action", "resource", "context"};
	struct xos_buf text;
	enum xos_status st = XOS_OK;

	xos_buf_init(&text, 2 * XOS_EVALUATION_BODY_MAX);
	xos_buf_u8(&text, (uint8_t)e->search);
	xos_buf_u64(&text, e->limit);
	for (size_t i = 0; !st && i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct xos_json *v = NULL;

		xos_buf_u8(&text, (uint8_t)i);
		st = xos_json_opt_object(e->doc, keys[i], &v, err);
		if (!st && v)
			st = xos_json_dump(v, &text, err);
	}
	if (!st)
		st = xos_sha256(xos_buf_bytes(&text), out);
	xos_buf_free(&text);
	return st;
}

enum xos_status xos_evaluations_item(
    struct xos_evaluations *e, size_t i, struct xos_decision_request **out, struct xos_err *err)
{
	const struct xos_json *item = e->items ? xos_json_at(e->items, i) : e->doc;
	const struct xos_decision_parts parts = {
	    .item = item,
	    .defaults = e->items ? e->doc : NULL,
	    .authzen = true,
	    .any_subject = e->search == XOS_SEARCH_SUBJECT,
	    .any_action = e->search == XOS_SEARCH_ACTION,
	    .any_resource = e->search == XOS_SEARCH_RESOURCE,
	};

	if (e->scanned) {
		*out = e->scanned;
		e->scanned = NULL; /* the caller's now */
		return XOS_OK;
	}
	enum xos_status st = xos_json_as_object(item, err);
	if (!st)
		st = xos_decision_request_from(&parts, out, err);
	if (!st && e->items)
		(*out)->nignored = note_unknown(item, tuple, (*out)->ignored, (*out)->nignored);
	return st;
}

size_t xos_evaluations_ignored(const struct xos_evaluations *e,
    const struct xos_decision_request *r, const char **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < e->nignored && n < max; i++)
		out[n++] = e->ignored[i];
	for (size_t i = 0; i < r->nignored && n < max; i++)
		out[n++] = r->ignored[i];
	return n;
}

const struct xos_json *xos_evaluations_subject(const struct xos_decision_request *r)
{
	return r->subject;
}

enum xos_status xos_evaluations_chain(
    const struct xos_decision_request *r, struct xos_chain *out, struct xos_err *err)
{
	const struct xos_json *props = NULL;
	enum xos_status st = XOS_OK;

	if (r->subject)
		st = xos_json_opt_object(r->subject, "properties", &props, err);
	if (st || !props || !xos_json_has(props, "chain"))
		return st;
	return xos_chain_from_json(props, "chain", out, err);
}
