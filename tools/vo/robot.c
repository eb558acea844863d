/* What xos-vo member add --robot sends, and xos-vo member owner */
#include <string.h>

#include "base/file.h"
#include "policy/restriction.h"
#include "policy/set.h"
#include "vo/verbs.h"

#define FILE_MAX (256 * 1024)

/* The text of a restriction goes as tokens carry it. */
enum xos_status vo_robot_restriction(
    const char *path, const char *robot, struct xos_json *args, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text, out;
	enum xos_status st = xos_file_read(path, FILE_MAX, &text, err);
	xos_buf_init(&out, XOS_RESTRICTION_MAX);
	if (!st)
		st = xos_policy_set_load((const char *)text.p, text.n, path, &set, err);
	if (!st && xos_policy_set_level(set) != XOS_POLICY_DELEGATION)
		st = xos_err_set(err, XOS_MALFORMED, "restriction",
		    "%s: a restriction is written as: delegation by user \"%s\" { check ...; }",
		    path, robot);
	if (!st)
		st = xos_restriction_encode(set, &out, err);
	if (!st)
		xos_json_set_bytes(args, "restriction", xos_buf_bytes(&out));
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	xos_buf_free(&out);
	return st;
}

enum xos_status vo_member_owner(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return xos_cli_command_do(cli, "ca", "robot.owner", vo_args(argv[0], "owner", argv[1]), err,
	    "%s is a robot of %s from now on", argv[0], argv[1]);
}
