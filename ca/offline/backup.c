/* xos-cad backup: a copy of the state while the authority runs. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/offline/copy.h"
#include "ca/offline/offline.h"
#include "ca/membership/schema.h"
#include "json/json.h"
#include "store/store.h"

#define ROUNDS 10
#define PAUSE_MS 200

struct backup {
	const struct ca_conf *conf;
	struct ca_paths paths;
	const char *out;
	struct xos_key *key;
	struct xos_chain chain;
	struct ca_copy copy;
};

static enum xos_status target(
    const struct backup *b, const char *name, char out[PATH_MAX], struct xos_err *err)
{
	if (xos_path_join(out, PATH_MAX, b->out, name))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", b->out);
}

static void remove_all(const struct backup *b)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < CA_COPY_FILES; i++)
		if (target(b, ca_copy_names[i], path, NULL) == XOS_OK)
			(void)unlink(path);
}

/* A connection that holds the write lock: no act is committed and no verifier exchanged meanwhile. */
static enum xos_status hold(const char *path, void (*schema)(struct xos_store_options *o),
    struct xos_store **out, struct xos_err *err)
{
	struct xos_store_options o = {.path = path, .mode = 0600};
	enum xos_status st;

	schema(&o);
	st = xos_store_open(&o, out, err);
	return st == XOS_OK ? xos_store_begin(*out, err) : st;
}

/* Opened before anything is held: a database that waits for its migration is left to the daemon. */
static enum xos_status open_source(const char *path, void (*schema)(struct xos_store_options *o),
    struct xos_store **out, struct xos_err *err)
{
	struct xos_store_options o = {.path = path, .read_only = true};

	schema(&o);
	return xos_store_open(&o, out, err);
}

/* Bytes of the log that are there now: what comes later belongs to later acts. */
static enum xos_status log_size(const struct backup *b, uint64_t *bytes, struct xos_err *err)
{
	struct stat st;

	if (stat(b->paths.log, &st) != 0)
		return xos_err_errno(err, errno, "copy", "cannot look at %s", b->paths.log);
	*bytes = (uint64_t)st.st_size;
	return XOS_OK;
}

/*
 * Everything of one moment: with the databases held, first the head, then so much of the log as there is.
 * So the log is never behind its head, and has no act that the membership lacks. The log itself is
 * copied afterwards, for it may be long and only grows.
 */
static enum xos_status copy_held(struct backup *b, struct xos_store *members,
    struct xos_store *verifiers, uint64_t *bytes, struct xos_err *err)
{
	char path[PATH_MAX], head[PATH_MAX];
	enum xos_status st = target(b, ca_copy_names[CA_COPY_MEMBERSHIP], path, err);

	if (st == XOS_OK)
		st = xos_store_copy(members, path, err);
	if (st == XOS_OK)
		st = target(b, ca_copy_names[CA_COPY_VERIFIERS], path, err);
	if (st == XOS_OK)
		st = xos_store_copy(verifiers, path, err);
	if (st == XOS_OK)
		st = target(b, ca_copy_names[CA_COPY_HEAD], path, err);
	if (st == XOS_OK && !xos_str_printf(head, sizeof(head), "%s.head", b->paths.log))
		st = xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", b->paths.log);
	if (st == XOS_OK)
		st = ca_copy_bytes(head, path, UINT64_MAX, err);
	return st == XOS_OK ? log_size(b, bytes, err) : st;
}

static enum xos_status copy_log(struct backup *b, uint64_t bytes, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = target(b, ca_copy_names[CA_COPY_LOG], path, err);

	return st == XOS_OK ? ca_copy_bytes(b->paths.log, path, bytes, err) : st;
}

static enum xos_status copy_once(struct backup *b, struct xos_err *err)
{
	struct xos_store *from[2] = {NULL, NULL}, *held[2] = {NULL, NULL};
	uint64_t bytes = 0;
	enum xos_status st = open_source(b->paths.membership, ca_schema_membership, &from[0], err);

	if (st == XOS_OK)
		st = open_source(b->paths.verifiers, ca_schema_verifiers, &from[1], err);
	if (st == XOS_OK)
		st = hold(b->paths.membership, ca_schema_membership, &held[0], err);
	if (st == XOS_OK)
		st = hold(b->paths.verifiers, ca_schema_verifiers, &held[1], err);
	if (st == XOS_OK)
		st = copy_held(b, from[0], from[1], &bytes, err);
	for (int i = 1; i >= 0; i--) {
		xos_store_close(held[i]);
		xos_store_close(from[i]);
	}
	if (st == XOS_OK)
		st = copy_log(b, bytes, err);
	return st == XOS_OK
	           ? ca_copy_inspect(b->out, b->conf->common.vo, b->chain.cert[0], &b->copy, err)
	           : st;
}

/* An act is in the membership a moment before it is in the log; a copy of such a moment is made again. */
static enum xos_status copy_all(struct backup *b, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (int round = 0; round < ROUNDS; round++) {
		remove_all(b);
		st = copy_once(b, err);
		if (st != XOS_CONFLICT || !err || strcmp(err->code, "copy-moved") != 0)
			return st;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return xos_err_prefix(err, st,
	    "membership and log do not agree; is xos-cad running? It records what is missing");
}

static enum xos_status write_manifest(struct backup *b, struct xos_err *err)
{
	struct xos_buf compact;
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;

	if (!xos_str_copy(b->copy.vo, sizeof(b->copy.vo), b->conf->common.vo))
		return xos_err_set(err, XOS_INTERNAL, "copy", "the name of the VO is too long");
	b->copy.made = xos_clock_now();
	for (size_t i = 0; st == XOS_OK && i < CA_COPY_FILES; i++) {
		st = target(b, ca_copy_names[i], path, err);
		if (st == XOS_OK)
			st = ca_copy_measure(
			    path, &b->copy.file[i].bytes, b->copy.file[i].sha256, err);
	}
	xos_buf_init(&compact, 64 * 1024);
	if (st == XOS_OK)
		st = ca_copy_sign(&b->copy, b->key, &compact, err);
	if (st == XOS_OK)
		st = target(b, CA_COPY_MANIFEST, path, err);
	/* Last: a folder with a manifest is complete. */
	if (st == XOS_OK)
		st = xos_file_create(path, 0600, xos_buf_bytes(&compact), err);
	xos_buf_free(&compact);
	return st;
}

static enum xos_status make(struct backup *b, struct xos_err *err)
{
	struct stat sb;
	enum xos_status st = ca_paths_fill(b->conf->common.state, &b->paths, err);

	if (st == XOS_OK && lstat(b->out, &sb) == 0)
		st = xos_err_set(err, XOS_CONFLICT, "copy-exists",
		    "%s exists: a copy goes into a new folder", b->out);
	if (st == XOS_OK)
		st = xos_key_load(b->paths.key, NULL, NULL, &b->key, err);
	if (st == XOS_OK)
		st = xos_chain_load(b->paths.cert, &b->chain, err);
	if (st == XOS_OK)
		st = xos_dir_make(b->out, 0700, err);
	if (st != XOS_OK)
		return st;
	st = copy_all(b, err);
	if (st == XOS_OK)
		st = write_manifest(b, err);
	if (st != XOS_OK) {
		remove_all(b);
		(void)rmdir(b->out);
	}
	return st;
}

void ca_copy_print(const struct ca_copy *c, const char *what, const char *dir, bool json)
{
	char made[XOS_TIME_TEXT];
	struct xos_json *o;
	struct xos_buf text;

	xos_time_format(c->made, made);
	if (!json) {
		printf("%s %s: VO %s at %s, %llu acts, %llu records\n", what, dir, c->vo, made,
		    (unsigned long long)c->acts, (unsigned long long)c->records);
		return;
	}
	o = xos_json_object();
	xos_json_set_string(o, "folder", dir);
	xos_json_set_string(o, "vo", c->vo);
	xos_json_set_time(o, "made", c->made);
	xos_json_set_int(o, "acts", (int64_t)c->acts);
	xos_json_set_int(o, "records", (int64_t)c->records);
	xos_buf_init(&text, 8192);
	if (xos_json_dump_line(o, &text, NULL) == XOS_OK)
		printf("%s\n", xos_buf_str(&text));
	xos_buf_free(&text);
	xos_json_free(o);
}

enum xos_status ca_verb_backup(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	struct backup b = {.conf = run->conf};
	enum xos_status st = xos_service_arg(&argc, argv, "--out", true, &b.out, err);

	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		st = make(&b, err);
	if (st == XOS_OK)
		ca_copy_print(&b.copy, "copied to", b.out, run->json);
	xos_chain_clear(&b.chain);
	xos_key_free(b.key);
	return st;
}
