#include "credd/running.h"

#include "decide/subject.h"
#include "token/tokenfile.h"

/* The last moment at which all of these certificates, and what delegations say, were valid. */
static enum xos_status last_moment(
    const struct xos_chain *chain, size_t from, int64_t *out, struct xos_err *err)
{
	struct xos_token_info *info = NULL;
	struct xos_chain part = {.n = 0};
	enum xos_status st = XOS_OK;

	for (size_t i = from; st == XOS_OK && i < chain->n; i++)
		st = xos_chain_add(&part, chain->cert[i]);
	if (st == XOS_OK)
		st = xos_token_describe(&part, 0, &info, err);
	if (st == XOS_OK)
		*out = info->not_after;
	xos_token_info_free(info);
	xos_chain_clear(&part);
	return st;
}

enum xos_status xos_credd_running_who(struct xos_credd_decider *d,
    const struct xos_credd_jobs *jobs, const char *id, int64_t now, struct xos_credd_principal *out,
    struct xos_err *err)
{
	const struct xos_chain *chain = xos_credd_jobs_held(jobs, id);
	struct xos_bytes ders[XOS_CHAIN_MAX];
	const struct xos_known *k = NULL;
	struct xos_err why = XOS_ERR_INIT;
	int64_t end = 0;
	size_t n = xos_credd_jobs_chain(jobs, id, ders);

	if (!chain || n == 0)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown", "it has no credential here");
	size_t from = xos_cert_is_proxy(chain->cert[0]) ? 1 : 0;
	enum xos_status st = xos_credd_decider_verify(d, ders + from, n - from, now, &k, &why);
	if (st == XOS_EXPIRED && last_moment(chain, from, &end, NULL) == XOS_OK && end < now) {
		why = (struct xos_err)XOS_ERR_INIT;
		st = xos_credd_decider_verify(d, ders + from, n - from, end, &k, &why);
	}
	if (st != XOS_OK) {
		if (err)
			*err = why;
		return st;
	}
	*out = (struct xos_credd_principal){.known = k};
	if (from == 0 && k->id->nsteps && k->id->steps[0]->restriction_len)
		out->skip = 1;
	return XOS_OK;
}

static size_t read_values(
    const struct xos_json *job, struct xos_policy_value values[3], struct xos_err *err)
{
	const char *src = NULL;
	int64_t wall = 0;
	size_t n = 0;

	values[n++] = (struct xos_policy_value){
	    .name = "ctx.service", .type = XOS_POLICY_STRING, .string = "jobd"};
	if (xos_json_opt_string(job, "src", 63, &src, err) == XOS_OK && src && src[0])
		values[n++] = (struct xos_policy_value){
		    .name = "ctx.src", .type = XOS_POLICY_IP, .string = src};
	if (xos_json_opt_int64(job, "wall", 0, INT64_MAX, 0, &wall, err) == XOS_OK && wall)
		values[n++] = (struct xos_policy_value){
		    .name = "job.wall", .type = XOS_POLICY_DURATION, .number = wall};
	return n;
}

enum xos_policy_decision xos_credd_running_decide(const struct xos_credd_self *self,
    const struct xos_policy *policy, const struct xos_credd_principal *who,
    const struct xos_json *job, int64_t now, struct xos_policy_answer *answer)
{
	struct xos_policy_value values[3];
	const struct xos_known *k = who->known;
	const struct xos_claims *c = k->id->claims;
	struct xos_policy_request req = {.action = "job.submit",
	    .subject = {.kind = XOS_SUBJECT_MEMBER, .vo = c->vo, .member = c->name},
	    .resource = {.kind = "node", .site = self->conf->site, .node = self->conf->node},
	    .now = now,
	    .values = values,
	    .chain = (const struct xos_policy_set *const *)k->restriction + who->skip,
	    .nchain = k->nrestrictions - who->skip};

	req.nvalues = read_values(job, values, NULL);
	xos_subject_fill(c, &req.subject);
	(void)!xos_policy_decide(policy, &req, answer); /* the answer says what was decided */
	return answer->decision;
}
