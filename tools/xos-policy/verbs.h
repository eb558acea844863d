#ifndef XOS_POLICYTOOL_VERBS_H
#define XOS_POLICYTOOL_VERBS_H

#include "cli/cli.h"
#include "policy/set.h"

/* The verbs of xos-policy: one file each, a line each in main.c's table. */
enum xos_status xos_policytool_check(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_explain(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_schema(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_sitekey(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_sign(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_push(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_list(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_show(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_sites(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_site(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
extern const struct xos_cli_option xos_policytool_explain_options[],
    xos_policytool_sitekey_options[], xos_policytool_sign_options[], xos_policytool_push_options[],
    xos_policytool_site_options[];

/* sets.c: reads and parses one file. If the text is refused, *set is NULL, MALFORMED or LIMIT is
 * returned and errs tells why; if the file cannot be read, errs->total is 0 and err tells. */
enum xos_status xos_policytool_read(const char *path, struct xos_policy_set **set,
    struct xos_policy_errors *errs, struct xos_err *err);

#endif
