#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/daemon.h"
#include "proc/ready.h"
#include "proc/spawn.h"

static _Noreturn void become(const struct xos_daemon *d, char *const *argv, int log, int ready)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)setsid();
	spawn_reset_signals();
	if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
	    spawn_place_fds(&ready, 1) != 0)
		_exit(127);
	execvp(d->path, argv);
	spawn_exec_failed(3, d->path);
}

static enum xos_status await_line(struct ready_reader *r, int64_t deadline, struct xos_err *err)
{
	bool whole = false;
	while (!whole) {
		int64_t left = deadline - xos_clock_mono_ms();
		struct pollfd p = {.fd = r->fd, .events = POLLIN};
		int n = poll(&p, 1, left < 0 ? 0 : (int)(left < 60000 ? left : 60000));
		if (n > 0)
			ready_take(r, &whole);
		else if (n < 0 && errno != EINTR)
			return xos_err_errno(err, errno, "start", "cannot wait");
		else if (left <= 0)
			return xos_err_set(err, XOS_UNAVAILABLE, "start-timeout",
			    "it was not ready in time and has been stopped");
	}
	return ready_result(r, err);
}

/* Ends what did not become ready, and says how it ended if it said nothing itself. */
static void put_down(pid_t pid, bool silent, struct xos_err *err)
{
	int status = 0;
	/* It closed its end, so it is ending: leave it a moment to give its own exit status. */
	for (int i = 0; silent && i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			goto said;
		(void)poll(NULL, 0, 10);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!silent)
		return;
said:
	if (WIFEXITED(status))
		(void)xos_err_set(err, XOS_UNAVAILABLE, "start-silent",
		    "it ended with exit status %d before it was ready", WEXITSTATUS(status));
	else
		(void)xos_err_set(err, XOS_UNAVAILABLE, "start-silent",
		    "signal %d ended it before it was ready", WTERMSIG(status));
}

static char **make_argv(const struct xos_daemon *d)
{
	/* execvp(3) does not write to the arguments; its prototype is older than const. */
	size_t n = 0;
	while (d->argv[n])
		n++;
	char **argv = calloc(n + 3, sizeof(*argv));
	if (!argv)
		return NULL;
	union {
		const char *in;
		char *out;
	} arg;
	for (size_t i = 0; i < n; i++) {
		arg.in = d->argv[i];
		argv[i] = arg.out;
	}
	arg.in = "--ready-fd";
	argv[n] = arg.out;
	arg.in = "3";
	argv[n + 1] = arg.out;
	return argv;
}

static enum xos_status launch(
    const struct xos_daemon *d, int log, struct xos_proc_id *id, struct xos_err *err)
{
	int ready[2];
	char **argv = make_argv(d);
	if (!argv)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (pipe2(ready, O_CLOEXEC) != 0) {
		free(argv);
		return xos_err_errno(err, errno, "start", "cannot make a pipe");
	}
	pid_t pid = fork();
	int why = errno;
	if (pid == 0)
		become(d, argv, log, ready[1]);
	close(ready[1]);
	free(argv);
	struct ready_reader r = {.fd = ready[0]};
	struct xos_err said = XOS_ERR_INIT;
	enum xos_status rc = pid < 0 ? xos_err_errno(&said, why, "start", "cannot fork")
	                             : await_line(&r, xos_clock_mono_ms() + d->timeout_ms, &said);
	close(ready[0]);
	id->pid = pid;
	if (rc == XOS_OK)
		rc = xos_proc_start_time(pid, &id->start, &said);
	if (rc == XOS_OK)
		return rc;
	if (pid > 0)
		put_down(pid, strcmp(said.code, "start-silent") == 0, &said);
	return xos_err_set(
	    err, rc, said.code, "%s: %s (its log: %s)", d->argv[0], said.text, d->log_path);
}

enum xos_status xos_daemon_start(
    const struct xos_daemon *d, struct xos_proc_id *id, struct xos_err *err)
{
	int log = open(d->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (log < 0)
		return xos_err_errno(err, errno, "start", "cannot open the log %s", d->log_path);
	enum xos_status rc = launch(d, log, id, err);
	close(log);
	return rc;
}
