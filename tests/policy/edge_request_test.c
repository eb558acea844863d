/* Requests that are not well formed: never decided, whoever asks, and told what is wrong. */
#include "policy_test.h"

static const char *const long_name[] = {
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

struct change { /* one thing that makes alice's request wrong */
	const char *problem;
	void (*make)(struct xos_policy_request *req);
};

static struct xos_policy_value values[XOS_POLICY_VALUES_MAX + 1];
static const char *names[XOS_POLICY_GROUPS_MAX + 1];

#define MAKE(name, ...)                                                                            \
	static void name(struct xos_policy_request *req)                                           \
	{                                                                                          \
		struct xos_policy_subject *s = &req->subject;                                      \
		struct xos_policy_resource *r = &req->resource;                                    \
		(void)s;                                                                           \
		(void)r;                                                                           \
		__VA_ARGS__;                                                                       \
	}

static void list(const char *const **to, size_t *n, const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		names[i] = name;
	*to = names;
	*n = count;
}

static void give(struct xos_policy_request *req, const char *name, enum xos_policy_type type,
    int64_t number, const char *string)
{
	values[req->nvalues] = (struct xos_policy_value){name, type, number, string};
	req->nvalues++;
	req->values = values;
}

#define SIXTEEN "aaaaaaaaaaaaaaaa"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN
MAKE(no_kind, s->kind = 0)
MAKE(no_vo, s->vo = NULL)
MAKE(bad_vo, s->vo = "Demo")
MAKE(no_member, s->member = NULL)
MAKE(bad_member, s->member = "Alice")
MAKE(many_groups, list(&s->groups, &s->ngroups, "/demo", XOS_POLICY_GROUPS_MAX + 1))
MAKE(many_roles, list(&s->roles, &s->nroles, "/demo/Role=a", XOS_POLICY_ROLES_MAX + 1))
MAKE(many_held, list(&s->held, &s->nheld, "/demo/Role=a", XOS_POLICY_ROLES_MAX + 1))
MAKE(no_group, list(&s->groups, &s->ngroups, NULL, 1))
MAKE(bad_group, list(&s->groups, &s->ngroups, "demo", 1))
MAKE(long_component, list(&s->groups, &s->ngroups, "/demo/" SIXTY_FOUR, 1))
MAKE(deep_group, list(&s->groups, &s->ngroups, "/demo/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", 1))
MAKE(unfinished_group, list(&s->groups, &s->ngroups, "/demo/a/", 1))
MAKE(other_group, list(&s->groups, &s->ngroups, "/demo2", 1))
MAKE(bad_role, list(&s->roles, &s->nroles, "/demo", 1))
MAKE(other_role, list(&s->roles, &s->nroles, "/bio/Role=a", 1))
MAKE(bad_held, list(&s->held, &s->nheld, "/demo", 1))
MAKE(other_held, list(&s->held, &s->nheld, "/bio/Role=a", 1))
MAKE(local_of_vo, s->kind = XOS_SUBJECT_LOCAL)
MAKE(local_groups, s->kind = XOS_SUBJECT_LOCAL; s->vo = NULL)
MAKE(local_roles, s->kind = XOS_SUBJECT_LOCAL; s->vo = NULL; s->ngroups = 0;
     list(&s->roles, &s->nroles, "/demo/Role=a", 1))
MAKE(local_held, s->kind = XOS_SUBJECT_LOCAL; s->vo = NULL; s->ngroups = 0;
     list(&s->held, &s->nheld, "/demo/Role=a", 1))
MAKE(local_home, s->kind = XOS_SUBJECT_LOCAL; s->vo = NULL; s->ngroups = 0; s->home = "uni")
MAKE(local_nowhere, s->kind = XOS_SUBJECT_LOCAL; s->vo = NULL; s->ngroups = 0;
     req->action = "token.issue"; *r = (struct xos_policy_resource){.kind = "token"})
MAKE(no_resource, r->kind = NULL)
MAKE(bad_resource, r->kind = "gpu")
MAKE(job_without_id, r->kind = "job")
MAKE(job_with_bad_id, r->kind = "job"; r->id = "a b")
MAKE(file_without_path, r->kind = "file")
MAKE(file_relative, r->kind = "file"; r->id = "a/b")
MAKE(file_dots, r->kind = "file"; r->id = "/a/../b")
MAKE(file_empty_part, r->kind = "file"; r->id = "/a//b")
MAKE(bad_site, r->site = "Lab")
MAKE(bad_node, r->node = "N1")
MAKE(node_without_site, r->site = NULL)
MAKE(site_without_site, r->kind = "site"; r->site = NULL; r->node = NULL)
MAKE(action_without_site, r->kind = "job"; r->id = "j"; r->site = NULL; r->node = NULL)
MAKE(node_without_node, r->node = NULL)
MAKE(object_of_bad_vo, r->vo = "Demo")
MAKE(owner_without_vo, r->owner = "alice")
MAKE(bad_owner, r->vo = "demo"; r->owner = "Alice")
MAKE(no_action, req->action = NULL)
MAKE(bad_action, req->action = "job.sumbit")
MAKE(long_action, req->action = long_name[0])
MAKE(before_time, req->now = -1)
MAKE(after_time, req->now = INT64_C(253402300800))
MAKE(long_chain, req->nchain = XOS_POLICY_CHAIN_MAX + 1)
MAKE(no_name, give(req, NULL, XOS_POLICY_NUMBER, 1, NULL))
MAKE(unknown_name, give(req, "job.cpus", XOS_POLICY_NUMBER, 1, NULL))
MAKE(computed, give(req, "auth.mfa", XOS_POLICY_BOOL, 1, NULL))
MAKE(wrong_type, give(req, "job.cpu", XOS_POLICY_SIZE, 1, NULL))
MAKE(negative, give(req, "job.cpu", XOS_POLICY_NUMBER, -1, NULL))
MAKE(not_yes_or_no, give(req, "session.tty", XOS_POLICY_BOOL, 2, NULL))
MAKE(no_text, give(req, "ctx.service", XOS_POLICY_STRING, 0, NULL))
MAKE(no_address, give(req, "ctx.src", XOS_POLICY_IP, 0, NULL))
MAKE(bad_address, give(req, "ctx.src", XOS_POLICY_IP, 0, "10.0.0.0/8"))
MAKE(twice, give(req, "job.cpu", XOS_POLICY_NUMBER, 1, NULL);
     give(req, "job.cpu", XOS_POLICY_NUMBER, 1, NULL))
MAKE(own_twice, give(req, "demo.n", XOS_POLICY_NUMBER, 1, NULL);
     give(req, "demo.n", XOS_POLICY_NUMBER, 1, NULL))
MAKE(own_bad_address, give(req, "demo.a", XOS_POLICY_IP, 1, "x"))
MAKE(own_unknown, give(req, "demo.m", XOS_POLICY_NUMBER, 1, NULL))

static void long_text(struct xos_policy_request *req)
{
	static char text[255 + 2];
	memset(text, 'a', sizeof(text) - 1);
	give(req, "ctx.service", XOS_POLICY_STRING, 0, text);
}

static void long_id(struct xos_policy_request *req)
{
	static char text[XOS_POLICY_ID_MAX + 2];
	memset(text, 'a', sizeof(text) - 1);
	text[0] = '/';
	req->resource.kind = "file";
	req->resource.id = text;
}

static void many_values(struct xos_policy_request *req)
{
	for (size_t i = 0; i <= XOS_POLICY_VALUES_MAX; i++)
		give(req, "job.cpu", XOS_POLICY_NUMBER, 1, NULL);
}

static void no_delegation(struct xos_policy_request *req)
{
	static const struct xos_policy_set *chain[1];
	req->chain = chain;
	req->nchain = 1;
}

static const struct change subjects[] = {{"no subject", no_kind}, {"no VO", no_vo},
    {"no VO", bad_vo}, {"no member", no_member}, {"no member", bad_member},
    {"too many", many_groups}, {"too many", many_roles}, {"too many", many_held},
    {"a group", no_group}, {"a group", bad_group}, {"a group", long_component},
    {"a group", deep_group}, {"a group", unfinished_group}, {"a group", other_group},
    {"a role", bad_role}, {"a role", other_role}, {"a held role", bad_held},
    {"a held role", other_held}, {"a local subject", local_of_vo},
    {"a local subject", local_groups}, {"a local subject", local_roles},
    {"a local subject", local_held}, {"a local subject", local_home}};

static const struct change resources[] = {{"no known kind", no_resource},
    {"no known kind", bad_resource}, {"a job needs", job_without_id},
    {"a job needs", job_with_bad_id}, {"a file needs", file_without_path},
    {"a file needs", file_relative}, {"a file needs", file_dots}, {"a file needs", file_empty_part},
    {"", long_id}, {"the site is malformed", bad_site}, {"a node without", bad_node},
    {"a node without", node_without_site}, {"happens at a site", site_without_site},
    {"a node without a name", node_without_node}, {"the VO of the resource", object_of_bad_vo},
    {"the owner of the resource", owner_without_vo}, {"the owner of the resource", bad_owner}};

static const struct change others[] = {{"needs a site", local_nowhere},
    {"happens at a site", action_without_site}, {"an action", no_action}, {"an action", bad_action},
    {"an action", long_action}, {"the time", before_time}, {"the time", after_time},
    {"too long a chain", long_chain}, {"a delegation that", no_delegation},
    {"schema does not have", no_name}, {"schema does not have", unknown_name},
    {"schema does not have", computed}, {"schema does not have", own_unknown},
    {"wrong type", wrong_type}, {"out of range", negative}, {"out of range", not_yes_or_no},
    {"out of range", no_text}, {"out of range", no_address}, {"out of range", long_text},
    {"not an address", bad_address}, {"not an address", own_bad_address}, {"given twice", twice},
    {"given twice", own_twice}, {"too many attributes", many_values}};

static struct xos_policy *everything(void)
{
	return must_build(
	    "vo \"demo\" serial 1 { schema { attribute demo.n number optional for any; "
	    "attribute demo.a ip optional for any; } permit any action any; }",
	    "site \"lab\" serial 1 { permit any action any; permit local action any; }", NULL);
}

static void refused(struct xos_policy *p, const struct change *c, unsigned part)
{
	struct xos_policy_request req = alice();
	struct xos_policy_answer a;
	struct xos_buf text;
	c->make(&req);
	xos_policy_answer_init(&a);
	xos_buf_init(&text, 10000);
	ck_assert_int_eq(xos_policy_decide(p, &req, &a), XOS_UNAVAILABLE);
	ck_assert_int_eq(a.decision, XOS_POLICY_UNDECIDED);
	ck_assert_ptr_nonnull(a.problem);
	ck_assert_msg(strstr(a.problem, c->problem), "'%s' instead of '%s'", a.problem, c->problem);
	xos_policy_answer_explain(&a, &text);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&text), a.problem));
	xos_policy_answer_deciders(&a, &text);
	xos_buf_free(&text);
	xos_policy_answer_free(&a);
	struct xos_policy_interned_subject *s = NULL;
	struct xos_policy_interned_resource *r = NULL;
	enum xos_status status = xos_policy_intern_subject(p, &req.subject, &s, NULL);
	ck_assert_int_eq(status, part == 0 ? XOS_MALFORMED : XOS_OK);
	ck_assert_int_eq(status == XOS_OK, s != NULL);
	status = xos_policy_intern_resource(p, &req.resource, &r, NULL);
	ck_assert_int_eq(status, part == 1 ? XOS_MALFORMED : XOS_OK);
	ck_assert_int_eq(status == XOS_OK, r != NULL);
	xos_policy_interned_subject_free(s);
	xos_policy_interned_resource_free(r);
}

START_TEST(what_is_not_well_formed_is_not_decided)
{
	struct xos_policy *p = everything();
	struct xos_policy_request req = alice();
	ck_decision(p, &req, PERMIT);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		refused(p, &subjects[i], 0);
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		refused(p, &resources[i], 1);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		refused(p, &others[i], 2);
	xos_policy_unref(p);
}
END_TEST

/* The greatest of everything that is allowed. */
START_TEST(what_is_just_allowed)
{
	static char path[XOS_POLICY_ID_MAX + 1];
	struct xos_policy *p = everything();
	struct xos_policy_request req = alice();
	const struct xos_policy_set *chain[XOS_POLICY_CHAIN_MAX];
	struct xos_policy_set *set = must_parse("delegation { check any; }");
	for (size_t i = 0; i < XOS_POLICY_CHAIN_MAX; i++)
		chain[i] = set;
	req.chain = chain;
	req.nchain = XOS_POLICY_CHAIN_MAX;
	list(&req.subject.groups, &req.subject.ngroups, "/demo/a", XOS_POLICY_GROUPS_MAX);
	ck_decision(p, &req, PERMIT);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	req.resource.kind = "file";
	req.resource.id = path;
	req.now = 0;
	ck_decision(p, &req, PERMIT);
	req.now = INT64_C(253402300799);
	ck_decision(p, &req, PERMIT);
	xos_policy_set_unref(set);
	xos_policy_unref(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy edge request");
	TCase *tc = tcase_create("edges");
	tcase_add_test(tc, what_is_not_well_formed_is_not_decided);
	tcase_add_test(tc, what_is_just_allowed);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
