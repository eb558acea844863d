/* log.show, log.export, log.find: records of the authority's log, with proofs */
#include <string.h>

#include "base/text.h"
#include "ca/auth/commands.h"
#include "ca/logquery.h"

/* What all three have: the size of the tree that the signer has verified a head of, and where to go on. */
static enum xos_status common(struct ca_call *c, struct ca_log_query *q, struct xos_err *err)
{
	const struct xos_json *args = c->command->args;
	int64_t max = 0;
	enum xos_status st = xos_json_get_uint64(args, "size", INT64_MAX, &q->size, err);

	if (st == XOS_OK)
		st = xos_json_opt_uint64(args, "from", INT64_MAX, 1, &q->from, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(args, "to", INT64_MAX, 0, &q->to, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(args, "max", 1, CA_LOG_PAGE, CA_LOG_PAGE, &max, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(args, "since", 0, &q->since, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(args, "until", INT64_MAX, &q->until, err);
	if (st == XOS_OK && (q->since < 0 || q->until < 0))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "args: a time before 1970");
	q->max = (uint32_t)max;
	return st;
}

static enum xos_status ask(struct ca_call *c, const struct ca_log_query *q, struct xos_err *err)
{
	struct xos_buf b, answer;
	enum xos_status st;

	xos_buf_init(&b, 1024);
	xos_buf_init(&answer, 0);
	ca_log_query_put(&b, q);
	st = xos_bulk_call(
	    c->auth->key, CA_LOG_RECORDS, xos_buf_bytes(&b), ca_key_deadline(), &answer, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&answer), XOS_BULK_MAX, &c->result, err);
	xos_buf_free(&answer);
	xos_buf_free(&b);
	return st;
}

/* Whoever is no administrator sees what concerns oneself. */
static void own_only(struct ca_call *c, struct ca_log_query *q)
{
	if (ca_demand_admin(c, NULL) == XOS_OK)
		return;
	q->own = true;
	(void)!xos_str_copy(q->member, sizeof(q->member), c->command->signer->claims->name);
}

static enum xos_status show(struct ca_call *c, struct xos_err *err)
{
	struct ca_log_query q = {.size = 0};
	const char *member = NULL;
	enum xos_status st = XOS_JSON_ONLY(
	    c->command->args, err, "member", "size", "from", "to", "max", "since", "until");

	if (st == XOS_OK)
		st = common(c, &q, err);
	if (st == XOS_OK)
		st = ca_arg(c, "member", &member, err);
	if (st == XOS_OK && (!member[0] || !xos_str_copy(q.member, sizeof(q.member), member)))
		st = xos_err_set(
		    err, XOS_MALFORMED, "member-name", "\"%s\" is no member name", member);
	if (st == XOS_OK && strcmp(member, c->command->signer->claims->name) != 0)
		st = ca_demand_admin(c, err);
	else if (st == XOS_OK)
		own_only(c, &q);
	return st == XOS_OK ? ask(c, &q, err) : st;
}

static enum xos_status export(struct ca_call *c, struct xos_err *err) {
	struct ca_log_query q = {.size = 0};
	enum xos_status st = XOS_JSON_ONLY(
	    c->command->args, err, "size", "from", "to", "max", "since", "until");

	if (st == XOS_OK) st = common(c, &q, err);
	return st == XOS_OK ? ask(c, &q, err) : st;
}

static enum xos_status find(struct ca_call *c, struct xos_err *err)
{
	const struct xos_json *args = c->command->args;
	struct ca_log_query q = {.backward = true};
	const char *serial = NULL;
	enum xos_status st = XOS_JSON_ONLY(args, err, "serial", "act", "size", "to");

	if (st == XOS_OK)
		st = common(c, &q, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(args, "serial", XOS_SERIAL_TEXT - 1, &serial, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(args, "act", INT64_MAX, 0, &q.act, err);
	if (st == XOS_OK && (!serial || !serial[0]) == !q.act)
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "args: either a serial or the number of an act");
	if (st == XOS_OK && serial && !xos_str_copy(q.serial, sizeof(q.serial), serial))
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "args.serial: too long");
	q.max = 1;
	if (st == XOS_OK)
		own_only(c, &q);
	return st == XOS_OK ? ask(c, &q, err) : st;
}

static const struct ca_verb verbs[] = {
    {"log.show", false, true, show},
    {"log.export", false, false, export},
    {"log.find", false, true, find},
};
const struct ca_verbs ca_log_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
