#include "credd/abilities.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/abilities.h"
#include "base/file.h"
#include "local/zoneinfo.h"
#include "policy/schema.h"

#define TZDATA "/usr/share/zoneinfo/tzdata.zi"
#define TZDATA_MAX (1024 * 1024)

static enum xos_status file_path(
    const struct xos_credd_conf *conf, char out[PATH_MAX], struct xos_err *err)
{
	return xos_path_join(out, PATH_MAX, conf->state, "abilities.json")
	           ? XOS_OK
	           : xos_err_set(err, XOS_LIMIT, "state-folder", "%s is too long", conf->state);
}

/* The list of services; an empty one if there is no file, or none that can be read: they say it again. */
static struct xos_json *read_services(const char *path)
{
	struct xos_json *list = NULL;
	struct xos_buf text;
	enum xos_status st = xos_file_read(path, XOS_ABILITIES_MAX, &text, NULL);

	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&text), XOS_ABILITIES_MAX, &list, NULL);
	if (st == XOS_OK)
		st = xos_json_as_array(list, XOS_ABILITIES_SERVICES_MAX, NULL);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = xos_abilities_service_check(xos_json_at(list, i), NULL);
	xos_buf_free(&text);
	if (st == XOS_OK)
		return list;
	xos_json_free(list);
	return xos_json_array();
}

static bool same_service(const struct xos_json *a, const char *name)
{
	const char *s = NULL;

	return xos_json_get_string(a, "service", XOS_ABILITIES_WORD_MAX, &s, NULL) == XOS_OK &&
	       strcmp(s, name) == 0;
}

/* What others said stays. */
static enum xos_status replace(
    const char *path, const struct xos_json *service, const char *name, struct xos_err *err)
{
	struct xos_json *old = read_services(path), *list = xos_json_array();
	struct xos_buf before, after;
	enum xos_status st = XOS_OK;

	xos_buf_init(&before, XOS_ABILITIES_MAX);
	xos_buf_init(&after, XOS_ABILITIES_MAX);
	for (size_t i = 0; i < xos_json_count(old); i++)
		if (!same_service(xos_json_at(old, i), name))
			xos_json_add(list, xos_json_copy(xos_json_at(old, i)));
	xos_json_add(list, xos_json_copy(service));
	if (xos_json_count(list) > XOS_ABILITIES_SERVICES_MAX)
		st = xos_err_set(err, XOS_LIMIT, "services-many",
		    "more than %u services told what they can do", XOS_ABILITIES_SERVICES_MAX);
	if (st == XOS_OK)
		st = xos_json_dump(old, &before, err);
	if (st == XOS_OK)
		st = xos_json_dump(list, &after, err);
	if (st == XOS_OK && !xos_bytes_eq(xos_buf_bytes(&before), xos_buf_bytes(&after)))
		st = xos_file_write(path, 0600, xos_buf_bytes(&after), err);
	xos_buf_free(&before);
	xos_buf_free(&after);
	xos_json_free(old);
	xos_json_free(list);
	return st;
}

enum xos_status xos_credd_abilities_take(
    const struct xos_credd_conf *conf, struct xos_bytes service, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	char path[PATH_MAX];
	const char *name = NULL;
	enum xos_status st = xos_json_parse(service, XOS_ABILITIES_MAX, &doc, err);

	if (st == XOS_OK)
		st = xos_abilities_service_check(doc, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "service", XOS_ABILITIES_WORD_MAX, &name, err);
	if (st == XOS_OK)
		st = file_path(conf, path, err);
	if (st == XOS_OK)
		st = replace(path, doc, name, err);
	xos_json_free(doc);
	return st;
}

/* One line of zic's compact source: "Z NAME ..." or "L TARGET NAME". */
static void add_zone(struct xos_json *list, char *line)
{
	char *rest = NULL, *kind = strtok_r(line, " ", &rest);
	char *first = strtok_r(NULL, " ", &rest), *second = strtok_r(NULL, " ", &rest);
	const char *name = NULL;

	if (kind && strcmp(kind, "Z") == 0)
		name = first;
	else if (kind && strcmp(kind, "L") == 0)
		name = second;
	if (name && xos_zoneinfo_name_ok(name) && xos_json_count(list) < XOS_ABILITIES_ZONES_MAX)
		xos_json_add_string(list, name);
}

/* NULL where the machine does not list them: nothing is said then. */
static struct xos_json *zones(void)
{
	struct xos_json *list = NULL;
	struct xos_buf text;
	char *all = NULL, *rest = NULL;

	if (xos_file_read(TZDATA, TZDATA_MAX, &text, NULL) == XOS_OK)
		all = xos_buf_steal(&text, NULL);
	xos_buf_free(&text);
	if (!all)
		return NULL;
	list = xos_json_array();
	for (char *l = strtok_r(all, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest))
		if (l[0] == 'Z' || l[0] == 'L')
			add_zone(list, l);
	free(all);
	return list;
}

enum xos_status xos_credd_abilities_document(
    const struct xos_credd_conf *conf, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL, *known = NULL;
	char path[PATH_MAX];
	enum xos_status st = file_path(conf, path, err);

	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	xos_json_set_string(doc, "site", conf->site);
	xos_json_set_string(doc, "node", conf->node);
	xos_json_set_int(doc, "schema", XOS_POLICY_SCHEMA);
	xos_json_set(doc, "services", read_services(path));
	known = zones();
	if (known)
		xos_json_set(doc, "zones", known);
	st = xos_json_dump(doc, out, err);
	xos_json_free(doc);
	return st;
}
