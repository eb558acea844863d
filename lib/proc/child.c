/* What a child of the supervisor does with what it was given. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "proc/ready.h"
#include "proc/supervisor.h"

/* $XOS_DESCRIPTORS is "ready=3:auth=4:...". */
static int find(const char *name)
{
	const char *list = getenv("XOS_DESCRIPTORS");
	size_t n = strlen(name);
	while (list && *list) {
		size_t len = strcspn(list, ":");
		char number[16];
		uint64_t fd;
		if (len > n + 1 && len - n - 1 < sizeof(number) && strncmp(list, name, n) == 0 &&
		    list[n] == '=') {
			memcpy(number, list + n + 1, len - n - 1);
			number[len - n - 1] = 0;
			return xos_parse_u64(number, 1 << 20, &fd) ? (int)fd : -1;
		}
		list += len + (list[len] == ':');
	}
	return -1;
}

enum xos_status xos_child_fd_take(const char *name, int *fd, struct xos_err *err)
{
	int found = find(name);
	if (found < 0 || fcntl(found, F_SETFD, FD_CLOEXEC) != 0)
		return xos_err_set(err, XOS_NOT_FOUND, "child-fd",
		    "no descriptor named %s was handed to this process; it is started by its "
		    "supervisor",
		    name);
	*fd = found;
	return XOS_OK;
}

static void report(const struct xos_err *err)
{
	int fd;
	if (xos_child_fd_take("ready", &fd, NULL) != XOS_OK)
		return;
	ready_write(fd, err);
	close(fd);
}

void xos_child_ready(void)
{
	report(NULL);
}

void xos_child_failed(const struct xos_err *err)
{
	struct xos_err unknown = {
	    .status = XOS_INTERNAL, .code = "start", .text = "it gave no reason"};
	report(err ? err : &unknown);
}
