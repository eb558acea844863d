#include "policytool/replay.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "policytool/lines.h"

/* Would the first policy have decided as was decided then? */
static void compare(struct xos_policytool_replay *r, const struct xos_policytool_recorded *was,
    const struct xos_policy_request *req, struct xos_policy_answer *answer)
{
	enum xos_status st = xos_policy_decide(r->before, req, answer);
	const char *is = st == XOS_OK ? "permit" : st == XOS_DENIED ? "deny" : "undecided";

	r->records++;
	r->stands_for += was->sample;
	if (!was->engine)
		r->closed++;
	else if (strcmp(is, was->decision) != 0)
		r->other++;
}

static enum xos_status one(struct xos_policytool_replay *r, struct xos_policytool_lines *lines,
    const char *path, struct xos_policy_answer *answer, struct xos_err *err)
{
	const struct xos_policytool_recorded *was;
	struct xos_policy_request req;
	struct xos_err why = XOS_ERR_INIT;
	char example[4096];

	if (xos_policytool_lines_request(lines, r->after, r->now, &req, &why) != XOS_OK) {
		r->bad++;
		if (!r->quiet)
			fprintf(stderr, "xos-policy: %s\n", why.text);
		return XOS_OK;
	}
	was = xos_policytool_lines_recorded(lines);
	if (was)
		compare(r, was, &req, answer);
	if (!xos_str_printf(
	        example, sizeof(example), "%s:%zu", path, xos_policytool_lines_number(lines)))
		example[0] = 0;
	return xos_policytool_changes_try(r->changes, &req, example, err);
}

static enum xos_status replay_file(
    struct xos_policytool_replay *r, const char *path, struct xos_err *err)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct xos_policytool_lines *lines = in ? xos_policytool_lines_new(in, path) : NULL;
	struct xos_policy_answer answer;
	enum xos_status st = XOS_OK;

	if (!in)
		return xos_err_errno(err, errno, "file-open", "cannot open %s", path);
	if (!lines)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_policy_answer_init(&answer);
	while (!st && xos_policytool_lines_next(lines, &st, err))
		st = one(r, lines, path, &answer, err);
	xos_policy_answer_free(&answer);
	xos_policytool_lines_free(lines);
	if (in != stdin)
		fclose(in);
	return st;
}

static int is_lines(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 6 && strcmp(e->d_name + n - 6, ".jsonl") == 0;
}

static enum xos_status replay_folder(
    struct xos_policytool_replay *r, const char *path, struct xos_err *err)
{
	struct dirent **names = NULL;
	char file[PATH_MAX];
	int n = scandir(path, &names, is_lines, alphasort);
	enum xos_status st = XOS_OK;

	if (n < 0)
		return xos_err_errno(err, errno, "file-open", "cannot read %s", path);
	if (n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-records",
		    "%s holds no *.jsonl: a node keeps its record in decisions/ of the state "
		    "folder of "
		    "xos-credd",
		    path);
	for (int i = 0; i < n; i++) {
		if (!st && !xos_path_join(file, sizeof(file), path, names[i]->d_name))
			st = xos_err_set(err, XOS_LIMIT, "path-too-long", "%s is too long", path);
		if (!st)
			st = replay_file(r, file, err);
		free(names[i]);
	}
	free(names);
	return st;
}

enum xos_status xos_policytool_replay(
    struct xos_policytool_replay *r, const char *path, struct xos_err *err)
{
	struct stat sb;

	if (strcmp(path, "-") != 0 && stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
		return replay_folder(r, path, err);
	return replay_file(r, path, err);
}
