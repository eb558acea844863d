#ifndef XOS_VO_VERBS_H
#define XOS_VO_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/verifier.h"
#include "base/secret.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/password.h"
#include "json/json.h"

/* {"name": name, key: value}; key NULL: the name alone. */
struct xos_json *vo_args(const char *name, const char *key, const char *value);

/* A moment as people write it: 2027-01-31 (its start, in UTC), 2027-01-31T18:00:00Z, a duration from now such
 * as 90d, or "never". A usage error otherwise. *never: then *at is not set. */
XOS_MUST_USE enum xos_status vo_when(
    const char *text, int64_t *at, bool *never, struct xos_err *err);
/* Sets key to that moment, or leaves it out for "never". */
XOS_MUST_USE enum xos_status vo_set_when(
    struct xos_json *args, const char *key, const char *text, struct xos_err *err);

/*
 * A list that comes in pages: asks verb with args (copied) and `after`, adds the elements of `key` to into,
 * and goes on from the `field` of the last one (NULL: elements are strings) while there are more.
 */
XOS_MUST_USE enum xos_status vo_pages(const struct xos_cli *cli, const char *verb,
    const struct xos_json *args, const char *key, const char *field, struct xos_json *into,
    struct xos_err *err);

/* The verifier of a new password, read from where `how` says or asked for twice. The password itself never
 * leaves this machine: what is sent is what the authority keeps. */
XOS_MUST_USE enum xos_status vo_verifier_make(const struct xos_cli_password *how,
    uint32_t iterations, struct xos_scram_verifier *out, struct xos_err *err);
/* How many iterations the VO's passwords take: the authority refuses any other count. */
XOS_MUST_USE enum xos_status vo_iterations(
    const struct xos_cli *cli, uint32_t *out, struct xos_err *err);
/* Makes a one-time code of a member, adds its verifier to args, and gives the code. */
XOS_MUST_USE enum xos_status vo_add_code(const struct xos_cli *cli, struct xos_json *args,
    const char *member, struct xos_secret **code, struct xos_err *err);

/* args.for, how long a one-time code is good, from --for; nothing if that was not given. */
XOS_MUST_USE enum xos_status vo_code_life(
    const char *text, struct xos_json *args, struct xos_err *err);

/* args.restriction from the text of a file, for the robot of that name. */
XOS_MUST_USE enum xos_status vo_robot_restriction(
    const char *path, const char *robot, struct xos_json *args, struct xos_err *err);

/* A word of the command line chooses what is done: one row of a verb's second table. */
struct vo_action {
	const char *name;
	int min, max; /* operands after the word */
	enum xos_status (*run)(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
};
XOS_MUST_USE enum xos_status vo_dispatch(const struct vo_action *table, size_t n,
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

enum xos_status vo_member(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_password(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_code(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_totp(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_group(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_role(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_lock(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_unlock(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_locks(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_log(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_describe(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_set(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_end(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_close(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_reopen(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_apply(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_application(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_applications(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_approve(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_deny(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_break_glass(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_rules(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_invite(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_invitations(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_withdraw(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_import(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_export(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

/* Rows of the verb "member" that stand in standing.c and robot.c. */
enum xos_status vo_member_suspend(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_member_resume(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_member_until(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_member_renew(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_member_owner(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
enum xos_status vo_member_contact(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);

extern const struct xos_cli_option vo_set_options[], vo_end_options[], vo_close_options[];
extern const struct xos_cli_option vo_apply_options[], vo_approve_options[];
extern const struct xos_cli_option vo_import_options[], vo_export_options[];
extern const struct xos_cli_option vo_invite_options[];
extern const struct xos_cli_option vo_member_options[], vo_password_options[], vo_lock_options[],
    vo_unlock_options[];
extern const struct xos_cli_option vo_code_options[], vo_totp_options[], vo_log_options[];

#endif
