/* robot.add, robot.owner */
#include "ca/auth/commands.h"
#include "ca/membership/robots.h"
#include "policy/restriction.h"

static enum xos_status read_robot(
    struct ca_call *c, struct ca_robot *robot, struct xos_buf *restriction, struct xos_err *err)
{
	enum xos_status st = ca_arg(c, "name", &robot->name, err);

	if (st == XOS_OK)
		st = ca_arg(c, "owner", &robot->owner, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(
		    c->command->args, "restriction", XOS_RESTRICTION_MAX, restriction, err);
	robot->restriction = xos_buf_bytes(restriction);
	return st;
}

static enum xos_status add(struct ca_call *c, struct xos_err *err)
{
	struct ca_robot robot = {.name = NULL};
	struct xos_buf restriction;
	uint64_t number = 0;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "owner", "restriction",
	    "verifier", "groups", "roles", "until", "contact");

	xos_buf_init(&restriction, XOS_RESTRICTION_MAX);
	if (st == XOS_OK)
		st = read_robot(c, &robot, &restriction, err);
	if (st == XOS_OK)
		st = ca_robot_add(c->auth->membership, &robot, c->now, &number, err);
	if (st == XOS_OK)
		st = ca_member_details(c, robot.name, err);
	if (st == XOS_OK)
		st = ca_member_joins(c, robot.name, err);
	if (st == XOS_OK && xos_json_has(c->command->args, "verifier"))
		st = ca_arg_verifier(c, robot.name, err);
	if (st == XOS_OK) {
		c->result = xos_json_object();
		xos_json_set_string(c->result, "name", robot.name);
		xos_json_set_int(c->result, "number", (int64_t)number);
	}
	xos_buf_free(&restriction);
	return st;
}

static enum xos_status owner(struct ca_call *c, struct xos_err *err)
{
	const char *name = NULL, *to = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->command->args, err, "name", "owner");

	if (st == XOS_OK)
		st = ca_arg(c, "name", &name, err);
	if (st == XOS_OK)
		st = ca_arg(c, "owner", &to, err);
	return st == XOS_OK ? ca_robot_owner(c->auth->membership, name, to, c->now, err) : st;
}

static const struct ca_verb verbs[] = {
    {"robot.add", true, false, add},
    {"robot.owner", true, false, owner},
};
const struct ca_verbs ca_robot_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
