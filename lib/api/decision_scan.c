/* Requests as services send them, read in one pass with one allocation. */
#include "api/decision_scan.h"

#include <stdlib.h>
#include <string.h>

#include "json/scan.h"

struct scan {
	struct xos_scan s;
	struct xos_decision_request *r;
	const char *type, *id; /* of the resource */
	bool properties;       /* the resource has some */
};

static bool fail(struct scan *c)
{
	c->s.failed = true;
	return false;
}

/* Each member once: bit is its own. */
static bool once(struct scan *c, unsigned *seen, unsigned bit)
{
	if (*seen & bit)
		return fail(c);
	*seen |= bit;
	return true;
}

static bool subject(struct scan *c)
{
	const char *key, *type = NULL, *id = NULL;
	unsigned seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		if (strcmp(key, "type") == 0 && once(c, &seen, 1))
			xos_scan_string(&c->s, 31, &type);
		else if (strcmp(key, "id") == 0 && once(c, &seen, 2))
			xos_scan_string(&c->s, XOS_DECISION_SUBJECT_MAX, &id);
		else
			fail(c);
	}
	if (c->s.failed || !type || !id)
		return fail(c);
	return !xos_decision_subject(c->r, type, id) || fail(c);
}

static bool action(struct scan *c)
{
	const char *key, *name = NULL;
	unsigned seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		if (strcmp(key, "name") != 0 || !once(c, &seen, 1))
			return fail(c);
		xos_scan_string(&c->s, XOS_DECISION_ACTION_MAX, &name);
	}
	if (c->s.failed || !name || !xos_policy_action_find(name, XOS_POLICY_SCHEMA))
		return fail(c);
	c->r->request.action = name;
	return true;
}

static bool properties(struct scan *c)
{
	struct xos_policy_resource *to = &c->r->request.resource;
	const char *key, *vo = NULL, *site = NULL;
	unsigned seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		c->properties = true;
		if (strcmp(key, "site") == 0 && once(c, &seen, 1))
			xos_scan_string(&c->s, XOS_SITE_MAX, &site);
		else if (strcmp(key, "node") == 0 && once(c, &seen, 2))
			xos_scan_string(&c->s, XOS_NODE_MAX, &to->node);
		else if (strcmp(key, "vo") == 0 && once(c, &seen, 4))
			xos_scan_string(&c->s, XOS_VO_MAX, &vo);
		else if (strcmp(key, "owner") == 0 && once(c, &seen, 8))
			xos_scan_string(&c->s, XOS_MEMBER_MAX, &to->owner);
		else
			fail(c);
	}
	if (c->s.failed)
		return false;
	if ((site && !xos_name_is_site(site)) || (to->node && !xos_name_is_node(to->node)) ||
	    (vo && !xos_name_is_vo(vo)) ||
	    (to->owner && (!vo || !xos_name_is_member(vo, to->owner))))
		return fail(c);
	to->site = site;
	to->vo = vo;
	return true;
}

static bool place(struct scan *c)
{
	struct xos_decision_request *r = c->r;
	const char *slash = strchr(c->id, '/');
	size_t n = slash ? (size_t)(slash - c->id) : 0;
	if (!slash || n > XOS_SITE_MAX)
		return fail(c);
	memcpy(r->site, c->id, n);
	if (!xos_name_is_site(r->site) || !xos_name_is_node(slash + 1))
		return fail(c);
	r->request.resource.site = r->site;
	r->request.resource.node = slash + 1;
	return true;
}

static bool resource(struct scan *c)
{
	struct xos_policy_resource *to = &c->r->request.resource;
	enum xos_decision_id form;
	const char *key;
	unsigned seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		if (strcmp(key, "type") == 0 && once(c, &seen, 1))
			xos_scan_string(&c->s, 31, &c->type);
		else if (strcmp(key, "id") == 0 && once(c, &seen, 2))
			xos_scan_string(&c->s, XOS_DECISION_TEXT_MAX, &c->id);
		else if (strcmp(key, "properties") == 0 && once(c, &seen, 4))
			properties(c);
		else
			fail(c);
	}
	if (c->s.failed || !c->type || !c->id || !c->id[0] ||
	    !xos_decision_resource_form(c->type, &form) ||
	    (form != XOS_DECISION_ID_OBJECT && c->properties))
		return fail(c);
	to->kind = c->type;
	switch (form) {
	case XOS_DECISION_ID_SITE:
		to->site = c->id;
		return xos_name_is_site(c->id) || fail(c);
	case XOS_DECISION_ID_VO:
		to->vo = c->id;
		return xos_name_is_vo(c->id) || fail(c);
	case XOS_DECISION_ID_NODE:
		return place(c);
	case XOS_DECISION_ID_OBJECT:
		to->id = c->id;
		return true;
	}
	return fail(c);
}

static bool value(struct scan *c, const struct xos_policy_attr *attr, struct xos_policy_value *v)
{
	bool flag;
	*v = (struct xos_policy_value){.name = attr->name, .type = attr->type};
	switch (attr->type) {
	case XOS_POLICY_BOOL:
		if (!xos_scan_bool(&c->s, &flag))
			return false;
		v->number = flag;
		return true;
	case XOS_POLICY_NUMBER:
	case XOS_POLICY_DURATION:
	case XOS_POLICY_SIZE:
		return xos_scan_int(&c->s, 0, INT64_MAX, &v->number);
	case XOS_POLICY_STRING:
	case XOS_POLICY_IP:
		return xos_scan_string(&c->s, XOS_DECISION_VALUE_MAX, &v->string);
	case XOS_POLICY_TIME:
		break;
	}
	return fail(c);
}

static bool context(struct scan *c)
{
	struct xos_policy_request *req = &c->r->request;
	const char *key;
	uint64_t seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		const struct xos_policy_attr *attr = xos_decision_attr(key);
		if (!attr || seen >> attr->code & 1 || req->nvalues == XOS_POLICY_VALUES_MAX)
			return fail(c);
		seen |= UINT64_C(1) << attr->code;
		if (!value(c, attr, &c->r->values[req->nvalues]))
			return false;
		req->nvalues++;
	}
	req->values = c->r->values;
	return !c->s.failed;
}

static bool members(struct scan *c)
{
	const char *key;
	unsigned seen = 0;
	xos_scan_open(&c->s);
	while (xos_scan_key(&c->s, &key)) {
		if (strcmp(key, "subject") == 0 && once(c, &seen, 1))
			subject(c);
		else if (strcmp(key, "action") == 0 && once(c, &seen, 2))
			action(c);
		else if (strcmp(key, "resource") == 0 && once(c, &seen, 4))
			resource(c);
		else if (strcmp(key, "context") == 0 && once(c, &seen, 8))
			context(c);
		else
			fail(c);
	}
	return xos_scan_end(&c->s) && (seen & 7) == 7;
}

struct xos_decision_request *xos_decision_request_scan(struct xos_bytes in)
{
	struct scan c = {.type = NULL};
	if (in.n == 0 || in.n > XOS_DECISION_REQUEST_MAX)
		return NULL;
	c.r = malloc(sizeof(*c.r) + in.n + 1);
	if (!c.r)
		return NULL;
	/* The values are written before they are read. */
	c.r->request = (struct xos_policy_request){.nvalues = 0};
	c.r->doc = NULL;
	c.r->subject = NULL;
	c.r->nignored = 0;
	memset(c.r->vo, 0, sizeof(c.r->vo));
	memset(c.r->site, 0, sizeof(c.r->site));
	xos_scan_init(&c.s, in, c.r->text);
	if (members(&c))
		return c.r;
	free(c.r);
	return NULL;
}
