/* Control groups as this machine has them; what it has not is refused, and tested as that. */
#include "proc/cgroup.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct xos_cgroups here;
static struct xos_err err;
static char name[32];

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	xos_cgroups_find(&here);
	snprintf(name, sizeof(name), "test-%ld", (long)getpid());
}

static const struct xos_cgroup_limits none = {
    XOS_CGROUP_NO_LIMIT, XOS_CGROUP_NO_LIMIT, XOS_CGROUP_NO_LIMIT};

static struct xos_cgroup make(const struct xos_cgroup_limits *m)
{
	struct xos_cgroup g;

	ck_assert_msg(xos_cgroup_make(&here, name, m, &g, &err) == XOS_OK, "%s", err.text);
	return g;
}

/* A child in the group that runs `work`, whose result is its exit status. */
static pid_t start(const struct xos_cgroup *g, int (*work)(void))
{
	int fds[XOS_CGROUP_CONTROLS];
	size_t n = 0;

	ck_assert_msg(xos_cgroup_doors(g, fds, &n, &err) == XOS_OK, "%s", err.text);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL); /* Check has a handler of its own */
		_exit(xos_cgroup_join(fds, n) ? work() : 99);
	}
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	return pid;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void gone(const struct xos_cgroup *g)
{
	struct xos_cgroup again;

	ck_assert_msg(xos_cgroup_remove(g, &err) == XOS_OK, "%s", err.text);
	if (here.can)
		ck_assert_int_eq(xos_cgroup_open(&here, name, &again, &err), XOS_NOT_FOUND);
}

static int use_much(void)
{
	size_t n = 256u << 20;
	char *p = malloc(n);

	for (size_t i = 0; p && i < n; i += 4096)
		((volatile char *)p)[i] = 1;
	return 0;
}

static int fork_many(void)
{
	int started = 0;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0)
			pause();
		started += pid > 0;
	}
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return started;
}

static int in_own_session(void)
{
	setsid();
	return fork_many();
}

static int ready[2];

static void on_signal(int sig)
{
	char c = (char)sig;

	if (write(ready[1], &c, 1) != 1)
		_exit(1);
}

/* Says that it has joined, and when it is signalled. */
static int forever(void)
{
	signal(SIGUSR1, on_signal);
	on_signal(0);
	while (pause() != 0)
		;
	return 1;
}

static pid_t start_forever(const struct xos_cgroup *g)
{
	char c;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = start(g, forever);
	close(ready[1]);
	ck_assert_int_eq((int)read(ready[0], &c, 1), 1);
	return pid;
}

START_TEST(all_that_the_machine_says_it_can)
{
	for (unsigned i = 0; i < XOS_CGROUP_CONTROLS; i++) {
		const char *of = xos_cgroup_control_name(1u << i);

		if (!(here.can & (1u << i)))
			printf("%s: %s\n", of, here.control[i].why);
		ck_assert(!(here.can & (1u << i)) == (here.control[i].why[0] != 0));
	}
	struct xos_cgroup g = make(&none);
	gone(&g);
	ck_assert_int_eq(xos_cgroup_make(&here, "../x", &none, &g, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_cgroup_make(&here, "", &none, &g, &err), XOS_MALFORMED);
}
END_TEST

START_TEST(memory_is_of_all_together)
{
	struct xos_cgroup_limits m = none;
	struct xos_cgroup g;

	m.memory = 32u << 20;
	if (!(here.can & XOS_CGROUP_MEMORY)) {
		ck_assert_int_eq(xos_cgroup_make(&here, name, &m, &g, &err), XOS_DENIED);
		ck_assert_str_eq(err.code, "limit-not-enforceable");
		return;
	}
	g = make(&m);
	ck_assert(!xos_cgroup_out_of_memory(&g));
	int status = wait_for(start(&g, use_much));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert(xos_cgroup_out_of_memory(&g));
	gone(&g);
}
END_TEST

START_TEST(processes_are_counted)
{
	struct xos_cgroup_limits m = none;
	struct xos_cgroup g;

	m.processes = 5;
	if (!(here.can & XOS_CGROUP_PROCESSES)) {
		ck_assert_int_eq(xos_cgroup_make(&here, name, &m, &g, &err), XOS_DENIED);
		return;
	}
	g = make(&m);
	int status = wait_for(start(&g, in_own_session));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 4);
	gone(&g);
}
END_TEST

START_TEST(processors_are_a_share_of_time)
{
	struct xos_cgroup_limits m = none;
	struct xos_cgroup g;

	m.processors = 1;
	if (!(here.can & XOS_CGROUP_CPU)) {
		ck_assert_int_eq(xos_cgroup_make(&here, name, &m, &g, &err), XOS_DENIED);
		return;
	}
	g = make(&m);
	gone(&g);
	m.processors = 0;
	ck_assert_int_eq(xos_cgroup_make(&here, name, &m, &g, &err), XOS_DENIED);
	ck_assert_int_eq(xos_cgroup_open(&here, name, &g, &err), XOS_NOT_FOUND);
}
END_TEST

START_TEST(what_runs_is_frozen_and_goes_on)
{
	struct xos_cgroup g = make(&none), again;
	pid_t pid = start_forever(&g);
	char c = 0;

	ck_assert_int_eq(xos_cgroup_open(&here, name, &again, &err), XOS_OK);
	ck_assert_int_eq(fcntl(ready[0], F_SETFL, O_NONBLOCK), 0);
	if (here.can & XOS_CGROUP_FREEZE) {
		ck_assert_msg(xos_cgroup_freeze(&again, true, &err) == XOS_OK, "%s", err.text);
		kill(pid, SIGUSR1);
		ck_assert_int_eq((int)read(ready[0], &c, 1), -1);
		ck_assert_msg(xos_cgroup_freeze(&again, false, &err) == XOS_OK, "%s", err.text);
	} else {
		ck_assert_int_eq(xos_cgroup_freeze(&again, true, &err), XOS_DENIED);
		kill(pid, SIGUSR1);
	}
	ck_assert_int_eq(fcntl(ready[0], F_SETFL, 0), 0);
	ck_assert_int_eq((int)read(ready[0], &c, 1), 1);
	ck_assert_int_eq(c, SIGUSR1);
	kill(pid, SIGKILL);
	(void)wait_for(pid);
	gone(&g);
}
END_TEST

START_TEST(what_is_frozen_is_killed_before_it_goes_on)
{
	struct xos_cgroup g = make(&none);
	pid_t pid = start_forever(&g);
	char c = 0;

	ck_assert(!xos_cgroup_is_frozen(&g));
	if (here.can & XOS_CGROUP_FREEZE) {
		ck_assert_msg(xos_cgroup_freeze(&g, true, &err) == XOS_OK, "%s", err.text);
		ck_assert(xos_cgroup_is_frozen(&g));
		kill(pid, SIGUSR1);
	}
	ck_assert_msg(xos_cgroup_kill(&g, &err) == XOS_OK, "%s", err.text);
	if (!here.can)
		kill(pid, SIGKILL);
	(void)wait_for(pid);
	ck_assert_int_eq((int)read(ready[0], &c, 1), 0); /* the end, and no word of the signal */
	/* Of an empty group there is nothing to do. */
	ck_assert_int_eq(xos_cgroup_kill(&g, &err), XOS_OK);
	gone(&g);
}
END_TEST

START_TEST(a_name_is_of_one_group)
{
	struct xos_cgroup g = make(&none), other;

	if (!here.can)
		return;
	/* Empty, as after a crash: made anew. */
	g = make(&none);
	pid_t pid = start_forever(&g);
	ck_assert_int_eq(xos_cgroup_make(&here, name, &none, &other, &err), XOS_CONFLICT);
	ck_assert_int_eq(xos_cgroup_remove(&g, &err), XOS_CONFLICT);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	(void)wait_for(pid);
	gone(&g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup");
	TCase *tc = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, all_that_the_machine_says_it_can);
	tcase_add_test(tc, memory_is_of_all_together);
	tcase_add_test(tc, processes_are_counted);
	tcase_add_test(tc, processors_are_a_share_of_time);
	tcase_add_test(tc, what_runs_is_frozen_and_goes_on);
	tcase_add_test(tc, what_is_frozen_is_killed_before_it_goes_on);
	tcase_add_test(tc, a_name_is_of_one_group);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
