#include "base/secret.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* The bytes have pages of their own: locking and "no dump" are properties of pages. */
struct xos_secret {
	uint8_t *p;
	size_t n, mapped;
	bool locked;
};

struct xos_secret *xos_secret_new(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (n > SIZE_MAX / 2)
		return NULL;
	struct xos_secret *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->n = n;
	s->mapped = n ? (n + page - 1) / page * page : page;
	void *p = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		free(s);
		return NULL;
	}
	s->p = p;
	/* Both may be refused (RLIMIT_MEMLOCK, old kernels): the secret is then as safe as the
	 * swap. */
	s->locked = mlock(p, s->mapped) == 0;
	(void)madvise(p, s->mapped, MADV_DONTDUMP);
	return s;
}

bool xos_secret_would_lock(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool locked = p != MAP_FAILED && mlock(p, n) == 0;

	if (p != MAP_FAILED)
		munmap(p, n);
	return locked;
}

struct xos_secret *xos_secret_from(const void *p, size_t n)
{
	struct xos_secret *s = xos_secret_new(n);
	if (s && n)
		memcpy(s->p, p, n);
	return s;
}

void xos_secret_free(struct xos_secret *s)
{
	if (!s)
		return;
	xos_wipe(s->p, s->mapped);
	munmap(s->p, s->mapped);
	free(s);
}

uint8_t *xos_secret_data(struct xos_secret *s)
{
	return s->p;
}

size_t xos_secret_len(const struct xos_secret *s)
{
	return s->n;
}

bool xos_secret_locked(const struct xos_secret *s)
{
	return s->locked;
}

void xos_secret_shrink(struct xos_secret *s, size_t n)
{
	if (n >= s->n)
		return;
	xos_wipe(s->p + n, s->n - n);
	s->n = n;
}

void xos_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

bool xos_ct_equal(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;
	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

/* Byte by byte, so that what follows the line stays in the pipe for the next reader. */
enum xos_status xos_secret_read_line(
    int fd, size_t max, struct xos_secret **out, struct xos_err *err)
{
	enum xos_status rc;
	size_t n = 0;
	struct xos_secret *s = xos_secret_new(max + 2);
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (;;) {
		ssize_t got = read(fd, s->p + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = xos_err_errno(err, errno, "secret-read", "cannot read the secret");
			goto out;
		}
		if (got == 0 || s->p[n] == '\n')
			break;
		if (s->p[n] == 0) {
			rc = xos_err_set(err, XOS_MALFORMED, "secret-nul",
			    "the secret contains a NUL byte; give one line of text");
			goto out;
		}
		if (++n > max + 1)
			break;
	}
	if (n > 0 && s->p[n - 1] == '\r')
		n--;
	if (n > max) {
		rc = xos_err_set(
		    err, XOS_LIMIT, "secret-long", "the secret is longer than %zu bytes", max);
		goto out;
	}
	if (n == 0) {
		rc = xos_err_set(
		    err, XOS_MALFORMED, "secret-empty", "no secret was given; give it as one line");
		goto out;
	}
	xos_secret_shrink(s, n);
	*out = s;
	s = NULL;
	rc = XOS_OK;
out:
	xos_secret_free(s);
	return rc;
}

/* Waits for the line, or for a signal that would otherwise end us with the echo still off. */
static int wait_line(int tty, int sigfd)
{
	struct pollfd fds[2] = {{.fd = tty, .events = POLLIN}, {.fd = sigfd, .events = POLLIN}};
	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return 0;
	struct signalfd_siginfo info;
	if (fds[1].revents && read(sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		return (int)info.ssi_signo;
	return 0;
}

/* The echo is off before the prompt invites anybody to type. ^C makes SIGINT as ever, which wait_line()
 * sees; ^Z is off, or a shell would get the terminal back without its echo. */
static enum xos_status read_quietly(int tty, int sigfd, const char *prompt, size_t max,
    struct xos_secret **out, int *sig, struct xos_err *err)
{
	struct termios old, quiet;
	if (tcgetattr(tty, &old) != 0)
		return xos_err_errno(err, errno, "terminal", "cannot set the terminal up");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	quiet.c_lflag |= ECHONL | ICANON | ISIG;
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
		return xos_err_errno(err, errno, "terminal", "cannot switch the echo off");
	enum xos_status rc = xos_fd_write_all(tty, xos_bytes_str(prompt), err);
	if (rc == XOS_OK)
		*sig = wait_line(tty, sigfd);
	if (rc == XOS_OK && *sig == 0)
		rc = xos_secret_read_line(tty, max, out, err);
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	return rc;
}

enum xos_status xos_secret_prompt(
    const char *prompt, size_t max, struct xos_secret **out, struct xos_err *err)
{
	struct xos_secret *s = NULL;
	int sig = 0;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return xos_err_set(err, XOS_UNAVAILABLE, "no-terminal",
		    "there is no terminal to ask on; give the secret on standard input "
		    "(--password-stdin)");
	sigset_t ends, before;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &ends, &before);
	enum xos_status rc = XOS_INTERNAL;
	int sigfd = signalfd(-1, &ends, SFD_CLOEXEC);
	if (sigfd < 0)
		rc = xos_err_errno(err, errno, "signalfd", "cannot watch for signals");
	else
		rc = read_quietly(tty, sigfd, prompt, max, &s, &sig, err);
	if (sigfd >= 0)
		close(sigfd);
	close(tty);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (sig) {
		(void)raise(sig);
		rc = xos_err_set(err, XOS_DENIED, "cancelled", "cancelled");
	}
	if (rc == XOS_OK) {
		*out = s;
		s = NULL;
	}
	xos_secret_free(s);
	return rc;
}
