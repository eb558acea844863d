#include "jobs/stage.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "jobs/remove.h"
#include "service/own.h"

static enum xos_status sub(
    const char *state, const char *name, char out[PATH_MAX], struct xos_err *err)
{
	if (!xos_path_join(out, PATH_MAX - 64, state, name))
		return xos_err_set(err, XOS_LIMIT, "state", "%s: path too long", state);
	return XOS_OK;
}

static enum xos_status folder(
    const char *path, mode_t mode, uid_t uid, gid_t gid, bool root, struct xos_err *err)
{
	enum xos_status st = xos_dir_make(path, mode & 0777, err);

	if (st != XOS_OK)
		return st;
	if ((root && chown(path, uid, gid) != 0) || chmod(path, mode) != 0)
		return xos_err_errno(err, errno, "state", "cannot set up %s", path);
	return XOS_OK;
}

enum xos_status xos_stage_open(
    struct xos_stage *s, const char *state, const char *network, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	mode_t through;

	*s = (struct xos_stage){.root = geteuid() == 0};
	if (s->root)
		st = xos_service_user(network, &s->network_uid, &s->network_gid, err);
	if (st == XOS_OK)
		st = sub(state, "run", s->run, err);
	if (st == XOS_OK)
		st = sub(state, "work", s->work, err);
	if (st == XOS_OK)
		st = sub(state, "credential", s->credential, err);
	if (st == XOS_OK)
		st = sub(state, "spool", s->spool, err);
	through = s->root ? 0711 : 0700;
	if (st == XOS_OK)
		st = folder(state, through, 0, 0, s->root, err);
	/* The set-group-id bit gives the monitors' files the group that may read them. */
	if (st == XOS_OK)
		st = folder(s->run, s->root ? 02750 : 0700, 0, s->network_gid, s->root, err);
	if (st == XOS_OK)
		st = folder(s->work, through, 0, 0, s->root, err);
	if (st == XOS_OK)
		st = folder(s->credential, through, 0, 0, s->root, err);
	if (st == XOS_OK)
		st = xos_service_own(s->spool, s->root ? network : NULL, err);
	if (st == XOS_OK && s->root)
		st = xos_dir_searchable(s->work, err);
	return st;
}

enum xos_status xos_stage_path(const struct xos_stage *s, const char *id, const char *name,
    char out[PATH_MAX], struct xos_err *err)
{
	char dir[PATH_MAX];

	if (!xos_job_id_valid(id) || !xos_path_join(dir, sizeof(dir), s->run, id) ||
	    (name && !xos_path_join(out, PATH_MAX, dir, name)))
		return xos_err_set(err, XOS_INTERNAL, "state", "no path for job %.40s", id);
	if (!name)
		memcpy(out, dir, strlen(dir) + 1);
	return XOS_OK;
}

enum xos_status xos_stage_make(
    const struct xos_stage *s, const char *id, uid_t uid, gid_t gid, struct xos_err *err)
{
	char run[PATH_MAX], work[PATH_MAX];
	enum xos_status st = xos_stage_path(s, id, NULL, run, err);

	if (st != XOS_OK)
		return st;
	if (!xos_path_join(work, sizeof(work), s->work, id))
		return xos_err_set(err, XOS_INTERNAL, "state", "no path for job %s", id);
	/* The work folder first: run/ID says that all is there. */
	if (mkdir(work, 0700) != 0 && errno != EEXIST)
		return xos_err_errno(err, errno, "job-folder", "cannot make %s", work);
	if (s->root && lchown(work, uid, gid) != 0)
		return xos_err_errno(
		    err, errno, "job-folder", "cannot give %s to uid %u", work, (unsigned)uid);
	if (mkdir(run, 0700) != 0) {
		if (errno == EEXIST)
			return xos_err_set(err, XOS_CONFLICT, "job-exists", "job %s exists", id);
		return xos_err_errno(err, errno, "job-folder", "cannot make %s", run);
	}
	/* Whatever the umask: the group that the folder inherited may read. */
	if (s->root && chmod(run, 02750) != 0)
		return xos_err_errno(err, errno, "job-folder", "cannot set up %s", run);
	return XOS_OK;
}

/* As the job's account, nothing that it linked to can be reached beyond its own rights. */
static void remove_as_owner(const char *path)
{
	struct stat sb;
	pid_t pid;

	if (lstat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))
		return;
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) != 0 || setresgid(sb.st_gid, sb.st_gid, sb.st_gid) != 0 ||
		        setresuid(sb.st_uid, sb.st_uid, sb.st_uid) != 0))
			_exit(1);
		xos_remove_below(path);
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (rmdir(path) != 0)
		XOS_EVENT(XOS_WARN, "job.folder-stays", "path", path, "error", strerror(errno));
}

void xos_stage_clear(const struct xos_stage *s, const char *id)
{
	char work[PATH_MAX];

	if (xos_job_id_valid(id) && xos_path_join(work, sizeof(work), s->work, id))
		remove_as_owner(work);
}

void xos_stage_remove(const struct xos_stage *s, const char *id)
{
	char run[PATH_MAX], work[PATH_MAX];

	if (xos_stage_path(s, id, NULL, run, NULL) != XOS_OK ||
	    !xos_path_join(work, sizeof(work), s->work, id))
		return;
	remove_as_owner(work);
	xos_remove_below(run);
	if (rmdir(run) != 0 && errno != ENOENT)
		XOS_EVENT(XOS_WARN, "job.folder-stays", "path", run, "error", strerror(errno));
}

bool xos_stage_has(const struct xos_stage *s, const char *id, const char *name)
{
	return xos_stage_time(s, id, name) != 0;
}

int64_t xos_stage_time(const struct xos_stage *s, const char *id, const char *name)
{
	char path[PATH_MAX];
	struct stat sb;

	if (xos_stage_path(s, id, name, path, NULL) != XOS_OK || lstat(path, &sb) != 0)
		return 0;
	return sb.st_mtime > 0 ? (int64_t)sb.st_mtime : 1;
}

enum xos_status xos_stage_mark(
    const struct xos_stage *s, const char *id, const char *name, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_stage_path(s, id, name, path, err);

	return st == XOS_OK ? xos_file_write(path, 0640, XOS_BYTES_NONE, err) : st;
}

enum xos_status xos_stage_save(
    const struct xos_stage *s, const struct xos_record *r, struct xos_err *err)
{
	struct xos_json *doc = xos_record_to_json(r);
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_RECORD_MAX);
	st = xos_stage_path(s, r->id, "record", path, err);
	if (st == XOS_OK)
		st = xos_json_dump(doc, &b, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_stage_load(
    const struct xos_stage *s, const char *id, struct xos_record *r, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_RECORD_MAX);
	st = xos_stage_path(s, id, "record", path, err);
	if (st == XOS_OK)
		st = xos_file_read(path, XOS_RECORD_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&b), XOS_RECORD_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_record_from_json(doc, r, err);
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_stage_each(const struct xos_stage *s, void (*each)(void *ctx, const char *id),
    void *ctx, struct xos_err *err)
{
	DIR *d = opendir(s->run);
	struct dirent *e;

	if (!d)
		return xos_err_errno(err, errno, "state", "cannot read %s", s->run);
	while ((e = readdir(d)))
		if (xos_job_id_valid(e->d_name))
			each(ctx, e->d_name);
	closedir(d);
	return XOS_OK;
}
