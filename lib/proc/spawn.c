#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define SPAWN_FDS_MAX 64

void spawn_reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL); /* fails for SIGKILL and SIGSTOP only */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int spawn_place_fds(const int *fds, size_t n)
{
	int high[SPAWN_FDS_MAX];
	if (n > SPAWN_FDS_MAX)
		return -1;
	/* First out of the way of their own targets, then down. */
	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, (int)(3 + n));
		if (high[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(high[i], (int)(3 + i)) < 0)
			return -1;
	return close_range((unsigned)(3 + n), ~0U, 0);
}

static void put(int fd, const char *s)
{
	ssize_t n = write(fd, s, strlen(s));
	(void)n;
}

_Noreturn void spawn_exec_failed(int fd, const char *what)
{
	const char *why = strerrordesc_np(errno);
	put(fd, "failed unavailable exec cannot run ");
	put(fd, what);
	put(fd, ": ");
	put(fd, why ? why : "unknown error");
	put(fd, "\n");
	_exit(127);
}
