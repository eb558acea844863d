/* The monitor of a job that is frozen, or told to end. Each case runs twice: as it would without root, and isolated where the tests run
 * as root. */
#include "run_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/monitor.h"
#include "jobs/outcome.h"
#include "jobs/standing.h"
#include "proc/cgroup.h"

#define JOB_UID 234567

/* The id is that of the process too: several runs of this may go on beside each other. */
static char id[XOS_JOB_ID_LEN + 1], top[64], run_dir[128], work_dir[128], cred_dir[128];
static struct xos_launch l;

static void make(char *path, size_t cap, const char *name, mode_t mode)
{
	ck_assert(xos_path_join(path, cap, top, name));
	ck_assert_int_eq(mkdir(path, mode), 0);
}

static void setup(void)
{
	strcpy(top, "/tmp/xos-frozen-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chmod(top, 0755), 0);
	make(run_dir, sizeof(run_dir), "run", 0750);
	make(work_dir, sizeof(work_dir), "work", 0700);
	ck_assert(xos_path_join(cred_dir, sizeof(cred_dir), top, "cred"));
	ck_assert(
	    xos_str_printf(id, sizeof(id), "f0f0f0f0f0f0f0f0f0f0f0f0%08x", (unsigned)getpid()));
}

static void teardown(void)
{
	char cmd[128];

	xos_launch_free(&l);
	xos_str_printf(cmd, sizeof(cmd), "rm -rf '%s'", top);
	ck_assert_int_eq(system(cmd), 0);
}

/* False: not possible here. */
static bool sample(bool isolate, const char *script)
{
	l = (struct xos_launch){.isolate = isolate, .uid = JOB_UID, .gid = JOB_UID, .grace = 600};
	if (isolate && geteuid() != 0)
		return false;
	l.limits = (struct xos_launch_limits){.wall = 60,
	    .cpu = XOS_LIMIT_NONE,
	    .memory = XOS_LIMIT_NONE,
	    .files = XOS_LIMIT_NONE,
	    .file_size = XOS_LIMIT_NONE,
	    .processes = XOS_LIMIT_NONE,
	    .processors = XOS_LIMIT_NONE};
	l.output_max = l.tmp_size = 1u << 20;
	memcpy(l.id, id, sizeof(id));
	l.run = strdup(run_dir);
	l.work = strdup(work_dir);
	l.cred = strdup(cred_dir);
	ck_assert(xos_strings_add(&l.argv, "sh") && xos_strings_add(&l.argv, "-c") &&
	          xos_strings_add(&l.argv, script) &&
	          xos_strings_add(&l.env, "PATH=/usr/bin:/bin"));
	l.credential = xos_secret_from("SECRET\n", 7);
	if (isolate) {
		ck_assert_int_eq(mkdir(cred_dir, 0755), 0);
		ck_assert_int_eq(chown(work_dir, JOB_UID, JOB_UID), 0);
	}
	return true;
}

static pid_t spawn(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(xos_monitor_run(&l, -1, NULL) == XOS_OK ? 0 : 1);
	return pid;
}

static void finish(pid_t pid, struct xos_job_outcome *o)
{
	struct xos_err err = XOS_ERR_INIT;
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(xos_outcome_read(run_dir, o, &err) == XOS_OK, "%s", err.text);
}

static void output(char text[4096])
{
	char path[PATH_MAX];
	struct xos_buf b;

	ck_assert(xos_path_join(path, sizeof(path), run_dir, "stdout"));
	text[0] = 0;
	if (xos_file_read(path, 1u << 20, &b, NULL) == XOS_OK)
		snprintf(text, 4096, "%.*s", (int)b.n, b.p ? (const char *)b.p : "");
	xos_buf_free(&b);
}

static void wait_output(void)
{
	char text[4096];

	for (int i = 0; i < 3000; i++) {
		output(text);
		if (text[0])
			return;
		usleep(10000);
	}
	ck_abort_msg("the job wrote nothing");
}

static void write_standing(const struct xos_job_standing *s)
{
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_msg(xos_standing_write(run_dir, s, &err) == XOS_OK, "%s", err.text);
}

START_TEST(frozen_and_cancelled_it_never_runs_again)
{
	struct xos_job_outcome o;
	struct xos_cgroups groups;
	struct xos_cgroup g;
	struct xos_err err = XOS_ERR_INIT;
	char text[4096];

	xos_cgroups_find(&groups);
	if (!sample(_i, "trap 'echo term' TERM; while :; do echo .; sleep 0.02; done") ||
	    !(groups.can & XOS_CGROUP_FREEZE))
		return;
	l.group_can = (uint8_t)groups.can;
	l.group_unified = (uint8_t)xos_cgroups_unified(&groups);
	pid_t pid = spawn();
	wait_output();
	ck_assert_int_eq(xos_cgroup_open(&groups, id, &g, &err), XOS_OK);
	ck_assert(!xos_cgroup_is_frozen(&g));
	ck_assert_msg(xos_cgroup_freeze(&g, true, &err) == XOS_OK, "%s", err.text);
	ck_assert(xos_cgroup_is_frozen(&g));
	kill(pid, SIGTERM);
	/* Long before its grace is over. */
	finish(pid, &o);
	ck_assert_int_eq(o.cause, XOS_CAUSE_CANCELLED);
	ck_assert_int_eq(o.end, XOS_END_SIGNALLED);
	ck_assert_uint_eq(o.value, SIGKILL);
	output(text);
	ck_assert_ptr_null(strstr(text, "term"));
	ck_assert_int_eq(xos_cgroup_open(&groups, id, &g, NULL), XOS_NOT_FOUND);
}
END_TEST

START_TEST(told_to_end_it_says_why)
{
	struct xos_job_outcome o;

	if (!sample(_i, "echo up; exec sleep 1000"))
		return;
	pid_t pid = spawn();
	wait_output();
	write_standing(
	    &(struct xos_job_standing){.ending = XOS_CAUSE_POLICY, .text = "The cooling is off."});
	kill(pid, SIGTERM);
	finish(pid, &o);
	ck_assert_str_eq(xos_job_cause_name(o.cause), "policy");
	ck_assert_str_eq(o.text, "The cooling is off.");
	ck_assert_uint_eq(o.value, SIGTERM);
}
END_TEST

/* A second of wall time, and two in which it stood still, or stands still yet as far as is written down. */
START_TEST(time_for_which_it_was_frozen_is_not_its_own)
{
	struct xos_job_standing s = {.frozen_ms = 600000};
	struct xos_job_outcome o;

	ck_assert(sample(false, "sleep 2; exit 5"));
	if (_i)
		s = (struct xos_job_standing){.frozen_mark = 1, .frozen_since = 1};
	l.limits.wall = 1;
	write_standing(&s);
	finish(spawn(), &o);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 5);
	ck_assert_uint_eq(o.wall_ms, 0);
}
END_TEST

Suite *frozen_suite(void)
{
	Suite *s = suite_create("jobs frozen");
	TCase *t = tcase_create("frozen");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, frozen_and_cancelled_it_never_runs_again, 0, 2);
	tcase_add_loop_test(t, told_to_end_it_says_why, 0, 2);
	tcase_add_loop_test(t, time_for_which_it_was_frozen_is_not_its_own, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
