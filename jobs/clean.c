#include "jobs/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define TABLE_MAX (16u << 20) /* bytes of a table in /proc */
#define STATUS_MAX 8192

static const char *const shared[] = {
    "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/user", NULL};
const struct xos_clean_places xos_clean_here = {"/proc", shared};

static bool left(char why[XOS_CLEAN_WHY], const char *what, const char *where)
{
	(void)xos_str_printf(why, XOS_CLEAN_WHY, "%.60s %.90s", what, where);
	return false;
}

/* Blanks between words, as the kernel's tables have them. False: fewer words, or no number. */
static bool number_at(const char *line, unsigned n, uint64_t *v)
{
	char word[24];
	for (;; n--) {
		line += strspn(line, " \t");
		size_t len = strcspn(line, " \t\n");
		if (!len)
			return false;
		if (!n)
			return len < sizeof(word) && memcpy(word, line, len) &&
			       (word[len] = '\0', xos_parse_u64(word, UINT64_MAX, v));
		line += len;
	}
}

/* The four uids of a process: real, effective, saved, of the file system. */
static bool process_has(const char *proc, const char *pid, uint32_t uid)
{
	char path[PATH_MAX];
	struct xos_buf b;
	bool has = false;
	const char *text = NULL, *line;
	xos_buf_init(&b, STATUS_MAX);
	if (xos_str_printf(path, sizeof(path), "%s/%s/status", proc, pid) &&
	    xos_file_read(path, STATUS_MAX, &b, NULL) == XOS_OK)
		text = xos_buf_str(&b);
	line = text ? strstr(text, "\nUid:") : NULL;
	for (unsigned i = 0; line && !has && i < 4; i++) {
		uint64_t v;
		has = number_at(line + strlen("\nUid:"), i, &v) && v == uid;
	}
	xos_buf_free(&b);
	return has;
}

/* The next process of the uid; false: there is none. */
static bool next_process(DIR *d, const char *proc, uint32_t uid, char pid[24])
{
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !xos_str_copy(pid, 24, e->d_name))
			continue;
		if (process_has(proc, pid, uid))
			return true;
	}
	return false;
}

static bool no_process(const char *proc, uint32_t uid, char why[XOS_CLEAN_WHY])
{
	char pid[24];
	DIR *d = opendir(proc);
	if (!d)
		return left(why, "processes cannot be looked at in", proc);
	bool found = next_process(d, proc, uid, pid);
	closedir(d);
	return found ? left(why, "a process runs:", pid) : true;
}

static bool no_entry(const char *folder, uint32_t uid, char why[XOS_CLEAN_WHY])
{
	struct stat sb;
	DIR *d = opendir(folder);
	bool ok = true;
	if (!d)
		return errno == ENOENT || left(why, "files cannot be looked for in", folder);
	for (const struct dirent *e; ok && (e = readdir(d));)
		if (fstatat(dirfd(d), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
		    sb.st_uid == uid && strcmp(e->d_name, "..") != 0)
			ok = left(why, "files remain in", folder);
	closedir(d);
	return ok;
}

/* A table of /proc/sysvipc: the owner's uid stands in column `at`, the maker's two further on. */
static bool no_object(const struct xos_clean_places *p, const char *table, unsigned at,
    uint32_t uid, char why[XOS_CLEAN_WHY])
{
	char path[PATH_MAX];
	struct xos_buf b;
	bool ok = true;
	xos_buf_init(&b, TABLE_MAX);
	if (!xos_str_printf(path, sizeof(path), "%s/sysvipc/%s", p->proc, table))
		return left(why, "no path for", table);
	enum xos_status st = xos_file_read(path, TABLE_MAX, &b, NULL);
	const char *line = st ? NULL : xos_buf_str(&b);
	if (st && st != XOS_NOT_FOUND) /* a kernel without them has none */
		ok = left(why, "System V objects cannot be looked at:", path);
	for (; ok && line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
		uint64_t owner = 0, maker = 0;
		if (number_at(line, at, &owner) && number_at(line, at + 2, &maker) &&
		    (owner == uid || maker == uid))
			ok = left(why, "System V objects remain:", table);
	}
	xos_buf_free(&b);
	return ok;
}

/* What stands before the slash in the n-th word. */
static uint64_t count_at(const char *line, unsigned n)
{
	char word[24];
	uint64_t v = UINT64_MAX; /* what cannot be read is not none */
	for (; n; n--) {
		line += strspn(line, " ");
		line += strcspn(line, " \n");
	}
	line += strspn(line, " ");
	size_t len = strspn(line, "0123456789");
	if (!len || len >= sizeof(word))
		return v;
	memcpy(word, line, len);
	word[len] = '\0';
	return xos_parse_u64(word, UINT64_MAX, &v) ? v : UINT64_MAX;
}

/* keyrings(7), /proc/key-users: "UID: usage nkeys/nikeys qnkeys/maxkeys qnbytes/maxbytes"; false: another uid's. The
 * keys beyond those that the kernel makes: the user's keyring, that of the user's sessions, both of which count for the
 * quota, and the persistent one, which does not. */
static bool keys_in(const char *line, const char *want, uint64_t *keys)
{
	line += strspn(line, " ");
	if (strncmp(line, want, strlen(want)) != 0)
		return false;
	uint64_t all = count_at(line, 2), quota = count_at(line, 3);
	*keys = all > 3 ? all - 3 : quota > 2 ? quota - 2 : 0;
	return true;
}

/* *there: the uid has a line, so that there are keyrings at least. */
static bool count_keys(const struct xos_clean_places *p, uint32_t uid, bool *there, uint64_t *keys)
{
	char path[PATH_MAX], want[16];
	struct xos_buf b;
	xos_buf_init(&b, TABLE_MAX);
	*keys = 0;
	*there = false;
	if (!xos_str_printf(path, sizeof(path), "%s/key-users", p->proc) ||
	    !xos_str_printf(want, sizeof(want), "%u:", uid))
		return false;
	enum xos_status st = xos_file_read(path, TABLE_MAX, &b, NULL);
	const char *line = st ? NULL : xos_buf_str(&b);
	while (line && *line && !(*there = keys_in(line, want, keys))) {
		const char *end = strchr(line, '\n');
		line = end ? end + 1 : NULL;
	}
	xos_buf_free(&b);
	return !st || st == XOS_NOT_FOUND;
}

static bool no_key(const struct xos_clean_places *p, uint32_t uid, char why[XOS_CLEAN_WHY])
{
	uint64_t keys;
	bool there;
	if (!count_keys(p, uid, &there, &keys))
		return left(why, "keys cannot be looked at in", p->proc);
	return !keys || left(why, "keys remain in the", "kernel's keyrings");
}

bool xos_clean_is(
    const struct xos_clean_places *at, uint32_t uid, const char *work, char why[XOS_CLEAN_WHY])
{
	struct stat sb;
	bool ok = no_process(at->proc, uid, why);
	if (ok && work && (lstat(work, &sb) == 0 || errno != ENOENT))
		ok = left(why, "files remain in", work);
	for (size_t i = 0; ok && at->folders[i]; i++)
		ok = no_entry(at->folders[i], uid, why);
	return ok && no_object(at, "shm", 7, uid, why) && no_object(at, "msg", 7, uid, why) &&
	       no_object(at, "sem", 4, uid, why) && no_key(at, uid, why);
}

/* By a descriptor of the process, so that its number cannot go to another one in between. */
static void end_process(const struct xos_clean_places *at, const char *pid, uint32_t uid)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(pid, NULL, 10), 0U);
	if (fd < 0)
		return;
	if (process_has(at->proc, pid, uid))
		(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0U);
	close(fd);
}

/* As the uid, whose keyrings are meant by these names. */
static void empty_keyrings(uint32_t uid)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 ||
		    setresuid(uid, uid, uid) != 0)
			_exit(1);
		/* The persistent one is reached by a link, which goes with the rest. */
		long own = syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_USER_KEYRING);
		if (own > 0)
			(void)syscall(SYS_keyctl, KEYCTL_CLEAR, own);
		(void)syscall(SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_USER_SESSION_KEYRING);
		(void)syscall(SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING);
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}

void xos_clean_up(const struct xos_clean_places *at, uint32_t uid)
{
	char pid[24];
	uint64_t keys;
	bool there;
	DIR *d = opendir(at->proc);
	while (d && next_process(d, at->proc, uid, pid))
		end_process(at, pid, uid);
	if (d)
		closedir(d);
	if (count_keys(at, uid, &there, &keys) && there)
		empty_keyrings(uid);
}
