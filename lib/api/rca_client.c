/* The asking half of xos-rcad: applications and the list of nodes. */
#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/rca.h"

static const char *const state_names[] = {
    [XOS_RCA_PENDING] = "pending", [XOS_RCA_APPROVED] = "approved", [XOS_RCA_DENIED] = "denied"};

const char *xos_rca_state_name(enum xos_rca_state s)
{
	return (size_t)s < sizeof(state_names) / sizeof(*state_names) ? state_names[s] : "unknown";
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status call(struct xos_client *c, const char *method, const char *vo,
    const char *what, const char *id, const struct xos_json *in, struct xos_json **out,
    struct xos_err *err)
{
	struct xos_buf path;

	xos_buf_init(&path, 1024);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, what);
	if (id)
		xos_path_encode(&path, id);
	const char *p = xos_buf_str(&path);
	enum xos_status st = p ? xos_client_json(c, method, p, in, out, err) : no_memory(err);
	if (st == XOS_OK && !*out)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_rca_apply(struct xos_client *c, const char *vo,
    const struct xos_rca_application *a, char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	struct xos_json *doc = xos_rca_application_encode(a), *answer = NULL;
	enum xos_status st = call(c, "POST", vo, "/applications", NULL, doc, &answer, err);

	if (st == XOS_OK)
		st = xos_json_copy_string(answer, "id", id, XOS_RCA_ID_LEN + 1, err);
	xos_json_free(answer);
	xos_json_free(doc);
	return st;
}

void xos_rca_outcome_free(struct xos_rca_outcome *o)
{
	if (!o)
		return;
	xos_chain_clear(&o->chain);
	for (size_t i = 0; i < o->nservices; i++)
		xos_chain_clear(&o->services[i].chain);
	free(o);
}

static enum xos_status decode_certificates(
    const struct xos_json *doc, struct xos_rca_outcome *o, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st = xos_chain_from_json(doc, "chain", &o->chain, err);

	if (st == XOS_OK)
		st = xos_json_get_array(doc, "services", XOS_RCA_SERVICES_MAX, &list, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		const struct xos_json *v = xos_json_at(list, i);

		o->nservices++;
		st = xos_json_copy_string(
		    v, "kind", o->services[i].kind, sizeof(o->services[i].kind), err);
		if (st == XOS_OK)
			st = xos_chain_from_json(v, "chain", &o->services[i].chain, err);
	}
	return st;
}

static enum xos_status decode_outcome(
    const struct xos_json *doc, struct xos_rca_outcome *o, struct xos_err *err)
{
	const char *state = NULL, *message = NULL;
	enum xos_status st = xos_json_get_string(doc, "status", 16, &state, err);

	if (st == XOS_OK)
		st = xos_json_opt_string(doc, "message", sizeof(o->message) - 1, &message, err);
	if (st != XOS_OK)
		return st;
	if (message)
		memcpy(o->message, message, strlen(message) + 1);
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
		if (strcmp(state, state_names[i]) != 0)
			continue;
		o->state = (enum xos_rca_state)i;
		return o->state == XOS_RCA_APPROVED ? decode_certificates(doc, o, err) : XOS_OK;
	}
	return xos_json_refuse(doc, err, "unknown status \"%s\"", state);
}

enum xos_status xos_rca_poll(struct xos_client *c, const char *vo, const char *id,
    struct xos_rca_outcome **out, struct xos_err *err)
{
	struct xos_rca_outcome *o = calloc(1, sizeof(*o));
	struct xos_json *answer = NULL;
	enum xos_status st =
	    o ? call(c, "GET", vo, "/applications/", id, NULL, &answer, err) : no_memory(err);

	if (st == XOS_OK)
		st = decode_outcome(answer, o, err);
	xos_json_free(answer);
	if (st != XOS_OK) {
		xos_rca_outcome_free(o);
		return st;
	}
	*out = o;
	return XOS_OK;
}

void xos_rca_nodes_free(struct xos_rca_nodes *l)
{
	if (!l)
		return;
	free(l->node);
	free(l);
}

static enum xos_status decode_note(
    const struct xos_json *v, struct xos_rca_node *n, struct xos_err *err)
{
	const char *message = NULL;
	enum xos_status st = xos_json_opt_string(v, "message", XOS_RCA_MESSAGE_MAX, &message, err);

	if (st == XOS_OK && message)
		memcpy(n->message, message, strlen(message) + 1);
	return st == XOS_OK ? xos_json_opt_time(v, "rescued", 0, &n->rescued, err) : st;
}

static enum xos_status decode_node(
    const struct xos_json *v, struct xos_rca_node *n, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_copy_string(v, "node", n->node, sizeof(n->node), err);

	if (st == XOS_OK)
		st = xos_json_copy_string(v, "site", n->site, sizeof(n->site), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "state", n->state, sizeof(n->state), err);
	if (st == XOS_OK)
		st = decode_note(v, n, err);
	if (st == XOS_OK)
		st = xos_json_get_array(v, "services", XOS_RCA_SERVICES_MAX, &list, err);
	for (; st == XOS_OK && n->nservices < xos_json_count(list); n->nservices++) {
		const struct xos_json *s = xos_json_at(list, n->nservices);

		st = xos_json_copy_string(
		    s, "kind", n->services[n->nservices].kind, sizeof(n->services[0].kind), err);
		if (st == XOS_OK)
			st = xos_json_copy_string(s, "url", n->services[n->nservices].url,
			    sizeof(n->services[0].url), err);
	}
	return st;
}

enum xos_status xos_rca_nodes_get(
    struct xos_client *c, const char *vo, struct xos_rca_nodes **out, struct xos_err *err)
{
	struct xos_rca_nodes *l = calloc(1, sizeof(*l));
	struct xos_json *answer = NULL;
	const struct xos_json *list = NULL;
	enum xos_status st =
	    l ? call(c, "GET", vo, "/nodes", NULL, NULL, &answer, err) : no_memory(err);

	if (st == XOS_OK)
		st = xos_json_get_array(answer, "nodes", 100000, &list, err);
	if (st == XOS_OK) {
		l->node = calloc(xos_json_count(list) + 1, sizeof(*l->node));
		if (!l->node)
			st = no_memory(err);
	}
	for (; st == XOS_OK && l->n < xos_json_count(list); l->n++)
		st = decode_node(xos_json_at(list, l->n), &l->node[l->n], err);
	xos_json_free(answer);
	if (st != XOS_OK) {
		xos_rca_nodes_free(l);
		return st;
	}
	*out = l;
	return XOS_OK;
}

const char *xos_rca_node_url(const struct xos_rca_node *n, const char *kind)
{
	for (size_t i = 0; i < n->nservices; i++) {
		if (strcmp(n->services[i].kind, kind) == 0 && n->services[i].url[0])
			return n->services[i].url;
	}
	return NULL;
}
