/* What a backup must be like inside before anybody builds on it. */
#include <stdlib.h>
#include <string.h>

#include "api/loghead.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/offline/copy.h"
#include "ca/membership/membership.h"
#include "ca/key/record.h"
#include "ca/membership/schema.h"
#include "ca/auth/verifiers.h"
#include "log/log.h"
#include "store/store.h"

/* The acts of the membership, as the log would have them: digests in the order of their ids from 1 on. */
struct acts {
	uint8_t (*digest)[XOS_SHA256_LEN];
	size_t n, cap;
	size_t seen; /* in the log */
};

static enum xos_status add_act(void *ctx, const struct ca_act *act, struct xos_err *err)
{
	struct acts *a = ctx;
	struct xos_buf b;
	enum xos_status st = XOS_OK;

	if (act->id != a->n + 1)
		return xos_err_set(err, XOS_MALFORMED, "copy-acts",
		    "act %zu is missing from the membership", a->n + 1);
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 1024;
		void *more = reallocarray(a->digest, cap, XOS_SHA256_LEN);

		if (!more)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		a->digest = more;
		a->cap = cap;
	}
	xos_buf_init(&b, XOS_LOG_PAYLOAD_MAX);
	st = ca_record_act(act, &b, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_buf_bytes(&b), a->digest[a->n++]);
	xos_buf_free(&b);
	return st;
}

static enum xos_status compare(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	struct acts *a = ctx;
	uint8_t digest[XOS_SHA256_LEN];

	if (r->type != CA_RECORD_ACT)
		return XOS_OK;
	if (a->seen == a->n)
		return xos_err_set(err, XOS_CONFLICT, "copy-moved",
		    "the log has act %zu, the membership does not: it is older than the log",
		    a->seen + 1);
	enum xos_status st = xos_sha256(r->payload, digest);
	if (st == XOS_OK && memcmp(digest, a->digest[a->seen], sizeof(digest)) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "copy-acts",
		    "act %zu is another one in the membership than in the log", a->seen + 1);
	a->seen++;
	return st;
}

static enum xos_status file_path(
    const char *dir, enum ca_copy_file f, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_path_join(out, PATH_MAX, dir, ca_copy_names[f]))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
}

static enum xos_status read_membership(
    const char *dir, const char *vo, struct acts *acts, struct xos_err *err)
{
	struct ca_membership *m = NULL;
	char path[PATH_MAX];
	enum xos_status st = file_path(dir, CA_COPY_MEMBERSHIP, path, err);

	if (st == XOS_OK)
		st = ca_membership_open(path, vo, false, true, &m, err);
	if (st == XOS_OK)
		st = xos_store_check(m->store, err);
	if (st == XOS_OK)
		st = ca_acts_after(m, 0, add_act, acts, err);
	ca_membership_close(m);
	return st;
}

static enum xos_status read_verifiers(const char *dir, struct xos_err *err)
{
	struct xos_store_options o = {.read_only = true};
	struct xos_store *db = NULL;
	char path[PATH_MAX];
	enum xos_status st = file_path(dir, CA_COPY_VERIFIERS, path, err);

	o.path = path;
	ca_schema_verifiers(&o);
	if (st == XOS_OK)
		st = xos_store_open(&o, &db, err);
	if (st == XOS_OK)
		st = xos_store_check(db, err);
	xos_store_close(db);
	return st;
}

static enum xos_status read_log(const char *dir, const char *vo, const struct xos_cert *signer,
    struct acts *acts, uint64_t *records, struct xos_err *err)
{
	struct xos_loghead head = {.key = xos_cert_key(signer)};
	struct xos_log_crypto crypto = xos_loghead_crypto(&head);
	struct xos_log_report report = {.records = 0};
	char path[PATH_MAX], name[XOS_LOG_NAME_MAX + 1];
	enum xos_status st = file_path(dir, CA_COPY_LOG, path, err);

	if (st == XOS_OK)
		st = xos_log_verify_file(path, &crypto, compare, acts, &report, err);
	if (st == XOS_OK &&
	    (!xos_str_printf(name, sizeof(name), "%s/ca", vo) || strcmp(name, report.name) != 0))
		st = xos_err_set(err, XOS_DENIED, "other-vo", "%s is the log %s, not that of VO %s",
		    path, report.name, vo);
	if (st == XOS_OK && acts->seen < acts->n)
		st = xos_err_set(err, XOS_CONFLICT, "copy-moved",
		    "the membership has act %zu, the log does not", acts->seen + 1);
	*records = report.records;
	return st;
}

enum xos_status ca_copy_inspect(const char *dir, const char *vo, const struct xos_cert *signer,
    struct ca_copy *c, struct xos_err *err)
{
	struct acts acts = {.digest = NULL};
	enum xos_status st = read_membership(dir, vo, &acts, err);

	if (st == XOS_OK)
		st = read_verifiers(dir, err);
	if (st == XOS_OK)
		st = read_log(dir, vo, signer, &acts, &c->records, err);
	c->acts = acts.n;
	free(acts.digest);
	return st;
}

static enum xos_status compare_file(
    const char *dir, const struct ca_copy *c, enum ca_copy_file f, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	char path[PATH_MAX];
	uint64_t bytes = 0;
	enum xos_status st = file_path(dir, f, path, err);

	if (st == XOS_OK)
		st = ca_copy_measure(path, &bytes, digest, err);
	if (st == XOS_OK && bytes != c->file[f].bytes)
		st = xos_err_set(err, XOS_MALFORMED, "copy-changed",
		    "%s has %llu bytes; it had %llu when the copy was made", path,
		    (unsigned long long)bytes, (unsigned long long)c->file[f].bytes);
	if (st == XOS_OK && memcmp(digest, c->file[f].sha256, sizeof(digest)) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "copy-changed",
		    "%s is not what it was when the copy was made", path);
	return st;
}

enum xos_status ca_copy_check(const char *dir, const char *vo, const struct xos_cert *signer,
    struct ca_copy *c, struct xos_err *err)
{
	struct ca_copy inside = {.acts = 0};
	enum xos_status st = ca_copy_read(dir, signer, c, err);

	if (st == XOS_OK && strcmp(c->vo, vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "other-vo",
		    "%s is a copy of VO %s, and this is VO %s", dir, c->vo, vo);
	for (int f = 0; st == XOS_OK && f < CA_COPY_FILES; f++)
		st = compare_file(dir, c, (enum ca_copy_file)f, err);
	if (st == XOS_OK)
		st = ca_copy_inspect(dir, vo, signer, &inside, err);
	if (st == XOS_OK && (inside.acts != c->acts || inside.records != c->records))
		st = xos_err_set(err, XOS_MALFORMED, "copy-changed",
		    "the copy holds %llu acts and %llu records; it was made with %llu and %llu",
		    (unsigned long long)inside.acts, (unsigned long long)inside.records,
		    (unsigned long long)c->acts, (unsigned long long)c->records);
	return st;
}
