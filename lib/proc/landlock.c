/* Path rules: landlock(7). glibc has no wrappers, and older kernel headers miss later rights. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/confine.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define RIGHTS_READ                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                         \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                           \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Made by nobody here, but handled, so that they are refused everywhere. */
#define RIGHTS_NEVER (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)
/* What a rule on a file, not a folder, may name. */
#define RIGHTS_FILE                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

static const char *const always[] = {"/usr", "/lib", "/lib64", "/etc/ssl", "/etc/ld.so.cache",
    "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/proc/self",
    "/sys/devices/system/cpu", NULL};
static const char *const resolver[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
    "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
    "/run/systemd/resolve", NULL};
static const char *const sinks[] = {"/dev/null", NULL};

static enum xos_status allow_path(
    int set, const char *path, uint64_t rights, bool must, struct xos_err *err)
{
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 && !must)
		return XOS_OK;
	if (fd < 0 || fstat(fd, &st) != 0) {
		enum xos_status rc = xos_err_errno(err, errno, "sandbox", "cannot open %s", path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = rights};
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= RIGHTS_FILE;
	enum xos_status rc = XOS_OK;
	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		rc = xos_err_errno(err, errno, "sandbox", "cannot allow %s", path);
	close(fd);
	return rc;
}

static enum xos_status allow_list(
    int set, const char *const *paths, uint64_t rights, bool must, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	for (size_t i = 0; rc == XOS_OK && paths && paths[i]; i++)
		rc = allow_path(set, paths[i], rights, must, err);
	return rc;
}

enum xos_status confine_paths(const struct xos_sandbox *s, const char **weak, struct xos_err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		*weak = "Landlock (the kernel lacks it or has it switched off)";
		return XOS_OK;
	}
	uint64_t write = RIGHTS_READ | RIGHTS_WRITE;
	if (abi >= 2)
		write |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		write |= LANDLOCK_ACCESS_FS_TRUNCATE;
	struct landlock_ruleset_attr attr = {.handled_access_fs = write | RIGHTS_NEVER};
	int set = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (set < 0)
		return xos_err_errno(err, errno, "sandbox", "cannot make path rules");
	enum xos_status rc = allow_list(set, always, RIGHTS_READ, false, err);
	if (rc == XOS_OK)
		rc =
		    allow_list(set, sinks, RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE, false, err);
	if (rc == XOS_OK && s->allow & XOS_ALLOW_NET_CLIENT)
		rc = allow_list(set, resolver, RIGHTS_READ, false, err);
	if (rc == XOS_OK)
		rc = allow_list(set, s->read_only, RIGHTS_READ, false, err);
	if (rc == XOS_OK)
		rc = allow_list(set, s->read_write, write, true, err);
	if (rc == XOS_OK && syscall(SYS_landlock_restrict_self, set, 0) != 0)
		rc = xos_err_errno(err, errno, "sandbox", "cannot enter the path rules");
	close(set);
	return rc;
}
