/* xos-node doctor: what this machine can enforce, tried here and now with the rights of whoever asks. */
#include <errno.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/doctor.h"
#include "node/verbs.h"
#include "proc/cgroup.h"

void xos_finding_add(
    struct xos_findings *r, const char *what, const char *means, bool can, const char *why)
{
	struct xos_finding *f = &r->list[r->n];
	if (r->n == XOS_FINDINGS_MAX)
		return;
	r->n++;
	*f = (struct xos_finding){.what = what, .means = means, .can = can};
	if (!can)
		snprintf(f->why, sizeof(f->why), "%s", why);
}

int xos_finding_tried(int (*attempt)(void))
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(attempt() == 0 ? 0 : errno & 0x7f);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return EAGAIN;
	return WEXITSTATUS(status);
}

static int seccomp_there(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 ? -1 : 0;
}

static int landlock_there(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0
	           ? -1
	           : 0;
}

static void look_at_kernel(struct xos_findings *r)
{
	static const struct {
		const char *what, *means;
		int (*attempt)(void);
	} tries[] = {
	    {"seccomp", "daemons are confined to the system calls that they need", seccomp_there},
	    {"landlock", "daemons are confined to their own files", landlock_there},
	};
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int why = xos_finding_tried(tries[i].attempt);
		xos_finding_add(r, tries[i].what, tries[i].means, why == 0, strerror(why));
	}
}

static void look_at_groups(struct xos_findings *r)
{
	static const char *const means[XOS_CGROUP_CONTROLS][2] = {
	    {"limit-memory", "limits of memory hold for a job as a whole; else for each process"},
	    {"limit-processes", "limits of processes hold for a job; else for the account"},
	    {"limit-cpu", "limits of processors are enforced; else jobs under one are refused"},
	    {"freeze", "a job that a lock holds stands still (node as root); else it is stopped"},
	    {"limit-networks",
	        "networks are closed to jobs; else jobs under such a limit are refused"},
	};
	struct xos_cgroups groups;
	xos_cgroups_find(&groups);
	for (size_t i = 0; i < XOS_CGROUP_CONTROLS; i++)
		xos_finding_add(
		    r, means[i][0], means[i][1], groups.can & (1u << i), groups.control[i].why);
}

static void look_at_limits(struct xos_findings *r)
{
	struct rlimit lock = {0}, files = {0};
	struct timex clock = {.modes = 0};
	char why[160] = "";
	(void)getrlimit(RLIMIT_MEMLOCK, &lock);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	snprintf(why, sizeof(why),
	    "only %llu KiB may be locked: raise LimitMEMLOCK, or keys may be written to swap",
	    (unsigned long long)lock.rlim_cur / 1024);
	xos_finding_add(r, "locked-memory", "secrets of the daemons are never written to swap",
	    lock.rlim_cur == RLIM_INFINITY || lock.rlim_cur >= 8u << 20 || geteuid() == 0, why);
	snprintf(why, sizeof(why),
	    "at most %llu files may be open: raise LimitNOFILE to 4096 or more",
	    (unsigned long long)files.rlim_max);
	xos_finding_add(r, "descriptors", "a thousand connections at a time",
	    files.rlim_max == RLIM_INFINITY || files.rlim_max >= 4096, why);
	int state = adjtimex(&clock);
	xos_finding_add(r, "clock", "times in certificates and policies are those of everybody",
	    state >= 0 && state != TIME_ERROR,
	    "the kernel does not know of a clock that is kept right: run chrony or "
	    "systemd-timesyncd");
}

static void look(struct xos_findings *r, const char *dir)
{
	xos_finding_add(r, "root", "jobs run under computed accounts, each in its own surroundings",
	    geteuid() == 0,
	    "not root: a node that is set up so runs the jobs of one member, as its own user");
	xos_findings_of_box(r, dir);
	look_at_kernel(r);
	look_at_groups(r);
	look_at_limits(r);
}

static enum xos_status print_json(const struct xos_findings *r, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	for (size_t i = 0; i < r->n; i++) {
		const struct xos_finding *f = &r->list[i];
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "what", f->what);
		xos_json_set_bool(o, "can", f->can);
		xos_json_set_string(o, "means", f->means);
		if (!f->can)
			xos_json_set_text(o, "why", f->why);
		xos_json_add(list, o);
	}
	xos_json_set(doc, "findings", list);
	return xos_cli_print_json(doc, err);
}

/* 0: all of it; 1: something is missing, which the report names. */
XOS_NODE_VERB(doctor)
{
	struct xos_findings r = {.n = 0};
	bool all = true;
	(void)argc;
	(void)argv;
	look(&r, xos_node_opt_dir);
	for (size_t i = 0; i < r.n; i++)
		all = all && r.list[i].can;
	cli->exit_status = all ? 0 : 1;
	if (cli->json)
		return print_json(&r, err);
	for (size_t i = 0; i < r.n; i++) {
		const struct xos_finding *f = &r.list[i];
		xos_cli_print_pair(
		    f->what, "%s%s", f->can ? "yes: " : "no: ", f->can ? f->means : f->why);
	}
	return XOS_OK;
}
