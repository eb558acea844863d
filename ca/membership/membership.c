#include "ca/membership/membership.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/membership/schema.h"
#include "store/sql.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

void ca_names_free(struct ca_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->item[i]);
	free(names->item);
	*names = (struct ca_names){NULL, 0};
}

enum xos_status ca_names_add(struct ca_names *names, const char *s, size_t len, struct xos_err *err)
{
	char **more = reallocarray(names->item, names->n + 1, sizeof(*more));
	char *copy;

	if (!more)
		return no_memory(err);
	names->item = more;
	copy = strndup(s, len);
	if (!copy)
		return no_memory(err);
	names->item[names->n++] = copy;
	return XOS_OK;
}

/* --- open --- */

static enum xos_status claim_vo(struct ca_membership *m, const char *vo, struct xos_err *err)
{
	enum xos_status st = xos_store_begin(m->store, err);

	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO vo (name, created) VALUES (?1, ?2)", "si", vo, xos_clock_now());
	if (st == XOS_OK)
		st = xos_sql_run(m->store, NULL, err,
		    "INSERT INTO vo_groups (id, name, added) VALUES (0, '/' || ?1, ?2)", "si", vo,
		    xos_clock_now());
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

static enum xos_status check_vo(
    struct ca_membership *m, const char *path, const char *vo, bool create, struct xos_err *err)
{
	struct xos_stmt *q = NULL;
	bool row = false;
	enum xos_status st = xos_sql_query(m->store, &q, err, "SELECT name FROM vo", "");

	if (st == XOS_OK)
		st = xos_stmt_step(q, &row, err);
	if (st == XOS_OK && row && strcmp(xos_stmt_text(q, 0), vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "other-vo",
		    "%s holds the members of VO %s, not of %s", path, xos_stmt_text(q, 0), vo);
	else if (st == XOS_OK && !row && !create)
		st = xos_err_set(err, XOS_DENIED, "other-vo",
		    "%s holds no VO: create it with xos-cad init", path);
	xos_stmt_done(q);
	if (st == XOS_OK && !row)
		st = claim_vo(m, vo, err);
	return st;
}

enum xos_status ca_membership_open(const char *path, const char *vo, bool create, bool read_only,
    struct ca_membership **out, struct xos_err *err)
{
	struct xos_store_options o = {.path = path, .mode = 0600, .read_only = read_only};
	struct ca_membership *m;
	enum xos_status st;

	*out = NULL;
	if (!create && access(path, F_OK) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "no-database",
		    "%s does not exist: create it with xos-cad init", path);
	m = calloc(1, sizeof(*m));
	if (!m || !xos_str_copy(m->vo, sizeof(m->vo), vo)) {
		free(m);
		return no_memory(err);
	}
	ca_schema_membership(&o);
	st = xos_store_open(&o, &m->store, err);
	if (st == XOS_OK)
		st = check_vo(m, path, vo, create, err);
	if (st != XOS_OK) {
		ca_membership_close(m);
		return st;
	}
	*out = m;
	return XOS_OK;
}

void ca_membership_close(struct ca_membership *m)
{
	if (!m)
		return;
	xos_store_close(m->store);
	free(m);
}

enum xos_status ca_counter_next(
    struct ca_membership *m, const char *name, uint64_t *value, struct xos_err *err)
{
	int64_t v = 0;
	enum xos_status st = xos_sql_run(m->store, NULL, err,
	    "UPDATE counters SET value = value + 1 WHERE name = ?1", "s", name);

	if (st == XOS_OK)
		st = xos_sql_int(
		    m->store, &v, err, "SELECT value FROM counters WHERE name = ?1", "s", name);
	if (st == XOS_NOT_FOUND)
		st = xos_err_set(err, XOS_INTERNAL, "counter", "the counter %s is missing", name);
	if (st == XOS_OK)
		*value = (uint64_t)v;
	return st;
}

enum xos_status ca_version_get(
    struct ca_membership *m, enum ca_version which, uint64_t *value, struct xos_err *err)
{
	static const char *const names[] = {[CA_VERSION_ROSTER] = "roster",
	    [CA_VERSION_LOCKS] = "locks",
	    [CA_VERSION_ACTS] = "act"};
	int64_t v = 0;
	enum xos_status st = xos_sql_int(
	    m->store, &v, err, "SELECT value FROM counters WHERE name = ?1", "s", names[which]);

	if (st == XOS_OK)
		*value = (uint64_t)v;
	return st;
}
