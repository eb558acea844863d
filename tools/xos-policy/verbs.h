#ifndef XOS_POLICYTOOL_VERBS_H
#define XOS_POLICYTOOL_VERBS_H

#include "cli/cli.h"
#include "policytool/sets.h"

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

enum xos_status xos_policytool_test(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_eval(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_diff(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_stats(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_fmt(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_lint(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_whocan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_whatcan(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
extern const struct xos_cli_option xos_policytool_test_options[], xos_policytool_eval_options[],
    xos_policytool_fmt_options[], xos_policytool_lint_options[], xos_policytool_diff_options[],
    xos_policytool_whocan_options[], xos_policytool_whatcan_options[];
enum xos_status xos_policytool_cases(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_preview(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_nodes(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_proposals(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_approve(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_reject(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_review(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_rollback(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_cancel(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status xos_policytool_withdraw(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
extern const struct xos_cli_option xos_policytool_withdraw_options[],
    xos_policytool_rollback_options[], xos_policytool_list_options[], xos_policytool_show_options[];

#endif
