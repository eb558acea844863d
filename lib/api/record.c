#include <string.h>

#include "api/accounting.h"
#include "base/text.h"

struct xos_json *xos_record_to_json(const struct xos_record *r)
{
	struct xos_json *doc = xos_json_object(), *actors = xos_json_array(),
	                *sets = xos_json_array();

	for (size_t i = 0; i < r->nactors; i++)
		xos_json_add_string(actors, r->actors[i]);
	for (size_t i = 0; i < r->nsets; i++) {
		struct xos_json *set = xos_json_object();

		xos_json_set_string(set, "level", r->sets[i].level);
		xos_json_set_string(set, "name", r->sets[i].name);
		xos_json_set_int(set, "serial", (int64_t)r->sets[i].serial);
		xos_json_add(sets, set);
	}
	xos_json_set_string(doc, "id", r->id);
	xos_json_set_string(doc, "kind", "job");
	xos_json_set_string(doc, "vo", r->vo);
	xos_json_set_string(doc, "member", r->member);
	xos_json_set_int(doc, "number", (int64_t)r->number);
	xos_json_set(doc, "actors", actors);
	xos_json_set_string(doc, "site", r->site);
	xos_json_set_string(doc, "node", r->node);
	xos_json_set_string(doc, "name", r->name);
	xos_json_set_time(doc, "submitted", r->submitted);
	if (r->started)
		xos_json_set_time(doc, "started", r->started);
	xos_json_set_time(doc, "ended", r->ended);
	xos_json_set_int(doc, "wall_ms", (int64_t)r->wall_ms);
	xos_json_set_int(doc, "cpu_user_us", (int64_t)r->cpu_user_us);
	xos_json_set_int(doc, "cpu_system_us", (int64_t)r->cpu_system_us);
	xos_json_set_int(doc, "memory_kib", (int64_t)r->memory_kib);
	xos_json_set_string(doc, "end", r->end);
	xos_json_set_int(doc, "value", r->value);
	xos_json_set_string(doc, "cause", r->cause);
	xos_json_set_text(doc, "text", r->text);
	xos_json_set_text(doc, "deciders", r->deciders);
	xos_json_set(doc, "sets", sets);
	xos_json_set_int(doc, "bundle_serial", (int64_t)r->bundle_serial);
	xos_json_set_string(doc, "account", r->account);
	xos_json_set_int(doc, "uid", (int64_t)r->uid);
	xos_json_set_string(doc, "delegation", r->delegation);
	xos_json_set_string(doc, "isolation", r->isolation);
	return doc;
}

static bool one_of(const char *s, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(s, *names) == 0)
			return true;
	return false;
}

static enum xos_status check_words(
    const struct xos_json *doc, const struct xos_record *r, const char *kind, struct xos_err *err)
{
	static const char *const ends[] = {"exited", "signalled", "failed", "lost", NULL};
	static const char *const causes[] = {
	    "self", "cancelled", "wall", "cpu", "memory", "policy", "lock", NULL};

	if (strcmp(kind, "job") != 0)
		return xos_json_refuse(doc, err, "kind: \"%s\" is not known", kind);
	if (strlen(r->id) != XOS_RECORD_ID_LEN ||
	    strspn(r->id, "0123456789abcdef") != XOS_RECORD_ID_LEN)
		return xos_json_refuse(doc, err, "id: expected 32 hexadecimal digits");
	if (!xos_name_is_vo(r->vo) || !xos_name_is_member(r->vo, r->member))
		return xos_json_refuse(doc, err, "member: no name of a member");
	if (!xos_name_is_site(r->site) || !xos_name_is_node(r->node))
		return xos_json_refuse(doc, err, "node: no name of a node and site");
	if (!one_of(r->end, ends) || !one_of(r->cause, causes))
		return xos_json_refuse(doc, err, "end: \"%s\", cause: \"%s\"", r->end, r->cause);
	if (r->ended < r->submitted)
		return xos_json_refuse(doc, err, "ended: before it was submitted");
	return XOS_OK;
}

struct text_field {
	const char *key;
	char *out;
	size_t cap;
};

static enum xos_status take_texts(
    const struct xos_json *doc, struct xos_record *r, char *kind, size_t cap, struct xos_err *err)
{
	const struct text_field fields[] = {
	    {"id", r->id, sizeof(r->id)},
	    {"kind", kind, cap},
	    {"vo", r->vo, sizeof(r->vo)},
	    {"member", r->member, sizeof(r->member)},
	    {"site", r->site, sizeof(r->site)},
	    {"node", r->node, sizeof(r->node)},
	    {"name", r->name, sizeof(r->name)},
	    {"end", r->end, sizeof(r->end)},
	    {"cause", r->cause, sizeof(r->cause)},
	    {"text", r->text, sizeof(r->text)},
	    {"deciders", r->deciders, sizeof(r->deciders)},
	    {"account", r->account, sizeof(r->account)},
	    {"delegation", r->delegation, sizeof(r->delegation)},
	    {"isolation", r->isolation, sizeof(r->isolation)},
	};
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < sizeof(fields) / sizeof(fields[0]); i++)
		st = xos_json_copy_string(doc, fields[i].key, fields[i].out, fields[i].cap, err);
	return st;
}

static enum xos_status take_numbers(
    const struct xos_json *doc, struct xos_record *r, struct xos_err *err)
{
	const struct {
		const char *key;
		uint64_t *out;
	} fields[] = {
	    {"number", &r->number},
	    {"wall_ms", &r->wall_ms},
	    {"cpu_user_us", &r->cpu_user_us},
	    {"cpu_system_us", &r->cpu_system_us},
	    {"memory_kib", &r->memory_kib},
	    {"bundle_serial", &r->bundle_serial},
	    {"uid", &r->uid},
	};
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < sizeof(fields) / sizeof(fields[0]); i++)
		st = xos_json_get_uint64(doc, fields[i].key, INT64_MAX, fields[i].out, err);
	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "value", -1, 255, &r->value, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "submitted", &r->submitted, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "started", 0, &r->started, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "ended", &r->ended, err);
	return st;
}

static enum xos_status take_lists(
    const struct xos_json *doc, struct xos_record *r, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	const char *s;
	enum xos_status st = xos_json_get_array(doc, "actors", XOS_RECORD_ACTORS_MAX, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		const struct xos_json *v = xos_json_at(list, i);

		st = xos_json_as_string(v, sizeof(r->actors[i]) - 1, &s, err);
		if (st == XOS_OK && !xos_str_copy(r->actors[i], sizeof(r->actors[i]), s))
			st = xos_json_refuse(v, err, "too long");
		r->nactors = i + 1;
	}
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "sets", XOS_RECORD_SETS_MAX, &list, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		const struct xos_json *v = xos_json_at(list, i);

		st = XOS_JSON_ONLY(v, err, "level", "name", "serial");
		if (st == XOS_OK)
			st = xos_json_copy_string(
			    v, "level", r->sets[i].level, sizeof(r->sets[i].level), err);
		if (st == XOS_OK)
			st = xos_json_copy_string(
			    v, "name", r->sets[i].name, sizeof(r->sets[i].name), err);
		if (st == XOS_OK)
			st = xos_json_get_uint64(v, "serial", INT64_MAX, &r->sets[i].serial, err);
		r->nsets = i + 1;
	}
	return st;
}

enum xos_status xos_record_from_json(
    const struct xos_json *doc, struct xos_record *out, struct xos_err *err)
{
	struct xos_record r = {0};
	char kind[16] = "";
	enum xos_status st;

	st = XOS_JSON_ONLY(doc, err, "id", "kind", "vo", "member", "number", "actors", "site",
	    "node", "name", "submitted", "started", "ended", "wall_ms", "cpu_user_us",
	    "cpu_system_us", "memory_kib", "end", "value", "cause", "text", "deciders", "sets",
	    "bundle_serial", "account", "uid", "delegation", "isolation");
	if (st == XOS_OK)
		st = take_texts(doc, &r, kind, sizeof(kind), err);
	if (st == XOS_OK)
		st = take_numbers(doc, &r, err);
	if (st == XOS_OK)
		st = take_lists(doc, &r, err);
	if (st == XOS_OK)
		st = check_words(doc, &r, kind, err);
	if (st == XOS_OK)
		*out = r;
	return st;
}

enum xos_status xos_record_sender(
    const struct xos_record *r, const struct xos_identity *who, struct xos_err *err)
{
	const struct xos_claims *c = who->claims;

	if (c->kind != XOS_KIND_SERVICE || strcmp(c->service, "jobs") != 0 || who->nsteps > 0)
		return xos_err_set(err, XOS_DENIED, "record-sender",
		    "records come from job services, not from %s", who->uri);
	if (strcmp(c->vo, r->vo) != 0 || strcmp(c->name, r->node) != 0)
		return xos_err_set(err, XOS_DENIED, "record-node",
		    "a record of node %s of VO %s does not come from %s", r->node, r->vo, who->uri);
	return XOS_OK;
}
