/* xos-grant: what jobs may go on to do for their members, and the end of it. */
#include <stdlib.h>
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"
#include "cli/vo.h"

static bool opt_all;
static const char *opt_member, *opt_node, *opt_reason;

#define END                                                                                        \
	{                                                                                          \
		NULL, NULL, NULL, NULL, NULL, NULL                                                 \
	}
static const struct xos_cli_option list_options[] = {
    {"member", "NAME", "those of another member (administrators); all: of everybody", NULL,
        &opt_member, NULL},
    {"node", "NODE", "only those for jobs on this node", NULL, &opt_node, NULL},
    {"all", NULL, "those that have ended, too", &opt_all, NULL, NULL}, END};
static const struct xos_cli_option revoke_options[] = {
    {"node", "NODE", "all for jobs on this node, of everybody (administrators)", NULL, &opt_node,
        NULL},
    {"reason", "TEXT", "shown to whoever asks why", NULL, &opt_reason, NULL}, END};

/* What every verb needs: the VO, the token, a client. */
struct asking {
	struct xos_cli_vo *vo;
	struct xos_chain token;
	struct xos_cli_client *client;
};

static enum xos_status begin(struct xos_cli *cli, struct asking *a, struct xos_err *err)
{
	*a = (struct asking){.vo = NULL};
	enum xos_status st = xos_cli_vo_load(cli, &a->vo, err);
	if (st == XOS_OK)
		st = xos_cli_token(a->vo, &a->token, NULL, err);
	return st == XOS_OK ? xos_cli_client_new(a->vo, "ca", NULL, false, &a->client, err) : st;
}

static void end(struct asking *a)
{
	xos_cli_client_free(a->client);
	xos_chain_clear(&a->token);
	xos_cli_vo_free(a->vo);
}

static enum xos_status check_id(const char *id, struct xos_err *err)
{
	if (xos_job_id_valid(id))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "job-id",
	    "\"%.64s\" is no grant: one has the id of its job, 32 hexadecimal digits; xos-grant "
	    "list "
	    "shows yours",
	    id);
}

struct listing {
	struct xos_json *json;
	struct xos_cli_table *table;
};

static enum xos_status list_one(void *ctx, const struct xos_grant_info *i, struct xos_err *err)
{
	struct listing *l = ctx;
	char ends[XOS_TIME_TEXT], until[XOS_TIME_TEXT];
	const char *const cells[] = {i->id, i->member, i->node, xos_grant_state_name(i->state),
	    ends, i->not_after ? until : NULL, i->roles[0] ? i->roles : NULL};

	(void)err;
	if ((opt_node && strcmp(opt_node, i->node) != 0) ||
	    (!opt_all && i->state != XOS_GRANT_ACTIVE))
		return XOS_OK;
	if (l->json) {
		xos_json_add(l->json, xos_grant_info_to_json(i));
		return XOS_OK;
	}
	xos_time_format(i->ends, ends);
	xos_time_format(i->not_after, until);
	xos_cli_table_row(l->table, cells);
	return XOS_OK;
}

static enum xos_status verb_list(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	static const char *const heads[] = {
	    "GRANT", "MEMBER", "NODE", "STATE", "ENDS", "CREDENTIAL UNTIL", "ROLES"};
	bool all = opt_member && strcmp(opt_member, "all") == 0;
	struct listing l = {.json = NULL};
	struct asking a;
	enum xos_status st = begin(cli, &a, err);

	(void)argc;
	(void)argv;
	if (st != XOS_OK) {
		end(&a);
		return st;
	}
	if (cli->json)
		l.json = xos_json_array();
	else
		l.table = xos_cli_table_new(heads, sizeof(heads) / sizeof(heads[0]));
	st = xos_grants_list(xos_cli_client(a.client), &a.token, a.vo->name, all ? "*" : opt_member,
	    list_one, &l, err);
	if (cli->json && st == XOS_OK) {
		struct xos_json *doc = xos_json_object();

		xos_json_set(doc, "grants", l.json);
		st = xos_cli_print_json(doc, err);
	} else if (cli->json) {
		xos_json_free(l.json);
	} else {
		enum xos_status printed = xos_cli_table_print(l.table, st == XOS_OK ? err : NULL);

		st = st == XOS_OK ? printed : st;
	}
	end(&a);
	return st;
}

static void show_time(const char *key, int64_t t)
{
	char text[XOS_TIME_TEXT];

	if (!t)
		return;
	xos_time_format(t, text);
	xos_cli_print_pair(key, "%s", text);
}

static void show_text(const struct xos_grant_info *i)
{
	xos_cli_print_pair("grant", "%s", i->id);
	xos_cli_print_pair("member", "%s", i->member);
	xos_cli_print_pair("to", "%s on node %s, %u further step%s%s", i->actor, i->node, i->depth,
	    i->depth == 1 ? "" : "s", i->restricted ? ", restricted" : "");
	if (i->roles[0])
		xos_cli_print_pair("roles", "%s", i->roles);
	xos_cli_print_pair("key", "%s", i->key);
	xos_cli_print_pair("state", "%s", xos_grant_state_name(i->state));
	if (i->text[0])
		xos_cli_print_pair("why", "%s", i->text);
	show_time("signed", i->issued);
	show_time("ends", i->ends);
	show_time("revoked", i->revoked);
	xos_cli_print_pair("renewals", "%llu", (unsigned long long)i->renewals);
	show_time("renewed", i->renewed);
	show_time("credential until", i->not_after);
}

static enum xos_status verb_show(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_grant_info i;
	struct asking a;
	enum xos_status st = check_id(argv[0], err);

	(void)argc;
	if (st != XOS_OK)
		return st;
	st = begin(cli, &a, err);
	if (st == XOS_OK)
		st = xos_grants_get(
		    xos_cli_client(a.client), &a.token, a.vo->name, argv[0], &i, err);
	if (st == XOS_OK && cli->json)
		st = xos_cli_print_json(xos_grant_info_to_json(&i), err);
	else if (st == XOS_OK)
		show_text(&i);
	end(&a);
	return st;
}

static void say_revoked(const struct xos_grant_info *i)
{
	char until[XOS_TIME_TEXT];

	xos_time_format(i->not_after, until);
	if (i->not_after > xos_clock_now())
		xos_cli_say("the grant %s is ended; the job's credential is not renewed, and lasts "
		            "until %s (at once: xos-job cancel %s)",
		    i->id, until, i->id);
	else
		xos_cli_say(
		    "the grant %s is ended; the job's credential is not renewed any more", i->id);
}

/* What is to be revoked: ids from the command line, or what a list gave. */
struct revoking {
	struct asking a;
	struct xos_json *list; /* with --json: what was done */
	char (*id)[XOS_JOB_ID_TEXT];
	size_t n, cap;
};

static enum xos_status add_id(struct revoking *r, const char *id, struct xos_err *err)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		void *more = reallocarray(r->id, cap, sizeof(*r->id));

		if (!more)
			return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		r->id = more;
		r->cap = cap;
	}
	memcpy(r->id[r->n++], id, XOS_JOB_ID_TEXT);
	return XOS_OK;
}

static enum xos_status add_of_node(void *ctx, const struct xos_grant_info *i, struct xos_err *err)
{
	if (strcmp(i->node, opt_node) != 0 || i->state != XOS_GRANT_ACTIVE)
		return XOS_OK;
	return add_id(ctx, i->id, err);
}

/* Each for itself: what was done before one is refused stays done. */
static enum xos_status revoke_all(struct xos_cli *cli, struct revoking *r, struct xos_err *err)
{
	struct xos_grant_info info;
	enum xos_status st = XOS_OK;

	for (size_t i = 0; st == XOS_OK && i < r->n; i++) {
		st = xos_grants_revoke(xos_cli_client(r->a.client), &r->a.token, r->a.vo->name,
		    r->id[i], opt_reason, &info, err);
		if (st == XOS_OK && cli->json)
			xos_json_add(r->list, xos_grant_info_to_json(&info));
		else if (st == XOS_OK)
			say_revoked(&info);
	}
	return st;
}

static enum xos_status read_ids(struct revoking *r, int argc, char **argv, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	if ((argc > 0) == (opt_node != NULL))
		return xos_cli_usage(err, "say which: GRANT..., or all of --node NODE");
	for (int i = 0; st == XOS_OK && i < argc; i++) {
		st = check_id(argv[i], err);
		if (st == XOS_OK)
			st = add_id(r, argv[i], err);
	}
	return st;
}

static enum xos_status verb_revoke(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct revoking r = {.n = 0};
	struct xos_json *doc;
	enum xos_status st = read_ids(&r, argc, argv, err);

	if (st == XOS_OK)
		st = begin(cli, &r.a, err);
	if (st == XOS_OK && opt_node)
		st = xos_grants_list(xos_cli_client(r.a.client), &r.a.token, r.a.vo->name, "*",
		    add_of_node, &r, err);
	if (st == XOS_OK && cli->json)
		r.list = xos_json_array();
	if (st == XOS_OK)
		st = revoke_all(cli, &r, err);
	if (st == XOS_OK && !cli->json && r.n == 0)
		xos_cli_say("no grant is active for jobs on node %s", opt_node);
	if (st == XOS_OK && cli->json) {
		doc = xos_json_object();
		xos_json_set(doc, "grants", r.list);
		r.list = NULL;
		st = xos_cli_print_json(doc, err);
	}
	xos_json_free(r.list);
	free(r.id);
	end(&r.a);
	return st;
}

static const struct xos_cli_verb verbs[] = {
    {"list", "", "the grants of your jobs", 0, 0, false, list_options, verb_list},
    {"show", "GRANT", "all about a grant, which has the id of its job", 1, 1, false, NULL,
        verb_show},
    {"revoke", "GRANT... | --node NODE", "end it: the job's credential is not renewed any more", 0,
        -1, false, revoke_options, verb_revoke},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-grant",
	    .about = "what jobs may go on to do for you, and the end of it",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-grant list\n"
	        "  xos-grant list --member alice --all --json    (administrators)\n"
	        "  xos-grant list --member all --node n7.example.org    (administrators)\n"
	        "  xos-grant show 00112233445566778899aabbccddeeff\n"
	        "  xos-grant revoke --reason 'wrong data' 00112233445566778899aabbccddeeff\n",
	};
	return xos_cli_main(&program, argc, argv);
}
