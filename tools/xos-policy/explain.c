/* xos-policy explain: one request, decided by the sets on the command line, without any server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/clock.h"
#include "base/text.h"
#include "policy/decide.h"
#include "policytool/verbs.h"

static struct xos_cli_list sets, chain, groups, roles, held, attrs;
static const char *subject, *action, *resource, *at, *owner, *home, *method, *age, *mfa, *now;

const struct xos_cli_option xos_policytool_explain_options[] = {
    {"set", "FILE", "a policy set of a VO, site or node; again for more", NULL, NULL, &sets},
    {"delegation", "FILE", "a restriction that the credential carries; again for more", NULL, NULL,
        &chain},
    {"subject", "VO:MEMBER", "who asks", NULL, &subject, NULL},
    {"group", "GROUP", "a group of the subject; again for more", NULL, NULL, &groups},
    {"role", "ROLE", "an active role", NULL, NULL, &roles},
    {"held", "ROLE", "a role that is held but not active", NULL, NULL, &held},
    {"home", "NAME", "home organisation", NULL, &home, NULL},
    {"action", "ACTION", "for example job.submit", NULL, &action, NULL},
    {"resource", "KIND:NAME", "node:lab/n1, site:lab, job:ID, file:/path or vo:demo", NULL,
        &resource, NULL},
    {"at", "SITE/NODE", "where the job or file is", NULL, &at, NULL},
    {"owner", "VO:MEMBER", "who owns the resource", NULL, &owner, NULL},
    {"attr", "NAME=VALUE", "an attribute, for example ctx.src=192.0.2.7", NULL, NULL, &attrs},
    {"auth-method", "NAME", "how the subject authenticated", NULL, &method, NULL},
    {"auth-age", "DURATION", "how long ago", NULL, &age, NULL},
    {"auth-mfa", "yes|no", "whether with a second factor", NULL, &mfa, NULL},
    {"now", "TIME", "another time than now, for example 2026-12-01T00:00:00Z", NULL, &now, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

/* What a request points to. */
struct parts {
	char subject_vo[64], subject_name[64], owner_vo[64], owner_name[64];
	char kind[32], at_site[64], at_node[256];
	char *names[XOS_CLI_LIST_MAX]; /* of the values, which borrow them */
	struct xos_policy_value values[XOS_CLI_LIST_MAX];
	struct xos_policy_set *sets[XOS_CLI_LIST_MAX], *chain[XOS_CLI_LIST_MAX];
	size_t nsets, nchain;
};

/* "a:b" into two buffers; the rest after the first mark goes into b. */
static bool split(const char *s, char mark, char *a, size_t na, char *b, size_t nb)
{
	const char *p = strchr(s, mark);
	if (!p || (size_t)(p - s) >= na)
		return false;
	memcpy(a, s, (size_t)(p - s));
	a[p - s] = 0;
	return xos_str_copy(b, nb, p + 1);
}

static enum xos_status take_resource(
    struct parts *p, struct xos_policy_resource *r, struct xos_err *err)
{
	const char *name = strchr(resource, ':');
	bool ok = true;
	if (!name || (size_t)(name - resource) >= sizeof(p->kind))
		return xos_cli_usage(err, "--resource is KIND:NAME, for example node:lab/n1");
	memcpy(p->kind, resource, (size_t)(name - resource));
	r->kind = p->kind;
	name++;
	if (strcmp(p->kind, "node") == 0) {
		ok = split(
		    name, '/', p->at_site, sizeof(p->at_site), p->at_node, sizeof(p->at_node));
		r->site = p->at_site;
		r->node = p->at_node;
	} else if (strcmp(p->kind, "site") == 0) {
		r->site = name;
	} else if (strcmp(p->kind, "vo") == 0) {
		r->vo = name;
	} else {
		r->id = name;
	}
	if (!ok)
		return xos_cli_usage(err, "a node is SITE/NODE, for example node:lab/n1");
	if (at) {
		if (r->site ||
		    !split(at, '/', p->at_site, sizeof(p->at_site), p->at_node, sizeof(p->at_node)))
			return xos_cli_usage(err, "--at SITE/NODE says where a job or file is");
		r->site = p->at_site;
		r->node = p->at_node;
	}
	if (!owner)
		return XOS_OK;
	if (!split(
	        owner, ':', p->owner_vo, sizeof(p->owner_vo), p->owner_name, sizeof(p->owner_name)))
		return xos_cli_usage(err, "--owner is VO:MEMBER, for example demo:alice");
	r->vo = p->owner_vo;
	r->owner = p->owner_name;
	return XOS_OK;
}

static enum xos_status take_subject(
    struct parts *p, struct xos_policy_request *req, struct xos_err *err)
{
	struct xos_policy_subject *s = &req->subject;
	int64_t seconds;
	if (!split(subject, ':', p->subject_vo, sizeof(p->subject_vo), p->subject_name,
	        sizeof(p->subject_name)))
		return xos_cli_usage(err, "--subject is VO:MEMBER, for example demo:alice");
	*s = (struct xos_policy_subject){.kind = XOS_SUBJECT_MEMBER,
	    .vo = p->subject_vo,
	    .member = p->subject_name,
	    .groups = groups.item,
	    .ngroups = groups.n,
	    .roles = roles.item,
	    .nroles = roles.n,
	    .held = held.item,
	    .nheld = held.n,
	    .home = home,
	    .auth_method = method,
	    .auth_mfa = -1};
	if (age) {
		if (!xos_duration_parse(age, &seconds) || seconds > req->now)
			return xos_cli_usage(err, "--auth-age is a duration, for example 2h");
		s->auth_time = req->now - seconds;
	}
	if (mfa) {
		s->auth_mfa = strcmp(mfa, "yes") == 0;
		if (!s->auth_mfa && strcmp(mfa, "no") != 0)
			return xos_cli_usage(err, "--auth-mfa is yes or no");
	}
	return XOS_OK;
}

static enum xos_status take_request(
    struct parts *p, struct xos_policy_request *req, struct xos_err *err)
{
	enum xos_status status;
	if (!subject || !action || !resource)
		return xos_cli_usage(err, "say --subject, --action and --resource");
	req->action = action;
	req->now = xos_clock_now();
	if (now && !xos_time_parse(now, &req->now))
		return xos_cli_usage(
		    err, "--now is a time in UTC, for example 2026-12-01T00:00:00Z");
	status = take_subject(p, req, err);
	if (status == XOS_OK)
		status = take_resource(p, &req->resource, err);
	for (size_t i = 0; status == XOS_OK && i < attrs.n; i++) {
		char *name = p->names[i] = strdup(attrs.item[i]),
		     *mark = name ? strchr(name, '=') : NULL;
		if (!mark)
			return xos_cli_usage(err, "--attr is NAME=VALUE, for example job.wall=2h");
		*mark = 0;
		status = xos_policy_value_parse(name, mark + 1, &p->values[i], err);
	}
	req->values = p->values;
	req->nvalues = attrs.n;
	return status;
}

static enum xos_status load(
    const struct xos_cli_list *files, struct xos_policy_set **list, size_t *n, struct xos_err *err)
{
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	enum xos_status status = XOS_OK;
	if (!errs)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	for (size_t i = 0; status == XOS_OK && i < files->n; i++) {
		status = xos_policytool_read(files->item[i], &list[i], errs, err);
		*n += status == XOS_OK;
	}
	free(errs);
	return status;
}

static enum xos_status print_answer(
    const struct xos_cli *cli, const struct xos_policy_answer *a, struct xos_err *err)
{
	struct xos_buf out;
	struct xos_json *doc = NULL;
	static const struct xos_decision_extra none;
	enum xos_status status = XOS_OK;
	xos_buf_init(&out, XOS_DECISION_ANSWER_MAX);
	if (!cli->json) {
		xos_policy_answer_explain(a, &out);
		const char *text = xos_buf_str(&out);
		xos_cli_print_pair("decision", "%s", xos_policy_decision_name(a->decision));
		xos_cli_print_pair("because", "%s", text ? text : "out of memory");
	} else {
		status = xos_decision_answer_encode(a, &none, &out, err);
		if (status == XOS_OK)
			status =
			    xos_json_parse(xos_buf_bytes(&out), XOS_DECISION_ANSWER_MAX, &doc, err);
		if (status == XOS_OK)
			status = xos_cli_print_json(doc, err);
	}
	xos_buf_free(&out);
	return status;
}

static enum xos_status decide(
    struct xos_cli *cli, struct parts *p, struct xos_policy_request *req, struct xos_err *err)
{
	struct xos_policy_part list[XOS_CLI_LIST_MAX] = {{NULL, 0, 0}};
	struct xos_policy *policy = NULL;
	struct xos_policy_answer a;
	enum xos_status status;

	xos_policy_answer_init(&a);
	for (size_t i = 0; i < p->nsets; i++)
		list[i].set = p->sets[i];
	req->chain = (const struct xos_policy_set *const *)p->chain;
	req->nchain = p->nchain;
	status = xos_policy_new(list, p->nsets, NULL, &policy, err);
	if (status != XOS_OK)
		return status;
	status = xos_policy_decide(policy, req, &a);
	/* The answer is what was asked for; its exit status says what it is. */
	cli->exit_status = status == XOS_OK ? 0 : status == XOS_DENIED ? 1 : 3;
	status = print_answer(cli, &a, err);
	xos_policy_answer_free(&a);
	xos_policy_unref(policy);
	return status;
}

enum xos_status xos_policytool_explain(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct parts *p = calloc(1, sizeof(*p));
	struct xos_policy_request req = {0};
	enum xos_status status;
	(void)argc;
	(void)argv;
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	status = take_request(p, &req, err);
	if (status == XOS_OK)
		status = load(&sets, p->sets, &p->nsets, err);
	if (status == XOS_OK)
		status = load(&chain, p->chain, &p->nchain, err);
	if (status == XOS_OK)
		status = decide(cli, p, &req, err);
	for (size_t i = 0; i < p->nsets; i++)
		xos_policy_set_unref(p->sets[i]);
	for (size_t i = 0; i < p->nchain; i++)
		xos_policy_set_unref(p->chain[i]);
	for (size_t i = 0; i < attrs.n; i++)
		free(p->names[i]);
	free(p);
	return status;
}
