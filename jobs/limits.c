#include "jobs/limits.h"

#include <string.h>

#include "base/clock.h"
#include "proc/cgroup.h"

/* Computed accounts are of this class; the site has no others to choose from. */
#define ACCOUNT_CLASS "pool"

static enum xos_status check_duties(const struct xos_decision_answer *a, struct xos_err *err)
{
	if (a->nduties == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "duty-unknown",
	    "policy demands \"%s%s%s\" of whoever runs this job, and this job service cannot do "
	    "that",
	    a->duties[0].name, a->duties[0].arg ? " " : "",
	    a->duties[0].arg ? a->duties[0].arg : "");
}

/* A program can widen its own processor affinity: without a group only a limit that binds nobody is enforced. */
static enum xos_status choose_processors(const struct xos_decision_limit *l,
    const struct xos_limits_opts *opts, uint64_t *out, struct xos_err *err)
{
	long processors = opts->processors;

	*out = XOS_LIMIT_NONE;
	if (!l->set || l->number >= processors)
		return XOS_OK;
	if (opts->can & XOS_CGROUP_CPU && l->number > 0) {
		*out = (uint64_t)l->number;
		return XOS_OK;
	}
	return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
	    "policy (%s) limits the job to %lld of this node's %ld processors, which this job "
	    "service "
	    "cannot enforce",
	    l->statement ? l->statement : "?", (long long)l->number, processors);
}

static enum xos_status check_class(const struct xos_decision_limit *l, struct xos_err *err)
{
	if (!l->set)
		return XOS_OK;
	for (size_t i = 0; i < l->nnames; i++)
		if (strcmp(l->names[i], ACCOUNT_CLASS) == 0)
			return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
	    "policy (%s) does not allow accounts of class " ACCOUNT_CLASS
	    ", and this node has no others",
	    l->statement ? l->statement : "?");
}

static enum xos_status choose_wall(const struct xos_decision_limit *l,
    const struct xos_limits_opts *opts, uint64_t *out, struct xos_err *err)
{
	int64_t most = l->set && l->number < opts->wall_max ? l->number : opts->wall_max;
	char asked[XOS_TIME_TEXT], allowed[XOS_TIME_TEXT];

	xos_duration_format(opts->wall_asked, asked);
	xos_duration_format(most, allowed);
	if (most <= 0 || opts->wall_asked > most)
		return xos_err_set(err, XOS_DENIED, "wall-limit",
		    "the job asks for %s of wall time and may have %s (%s); ask for less with "
		    "--wall",
		    asked, allowed,
		    most < opts->wall_max && l->statement ? l->statement : "this node's own limit");
	*out = (uint64_t)(opts->wall_asked ? opts->wall_asked : opts->wall_default);
	if (*out > (uint64_t)most)
		*out = (uint64_t)most;
	return XOS_OK;
}

static enum xos_status read_prefixes(const struct xos_decision_limit *l,
    struct xos_net_prefix *list, uint16_t *n, struct xos_err *err)
{
	for (size_t i = 0; i < l->nnames; i++)
		if (*n == XOS_NET_PREFIXES_MAX || !xos_net_prefix_parse(l->names[i], &list[(*n)++]))
			return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
			    "policy (%s) limits the job's networks by \"%.60s\", which this job "
			    "service cannot read",
			    l->statement ? l->statement : "?", l->names[i]);
	return XOS_OK;
}

static enum xos_status choose_networks(const struct xos_decision_limit *open,
    const struct xos_decision_limit *closed, const struct xos_limits_opts *opts,
    struct xos_launch_limits *m, struct xos_err *err)
{
	bool nothing = open->set && open->nnames == 1 && strcmp(open->names[0], "closed") == 0;
	enum xos_status st = XOS_OK;

	m->networks.limited = open->set;
	if (open->set && !nothing)
		st = read_prefixes(open, m->networks.open, &m->networks.nopen, err);
	if (st == XOS_OK && closed->set && !nothing)
		st = read_prefixes(closed, m->networks.closed, &m->networks.nclosed, err);
	if (st != XOS_OK || (nothing && opts->root) || !(open->set || closed->set) ||
	    (!nothing && opts->can & XOS_CGROUP_NETWORK))
		return st;
	const struct xos_decision_limit *l = open->set ? open : closed;
	return xos_err_set(err, XOS_DENIED, "limit-not-enforceable",
	    "policy (%s) limits the networks that the job may reach, which this job service cannot "
	    "enforce here; `xos-node doctor` on the node says why",
	    l->statement ? l->statement : "?");
}

static uint64_t plain(const struct xos_decision_limit *l)
{
	return l->set && l->number >= 0 ? (uint64_t)l->number : XOS_LIMIT_NONE;
}

enum xos_status xos_limits_from(const struct xos_decision_answer *a,
    const struct xos_limits_opts *opts, struct xos_launch_limits *out, int64_t *lifetime,
    struct xos_err *err)
{
	const struct xos_decision_limit *l = a->limits;
	struct xos_launch_limits m = {0};
	enum xos_status st = check_duties(a, err);

	_Static_assert(XOS_CAP_COUNT == 11, "a new cap needs its enforcement here");
	if (st == XOS_OK)
		st = choose_processors(&l[XOS_CAP_CPU], opts, &m.processors, err);
	if (st == XOS_OK)
		st = check_class(&l[XOS_CAP_ACCOUNT_CLASS], err);
	if (st == XOS_OK)
		st = choose_wall(&l[XOS_CAP_WALL], opts, &m.wall, err);
	if (st == XOS_OK)
		st = choose_networks(
		    &l[XOS_CAP_NETWORKS], &l[XOS_CAP_CLOSED_NETWORKS], opts, &m, err);
	if (st != XOS_OK)
		return st;
	m.cpu = plain(&l[XOS_CAP_CPU_TIME]);
	m.memory = plain(&l[XOS_CAP_MEMORY]);
	m.processes = plain(&l[XOS_CAP_PROCESSES]);
	m.files = plain(&l[XOS_CAP_FILES_OPEN]);
	m.file_size = plain(&l[XOS_CAP_FILE_SIZE]);
	*lifetime = l[XOS_CAP_LIFETIME].set ? l[XOS_CAP_LIFETIME].number : INT64_MAX;
	*out = m;
	return XOS_OK;
}

int64_t xos_limits_least(enum xos_policy_cap cap, long processors, unsigned can)
{
	static const bool enforced[XOS_CAP_COUNT] = {
	    [XOS_CAP_WALL] = true,
	    [XOS_CAP_CPU] = true,
	    [XOS_CAP_CPU_TIME] = true,
	    [XOS_CAP_MEMORY] = true,
	    [XOS_CAP_LIFETIME] = true,
	    [XOS_CAP_PROCESSES] = true,
	    [XOS_CAP_FILES_OPEN] = true,
	    [XOS_CAP_FILE_SIZE] = true,
	    [XOS_CAP_ACCOUNT_CLASS] = true,
	    [XOS_CAP_NETWORKS] = true,
	    [XOS_CAP_CLOSED_NETWORKS] = true,
	};

	if ((unsigned)cap >= XOS_CAP_COUNT || !enforced[cap])
		return -1;
	if (cap == XOS_CAP_NETWORKS || cap == XOS_CAP_CLOSED_NETWORKS)
		return can & XOS_CGROUP_NETWORK ? 0 : -1;
	if (cap != XOS_CAP_CPU)
		return 0;
	return can & XOS_CGROUP_CPU ? 1 : processors; /* see choose_processors */
}
