#ifndef XOS_CLI_PASSWORD_H
#define XOS_CLI_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

/* How a tool gets a password: from a descriptor (--password-stdin, --password-fd N) or by asking on the
 * terminal; never from the command line. */
struct xos_cli_password {
	const char *prompt;
	bool from_stdin;
	const char *fd; /* text of --password-fd, NULL if not given */
	bool twice;     /* a new password: asked for again, because nobody sees what is typed */
	size_t max;     /* bytes */
};

/* A usage error if the options contradict each other or name no descriptor: without this, a tool
 * that checks other things first would ask for a password in vain. */
XOS_MUST_USE enum xos_status xos_cli_password_check(
    const struct xos_cli_password *p, struct xos_err *err);
/* Checks, then reads or asks. MALFORMED with code "password-differs". */
XOS_MUST_USE enum xos_status xos_cli_password_get(
    const struct xos_cli_password *p, struct xos_secret **out, struct xos_err *err);

#endif
