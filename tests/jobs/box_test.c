/* The box that a job runs in: fixed limits, rules for calls, networks, and what a full disk does to it. */
#include "monitor_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/hold.h"
#include "proc/cgroup.h"

/* Hard and soft at once, so none can be raised again; grep's output is one line a limit. */
START_TEST(limits_that_hold_for_every_job)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i,
	        "grep -E 'core|locked mem|msgqueue|pending|priority' /proc/self/limits | "
	        "while read -r a b c rest; do set -- $rest; echo $a: $c $1 $2; done; "
	        "ulimit -c 1 2>/dev/null || echo kept; ulimit -Hl 99999 2>/dev/null || echo kept",
	        &l))
		return;
	run(&l, &o);
	if (_i) /* root without a namespace may raise what it likes */
		ck_assert_str_eq(text_of("stdout"),
		    "Max: file size 0\nMax: memory 8388608 8388608\nMax: signals 4096 4096\n"
		    "Max: size 819200 819200\nMax: priority 0 0\nMax: priority 0 0\nkept\nkept\n");
	ck_assert_ptr_nonnull(strstr(text_of("stdout"), "Max: file size 0\n"));
}
END_TEST

/* By its owner's will a node does without rules, and the record says so. */
START_TEST(without_rules_for_calls)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "grep '^Seccomp:' /proc/self/status | tr -d '[:space:]'", &l))
		return;
	l.all_calls = true;
	run(&l, &o);
	ck_assert_str_eq(text_of("stdout"), "Seccomp:0");
	ck_assert_str_eq(o.isolation, _i ? "account,pid,mount,ipc,tmp" : "none");
}
END_TEST

/* A network of its own: itself, and nobody else. */
START_TEST(without_network)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(1,
	        "ls /sys/class/net >/dev/null; wc -l </proc/net/dev; cat /proc/net/route | wc -l; "
	        "cat /proc/net/if_inet6 | cut -c1-32",
	        &l))
		return;
	l.limits.networks.limited = true;
	run(&l, &o);
	/* two lines of heading, and lo */
	ck_assert_str_eq(text_of("stdout"), "3\n1\n00000000000000000000000000000001\n");
	ck_assert_str_eq(o.isolation, "account,pid,mount,ipc,tmp,calls,network");
}
END_TEST

/* One after the other under one account, each with its own; by what a shell can: bash's /dev/tcp. */
START_TEST(closed_networks_of_each_job)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	struct xos_cgroups groups;
	static const char script[] = "for a in 127.1.0.1 127.2.0.1; do (exec 3<>/dev/tcp/$a/9) "
	                             "2>&1 | grep -qi 'not permitted' && "
	                             "echo closed $a; done; exit 0";

	xos_cgroups_find(&groups);
	for (int i = 1; i <= 2; i++) {
		if (!(groups.can & XOS_CGROUP_NETWORK) || !sample(1, script, &l))
			return;
		free(l.argv.v[0]);
		l.argv.v[0] = strdup("bash");
		l.group_can = (uint8_t)groups.can;
		l.group_unified = (uint8_t)xos_cgroups_unified(&groups);
		ck_assert(xos_net_prefix_parse(i == 1 ? "127.1.0.0/16" : "127.2.0.0/16",
		    &l.limits.networks.closed[l.limits.networks.nclosed++]));
		run(&l, &o);
		ck_assert_str_eq(
		    text_of("stdout"), i == 1 ? "closed 127.1.0.1\n" : "closed 127.2.0.1\n");
		ck_assert_str_eq(o.isolation, "account,pid,mount,ipc,tmp,calls,networks");
		teardown();
		setup();
	}
}
END_TEST

static void fill(const char *dir)
{
	static const char block[4096];
	char path[PATH_MAX];

	ck_assert(xos_path_join(path, sizeof(path), dir, "filler"));
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}

/* On a full disk the end waits for room; it is not lost. */
START_TEST(an_end_that_cannot_be_written_waits)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	char path[PATH_MAX];
	pid_t holder;

	if (geteuid() != 0 ||
	    !sample(_i, "echo up; until [ -e go ]; do sleep 0.05; done; exit 6", &l))
		return;
	ck_assert_int_eq(mount("tmpfs", run_dir, "tmpfs", 0, "size=64k,mode=0750"), 0);
	pid_t pid = spawn(&l);
	wait_size("stdout", 3);
	fill(run_dir);
	ck_assert(xos_path_join(path, sizeof(path), work_dir, "go"));
	ck_assert_int_eq(xos_file_create(path, 0644, xos_bytes_str(""), NULL), XOS_OK);
	/* Its processes are gone, and still the monitor holds the job. */
	xos_str_printf(
	    path, sizeof(path), "while pgrep -P %d >/dev/null; do sleep 0.05; done", (int)pid);
	ck_assert_int_eq(system(path), 0);
	ck_assert_int_eq(xos_hold_who(run_dir, &holder, NULL), XOS_OK);
	ck_assert_int_eq(holder, pid);
	ck_assert_int_eq(xos_outcome_read(run_dir, &o, NULL), XOS_NOT_FOUND);
	ck_assert(xos_path_join(path, sizeof(path), run_dir, "filler"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(finish(pid, &o), 0);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 6);
	xos_launch_free(&l);
	ck_assert_int_eq(umount(run_dir), 0);
}
END_TEST

/* Where there is no mount namespace the place is shared, and may be full. */
START_TEST(no_room_for_the_credential)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	char shared[PATH_MAX];

	if (geteuid() != 0 || !sample(0, "echo ran", &l))
		return;
	make(shared, sizeof(shared), "shared", 0700);
	ck_assert_int_eq(mount("tmpfs", shared, "tmpfs", 0, "size=16k"), 0);
	fill(shared);
	free(l.cred);
	ck_assert_int_gt(asprintf(&l.cred, "%s/job", shared), 0);
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_FAILED);
	ck_assert_msg(strstr(o.text, "No space left") != NULL, "%s", o.text);
	ck_assert_str_eq(text_of("stdout"), "");
	ck_assert_int_eq(umount(shared), 0);
}
END_TEST

Suite *box_suite(void)
{
	Suite *s = suite_create("jobs box");
	TCase *t = tcase_create("box");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, limits_that_hold_for_every_job, 0, 2);
	tcase_add_loop_test(t, without_rules_for_calls, 0, 2);
	tcase_add_test(t, without_network);
	tcase_add_test(t, closed_networks_of_each_job);
	tcase_add_loop_test(t, an_end_that_cannot_be_written_waits, 0, 2);
	tcase_add_test(t, no_room_for_the_credential);
	suite_add_tcase(s, t);
	return s;
}
