/* xos-policy explain: one request, decided by the sets on the command line, without any server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision.h"
#include "base/clock.h"
#include "base/text.h"
#include "policy/decide.h"
#include "cases/ask.h"
#include "policytool/reason.h"
#include "policytool/verbs.h"
#include "policytool/zones.h"

static struct xos_cli_list sets, chain, groups, roles, held, attrs;
static const char *subject, *action, *resource, *at, *owner, *of_vo, *home, *method, *age, *mfa,
    *now;

const struct xos_cli_option xos_policytool_explain_options[] = {
    {"set", "FILE|DIR", "a policy set, or all of a folder; again for more", NULL, NULL, &sets},
    {"delegation", "FILE", "a restriction that the credential carries; again for more", NULL, NULL,
        &chain},
    {"subject", "SUBJECT", "who asks: VO:MEMBER, node:VO:HOST, service:VO:KIND/HOST, local:ACCOUNT",
        NULL, &subject, NULL},
    {"group", "GROUP", "a group of the subject; again for more", NULL, NULL, &groups},
    {"role", "ROLE", "an active role", NULL, NULL, &roles},
    {"held", "ROLE", "a role that is held but not active", NULL, NULL, &held},
    {"home", "NAME", "home organisation", NULL, &home, NULL},
    {"action", "ACTION", "for example job.submit", NULL, &action, NULL},
    {"resource", "KIND:NAME", "node:lab/n1, site:lab, job:ID, file:/path or vo:demo", NULL,
        &resource, NULL},
    {"at", "SITE/NODE", "where the job or file is", NULL, &at, NULL},
    {"owner", "VO:MEMBER", "who owns the resource", NULL, &owner, NULL},
    {"of", "VO", "whose the resource is, if it has no owner", NULL, &of_vo, NULL},
    {"attr", "NAME=VALUE", "an attribute, for example ctx.src=192.0.2.7", NULL, NULL, &attrs},
    {"auth-method", "NAME", "how the subject authenticated", NULL, &method, NULL},
    {"auth-age", "DURATION", "how long ago", NULL, &age, NULL},
    {"auth-mfa", "yes|no", "whether with a second factor", NULL, &mfa, NULL},
    {"now", "TIME", "another time than now, for example 2026-12-01T00:00:00Z", NULL, &now, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL}};

/* The options, as fields of a request. */
static enum xos_status take_options(struct xos_cases_ask *ask, struct xos_err *err)
{
	const struct {
		const char *field, *value;
	} plain[] = {{"subject", subject}, {"action", action}, {"on", resource}, {"at", at},
	    {"owner", owner}, {"vo", of_vo}, {"home", home}, {"auth.method", method},
	    {"auth.age", age}, {"auth.mfa", mfa}, {"now", now}};
	const struct {
		const char *field;
		const struct xos_cli_list *list;
	} many[] = {{"groups", &groups}, {"roles", &roles}, {"held", &held}};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < sizeof(plain) / sizeof(plain[0]); i++)
		if (plain[i].value)
			st = xos_cases_ask_set(ask, plain[i].field, plain[i].value, &why);
	for (size_t i = 0; !st && i < sizeof(many) / sizeof(many[0]); i++)
		for (size_t j = 0; !st && j < many[i].list->n; j++)
			st = xos_cases_ask_add(ask, many[i].field, many[i].list->item[j], &why);
	return st ? xos_cli_usage(err, "%s", why.text) : XOS_OK;
}

static enum xos_status take_attrs(struct xos_cases_ask *ask, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t i = 0; !st && i < attrs.n; i++) {
		const char *mark = strchr(attrs.item[i], '=');
		char name[128];
		if (!mark || !xos_str_printf(name, sizeof(name), "%.*s",
		                 (int)(mark - attrs.item[i]), attrs.item[i]))
			return xos_cli_usage(err, "--attr is NAME=VALUE, for example job.wall=2h");
		if (!strchr(name, '.'))
			return xos_err_set(err, XOS_MALFORMED, "policy-attribute",
			    "'%s' is not an attribute; `xos-policy schema` lists them", name);
		st = xos_cases_ask_set(ask, name, mark + 1, err);
	}
	return st;
}

/*
 * What a refused person could do: the condition under which the same would be permitted, as far as it does
 * not hold, with the context, the log-in, the time and the roles that are held left open. NULL: nothing to
 * say; otherwise to be freed.
 */
static char *would_help(const struct xos_policy *policy, const struct xos_policy_options *zones,
    const struct xos_policy_request *req)
{
	struct xos_policy_memory *m = xos_policy_memory_new();
	const struct xos_policytool_open open = {.attributes = true,
	    .time = true,
	    .roles = req->subject.held,
	    .nroles = req->subject.nheld};
	struct xos_policy_request bare = *req;
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	bare.values = NULL;
	bare.nvalues = 0;
	bare.subject.auth_method = NULL;
	bare.subject.auth_time = 0;
	bare.subject.auth_mfa = -1;
	const struct xos_formula *f =
	    m ? xos_policytool_permitted(m, policy, zones, &bare, &open) : NULL;
	if (f)
		f = xos_policytool_lacking(m, f, policy, zones, req);
	if (f && f->kind == XOS_FORMULA_FALSE)
		xos_buf_put_str(&b, "nothing that this subject could say or wait for; somebody "
		                    "must change a policy");
	else if (f && f->kind != XOS_FORMULA_TRUE)
		xos_formula_text(f, &b);
	xos_policy_memory_free(m);
	if (!b.n)
		xos_buf_free(&b);
	return b.n ? xos_buf_steal(&b, NULL) : NULL;
}

static void print_levels(const struct xos_policy_answer *a)
{
	static const char *const words[] = {"has no permit for it",
	    "would permit, but not all is known", "has no set that is valid", "grants by",
	    "only narrows"};
	for (size_t i = 0; i < a->nlevels; i++) {
		const struct xos_policy_verdict *v = &a->levels[i];
		struct xos_buf b;
		xos_buf_init(&b, 4096);
		xos_buf_put_str(&b, " ");
		if (v->by)
			xos_policy_statement_label(v->by, &b);
		const char *by = xos_buf_str(&b);
		xos_cli_print_pair(i ? "" : "levels", "%s %s, serial %llu: %s%s%s",
		    xos_policy_level_name(v->level), v->name, (unsigned long long)v->serial,
		    (unsigned)v->stand < 5 ? words[v->stand] : "?", v->by && by ? by : "",
		    v->refuses ? " (refuses)" : "");
		xos_buf_free(&b);
	}
}

static void print_fired(
    const char *key, const struct xos_policy_fired *list, size_t n, const char *unknown)
{
	for (size_t i = 0; i < n; i++) {
		struct xos_buf b;
		xos_buf_init(&b, 1 << 20);
		xos_policy_statement_label(list[i].statement, &b);
		xos_buf_put_str(&b, ", ");
		xos_policy_statement_head(list[i].statement, &b);
		const char *text = xos_buf_str(&b);
		xos_cli_print_pair(
		    i ? "" : key, "%s%s", text ? text : "?", list[i].unknown ? unknown : "");
		xos_buf_free(&b);
	}
}

static enum xos_status print_json(
    const struct xos_policy_answer *a, const char *help, struct xos_err *err)
{
	static const struct xos_decision_extra none;
	struct xos_json *doc = NULL;
	struct xos_buf out;
	xos_buf_init(&out, XOS_DECISION_ANSWER_MAX);
	enum xos_status status = xos_decision_answer_encode(a, &none, &out, err);
	if (status == XOS_OK)
		status = xos_json_parse(xos_buf_bytes(&out), XOS_DECISION_ANSWER_MAX, &doc, err);
	xos_buf_free(&out);
	if (status != XOS_OK)
		return status;
	xos_json_set_text(doc, "would_help", help);
	return xos_cli_print_json(doc, err);
}

static enum xos_status print_answer(const struct xos_cli *cli, const struct xos_policy_answer *a,
    const char *help, struct xos_err *err)
{
	struct xos_buf out;
	if (cli->json)
		return print_json(a, help, err);
	xos_buf_init(&out, XOS_DECISION_ANSWER_MAX);
	xos_policy_answer_explain(a, &out);
	const char *text = xos_buf_str(&out);
	xos_cli_print_pair("decision", "%s", xos_policy_decision_name(a->decision));
	xos_cli_print_pair("because", "%s", text ? text : "out of memory");
	xos_buf_free(&out);
	print_levels(a);
	print_fired("forbids", a->forbids, a->nforbids, " (whether it applies is not known)");
	print_fired("checks failed", a->checks, a->nchecks, " (whether it passes is not known)");
	print_fired("on trial", a->shadows, a->nshadows, "");
	if (help)
		xos_cli_print_pair("would help", "%s", help);
	return XOS_OK;
}

static enum xos_status decide(struct xos_cli *cli, const struct xos_policytool_sets *parts,
    const struct xos_policytool_sets *links, struct xos_cases_ask *ask, struct xos_err *err)
{
	const struct xos_policy_set *carried[XOS_POLICY_CHAIN_MAX];
	struct xos_policytool_zones *zones = NULL;
	struct xos_policy *policy = NULL;
	struct xos_policy_request req;
	struct xos_policy_answer a;

	if (links->n > XOS_POLICY_CHAIN_MAX)
		return xos_cli_usage(err, "at most %u delegations", XOS_POLICY_CHAIN_MAX);
	for (size_t i = 0; i < links->n; i++)
		carried[i] = links->list[i].set;
	enum xos_status status = xos_policytool_sets_policy(parts, &policy, err);
	if (status == XOS_OK)
		status = xos_policytool_zones_load(parts, &zones, err);
	if (status == XOS_OK)
		status = xos_cases_ask_request(ask, policy, xos_clock_now(), &req, err);
	if (status == XOS_OK) {
		req.chain = carried;
		req.nchain = links->n;
		xos_policy_answer_init(&a);
		status = xos_policy_decide(policy, &req, &a);
		/* The answer is what was asked for; its exit status says what it is. */
		cli->exit_status = status == XOS_OK ? 0 : status == XOS_DENIED ? 1 : 3;
		char *help = status == XOS_OK || a.problem
		                 ? NULL
		                 : would_help(policy, xos_policytool_zones_options(zones), &req);
		status = print_answer(cli, &a, help, err);
		free(help);
		xos_policy_answer_free(&a);
	}
	xos_policytool_zones_free(zones);
	xos_policy_unref(policy);
	return status;
}

static enum xos_status load(
    const struct xos_cli_list *files, struct xos_policytool_sets *out, struct xos_err *err)
{
	enum xos_status status = XOS_OK;
	for (size_t i = 0; status == XOS_OK && i < files->n; i++)
		status = xos_policytool_sets_load(out, files->item[i], err);
	return status;
}

enum xos_status xos_policytool_explain(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct xos_cases_ask *ask = xos_cases_ask_new();
	struct xos_policytool_sets parts = {NULL, 0, 0}, links = {NULL, 0, 0};
	enum xos_status status;
	(void)argc;
	(void)argv;
	if (!ask)
		return xos_err_set(err, XOS_INTERNAL, "out-of-memory", "out of memory");
	if (!subject || !action || !resource)
		status = xos_cli_usage(err, "say --subject, --action and --resource");
	else
		status = take_options(ask, err);
	if (status == XOS_OK)
		status = take_attrs(ask, err);
	if (status == XOS_OK)
		status = load(&sets, &parts, err);
	if (status == XOS_OK)
		status = load(&chain, &links, err);
	if (status == XOS_OK)
		status = decide(cli, &parts, &links, ask, err);
	xos_policytool_sets_free(&parts);
	xos_policytool_sets_free(&links);
	xos_cases_ask_free(ask);
	return status;
}
