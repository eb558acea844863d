#include "monitor_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "jobs/hold.h"
#include "jobs/monitor.h"
#include "jobs/outcome.h"
#include "jobs/place.h"
#include "jobs/tree.h"
#include "proc/cgroup.h"

/* Each case runs twice: as it would without root, and isolated where the tests run as root. */
/* Its own in each run: jobs are killed by it, and a group is named by it. */
char id[XOS_JOB_ID_LEN + 1];
char top[64], run_dir[128], work_dir[128], cred_dir[128];

void make(char *path, size_t cap, const char *name, mode_t mode)
{
	ck_assert(xos_path_join(path, cap, top, name));
	ck_assert_int_eq(mkdir(path, mode), 0);
}

void setup(void)
{
	strcpy(top, "/tmp/xos-monitor-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chmod(top, 0755), 0);
	make(run_dir, sizeof(run_dir), "run", 0750);
	make(work_dir, sizeof(work_dir), "work", 0700);
	ck_assert(xos_path_join(cred_dir, sizeof(cred_dir), top, "cred"));
}

void teardown(void)
{
	char cmd[128];

	if (geteuid() == 0)
		(void)umount2(run_dir, MNT_DETACH); /* a full disk that a failed case left */
	xos_str_printf(cmd, sizeof(cmd), "rm -rf '%s'", top);
	ck_assert_int_eq(system(cmd), 0);
}

bool sample(int i, const char *script, struct xos_launch *l)
{
	char cred[256], marker[64];

	if (i == 1 && geteuid() != 0)
		return false;
	*l = (struct xos_launch){.isolate = i == 1,
	    .uid = JOB_UID,
	    .gid = JOB_UID,
	    .limits = {.wall = 60,
	        .cpu = XOS_LIMIT_NONE,
	        .memory = XOS_LIMIT_NONE,
	        .files = XOS_LIMIT_NONE,
	        .file_size = XOS_LIMIT_NONE,
	        .processes = XOS_LIMIT_NONE,
	        .processors = XOS_LIMIT_NONE},
	    .grace = 1,
	    .output_max = 1u << 20,
	    .tmp_size = 1u << 20};
	xos_str_printf(id, sizeof(id), "%032lx", (unsigned long)getpid());
	xos_str_printf(marker, sizeof(marker), "XOS_JOB_ID=%s", id);
	memcpy(l->id, id, sizeof(id));
	l->run = strdup(run_dir);
	l->work = strdup(work_dir);
	l->cred = strdup(cred_dir);
	xos_str_printf(cred, sizeof(cred), "X509_USER_PROXY=%s/cred.pem", cred_dir);
	ck_assert(xos_strings_add(&l->argv, "sh") && xos_strings_add(&l->argv, "-c") &&
	          xos_strings_add(&l->argv, script));
	ck_assert(xos_strings_add(&l->env, "PATH=/usr/bin:/bin") &&
	          xos_strings_add(&l->env, cred) && xos_strings_add(&l->env, marker));
	l->credential = xos_secret_from("SECRET\n", 7);
	if (l->isolate) {
		ck_assert_int_eq(mkdir(cred_dir, 0755), 0);
		ck_assert_int_eq(chown(work_dir, JOB_UID, JOB_UID), 0);
	}
	return true;
}

pid_t spawn(struct xos_launch *l)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct xos_err err = XOS_ERR_INIT;
		umask(077); /* as xos-job-monitor does */
		enum xos_status st = xos_monitor_run(l, -1, &err);

		if (st != XOS_OK)
			fprintf(stderr, "monitor: %s\n", err.text);
		xos_launch_free(l);
		_exit(st == XOS_OK ? 0 : st == XOS_CONFLICT ? 9 : 1);
	}
	return pid;
}

int finish(pid_t pid, struct xos_job_outcome *o)
{
	struct xos_err err = XOS_ERR_INIT;
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (o)
		ck_assert_msg(xos_outcome_read(run_dir, o, &err) == XOS_OK, "%s", err.text);
	return status;
}

void run(struct xos_launch *l, struct xos_job_outcome *o)
{
	pid_t pid = spawn(l);

	ck_assert_int_eq(finish(pid, o), 0);
	xos_launch_free(l);
}

const char *text_of(const char *name)
{
	static char text[4096];
	struct xos_buf b;
	char path[PATH_MAX];

	ck_assert(xos_path_join(path, sizeof(path), run_dir, name));
	xos_buf_init(&b, 1u << 22);
	ck_assert_int_eq(xos_file_read(path, 1u << 22, &b, NULL), XOS_OK);
	snprintf(text, sizeof(text), "%.*s", (int)b.n, b.p ? (const char *)b.p : "");
	xos_buf_free(&b);
	return text;
}

static size_t size_of(const char *name)
{
	char path[PATH_MAX];
	struct stat sb;

	ck_assert(xos_path_join(path, sizeof(path), run_dir, name));
	ck_assert_int_eq(stat(path, &sb), 0);
	return (size_t)sb.st_size;
}

/* Waits until a file in the job's folder has this many bytes; gives up after many looks. */
void wait_size(const char *name, size_t n)
{
	for (int i = 0; i < 3000; i++) {
		char path[PATH_MAX];
		struct stat sb;

		ck_assert(xos_path_join(path, sizeof(path), run_dir, name));
		if (stat(path, &sb) == 0 && (size_t)sb.st_size >= n)
			return;
		usleep(10000);
	}
	ck_abort_msg("%s never got %zu bytes", name, n);
}

static void wait_dead(pid_t pid)
{
	for (int i = 0; i < 3000; i++) {
		if (kill(pid, 0) != 0 && errno == ESRCH)
			return;
		usleep(10000);
	}
	ck_abort_msg("process %d still lives", (int)pid);
}

START_TEST(exit_code_and_output)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "echo out; echo err >&2; cat $X509_USER_PROXY; exit 7", &l))
		return;
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 7);
	ck_assert_int_eq(o.cause, XOS_CAUSE_SELF);
	ck_assert_int_gt(o.started, 0);
	ck_assert_int_ge(o.ended, o.started);
	ck_assert_str_eq(text_of("stdout"), "out\nSECRET\n");
	ck_assert_str_eq(text_of("stderr"), "err\n");
	ck_assert_str_eq(o.isolation, _i ? "account,pid,mount,ipc,tmp,calls" : "calls");
}
END_TEST

START_TEST(credential_is_gone_after)
{
	char path[PATH_MAX];
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "stat -c '%a %u' $X509_USER_PROXY $(dirname $X509_USER_PROXY)", &l))
		return;
	run(&l, &o);
	ck_assert_str_eq(text_of("stdout"), _i               ? "600 234567\n700 234567\n"
	                                    : geteuid() == 0 ? "600 0\n700 0\n"
	                                                     : text_of("stdout"));
	ck_assert(xos_path_join(path, sizeof(path), cred_dir, "cred.pem"));
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(killed_by_a_signal)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "kill -SEGV $$", &l))
		return;
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_SIGNALLED);
	ck_assert_uint_eq(o.value, SIGSEGV);
}
END_TEST

START_TEST(surroundings)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i,
	        "umask; ulimit -c; grep -c '^NoNewPrivs:.1' /proc/self/status; ls /proc/self/fd | "
	        "tr '\\n' ' '; readlink /proc/self/fd/0; env | sort | cut -d= -f1 | tr '\\n' ' '; "
	        "test $(ps -o sid= -p $$) = $$ && echo session",
	        &l))
		return;
	run(&l, &o);
	/* fd 3 is ls's own look at the folder */
	ck_assert_str_eq(text_of("stdout"), "0077\n0\n1\n0 1 2 3 /dev/null\n"
	                                    "PATH PWD X509_USER_PROXY XOS_JOB_ID session\n");
}
END_TEST

START_TEST(account_and_private_folders)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(1,
	        "id -u; id -G; echo x > /tmp/left; ls -A /tmp | grep -v xos-monitor; "
	        "grep '^Cap[PE]' /proc/self/status | cut -f2 | tr '\\n' ' '; "
	        "set -- /proc/[0-9]*; echo $#; "
	        "touch $HOME/f 2>/dev/null; echo > /dev/stdout && echo reopened",
	        &l))
		return;
	l.groups[l.ngroups++] = 345678;
	run(&l, &o);
	ck_assert_str_eq(text_of("stdout"),
	    "234567\n234567 345678\nleft\n0000000000000000 0000000000000000 2\n\nreopened\n");
	ck_assert_int_ne(access("/tmp/left", F_OK), 0);
}
END_TEST

START_TEST(program_that_is_not_there)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "true", &l))
		return;
	free(l.argv.v[0]);
	l.argv.v[0] = strdup("no-such-program");
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_FAILED);
	ck_assert_str_eq(o.text, "cannot run no-such-program: No such file or directory");
	ck_assert_int_eq(o.started, 0);
}
END_TEST

START_TEST(output_flood_is_capped)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "head -c 5000000 /dev/zero; head -c 100 /dev/zero >&2; echo $? >&2", &l))
		return;
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(size_of("stdout"), 1u << 20);
	ck_assert_uint_eq(o.dropped_out, 5000000 - (1u << 20));
	ck_assert_uint_eq(size_of("stderr"), 102);
	ck_assert_uint_eq(o.dropped_err, 0);
}
END_TEST

START_TEST(wall_time_ends_it_even_if_it_ignores_sigterm)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "trap '' TERM; while :; do sleep 1; done", &l))
		return;
	l.limits.wall = 1;
	run(&l, &o);
	ck_assert_int_eq(o.cause, XOS_CAUSE_WALL);
	ck_assert_int_eq(o.end, XOS_END_SIGNALLED);
	ck_assert_uint_eq(o.value, SIGKILL);
	ck_assert_uint_ge(o.wall_ms, 1000);
}
END_TEST

START_TEST(cancel_lets_it_tidy_up)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	pid_t pid;

	if (!sample(_i, "trap 'echo tidy; exit 3' TERM; echo up; while :; do sleep 0.05; done", &l))
		return;
	l.grace = 600;
	pid = spawn(&l);
	wait_size("stdout", 3);
	kill(pid, SIGTERM);
	ck_assert_int_eq(finish(pid, &o), 0);
	xos_launch_free(&l);
	ck_assert_int_eq(o.cause, XOS_CAUSE_CANCELLED);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 3);
	ck_assert_str_eq(text_of("stdout"), "up\ntidy\n");
}
END_TEST

/* The pid that the job prints is one of its own namespace where it has one, so the daemon is found
 * by the marker in its environment. */
START_TEST(what_it_leaves_behind_dies)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i,
	        "setsid sh -c 'trap \"\" TERM HUP; (setsid sleep 1000 &) ; sleep 1000' "
	        ">/dev/null 2>&1 & setsid sleep 1000 & exit 4",
	        &l))
		return;
	run(&l, &o);
	ck_assert_int_eq(o.end, XOS_END_EXITED);
	ck_assert_uint_eq(o.value, 4);
	ck_assert_uint_eq(xos_tree_kill_marked(id), 0);
}
END_TEST

START_TEST(fork_bomb_stays_within_its_limit)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(1, "bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 2; exit 5", &l))
		return;
	l.limits.processes = 30;
	l.limits.wall = 20;
	run(&l, &o);
	/* By itself, or, where the bomb left it no time, by its wall time. */
	ck_assert(o.end == XOS_END_EXITED || o.cause == XOS_CAUSE_WALL);
	ck_assert_uint_eq(xos_tree_kill_marked(id), 0);
}
END_TEST

START_TEST(limits_are_set)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "ulimit -t; ulimit -v; ulimit -n; ulimit -f", &l))
		return;
	l.limits.cpu = 100;
	l.limits.memory = 1u << 30;
	l.limits.files = 50;
	l.limits.file_size = 1u << 20;
	run(&l, &o);
	ck_assert_str_eq(text_of("stdout"), "100\n1048576\n50\n2048\n");
}
END_TEST

/* Each process stays below the limit, all together do not. */
START_TEST(cpu_of_all_processes_counts)
{
	struct xos_job_outcome o;
	struct xos_launch l;

	if (!sample(_i, "for i in 1 2 3; do (while :; do :; done) & done; wait", &l))
		return;
	l.limits.cpu = 3;
	l.limits.wall = 55;
	run(&l, &o);
	ck_assert_int_eq(o.cause, XOS_CAUSE_CPU);
	ck_assert_int_eq(o.end, XOS_END_SIGNALLED);
}
END_TEST

/* All its processes together, and it is told what was used up. */
START_TEST(memory_of_the_whole_job)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	struct xos_cgroups groups;

	xos_cgroups_find(&groups);
	if (!(groups.can & XOS_CGROUP_MEMORY) ||
	    !sample(_i, "dd if=/dev/zero of=/dev/null bs=100M count=1", &l))
		return;
	l.group_can = (uint8_t)groups.can;
	l.group_unified = (uint8_t)xos_cgroups_unified(&groups);
	l.limits.memory = 32u << 20;
	run(&l, &o);
	ck_assert_int_eq(o.cause, XOS_CAUSE_MEMORY);
	ck_assert_str_eq(xos_job_cause_name(o.cause), "memory");
	struct xos_cgroup g;
	ck_assert_int_eq(xos_cgroup_open(&groups, id, &g, NULL), XOS_NOT_FOUND);
}
END_TEST

START_TEST(no_job_without_its_monitor)
{
	struct xos_job_outcome o;
	struct xos_launch l;
	char text[64];
	pid_t pid, holder = -1;

	if (!sample(_i, "echo up; (setsid sleep 1000 &); exec sleep 1000", &l))
		return;
	pid = spawn(&l);
	wait_size("stdout", 3);
	ck_assert_int_eq(xos_hold_who(run_dir, &holder, NULL), XOS_OK);
	ck_assert_int_eq(holder, pid);
	xos_str_printf(text, sizeof(text), "pgrep -P %d", (int)pid);
	FILE *f = popen(text, "r");
	int reaper = 0;
	ck_assert_int_eq(fscanf(f, "%d", &reaper), 1);
	pclose(f);
	kill(pid, SIGKILL);
	ck_assert(WIFSIGNALED(finish(pid, NULL)));
	xos_launch_free(&l);
	wait_dead(reaper);
	ck_assert_uint_eq(xos_tree_kill_marked(id), 0);
	ck_assert_int_eq(xos_hold_who(run_dir, &holder, NULL), XOS_OK);
	ck_assert_int_eq(holder, 0);
	ck_assert_int_eq(xos_outcome_read(run_dir, &o, NULL), XOS_NOT_FOUND);
	if (!_i) { /* without a namespace the folder stays for the starter to remove */
		sample(_i, "true", &l);
		xos_place_plain_remove(&l);
		xos_launch_free(&l);
	}
}
END_TEST

START_TEST(only_one_monitor)
{
	struct xos_launch l, again;
	struct xos_job_outcome o;
	pid_t first, second;

	if (!sample(0, "echo up; sleep 1000", &l))
		return;
	first = spawn(&l);
	wait_size("stdout", 3);
	second = spawn(&l);
	ck_assert_int_eq(WEXITSTATUS(finish(second, NULL)), 9);
	kill(first, SIGTERM);
	ck_assert_int_eq(finish(first, &o), 0);
	/* and none after the first has ended */
	ck_assert(sample(0, "echo again", &again));
	second = spawn(&again);
	ck_assert_int_eq(WEXITSTATUS(finish(second, NULL)), 9);
	ck_assert_str_eq(text_of("stdout"), "up\n");
	xos_launch_free(&l);
	xos_launch_free(&again);
}
END_TEST

Suite *monitor_suite(void)
{
	Suite *s = suite_create("jobs monitor");
	TCase *t = tcase_create("monitor");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, exit_code_and_output, 0, 2);
	tcase_add_loop_test(t, credential_is_gone_after, 0, 2);
	tcase_add_loop_test(t, killed_by_a_signal, 0, 2);
	tcase_add_loop_test(t, surroundings, 0, 2);
	tcase_add_test(t, account_and_private_folders);
	tcase_add_loop_test(t, program_that_is_not_there, 0, 2);
	tcase_add_loop_test(t, output_flood_is_capped, 0, 2);
	tcase_add_loop_test(t, wall_time_ends_it_even_if_it_ignores_sigterm, 0, 2);
	tcase_add_loop_test(t, cancel_lets_it_tidy_up, 0, 2);
	tcase_add_loop_test(t, what_it_leaves_behind_dies, 0, 2);
	tcase_add_test(t, fork_bomb_stays_within_its_limit);
	tcase_add_loop_test(t, limits_are_set, 0, 2);
	tcase_add_loop_test(t, cpu_of_all_processes_counts, 0, 2);
	tcase_add_loop_test(t, memory_of_the_whole_job, 0, 2);
	tcase_add_loop_test(t, no_job_without_its_monitor, 0, 2);
	tcase_add_test(t, only_one_monitor);
	suite_add_tcase(s, t);
	return s;
}
