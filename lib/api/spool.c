#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/accounting.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#define SUFFIX ".json"
#define FIRST_PAUSE_MS 1000
#define LONGEST_PAUSE_MS 300000

static enum xos_status name_of(
    char out[PATH_MAX], const char *dir, const char *id, const char *suffix, struct xos_err *err)
{
	char name[XOS_RECORD_ID_LEN + 16];

	xos_str_printf(name, sizeof(name), "%s%s", id, suffix);
	if (!xos_path_join(out, PATH_MAX, dir, name))
		return xos_err_set(err, XOS_LIMIT, "spool", "%s: path too long", dir);
	return XOS_OK;
}

enum xos_status xos_spool_put(const char *dir, const struct xos_record *r, uint32_t owner,
    uint32_t group, struct xos_err *err)
{
	struct xos_json *doc = xos_record_to_json(r);
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_RECORD_MAX);
	st = name_of(path, dir, r->id, SUFFIX, err);
	if (st == XOS_OK)
		st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&b), err);
	/* lchown: the folder may belong to the very user that the file is given to. */
	if (st == XOS_OK && owner != (uint32_t)-1 && lchown(path, owner, group) != 0)
		st = xos_err_errno(err, errno, "spool", "cannot give %s to its sender", path);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

static enum xos_status load(const char *path, struct xos_record *r, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_RECORD_MAX);
	st = xos_file_read(path, XOS_RECORD_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), XOS_RECORD_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_record_from_json(doc, r, err);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

static void set_aside(const char *dir, const char *id, const char *path, const struct xos_err *why)
{
	char aside[PATH_MAX];

	xos_event_err(XOS_ERROR, "record.refused", why, "record", id, NULL);
	if (name_of(aside, dir, id, ".refused", NULL) == XOS_OK && rename(path, aside) != 0)
		XOS_EVENT(XOS_ERROR, "record.stuck", "record", id, "error", strerror(errno));
}

/* A lock ends one day, and then the record is wanted. */
static bool is_final(enum xos_status st, const struct xos_err *err)
{
	return st == XOS_MALFORMED || st == XOS_CONFLICT ||
	       (st == XOS_DENIED && !(err && strcmp(err->code, "locked") == 0));
}

static enum xos_status send_one(const char *dir, const char *id, struct xos_client *client,
    struct xos_spool_round *round, struct xos_err *err)
{
	struct xos_record r;
	char path[PATH_MAX];
	bool too_long = false;
	enum xos_status st = name_of(path, dir, id, SUFFIX, err);

	if (st == XOS_OK) {
		st = load(path, &r, err);
		too_long =
		    st == XOS_LIMIT; /* the file; an answer that is too long may be better later */
	}
	if (st == XOS_OK)
		st = xos_records_post(client, &r, NULL, err);
	if (st == XOS_OK) {
		round->sent++;
		if (unlink(path) != 0)
			st = xos_err_errno(err, errno, "spool", "cannot remove %s", path);
	} else if (too_long || is_final(st, err)) {
		round->refused++;
		set_aside(dir, id, path, err);
		st = XOS_OK;
	}
	return st;
}

static int only_records(const struct dirent *e)
{
	return strlen(e->d_name) == XOS_RECORD_ID_LEN + strlen(SUFFIX) &&
	       strspn(e->d_name, "0123456789abcdef") == XOS_RECORD_ID_LEN &&
	       strcmp(e->d_name + XOS_RECORD_ID_LEN, SUFFIX) == 0;
}

enum xos_status xos_spool_send(
    const char *dir, struct xos_client *client, struct xos_spool_round *round, struct xos_err *err)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, only_records, alphasort);
	enum xos_status st = XOS_OK;

	*round = (struct xos_spool_round){0};
	if (n < 0)
		return xos_err_errno(err, errno, "spool", "cannot read %s", dir);
	for (int i = 0; i < n; i++) {
		names[i]->d_name[XOS_RECORD_ID_LEN] = 0;
		if (st == XOS_OK)
			st = send_one(dir, names[i]->d_name, client, round, err);
		if (st != XOS_OK)
			round->left++;
		free(names[i]);
	}
	free(names);
	return st;
}

int64_t xos_spool_pause(unsigned failures)
{
	int64_t ms = FIRST_PAUSE_MS;

	while (failures-- > 1 && ms < LONGEST_PAUSE_MS)
		ms *= 2;
	if (ms > LONGEST_PAUSE_MS)
		ms = LONGEST_PAUSE_MS;
	return ms / 2 + (int64_t)xos_random_below((uint64_t)ms);
}
