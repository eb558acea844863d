#include "credd/preview.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "credd/running.h"
#include "decide/zones.h"
#include "json/json.h"

struct preview {
	struct xos_credd_decider *d;
	const struct xos_credd_self *self;
	struct xos_credd_jobs *jobs;
	struct xos_policy *candidate;
	struct xos_policy_answer answer;
	int64_t now;
	size_t asked, told, more;
	struct xos_json *list;
};

static enum xos_status check_asker(
    const struct xos_credd_self *self, const struct xos_known *asker, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	const struct xos_claims *c = asker->id->claims;

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", self->conf->vo);
	for (size_t i = 0; asker->id->nsteps == 0 && i < c->nroles; i++)
		if (strcmp(c->roles[i], role) == 0)
			return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "not-administrator",
	    "a preview tells about everybody's jobs: it is for administrators of the VO (xos-login "
	    "--role %s)",
	    role);
}

static enum xos_status load(const struct xos_credd_self *self, const struct xos_json *doc,
    struct xos_policy_set **set, struct xos_err *err)
{
	const char *text = NULL;
	enum xos_status st = xos_json_get_string(doc, "policy", XOS_LOCAL_PREVIEW_MAX, &text, err);

	if (st == XOS_OK)
		st = xos_policy_set_load(text, strlen(text), "candidate", set, err);
	if (st == XOS_OK && (xos_policy_set_level(*set) != XOS_POLICY_VO ||
	                        strcmp(xos_policy_set_name(*set), self->conf->vo) != 0))
		st = xos_err_set(err, XOS_MALFORMED, "set-level",
		    "only a set of the VO %s is previewed", self->conf->vo);
	return st;
}

/* The sets of the bundle, the VO's own exchanged. */
static enum xos_status compile(struct preview *p, struct xos_policy_set *set, struct xos_err *err)
{
	const struct xos_bundle *b = xos_credd_decider_view(p->d)->bundle;
	size_t scoped = b ? xos_bundle_scoped_count(b) : 0, n = 0;
	struct xos_policy_part *parts = calloc(scoped + 3, sizeof(*parts));

	if (!parts)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	parts[n++].set = set;
	if (b && xos_bundle_site_set(b))
		parts[n++] = (struct xos_policy_part){
		    .set = xos_bundle_site_set(b), .not_after = xos_bundle_site_expires(b)};
	if (b && xos_bundle_node_set(b))
		parts[n++] = (struct xos_policy_part){
		    .set = xos_bundle_node_set(b), .not_after = xos_bundle_node_expires(b)};
	for (size_t i = 0; i < scoped; i++)
		parts[n++].set = xos_bundle_scoped(b, i);
	enum xos_status st = xos_zones_policy(parts, n, &p->candidate, err);
	free(parts);
	return st;
}

static void tell(struct preview *p, const char *job, const struct xos_known *k,
    enum xos_policy_decision before, const char *why)
{
	struct xos_json *o = xos_json_object();
	const struct xos_policy_on_change *c = &p->answer.change;
	struct xos_buf text;

	xos_buf_init(&text, 65536);
	xos_json_set_string(o, "job", job);
	xos_json_set_string(o, "member", k ? k->subject : NULL);
	xos_json_set_string(o, "now", k ? xos_policy_decision_name(before) : "unknown");
	xos_json_set_string(
	    o, "then", k ? xos_policy_decision_name(p->answer.decision) : "unknown");
	if (k) {
		xos_json_set_string(o, "change",
		    c->change == XOS_CHANGE_NONE ? "none" : xos_policy_change_name(c->change));
		if (c->change == XOS_CHANGE_STOP)
			xos_json_set_int(o, "after", c->after);
		xos_policy_answer_explain(&p->answer, &text);
	}
	xos_json_set_text(o, "why", k ? xos_buf_str(&text) : why);
	xos_json_add(p->list, o);
	xos_buf_free(&text);
}

static enum xos_policy_decision decide(struct preview *p, const struct xos_policy *policy,
    const struct xos_credd_principal *who, const struct xos_json *job)
{
	return xos_credd_running_decide(p->self, policy, who, job, p->now, &p->answer);
}

static enum xos_status ask(struct preview *p, const struct xos_json *job, struct xos_err *err)
{
	struct xos_credd_principal who = {.known = NULL};
	enum xos_policy_decision before = XOS_POLICY_UNDECIDED;
	struct xos_err why = XOS_ERR_INIT;
	const char *id = NULL;
	enum xos_status st = xos_json_get_string(job, "job", XOS_LOCAL_JOB_MAX, &id, err);

	if (st != XOS_OK)
		return st;
	st = xos_credd_running_who(p->d, p->jobs, id, p->now, &who, &why);
	p->asked++;
	if (st == XOS_OK) {
		before = decide(p, xos_credd_decider_view(p->d)->policy, &who, job);
		if (decide(p, p->candidate, &who, job) == XOS_POLICY_PERMITTED)
			return XOS_OK;
	}
	if (p->told < XOS_CREDD_PREVIEW_TOLD)
		tell(p, id, who.known, before, why.text);
	else
		p->more++;
	p->told += p->told < XOS_CREDD_PREVIEW_TOLD;
	return XOS_OK;
}

static enum xos_status ask_all(
    struct preview *p, const struct xos_json *doc, struct xos_buf *out, struct xos_err *err)
{
	const struct xos_json *jobs = NULL;
	struct xos_json *answer = xos_json_object();
	enum xos_status st = xos_json_get_array(doc, "jobs", XOS_CREDD_PREVIEW_JOBS, &jobs, err);

	p->list = xos_json_array();
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(jobs); i++)
		st = ask(p, xos_json_at(jobs, i), err);
	xos_json_set(answer, "jobs", p->list);
	xos_json_set_int(answer, "asked", (int64_t)p->asked);
	xos_json_set_int(answer, "more", (int64_t)p->more);
	if (st == XOS_OK)
		st = xos_json_dump(answer, out, err);
	xos_json_free(answer);
	return st;
}

enum xos_status xos_credd_preview(struct xos_credd_decider *d, const struct xos_credd_self *self,
    struct xos_credd_jobs *jobs, const struct xos_known *asker, struct xos_bytes question,
    int64_t now, struct xos_buf *out, struct xos_err *err)
{
	struct preview p = {.d = d, .self = self, .jobs = jobs, .now = now};
	struct xos_policy_set *set = NULL;
	struct xos_json *doc = NULL;
	enum xos_status st = check_asker(self, asker, err);

	xos_policy_answer_init(&p.answer);
	if (st == XOS_OK)
		st = xos_json_parse(question, XOS_LOCAL_PREVIEW_MAX, &doc, err);
	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "policy", "jobs");
	if (st == XOS_OK)
		st = load(self, doc, &set, err);
	if (st == XOS_OK)
		st = compile(&p, set, err);
	if (st == XOS_OK)
		st = ask_all(&p, doc, out, err);
	xos_policy_answer_free(&p.answer);
	xos_policy_unref(p.candidate);
	xos_policy_set_unref(set);
	xos_json_free(doc);
	return st;
}
