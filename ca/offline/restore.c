/* xos-cad restore: takes a copy of backup.c back, or only looks whether it is good. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/loghead.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/offline/copy.h"
#include "ca/membership/membership.h"
#include "ca/offline/offline.h"
#include "ca/auth/verifiers.h"
#include "log/log.h"
#include "service/own.h"

#define ASIDE_MAX 1000

struct restore {
	const struct ca_conf *conf;
	struct ca_paths paths;
	const char *from, *certificate, *known;
	bool check, accept_loss;
	struct xos_chain chain;
	struct ca_copy copy;
	int64_t now;
	char aside[48];
};

static enum xos_status too_long(const struct restore *r, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_LIMIT, "path", "the path %s is too long", r->conf->common.state);
}

/* Whoever writes the log holds a lock on it. */
static enum xos_status check_stopped(const struct restore *r, struct xos_err *err)
{
	int fd = open(r->paths.log, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	enum xos_status st = XOS_OK;

	if (fd < 0)
		return errno == ENOENT
		           ? XOS_OK
		           : xos_err_errno(err, errno, "restore", "cannot open %s", r->paths.log);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		st = xos_err_set(
		    err, XOS_CONFLICT, "running", "xos-cad runs with this state: stop it first");
	close(fd);
	return st;
}

static enum xos_status head_sequence(
    const struct restore *r, const char *log, uint64_t *sequence, struct xos_err *err)
{
	struct xos_loghead loghead = {.key = xos_cert_key(r->chain.cert[0])};
	struct xos_log_crypto crypto = xos_loghead_crypto(&loghead);
	struct xos_log_head head = {.sequence = 0};
	struct xos_bytes signature;
	struct xos_buf encoded;
	enum xos_status st = xos_log_head_read(log, &crypto, &encoded, NULL, err);

	if (st != XOS_OK)
		return st;
	st = xos_log_head_decode(xos_buf_bytes(&encoded), &head, &signature, err);
	xos_buf_free(&encoded);
	*sequence = head.sequence;
	return st;
}

static enum xos_status refuse_older(
    const struct restore *r, const char *where, uint64_t sequence, struct xos_err *err)
{
	if (sequence <= r->copy.records || r->accept_loss)
		return XOS_OK;
	return xos_err_set(err, XOS_CONFLICT, "copy-older",
	    "the log %s has %llu records, the copy %llu: tokens and acts since then would be "
	    "forgotten, and serials given again. If they are lost anyway: --accept-loss",
	    where, (unsigned long long)sequence, (unsigned long long)r->copy.records);
}

/*
 * Does what is here, or a signed head that was kept elsewhere, know of more than the copy? A damaged head here
 * cannot be asked, and is no reason; one that was named must be good.
 */
static enum xos_status check_newer(const struct restore *r, struct xos_err *err)
{
	uint64_t sequence = 0;
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;

	if (head_sequence(r, r->paths.log, &sequence, NULL) == XOS_OK)
		st = refuse_older(r, "here", sequence, err);
	if (st != XOS_OK || !r->known)
		return st;
	if (!xos_path_join(path, sizeof(path), r->known, ca_copy_names[CA_COPY_LOG]))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", r->known);
	st = head_sequence(r, path, &sequence, err);
	return st == XOS_OK ? refuse_older(r, r->known, sequence, err) : st;
}

/* ---- putting it there ---- */

/* What a restore that was cut short may have left: the file, and a database's journal beside it. */
static enum xos_status remove_left(const char *path, struct xos_err *err)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (xos_str_printf(name, sizeof(name), "%s%s", path, endings[i]) &&
		    unlink(name) != 0 && errno != ENOENT)
			return xos_err_errno(err, errno, "restore", "cannot remove %s", name);
	return XOS_OK;
}

static enum xos_status fetch(
    const struct restore *r, enum ca_copy_file f, const char *folder, struct xos_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (!xos_path_join(from, sizeof(from), r->from, ca_copy_names[f]) ||
	    !xos_path_join(to, sizeof(to), folder, ca_copy_names[f]))
		return too_long(r, err);
	enum xos_status st = remove_left(to, err);
	return st == XOS_OK ? ca_copy_bytes(from, to, UINT64_MAX, err) : st;
}

/*
 * Copies have no journal. It must be there before the daemon starts: the key process opens the membership at its
 * start, and could not enter the folder any more if the auth process made the journal after that.
 */
static enum xos_status wake(const struct restore *r, const char *folder, struct xos_err *err)
{
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;

	if (!xos_path_join(path, sizeof(path), folder, ca_copy_names[CA_COPY_MEMBERSHIP]))
		return too_long(r, err);
	st = ca_membership_open(path, r->conf->common.vo, false, false, &m, err);
	if (!xos_path_join(path, sizeof(path), folder, ca_copy_names[CA_COPY_VERIFIERS]))
		st = too_long(r, err);
	if (st == XOS_OK)
		st = ca_verifiers_open(path, false, &v, err);
	ca_verifiers_close(v);
	ca_membership_close(m);
	return st;
}

/* STATE/auth.restored and key.restored, whole and their owners', before anything is moved. */
static enum xos_status prepare(const struct restore *r, const char *folder, const char *user,
    enum ca_copy_file a, enum ca_copy_file b, struct xos_err *err)
{
	enum xos_status st = xos_service_own(folder, NULL, err);

	if (st == XOS_OK)
		st = fetch(r, a, folder, err);
	if (st == XOS_OK)
		st = fetch(r, b, folder, err);
	if (st == XOS_OK && a == CA_COPY_MEMBERSHIP)
		st = wake(r, folder, err);
	return st == XOS_OK ? xos_service_own(folder, user, err) : st;
}

/* What a restore that failed prepared; the copy has it still. */
static void discard(const char *folder, enum ca_copy_file a, enum ca_copy_file b)
{
	const enum ca_copy_file files[] = {a, b};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (xos_path_join(path, sizeof(path), folder, ca_copy_names[files[i]]))
			(void)!remove_left(path, NULL);
	(void)rmdir(folder);
}

static bool taken(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* The ending of both names for what is there now: .before-TIME, or .before-TIME-2 and so on if that is taken. */
static enum xos_status choose_aside(struct restore *r, struct xos_err *err)
{
	char auth[PATH_MAX], key[PATH_MAX];

	for (int n = 1; n <= ASIDE_MAX; n++) {
		xos_str_printf(r->aside, sizeof(r->aside), ".before-%lld-%d", (long long)r->now, n);
		if (n == 1)
			*strrchr(r->aside, '-') = '\0';
		if (!xos_str_printf(auth, sizeof(auth), "%s%s", r->paths.auth_dir, r->aside) ||
		    !xos_str_printf(key, sizeof(key), "%s%s", r->paths.key_dir, r->aside))
			return too_long(r, err);
		if (!taken(auth) && !taken(key))
			return XOS_OK;
	}
	return xos_err_set(err, XOS_CONFLICT, "restore",
	    "no name is free beside %s for what is there now: remove what older restores left, "
	    "such as %s",
	    r->paths.auth_dir, auth);
}

/* The old folder stays beside it under another name. */
static enum xos_status exchange(
    const struct restore *r, const char *folder, const char *fresh, struct xos_err *err)
{
	char aside[PATH_MAX];

	if (!xos_str_printf(aside, sizeof(aside), "%s%s", folder, r->aside))
		return too_long(r, err);
	if (rename(folder, aside) != 0 && errno != ENOENT)
		return xos_err_errno(err, errno, "restore", "cannot move %s away", folder);
	if (rename(fresh, folder) != 0)
		return xos_err_errno(err, errno, "restore",
		    "cannot move %s to %s; run this again, nothing is lost", fresh, folder);
	return XOS_OK;
}

static enum xos_status sync_folder(const char *dir, struct xos_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum xos_status st = XOS_OK;

	if (fd < 0 || fsync(fd) != 0)
		st = xos_err_errno(err, errno, "restore", "cannot write %s to the disk", dir);
	if (fd >= 0)
		close(fd);
	return st;
}

static enum xos_status put(struct restore *r, struct xos_err *err)
{
	const struct xos_service_conf *c = &r->conf->common;
	char auth[PATH_MAX], key[PATH_MAX];
	enum xos_status st;

	if (!xos_path_join(auth, sizeof(auth), c->state, "auth.restored") ||
	    !xos_path_join(key, sizeof(key), c->state, "key.restored"))
		return too_long(r, err);
	st = choose_aside(r, err);
	if (st == XOS_OK)
		st = prepare(r, auth, c->user_auth, CA_COPY_MEMBERSHIP, CA_COPY_VERIFIERS, err);
	if (st == XOS_OK)
		st = prepare(r, key, c->user_key, CA_COPY_LOG, CA_COPY_HEAD, err);
	if (st == XOS_OK)
		st = exchange(r, r->paths.auth_dir, auth, err);
	if (st == XOS_OK)
		st = exchange(r, r->paths.key_dir, key, err);
	if (st != XOS_OK) {
		discard(auth, CA_COPY_MEMBERSHIP, CA_COPY_VERIFIERS);
		discard(key, CA_COPY_LOG, CA_COPY_HEAD);
		return st;
	}
	return sync_folder(c->state, err);
}

static enum xos_status restore(struct restore *r, struct xos_err *err)
{
	enum xos_status st = ca_paths_fill(r->conf->common.state, &r->paths, err);

	if (st == XOS_OK)
		st =
		    xos_chain_load(r->certificate ? r->certificate : r->paths.cert, &r->chain, err);
	if (st == XOS_OK)
		st = ca_copy_check(r->from, r->conf->common.vo, r->chain.cert[0], &r->copy, err);
	if (st == XOS_OK)
		st = check_newer(r, err);
	if (st != XOS_OK || r->check)
		return st;
	st = check_stopped(r, err);
	return st == XOS_OK ? put(r, err) : st;
}

enum xos_status ca_verb_restore(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	struct restore r = {.conf = run->conf, .now = xos_clock_now()};
	enum xos_status st;

	r.check = run->check;
	r.accept_loss = xos_service_flag(&argc, argv, "--accept-loss");
	st = xos_service_arg(&argc, argv, "--from", true, &r.from, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--certificate", false, &r.certificate, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--known", false, &r.known, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		st = restore(&r, err);
	if (st == XOS_OK)
		ca_copy_print(&r.copy, r.check ? "good:" : "restored from", r.from, run->json);
	xos_chain_clear(&r.chain);
	return st;
}
