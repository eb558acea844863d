/* xos-node doctor: the box that a job runs in, beside its control group. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "node/doctor.h"
#include "node/verbs.h"
#include "proc/workload.h"

#define CONF_MAX (1u << 20)

static int new_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC);
}

static int new_network(void)
{
	return unshare(CLONE_NEWNET);
}

/* As jobs/place.c does it; in a plain chroot, where "/" is no mount, that has a way of its own. */
static int read_only_view(void)
{
	struct mount_attr shut = {.attr_set = MOUNT_ATTR_RDONLY};

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -1;
	return mount_setattr(AT_FDCWD, "/proc", AT_RECURSIVE, &shut, sizeof(shut));
}

static int no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The rules are there, and they hold. */
static int confined(void)
{
	const struct xos_workload w = {true};

	struct xos_workload_rules *rules = NULL;

	if (no_new_privs() != 0 || xos_workload_make(&w, &rules, NULL) != XOS_OK ||
	    !xos_workload_enter(rules)) {
		errno = errno ? errno : EINVAL;
		return -1;
	}
	if (unshare(CLONE_NEWUTS) == -1 && errno == EPERM)
		return 0;
	errno = ENOSYS; /* set, and of no effect */
	return -1;
}

/* Does this jobd.conf say `seccomp = none`? Its grammar is xos-jobd's; here one line of it is looked for. */
static bool says_none(const char *path)
{
	struct xos_buf text;
	char *line, *rest, word[8];
	bool none = false;

	xos_buf_init(&text, CONF_MAX);
	if (xos_file_read(path, CONF_MAX - 1, &text, NULL) == XOS_OK && xos_buf_str(&text))
		for (rest = (char *)text.p; (line = strsep(&rest, "\n"));)
			none |=
			    sscanf(line, " seccomp = %7s", word) == 1 && strcmp(word, "none") == 0;
	xos_buf_free(&text);
	return none;
}

/* The VO whose jobs run without rules because the node's owner wants it so; "": none. */
static void find_unruled(const char *dir, char vo[XOS_VO_MAX + 1])
{
	struct xos_node top = {.name = NULL};
	struct xos_node_parts *parts = NULL;
	char path[PATH_MAX];

	vo[0] = 0;
	if (xos_node_load(&top, dir, NULL) == XOS_OK &&
	    xos_node_parts_load(&top, &parts, NULL) == XOS_OK)
		for (size_t i = 0; i < parts->n && !vo[0]; i++)
			if (xos_node_path(&parts->part[i].n, "jobd.conf", path, NULL) == XOS_OK &&
			    says_none(path))
				(void)!xos_str_copy(vo, XOS_VO_MAX + 1, parts->part[i].vo);
	xos_node_parts_free(parts);
	xos_node_free(&top);
}

static void look_at_calls(struct xos_findings *r, const char *dir)
{
	char vo[XOS_VO_MAX + 1] = "", why[160];
	int error = xos_finding_tried(confined);

	snprintf(why, sizeof(why), "%s", strerror(error));
	if (dir)
		find_unruled(dir, vo);
	if (vo[0])
		snprintf(why, sizeof(why), "jobd.conf of VO %s says seccomp = none", vo);
	xos_finding_add(r, "job-calls",
	    "jobs cannot mount, make namespaces, reach keyrings, load bpf or modules",
	    !error && !vo[0], why);
}

void xos_findings_of_box(struct xos_findings *r, const char *dir)
{
	static const struct {
		const char *what, *means;
		int (*attempt)(void);
	} tries[] = {
	    {"namespaces", "jobs see only their own processes, temporary files and credential",
	        new_namespaces},
	    {"read-only-view",
	        "a job with a uid to itself leaves nothing under it; else a site that says so has "
	        "no "
	        "jobs here",
	        read_only_view},
	    {"network-namespace", "a job can be cut off from all networks", new_network},
	    {"no-new-privs", "no job gains rights by a set-uid program", no_new_privs},
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int why = xos_finding_tried(tries[i].attempt);

		xos_finding_add(r, tries[i].what, tries[i].means, why == 0, strerror(why));
	}
	look_at_calls(r, dir);
}
