/* Rules for networks as the kernel carries them out: a namespace in which every address is this machine's, so that nothing leaves it. */
#include "proc/network.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct xos_cgroups machine;
static struct xos_err err;
static char name[32];

static void setup(void)
{
	err = (struct xos_err)XOS_ERR_INIT;
	xos_cgroups_find(&machine);
	snprintf(name, sizeof(name), "net-test-%ld", (long)getpid());
}

static struct xos_net_prefix prefix(const char *text)
{
	struct xos_net_prefix p;

	ck_assert_msg(xos_net_prefix_parse(text, &p), "%s", text);
	return p;
}

START_TEST(prefixes)
{
	static const char *const bad[] = {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33",
	    "10.0.0.1/8", "10.0.0/8", "010.0.0.0/8", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/-1",
	    "::/129", "::1/127", "2001:db8::/32/", "g::/16", "10.0.0.0/8/8", "none"};
	struct xos_net_prefix p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!xos_net_prefix_parse(bad[i], &p), "%s", bad[i]);
	p = prefix("10.128.0.0/9");
	ck_assert(p.family == 4 && p.length == 9 && p.addr[0] == 10 && p.addr[1] == 128);
	p = prefix("2001:db8::/32");
	ck_assert(p.family == 6 && p.length == 32 && p.addr[3] == 0xb8);
	ck_assert(prefix("0.0.0.0/0").length == 0 && prefix("::1/128").length == 128);
}
END_TEST

/* ---- in the kernel ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address(uint8_t family, const uint8_t *addr, uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (family == 4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, addr, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	memcpy(&a->v6.sin6_addr, addr, 16);
	return sizeof(a->v6);
}

static socklen_t text_address(const char *text, uint16_t port, union address *a)
{
	uint8_t addr[16];

	if (inet_pton(AF_INET, text, addr) == 1)
		return address(4, addr, port, a);
	ck_assert_int_eq(inet_pton(AF_INET6, text, addr), 1);
	return address(6, addr, port, a);
}

/* Everything is here: no packet leaves, and none is refused for want of a way. */
static bool enclose(void)
{
	return unshare(CLONE_NEWNET) == 0 && xos_net_loopback_up(NULL) == XOS_OK &&
	       system("ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo") ==
	           0;
}

/* `work` as a process of a group with these rules, in a namespace that `before` prepared; its result. */
static int within(const struct xos_net_rules *rules, int (*before)(void), int (*work)(int))
{
	struct xos_cgroup_limits none = {
	    XOS_CGROUP_NO_LIMIT, XOS_CGROUP_NO_LIMIT, XOS_CGROUP_NO_LIMIT};
	int doors[XOS_CGROUP_CONTROLS], status;
	struct xos_cgroup g;
	size_t n = 0;

	ck_assert_int_eq(xos_cgroup_make(&machine, name, &none, &g, &err), XOS_OK);
	ck_assert_msg(xos_cgroup_networks(&g, rules, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_cgroup_doors(&g, doors, &n, &err), XOS_OK);
	pid_t pid = fork();
	if (pid == 0) {
		int made = enclose() ? before() : -1;

		_exit(made < 0 || !xos_cgroup_join(doors, n) ? 99 : work(made));
	}
	for (size_t i = 0; i < n; i++)
		close(doors[i]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(xos_cgroup_remove(&g, &err) == XOS_OK, "%s", err.text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool possible(void)
{
	if (machine.can & XOS_CGROUP_NETWORK)
		return true;
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));
	struct xos_cgroup g = {.in = &machine, .name = "xos-x"};
	ck_assert_int_eq(xos_cgroup_networks(&g, rules, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "limit-not-enforceable");
	free(rules);
	return false;
}

static int nothing(void)
{
	return 0;
}

static struct xos_net_rules drawn;
static unsigned seed;

static unsigned draw(unsigned below)
{
	return (unsigned)rand_r(&seed) % below;
}

/* Few values, so that prefixes meet, and long ones too. */
static void draw_address(uint8_t family, uint8_t addr[16])
{
	static const uint8_t bytes[] = {0, 1, 10, 127, 128, 192, 254, 255};

	memset(addr, 0, 16);
	for (size_t i = 0; i < (family == 4 ? 4u : 16u); i++)
		addr[i] = bytes[draw(i < 2 || i > 13 ? 8 : 2)];
	if (family == 6)
		addr[0] = 0x20; /* no multicast, no link-local: those need a device */
	else if (addr[0] >= 224 || addr[0] == 0)
		addr[0] = 10;
}

static struct xos_net_prefix draw_prefix(void)
{
	struct xos_net_prefix p = {.family = draw(2) ? 4 : 6};
	unsigned bits = p.family == 4 ? 32 : 128;

	draw_address(p.family, p.addr);
	p.length = (uint8_t)draw(bits + 1);
	for (unsigned bit = p.length; bit < bits; bit++)
		p.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return p;
}

static void draw_rules(void)
{
	drawn.limited = draw(2);
	drawn.nopen = (uint16_t)draw(6);
	drawn.nclosed = (uint16_t)draw(4);
	for (size_t i = 0; i < drawn.nopen; i++)
		drawn.open[i] = draw_prefix();
	for (size_t i = 0; i < drawn.nclosed; i++)
		drawn.closed[i] = draw_prefix();
}

/* How the kernel answers: by connect(2) and by a packet that is sent without it. */
static int compare_answers(int unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++) {
		uint8_t family = i % 2 ? 4 : 6, addr[16];
		union address a;
		int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

		draw_address(family, addr);
		socklen_t n = address(family, addr, 9, &a);
		bool expected = xos_net_rules_allow(&drawn, family, addr);
		bool sent = sendto(fd, "x", 1, 0, &a.any, n) == 1;
		if (!sent && errno != EPERM)
			return 2;
		bool met = connect(fd, &a.any, n) == 0;
		if (!met && errno != EPERM)
			return 3;
		if (sent != expected)
			return 4;
		if (met != expected)
			return 5;
		close(fd);
	}
	return 0;
}

START_TEST(the_kernel_decides_as_the_rules_say)
{
	if (!possible())
		return;
	for (seed = 1; seed <= 40;) {
		unsigned of = seed;

		draw_rules();
		int got = within(&drawn, nothing, compare_answers);
		ck_assert_msg(got == 0, "rules of seed %u: %d", of, got);
		seed = of + 1;
	}
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	if (!possible())
		return;
	seed = 7;
	drawn.limited = true;
	drawn.nopen = drawn.nclosed = XOS_NET_PREFIXES_MAX;
	for (size_t i = 0; i < XOS_NET_PREFIXES_MAX; i++) {
		drawn.open[i] = i ? draw_prefix() : prefix("::/0");
		do
			drawn.closed[i] = draw_prefix();
		while (drawn.closed[i].length < 16);
	}
	ck_assert_int_eq(within(&drawn, nothing, compare_answers), 0);
}
END_TEST

/* A server outside the group, at port 7000 of every address. */
static int serve(void)
{
	union address a;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	socklen_t n = text_address("::", 7000, &a);

	return bind(fd, &a.any, n) == 0 && listen(fd, 10) == 0 ? fd : -1;
}

static int reach(const char *text)
{
	union address a;
	socklen_t n = text_address(text, 7000, &a);
	int fd = socket(a.any.sa_family, SOCK_STREAM, 0);
	int why = connect(fd, &a.any, n) == 0 ? 0 : errno;

	close(fd);
	return why;
}

static int ping(const char *text)
{
	struct icmphdr echo = {.type = ICMP_ECHO};
	union address a;
	socklen_t n = text_address(text, 0, &a);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int why = sendto(fd, &echo, sizeof(echo), 0, &a.any, n) == sizeof(echo) ? 0 : errno;

	close(fd);
	return why;
}

static int try_doors(int unused)
{
	(void)unused;
	if (reach("192.0.2.1") != 0 || reach("2001:db8:1::1") != 0 ||
	    reach("::ffff:192.0.2.1") != 0)
		return 1;
	if (reach("10.1.2.3") != EPERM || reach("fd00::1") != EPERM)
		return 2;
	if (reach("::ffff:10.1.2.3") != EPERM) /* the same in another dress */
		return 3;
	if (ping("10.1.2.3") != EPERM || ping("192.0.2.1") != 0)
		return 4;
	if (setuid(4242) != 0 || reach("10.1.2.3") != EPERM)
		return 5;
	pid_t pid = fork(); /* children and other sessions are in there as well */
	if (pid == 0) {
		setsid();
		_exit(reach("10.1.2.3") == EPERM ? 0 : 1);
	}
	int status;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 6;
}

START_TEST(closed_doors)
{
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));

	if (possible()) {
		rules->closed[rules->nclosed++] = prefix("10.0.0.0/8");
		rules->closed[rules->nclosed++] = prefix("fd00::/8");
		ck_assert_int_eq(within(rules, serve, try_doors), 0);
	}
	free(rules);
}
END_TEST

/* Nobody comes in from there either: a connection that the group waits for never comes to be, a packet is dropped. */
static int wait_for_callers(int unused)
{
	union address a, from;
	char byte;
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);

	(void)unused;
	socklen_t n = text_address("192.0.2.9", 7001, &a);
	/* Both sockets are the group's; what counts here is the source of what comes in. */
	socklen_t m = text_address("10.1.2.3", 7002, &from);
	if (bind(in, &a.any, n) != 0 || bind(out, &from.any, m) != 0 ||
	    sendto(out, "x", 1, 0, &a.any, n) != 1)
		return 1;
	if (recv(in, &byte, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return 2;
	close(out);
	out = socket(AF_INET, SOCK_DGRAM, 0);
	m = text_address("192.0.2.8", 7002, &from);
	if (bind(out, &from.any, m) != 0 || sendto(out, "y", 1, 0, &a.any, n) != 1)
		return 3;
	return recv(in, &byte, 1, 0) == 1 && byte == 'y' ? 0 : 4;
}

START_TEST(nobody_comes_in)
{
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));

	if (possible()) {
		rules->closed[rules->nclosed++] = prefix("10.0.0.0/8");
		ck_assert_int_eq(within(rules, nothing, wait_for_callers), 0);
	}
	free(rules);
}
END_TEST

static int try_nothing(int unused)
{
	(void)unused;
	return reach("127.0.0.1") == EPERM && reach("::1") == EPERM && reach("192.0.2.1") == EPERM
	           ? 0
	           : 1;
}

START_TEST(limited_to_nothing)
{
	struct xos_net_rules *rules = calloc(1, sizeof(*rules));

	if (possible()) {
		rules->limited = true;
		ck_assert_int_eq(within(rules, serve, try_nothing), 0);
	}
	free(rules);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("network");
	TCase *t = tcase_create("rules");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, the_kernel_decides_as_the_rules_say);
	tcase_add_test(t, as_many_as_there_may_be);
	tcase_add_test(t, closed_doors);
	tcase_add_test(t, nobody_comes_in);
	tcase_add_test(t, limited_to_nothing);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
