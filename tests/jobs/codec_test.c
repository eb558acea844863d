#include "run_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs/launch.h"
#include "jobs/outcome.h"

static const char id[] = "00112233445566778899aabbccddeeff";

static struct xos_launch sample(void)
{
	struct xos_launch l = {.isolate = true,
	    .all_calls = true,
	    .uid = 200001,
	    .gid = 200001,
	    .groups = {300001, 300002},
	    .ngroups = 2,
	    .limits = {.wall = 60,
	        .cpu = XOS_LIMIT_NONE,
	        .memory = 1u << 30,
	        .files = 64,
	        .file_size = XOS_LIMIT_NONE,
	        .processes = 10,
	        .processors = 2},
	    .group_can = 31,
	    .group_unified = 1,
	    .grace = 5,
	    .output_max = 4096,
	    .tmp_size = 1u << 20};

	memcpy(l.id, id, sizeof(id));
	l.limits.networks.limited = true;
	ck_assert(xos_net_prefix_parse(
	    "192.0.2.0/24", &l.limits.networks.open[l.limits.networks.nopen++]));
	ck_assert(xos_net_prefix_parse(
	    "10.0.0.0/8", &l.limits.networks.closed[l.limits.networks.nclosed++]));
	ck_assert(xos_net_prefix_parse(
	    "fd00::/8", &l.limits.networks.closed[l.limits.networks.nclosed++]));
	l.run = strdup("/r");
	l.work = strdup("/w");
	l.cred = strdup("/c");
	ck_assert(xos_strings_add(&l.argv, "sh") && xos_strings_add(&l.argv, ""));
	ck_assert(xos_strings_add(&l.env, "A=b"));
	ck_assert(xos_strings_add(&l.keep, "/tmp/x"));
	return l;
}

static void encode(const struct xos_launch *l, struct xos_buf *b)
{
	xos_buf_init(b, XOS_LAUNCH_MAX);
	xos_launch_encode(b, l);
	ck_assert_int_eq(xos_buf_status(b), XOS_OK);
}

START_TEST(launch_round_trip)
{
	struct xos_launch l = sample(), back;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;

	encode(&l, &b);
	ck_assert_int_eq(xos_launch_decode(xos_buf_bytes(&b), &back, &err), XOS_OK);
	ck_assert_str_eq(back.id, id);
	ck_assert_uint_eq(back.ngroups, 2);
	ck_assert_uint_eq(back.groups[1], 300002);
	ck_assert_uint_eq(back.argv.n, 2);
	ck_assert_str_eq(back.argv.v[1], "");
	ck_assert_ptr_null(back.argv.v[2]);
	ck_assert_uint_eq(back.limits.processes, 10);
	ck_assert_uint_eq(back.limits.processors, 2);
	ck_assert(back.isolate && back.all_calls);
	ck_assert_uint_eq(back.group_can, 31);
	ck_assert(back.limits.networks.limited && back.limits.networks.nopen == 1 &&
	          back.limits.networks.nclosed == 2);
	ck_assert_mem_eq(&back.limits.networks, &l.limits.networks, sizeof(l.limits.networks));
	ck_assert_uint_eq(back.group_unified, 1);
	ck_assert_uint_eq(back.limits.cpu, XOS_LIMIT_NONE);
	xos_launch_free(&back);
	xos_launch_free(&l);
	xos_buf_free(&b);
}
END_TEST

START_TEST(launch_every_cut_is_refused)
{
	struct xos_launch l = sample(), back;
	struct xos_buf b;

	encode(&l, &b);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_launch_decode((struct xos_bytes){b.p, n}, &back, NULL), XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_launch_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
	xos_launch_free(&l);
	xos_buf_free(&b);
}
END_TEST

/* What must never run: root's account, root's group, no program, an endless job. */
START_TEST(launch_insane_is_refused)
{
	for (int i = 0; i < 5; i++) {
		struct xos_launch l = sample(), back;
		struct xos_buf b;

		if (i == 0)
			l.uid = 0;
		else if (i == 1)
			l.gid = 0;
		else if (i == 2)
			l.groups[1] = 0;
		else if (i == 3)
			l.limits.wall = XOS_LIMIT_NONE;
		else
			xos_strings_free(&l.argv);
		encode(&l, &b);
		ck_assert_int_eq(xos_launch_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
		xos_launch_free(&l);
		xos_buf_free(&b);
	}
}
END_TEST

START_TEST(launch_through_a_pipe)
{
	struct xos_launch l = sample(), back;
	struct xos_err err = XOS_ERR_INIT;
	int p[2];

	l.credential = xos_secret_from("key", 3);
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(xos_launch_send(p[1], &l, &err), XOS_OK);
	close(p[1]);
	ck_assert_int_eq(xos_launch_receive(p[0], &back, &err), XOS_OK);
	close(p[0]);
	ck_assert_uint_eq(xos_secret_len(back.credential), 3);
	ck_assert_mem_eq(xos_secret_data(back.credential), "key", 3);
	xos_launch_free(&back);
	/* trailing byte */
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(xos_launch_send(p[1], &l, &err), XOS_OK);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	close(p[1]);
	ck_assert_int_eq(xos_launch_receive(p[0], &back, &err), XOS_MALFORMED);
	close(p[0]);
	xos_launch_free(&l);
}
END_TEST

START_TEST(outcome_round_trip_and_cuts)
{
	struct xos_job_outcome o = {.end = XOS_END_SIGNALLED,
	    .cause = XOS_CAUSE_WALL,
	    .value = 9,
	    .started = 1000,
	    .ended = 1060,
	    .wall_ms = 60001,
	    .user_us = 5,
	    .system_us = 6,
	    .memory_kib = 7,
	    .dropped_out = 8,
	    .dropped_err = 9,
	    .isolation = "pid,mount",
	    .text = ""};
	struct xos_job_outcome back;
	struct xos_buf b;

	xos_buf_init(&b, XOS_OUTCOME_MAX);
	xos_outcome_encode(&b, &o);
	ck_assert_int_eq(xos_outcome_decode(xos_buf_bytes(&b), &back, NULL), XOS_OK);
	ck_assert_uint_eq(back.value, 9);
	ck_assert_int_eq(back.cause, XOS_CAUSE_WALL);
	ck_assert_uint_eq(back.dropped_err, 9);
	ck_assert_str_eq(back.isolation, "pid,mount");
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_outcome_decode((struct xos_bytes){b.p, n}, &back, NULL), XOS_MALFORMED);
	xos_buf_u8(&b, 1);
	ck_assert_int_eq(xos_outcome_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

Suite *codec_suite(void)
{
	Suite *s = suite_create("jobs codecs");
	TCase *t = tcase_create("codecs");

	tcase_add_test(t, launch_round_trip);
	tcase_add_test(t, launch_every_cut_is_refused);
	tcase_add_test(t, launch_insane_is_refused);
	tcase_add_test(t, launch_through_a_pipe);
	tcase_add_test(t, outcome_round_trip_and_cuts);
	suite_add_tcase(s, t);
	return s;
}
