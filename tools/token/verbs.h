#ifndef XOS_TOKENTOOL_VERBS_H
#define XOS_TOKENTOOL_VERBS_H

#include "cli/cli.h"

/* The verbs of xos-token that ask the authority (own.c, totp.c) or sign (delegate.c); main.c has those that only look. */
enum xos_status token_delegate(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_end(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_password(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_totp(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

extern const struct xos_cli_option token_secret_options[], token_delegate_options[];

#endif
