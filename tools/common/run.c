#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define TEXT_MAX 4096

static enum xos_status spawn(
    const char *const *argv, int in, int out, int errfd, pid_t *pid, struct xos_err *err)
{
	posix_spawn_file_actions_t fa;
	if (posix_spawn_file_actions_init(&fa) != 0)
		return xos_err_set(err, XOS_INTERNAL, "spawn", "out of memory");
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, errfd, 2);
	union {
		const char *const *in;
		char *const *out;
	} args = {.in = argv};
	int rc = posix_spawnp(pid, argv[0], &fa, NULL, args.out, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (rc == ENOENT)
		return xos_err_set(err, XOS_NOT_FOUND, "program-missing",
		    "%s is not installed, or not on PATH", argv[0]);
	if (rc != 0)
		return xos_err_errno(err, rc, "spawn", "cannot run %s", argv[0]);
	return XOS_OK;
}

/* Reads both pipes until their end; what exceeds TEXT_MAX is read and dropped. */
static void drain(int fds[2], struct xos_buf *out[2])
{
	struct pollfd p[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++) {
			char chunk[1024];
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			ssize_t n = read(p[i].fd, chunk, sizeof(chunk));
			if (n > 0 && out[i]->n + (size_t)n <= TEXT_MAX)
				xos_buf_put(out[i], chunk, (size_t)n);
			else if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
				p[i].fd = -1;
		}
	}
}

/* Programs end with what went wrong; lines before it are their events. */
static const char *last_line(struct xos_buf *text)
{
	while (text->n && text->p[text->n - 1] == '\n')
		text->n--;
	const char *all = xos_buf_str(text);
	const char *last = all ? strrchr(all, '\n') : NULL;
	return last ? last + 1 : all ? all : "";
}

static enum xos_status judge(
    const char *program, int wait_status, struct xos_buf *text, struct xos_err *err)
{
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		return XOS_OK;
	const char *said = last_line(text);
	size_t n = strlen(said);
	/* The daemons' own 2 is a configuration that does not check; what they said names the place. */
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 2 && n)
		return xos_err_set(err, XOS_MALFORMED, "program-refused", "%s", said);
	if (WIFEXITED(wait_status)) {
		int rc = WEXITSTATUS(wait_status);
		enum xos_status st = rc == 1   ? XOS_DENIED
		                     : rc == 3 ? XOS_UNAVAILABLE
		                               : XOS_INTERNAL;
		return xos_err_set(err, st, "program-failed", "%s ended with status %d%s%s",
		    program, rc, n ? ": " : "", said);
	}
	return xos_err_set(err, XOS_INTERNAL, "program-failed", "%s was ended by signal %d",
	    program, WTERMSIG(wait_status));
}

enum xos_status xos_cli_run(
    const char *const *argv, struct xos_secret *input, struct xos_buf *out, struct xos_err *err)
{
	int in[2] = {-1, -1}, outp[2] = {-1, -1}, errp[2] = {-1, -1}, wait_status = 0;
	struct xos_buf text, dropped;
	xos_buf_init(&text, TEXT_MAX + 1);
	xos_buf_init(&dropped, TEXT_MAX + 1);
	pid_t pid = -1;
	enum xos_status st = XOS_INTERNAL;
	if (pipe2(in, O_CLOEXEC) || pipe2(outp, O_CLOEXEC) || pipe2(errp, O_CLOEXEC)) {
		st = xos_err_errno(err, errno, "pipe", "cannot make a pipe");
		goto out;
	}
	if ((st = spawn(argv, in[0], outp[1], errp[1], &pid, err)))
		goto out;
	close(in[0]);
	close(outp[1]);
	close(errp[1]);
	in[0] = outp[1] = errp[1] = -1;
	/* A password is far shorter than a pipe's buffer; a child that never reads it cannot block us. */
	if (input && xos_fd_write_all(in[1],
	                 (struct xos_bytes){xos_secret_data(input), xos_secret_len(input)}, NULL))
		input = NULL; /* its own complaint is the better message */
	close(in[1]);
	in[1] = -1;
	drain((int[2]){outp[0], errp[0]}, (struct xos_buf *[2]){out ? out : &dropped, &text});
	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	st = judge(argv[0], wait_status, &text, err);
out:
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (outp[i] >= 0)
			close(outp[i]);
		if (errp[i] >= 0)
			close(errp[i]);
	}
	xos_buf_free(&text);
	xos_buf_free(&dropped);
	return st;
}
