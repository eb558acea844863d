#ifndef XOS_CLI_COMMAND_H
#define XOS_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "pki/cert.h"

/*
 * Commands to an authority ("ca", "rca", "vops"), signed by the current token (api/command.h). The
 * connection itself needs no client certificate: the command carries its proof.
 */

/*
 * Is err of a server that was started a moment ago, does not know yet who administers or who is locked, and soon will?
 * Then this waits a little and says true: ask again. *until is 0 at the first question; after 15 s it gives up.
 */
bool xos_cli_patient(const struct xos_cli *cli, int64_t *until, const struct xos_err *err);

/* args is taken; result may be NULL where nothing is expected back. */
XOS_MUST_USE enum xos_status xos_cli_command(const struct xos_cli *cli, const char *service,
    const char *verb, struct xos_json *args, struct xos_json **result, struct xos_err *err);
/* The same by another token than the current one, which is not looked for. */
XOS_MUST_USE enum xos_status xos_cli_command_as(const struct xos_cli *cli,
    const struct xos_chain *token, const char *service, const char *verb, struct xos_json *args,
    struct xos_json **result, struct xos_err *err);
/* The same for a command that is done or refused and has nothing to show: prints `done` for people,
 * the result with --json. */
XOS_MUST_USE enum xos_status xos_cli_command_do(const struct xos_cli *cli, const char *service,
    const char *verb, struct xos_json *args, struct xos_err *err, const char *done, ...)
    XOS_PRINTF(6, 7);

#endif
