#ifndef XOS_CLI_RUN_H
#define XOS_CLI_RUN_H

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"

/*
 * Runs a program to its end. Its standard input is `input` (NULL: /dev/null), its standard output
 * goes to out (may be NULL), its standard error becomes the error text. The status follows its exit
 * status by the convention of base/status.h.
 */
XOS_MUST_USE enum xos_status xos_cli_run(
    const char *const *argv, struct xos_secret *input, struct xos_buf *out, struct xos_err *err);

#endif
