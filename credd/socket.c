#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "credd/server.h"

#define BACKLOG 512
#define GOING_TRIES 100 /* two seconds in all */
#define GOING_PAUSE_NS 20000000L

static enum xos_status make_folder(const char *path, struct xos_err *err)
{
	char dir[PATH_MAX];
	if (!xos_str_copy(dir, sizeof(dir), path))
		return xos_err_set(err, XOS_LIMIT, "socket-path", "%s is too long", path);
	char *slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return XOS_OK;
	*slash = '\0';
	struct stat st;
	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return XOS_OK;
	return xos_dir_make(dir, 0755, err);
}

/* Is somebody listening? Only then is the file more than a left-over. */
static bool in_use(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	int rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	bool used = rc == 0 || (errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return used;
}

/* The daemon of a supervisor that was killed is killed by the kernel, a moment later: it still listens when the next one comes. */
static bool stays_in_use(const struct sockaddr_un *addr)
{
	const struct timespec pause = {0, GOING_PAUSE_NS};
	for (int i = 0; i < GOING_TRIES; i++) {
		if (!in_use(addr))
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

enum xos_status xos_credd_socket_bind(const char *path, int *fd, struct xos_err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	if (!xos_str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return xos_err_set(err, XOS_MALFORMED, "socket-path",
		    "%s is longer than 107 bytes: choose a shorter path", path);
	enum xos_status status = make_folder(path, err);
	if (status)
		return status;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || stays_in_use(&addr))
			return xos_err_set(err, XOS_CONFLICT, "socket-in-use",
			    "%s exists and is no left-over socket: is another xos-credd running?",
			    path);
		if (unlink(path))
			return xos_err_errno(
			    err, errno, "socket", "cannot remove the old %s", path);
	}
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return xos_err_errno(err, errno, "socket", "cannot make a socket");
	/* Anybody may connect: who asks is known from the kernel. */
	if (bind(s, (const struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0666) ||
	    listen(s, BACKLOG)) {
		status = xos_err_errno(err, errno, "socket", "cannot listen on %s", path);
		close(s);
		return status;
	}
	*fd = s;
	return XOS_OK;
}
