#include "server/trust.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "token/trust.h"

#define AHEAD (30 * (int64_t)86400)

static struct xos_json *certificate(const struct xos_trust_entry *e)
{
	struct xos_json *o = xos_json_object();
	xos_json_set_string(o, "kind", xos_trust_role_name(e->role));
	xos_json_set_string(o, "state", xos_trust_state_name(e->state));
	xos_json_set_time(o, "since", e->since);
	xos_json_set_time(o, "expires", xos_cert_not_after(e->cert));
	xos_json_set_string(o, "serial", xos_cert_serial_text(e->cert));
	return o;
}

/* Before there was a list. */
static enum xos_status look_at_files(const struct xos_server *s, struct xos_json *list,
    struct xos_json *warnings, struct xos_err *err)
{
	int64_t now = xos_clock_now();
	enum xos_status st = XOS_OK;
	for (int d = 0; !st && d < XOS_DAEMONS; d++) {
		const struct xos_server_kind *k = &xos_server_kinds[d];
		char path[PATH_MAX], name[64], left[XOS_TIME_TEXT], text[256];
		struct xos_chain ch = {.n = 0};
		snprintf(name, sizeof(name), "%s.pem", k->root_kind);
		st = xos_server_path(s, k->folder, name, path, err);
		if (!st)
			st = xos_chain_load(path, &ch, err);
		if (st)
			return st;
		int64_t end = xos_cert_not_after(ch.cert[0]);
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "kind", k->root_kind);
		xos_json_set_time(o, "expires", end);
		xos_json_set_string(o, "serial", xos_cert_serial_text(ch.cert[0]));
		xos_json_add(list, o);
		xos_duration_format(end - now, left);
		if (end - now < AHEAD &&
		    xos_str_printf(text, sizeof(text),
		        "the certificate of the %s key ends in %s: xos-server rollover %s prepare "
		        "--dir %s",
		        k->root_kind, left, k->root_kind, s->dir))
			xos_json_add_string(warnings, text);
		xos_chain_clear(&ch);
	}
	return st;
}

static enum xos_status fill(const struct xos_server *s, struct xos_json *doc, struct xos_err *err)
{
	struct xos_json *list = xos_json_array(), *warnings = xos_json_array();
	struct xos_trust *t = xos_trust_new();
	struct xos_err why = XOS_ERR_INIT;
	char path[PATH_MAX];
	enum xos_status st = t ? xos_server_path(s, "trust", NULL, path, err)
	                       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = xos_trust_load(t, path, err);
	const struct xos_trust_list *l = st ? NULL : xos_trust_list(t, s->vo);
	if (l) {
		xos_json_set_int(doc, "serial", (int64_t)l->serial);
		if (l->expires)
			xos_json_set_time(doc, "expires", l->expires);
		for (size_t i = 0; i < l->n; i++)
			xos_json_add(list, certificate(&l->entry[i]));
		if (xos_trust_health(t, s->vo, xos_clock_now(), &why))
			xos_json_add_string(warnings, why.text);
	} else if (!st) {
		st = look_at_files(s, list, warnings, err);
	}
	xos_json_set(doc, "certificates", list);
	xos_json_set(doc, "warnings", warnings);
	xos_trust_free(t);
	return st;
}

enum xos_status xos_server_trust_json(
    const struct xos_server *s, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	enum xos_status st = fill(s, doc, err);
	if (st)
		xos_json_free(doc);
	else
		*out = doc;
	return st;
}

enum xos_status xos_server_trust_print(const struct xos_server *s, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	struct xos_json *doc = NULL;
	enum xos_status st = xos_server_trust_json(s, &doc, err);
	if (!st)
		st = xos_json_get_array(doc, "warnings", 64, &list, err);
	for (size_t i = 0; !st && i < xos_json_count(list); i++) {
		const char *text = NULL;
		st = xos_json_as_string(xos_json_at(list, i), 1024, &text, err);
		if (!st)
			printf("warning: %s\n", text);
	}
	xos_json_free(doc);
	return st;
}
