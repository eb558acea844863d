#ifndef XOS_VO_VERBS_H
#define XOS_VO_VERBS_H

#include <stdint.h>

#include "base/secret.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "json/json.h"

/* {"name": name, key: value}; key NULL: the name alone. */
struct xos_json *vo_args(const char *name, const char *key, const char *value);

/* How many iterations the VO's passwords take: the authority refuses any other count. */
XOS_MUST_USE enum xos_status vo_iterations(
    const struct xos_cli *cli, uint32_t *out, struct xos_err *err);
/* Makes a one-time code of a member, adds its verifier to args, and gives the code. */
XOS_MUST_USE enum xos_status vo_add_code(const struct xos_cli *cli, struct xos_json *args,
    const char *member, struct xos_secret **code, struct xos_err *err);

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

extern const struct xos_cli_option vo_member_options[], vo_password_options[], vo_lock_options[];
extern const struct xos_cli_option vo_code_options[], vo_totp_options[], vo_log_options[];

#endif
