#ifndef XOS_API_EVALUATIONS_H
#define XOS_API_EVALUATIONS_H

#include "api/decision.h"
#include "json/json.h"
#include "pki/cert.h"

/*
 * Requests of the OpenID AuthZEN Authorization API 1.0 over HTTPS: one evaluation, many, and the three
 * searches. docs/protocols/authzen.md. The objects are those of decision.h, read as AuthZEN wants it:
 * members that nobody knows are noted and told in the answer (10.1.1); in the context, only names without a
 * dot, which no attribute has. What could matter to a policy and is not known stays MALFORMED, as do a doubled
 * member, a null and a wrong type. A subject may bring one property, "chain": its certificates.
 */
#define XOS_EVALUATIONS_BODY_MAX (4u * 1024 * 1024) /* bytes */
#define XOS_EVALUATIONS_MAX 10000u                  /* items of one request */
#define XOS_EVALUATION_BODY_MAX 131072u             /* bytes of one evaluation or search */
#define XOS_SEARCH_PAGE_MAX 1000u                   /* results of one page */
#define XOS_SEARCH_TOKEN_MAX 128u                   /* characters */

enum xos_evaluations_semantic {
	XOS_EVALUATIONS_ALL,          /* "execute_all" */
	XOS_EVALUATIONS_FIRST_DENY,   /* "deny_on_first_deny": up to and with the first refusal */
	XOS_EVALUATIONS_FIRST_PERMIT, /* "permit_on_first_permit" */
};

enum xos_search { XOS_SEARCH_NOTHING, XOS_SEARCH_SUBJECT, XOS_SEARCH_ACTION, XOS_SEARCH_RESOURCE };

/* A request, parsed as a document; its items are decoded one by one. */
struct xos_evaluations;

/* Of POST evaluations. Without an array, or with an empty one, it is one evaluation, and `many` is false. */
XOS_MUST_USE enum xos_status xos_evaluations_decode(
    struct xos_bytes in, struct xos_evaluations **out, struct xos_err *err);
/* Of POST evaluation (search NOTHING) and of the searches. */
XOS_MUST_USE enum xos_status xos_evaluation_decode(
    struct xos_bytes in, enum xos_search search, struct xos_evaluations **out, struct xos_err *err);
void xos_evaluations_free(struct xos_evaluations *e); /* NULL-safe */

bool xos_evaluations_many(const struct xos_evaluations *e);
size_t xos_evaluations_count(const struct xos_evaluations *e);
enum xos_evaluations_semantic xos_evaluations_semantic(const struct xos_evaluations *e);
bool xos_evaluations_brief(const struct xos_evaluations *e); /* options.detail is "brief" */
/* Of a search: results of a page, 1 to XOS_SEARCH_PAGE_MAX; token "" for the first page. */
size_t xos_evaluations_limit(const struct xos_evaluations *e);
const char *xos_evaluations_token(const struct xos_evaluations *e);
/* SHA-256 over all of a search's request but the page: what a token is good for. */
XOS_MUST_USE enum xos_status xos_evaluations_digest(
    const struct xos_evaluations *e, uint8_t out[32], struct xos_err *err);

/*
  * Item i with the defaults of the request; each once. *out is the caller's and borrows from e. MALFORMED says
 * where. What is searched for is left empty: of a subject only the kind, of a resource only the kind is there.
 */
XOS_MUST_USE enum xos_status xos_evaluations_item(
    struct xos_evaluations *e, size_t i, struct xos_decision_request **out, struct xos_err *err);
/* Members that were ignored in the request as a whole, and in this item. Borrowed. */
size_t xos_evaluations_ignored(const struct xos_evaluations *e,
    const struct xos_decision_request *r, const char **out, size_t max);
/* Items that name their subject by the defaults give the same pointer; NULL: a request that was scanned. */
const struct xos_json *xos_evaluations_subject(const struct xos_decision_request *r);
/* The chain that the item's subject brought; n 0: none. *out is zeroed by the caller or cleared before. */
XOS_MUST_USE enum xos_status xos_evaluations_chain(
    const struct xos_decision_request *r, struct xos_chain *out, struct xos_err *err);

/* --- the asking half --- */

/*
 * One request about many nodes, in as many exchanges as it takes. req says all but the resource; each node is
 * "site/node". answered: in the order of nodes, for every one of them; the answer is borrowed. The answers are brief.
 * The client's body_max must allow XOS_EVALUATIONS_ANSWER_MAX.
 */
#define XOS_EVALUATIONS_ANSWER_MAX (16u * 1024 * 1024)
typedef enum xos_status (*xos_evaluations_answered)(
    void *ctx, size_t i, const struct xos_decision_answer *answer, struct xos_err *err);
struct xos_client;
XOS_MUST_USE enum xos_status xos_evaluations_ask(struct xos_client *c,
    const struct xos_policy_request *req, const char *const *nodes, size_t n,
    xos_evaluations_answered answered, void *ctx, struct xos_err *err);

#endif
