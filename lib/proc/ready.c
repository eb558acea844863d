#include "proc/ready.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proc/daemon.h"

void ready_write(int fd, const struct xos_err *err)
{
	char line[READY_LINE_MAX] = "ready\n";
	if (err && !xos_str_printf(line, sizeof(line), "failed %s %s %s\n",
	               xos_status_name(err->status), err->code[0] ? err->code : "start", err->text))
		return;
	enum xos_status rc = xos_fd_write_all(fd, xos_bytes_str(line), NULL);
	(void)rc; /* whoever started us may have gone */
}

void ready_take(struct ready_reader *r, bool *whole)
{
	ssize_t got = read(r->fd, r->line + r->n, sizeof(r->line) - 1 - r->n);
	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
		*whole = false;
		return;
	}
	if (got > 0)
		r->n += (size_t)got;
	r->line[r->n] = 0;
	*whole = got <= 0 || r->n == sizeof(r->line) - 1 || strchr(r->line, '\n');
}

static enum xos_status status_named(const char *name)
{
	for (enum xos_status s = XOS_MALFORMED; s <= XOS_INTERNAL; s++)
		if (strcmp(xos_status_name(s), name) == 0)
			return s;
	return XOS_INTERNAL;
}

enum xos_status ready_result(const struct ready_reader *r, struct xos_err *err)
{
	char line[READY_LINE_MAX], *rest = NULL;
	memcpy(line, r->line, r->n);
	line[r->n] = 0;
	line[strcspn(line, "\n")] = 0;
	if (strcmp(line, "ready") == 0)
		return XOS_OK;
	const char *word = strtok_r(line, " ", &rest), *status = strtok_r(NULL, " ", &rest);
	const char *code = strtok_r(NULL, " ", &rest);
	if (!word || strcmp(word, "failed") != 0 || !status || !code)
		return xos_err_set(
		    err, XOS_UNAVAILABLE, "start-silent", "the process ended before it was ready");
	return xos_err_set(err, status_named(status), code, "%s", rest ? rest : "");
}

/* sd_notify(3): one datagram to the socket named by $NOTIFY_SOCKET; '@' begins an abstract name. */
void xos_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (!path || (path[0] != '/' && path[0] != '@') ||
	    !xos_str_copy(to.sun_path, sizeof(to.sun_path), path))
		return;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	const struct sockaddr *address = (const struct sockaddr *)&to;
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, address, len);
	(void)sent;
	close(fd);
}

void xos_ready_report(int ready_fd, const struct xos_err *err)
{
	if (ready_fd >= 0) {
		ready_write(ready_fd, err);
		close(ready_fd);
	}
	if (!err)
		xos_notify("READY=1");
}
