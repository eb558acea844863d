#include "credd/pick.h"

#include <string.h>

static enum xos_status none(struct xos_err *err, const char *id, uid_t uid)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-credential",
	    "xos-credd keeps no credential%s%s for uid %u%s", id[0] ? " " : "", id, (unsigned)uid,
	    id[0] ? ", or no longer: see `xos-token list --credd`" : " that is in time");
}

static enum xos_status by_id(struct xos_credd_sessions *sessions, const struct xos_credd_jobs *jobs,
    uid_t uid, const char *id, struct xos_credd_picked *out, struct xos_err *err)
{
	struct xos_credd_picked p = {.id = id};
	enum xos_status st = XOS_OK;
	if (strncmp(id, XOS_CREDD_SESSION_PREFIX, strlen(XOS_CREDD_SESSION_PREFIX)) == 0) {
		st = xos_credd_sessions_find(sessions, uid, id, &p.session, err);
		if (!st && !p.session->nchain)
			st = xos_err_set(err, XOS_CONFLICT, "no-chain",
			    "credential %s has a key and no certificate yet", id);
	} else {
		p.job = xos_credd_jobs_get(jobs, id);
		if (!p.job || p.job->account.uid != uid || !p.job->chain.n)
			st = none(err, id, uid);
	}
	if (!st)
		*out = p;
	return st;
}

/* Bound sessions that are over are passed over here; they end when they are named, or swept. */
static bool usable(const struct xos_credd_session *s, uid_t uid, int64_t now)
{
	return s->uid == uid && s->nchain && s->not_after >= now &&
	       (!s->leader.pid || xos_credd_leader_state(&s->leader) == XOS_CREDD_LEADER_THERE);
}

static const struct xos_credd_session *newest_session(const struct xos_credd_sessions *sessions,
    uid_t uid, const struct xos_credd_leader *of, int64_t now)
{
	const struct xos_credd_session *best = NULL;
	for (const struct xos_credd_session *s = NULL;
	     (s = xos_credd_sessions_next(sessions, s));) {
		if (s->uid != uid || (of && !xos_credd_leader_same(of, &s->leader)) ||
		    (best && (s->created < best->created ||
		                 (s->created == best->created && strcmp(s->id, best->id) < 0))))
			continue;
		if (usable(s, uid, now))
			best = s;
	}
	return best;
}

static const struct xos_credd_job *newest_job(
    const struct xos_credd_jobs *jobs, uid_t uid, const struct xos_bytes *groups, int64_t now)
{
	const struct xos_credd_job *best = NULL;
	for (const struct xos_credd_job *j = NULL; (j = xos_credd_jobs_next(jobs, j));) {
		if (j->account.uid != uid || !j->chain.n || j->not_after < now ||
		    (groups && !xos_credd_groups_name(*groups, j->id)))
			continue;
		if (!best || j->created > best->created ||
		    (j->created == best->created && strcmp(j->id, best->id) > 0))
			best = j;
	}
	return best;
}

static void set_session(struct xos_credd_picked *out, const struct xos_credd_session *s)
{
	*out = (struct xos_credd_picked){.id = s->id, .session = s};
}

static void set_job(struct xos_credd_picked *out, const struct xos_credd_job *j)
{
	*out = (struct xos_credd_picked){.id = j->id, .job = j};
}

static bool by_place(const struct xos_credd_sessions *sessions, const struct xos_credd_jobs *jobs,
    const struct xos_credd_peer *peer, int64_t now, struct xos_credd_picked *out)
{
	struct xos_credd_leader here;
	char buf[XOS_CREDD_CGROUP_MAX];
	struct xos_bytes groups;
	const struct xos_credd_session *s = NULL;
	const struct xos_credd_job *j = NULL;
	if (xos_credd_leader_of(peer->pid, &here, NULL) == XOS_OK)
		s = newest_session(sessions, peer->uid, &here, now);
	if (!s && xos_credd_cgroup_read(peer->pid, buf, &groups))
		j = newest_job(jobs, peer->uid, &groups, now);
	if (s)
		set_session(out, s);
	else if (j)
		set_job(out, j);
	return s || j;
}

enum xos_status xos_credd_pick(struct xos_credd_sessions *sessions,
    const struct xos_credd_jobs *jobs, const struct xos_credd_peer *peer, const char *id,
    int64_t now, struct xos_credd_picked *out, struct xos_err *err)
{
	if (id[0])
		return by_id(sessions, jobs, peer->uid, id, out, err);
	if (by_place(sessions, jobs, peer, now, out))
		return XOS_OK;
	const struct xos_credd_session *s = newest_session(sessions, peer->uid, NULL, now);
	const struct xos_credd_job *j = newest_job(jobs, peer->uid, NULL, now);
	if (!s && !j)
		return none(err, "", peer->uid);
	if (s && (!j || s->created >= j->created))
		set_session(out, s);
	else
		set_job(out, j);
	return XOS_OK;
}
