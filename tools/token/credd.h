#ifndef XOS_TOKENTOOL_CREDD_H
#define XOS_TOKENTOOL_CREDD_H

#include <limits.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "pki/cert.h"

/* The verbs of xos-token about credentials that xos-credd keeps. */
enum xos_status token_list_any(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_get(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_choose(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status token_destroy(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

extern const struct xos_cli_option
    token_credd_options[]; /* --credd, for verbs that know files as well */
extern const struct xos_cli_option token_kept_options[];
extern const struct xos_cli_option token_get_options[];

/* Was a credential of xos-credd's asked for? */
bool token_of_credd(void);
/* Its certificates, without key; path: a name for it. id NULL: the default. */
XOS_MUST_USE enum xos_status token_credd_chain(
    const char *id, char path[PATH_MAX], struct xos_chain *chain, struct xos_err *err);

#endif
