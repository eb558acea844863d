/* What is done to a job while it runs. */
#include "monitor_test.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/copy.h"
#include "jobs/standing.h"
#include "proc/cgroup.h"

static void write_standing(const struct xos_job_standing *s)
{
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_msg(xos_standing_write(run_dir, s, &err) == XOS_OK, "%s", err.text);
}

START_TEST(frozen_and_cancelled_it_never_runs_again)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	struct xos_cgroups groups;
	struct xos_cgroup g;
	struct xos_err err = XOS_ERR_INIT;
	pid_t pid;

	xos_cgroups_find(&groups);
	if (!(groups.can & XOS_CGROUP_FREEZE) ||
	    !sample(_i, "trap 'echo term' TERM; while :; do echo .; sleep 0.02; done", &l))
		return;
	l.group_can = (uint8_t)groups.can;
	l.group_unified = (uint8_t)xos_cgroups_unified(&groups);
	l.grace = 600; /* which the test does not wait for */
	pid = spawn(&l);
	wait_size("stdout", 4);
	ck_assert_int_eq(xos_cgroup_open(&groups, id, &g, &err), XOS_OK);
	ck_assert(!xos_cgroup_is_frozen(&g));
	ck_assert_msg(xos_cgroup_freeze(&g, true, &err) == XOS_OK, "%s", err.text);
	ck_assert(xos_cgroup_is_frozen(&g));
	kill(pid, SIGTERM);
	ck_assert_int_eq(finish(pid, &o), 0);
	xos_launch_free(&l);
	ck_assert_int_eq(o.cause, XOS_CAUSE_CANCELLED);
	ck_assert_int_eq(o.end, XOS_END_SIGNALLED);
	ck_assert_uint_eq(o.value, SIGKILL);
	ck_assert_ptr_null(strstr(text_of("stdout"), "term"));
	ck_assert_int_eq(xos_cgroup_open(&groups, id, &g, NULL), XOS_NOT_FOUND);
}
END_TEST

START_TEST(told_to_end_it_says_why)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	pid_t pid;

	if (!sample(_i, "echo up; exec sleep 1000", &l))
		return;
	pid = spawn(&l);
	wait_size("stdout", 3);
	write_standing(
	    &(struct xos_job_standing){.ending = XOS_CAUSE_POLICY, .text = "The cooling is off."});
	kill(pid, SIGTERM);
	ck_assert_int_eq(finish(pid, &o), 0);
	xos_launch_free(&l);
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
	struct xos_launch l;

	ck_assert(sample(0, "sleep 2; exit 5", &l));
	if (_i)
		s = (struct xos_job_standing){.frozen_mark = 1, .frozen_since = 1};
	l.limits.wall = 1;
	write_standing(&s);
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 5);
	ck_assert_uint_eq(o.wall_ms, 0);
}
END_TEST

static enum xos_status exchange(bool isolate, struct xos_err *err)
{
	const struct xos_copy c = {
	    .run = run_dir, .cred = cred_dir, .isolate = isolate, .uid = JOB_UID, .gid = JOB_UID};
	struct xos_secret *fresh = xos_secret_from("RENEWED\n", 8);
	enum xos_status st = xos_copy_exchange(&c, fresh, err);

	xos_secret_free(fresh);
	return st;
}

START_TEST(a_running_job_gets_its_renewed_credential)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_job_outcome o;
	struct xos_launch l;
	pid_t pid;

	if (!sample(_i,
	        "echo up; while grep -q SECRET $X509_USER_PROXY; do sleep 0.02; done; cat "
	        "$X509_USER_PROXY; stat -c %a $X509_USER_PROXY; ls -A $(dirname "
	        "$X509_USER_PROXY)",
	        &l))
		return;
	pid = spawn(&l);
	wait_size("stdout", 3);
	ck_assert_msg(exchange(_i, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(finish(pid, &o), 0);
	ck_assert_str_eq(text_of("stdout"), "up\nRENEWED\n600\ncred.pem\n");
	/* It runs no more: nobody to give it to, and nothing is left behind. */
	ck_assert_int_eq(exchange(_i, &err), XOS_NOT_FOUND);
	xos_launch_free(&l);
}
END_TEST

/* The folder is the job's own: what it may put there. */
START_TEST(a_job_that_lays_traps_for_its_credential)
{
	struct xos_err err = XOS_ERR_INIT;
	char victim[PATH_MAX], script[1024];
	struct xos_job_outcome o;
	struct xos_launch l;
	struct stat sb;
	pid_t pid;

	ck_assert(xos_path_join(victim, sizeof(victim), top, "victim"));
	ck_assert_int_eq(xos_file_write(victim, 0600, xos_bytes_str("root's\n"), &err), XOS_OK);
	xos_str_printf(script, sizeof(script),
	    "cd $(dirname $X509_USER_PROXY); ln -s %s .cred.pem.new; echo up; while grep -q SECRET "
	    "cred.pem; do sleep 0.02; done; rm cred.pem; mkdir -p cred.pem/full; echo full; while "
	    "[ "
	    "! -e $OLDPWD/go ]; do sleep 0.02; done; rm -r cred.pem",
	    victim);
	if (!sample(_i, script, &l))
		return;
	pid = spawn(&l);
	wait_size("stdout", 3);
	/* A link where the new file is made leads nowhere. */
	ck_assert_msg(exchange(_i, &err) == XOS_OK, "%s", err.text);
	wait_size("stdout", 8);
	ck_assert_int_eq(stat(victim, &sb), 0);
	ck_assert_int_eq((int)sb.st_size, 7);
	ck_assert_uint_eq(sb.st_uid, geteuid());
	/* A folder in the place of the file: refused, in words, and harms nobody but the job. */
	ck_assert_int_eq(exchange(_i, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "job-copy");
	ck_assert(xos_path_join(victim, sizeof(victim), work_dir, "go"));
	ck_assert_int_eq(xos_file_write(victim, 0644, xos_bytes_str(""), &err), XOS_OK);
	ck_assert_int_eq(finish(pid, &o), 0);
	xos_launch_free(&l);
}
END_TEST

Suite *running_suite(void)
{
	Suite *s = suite_create("jobs running");
	TCase *t = tcase_create("running");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, frozen_and_cancelled_it_never_runs_again, 0, 2);
	tcase_add_loop_test(t, told_to_end_it_says_why, 0, 2);
	tcase_add_loop_test(t, time_for_which_it_was_frozen_is_not_its_own, 0, 2);
	tcase_add_loop_test(t, a_running_job_gets_its_renewed_credential, 0, 2);
	tcase_add_loop_test(t, a_job_that_lays_traps_for_its_credential, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
