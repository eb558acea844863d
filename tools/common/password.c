#include "cli/password.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

#define DESCRIPTOR_MAX 1048576

static enum xos_status descriptor(const struct xos_cli_password *p, int *fd, struct xos_err *err)
{
	uint64_t n = STDIN_FILENO;
	if (p->from_stdin && p->fd)
		return xos_cli_usage(err, "--password-stdin and --password-fd exclude each other");
	if (p->fd && !xos_parse_u64(p->fd, DESCRIPTOR_MAX, &n))
		return xos_cli_usage(err, "--password-fd needs the number of an open descriptor");
	*fd = (int)n;
	return XOS_OK;
}

enum xos_status xos_cli_password_check(const struct xos_cli_password *p, struct xos_err *err)
{
	int fd = -1;
	return descriptor(p, &fd, err);
}

static enum xos_status ask(
    const char *prompt, size_t max, struct xos_secret **out, struct xos_err *err)
{
	struct xos_err e = XOS_ERR_INIT;
	enum xos_status st = xos_secret_prompt(prompt, max, out, &e);
	if (st && strcmp(e.code, "no-terminal") == 0)
		return xos_err_set(err, st, e.code,
		    "there is no terminal to ask for the password on: give it with "
		    "--password-stdin or --password-fd N");
	return st ? xos_err_set(err, st, e.code, "%s", e.text) : XOS_OK;
}

static enum xos_status ask_again(size_t max, struct xos_secret *first, struct xos_err *err)
{
	struct xos_secret *again = NULL;
	enum xos_status st = ask("The same again: ", max, &again, err);
	if (!st && (xos_secret_len(first) != xos_secret_len(again) ||
	               !xos_ct_equal(
	                   xos_secret_data(first), xos_secret_data(again), xos_secret_len(again))))
		st =
		    xos_err_set(err, XOS_MALFORMED, "password-differs", "the two are not the same");
	xos_secret_free(again);
	return st;
}

enum xos_status xos_cli_password_get(
    const struct xos_cli_password *p, struct xos_secret **out, struct xos_err *err)
{
	struct xos_secret *s = NULL;
	int fd = -1;
	enum xos_status st = descriptor(p, &fd, err);
	*out = NULL;
	if (!st && (p->from_stdin || p->fd))
		return xos_secret_read_line(fd, p->max, out, err);
	if (!st)
		st = ask(p->prompt, p->max, &s, err);
	if (!st && p->twice)
		st = ask_again(p->max, s, err);
	if (st) {
		xos_secret_free(s);
		return st;
	}
	*out = s;
	return XOS_OK;
}
