#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "jobs/limits.h"
#include "jobs/order.h"
#include "jobs/outcome.h"
#include "jobs/renewal.h"
#include "jobs/table.h"
#include "proc/cgroup.h"

/* --- limits --- */

static const struct xos_limits_opts plain_opts = {
    .wall_default = 100, .wall_max = 1000, .processors = 4};

static struct xos_decision_answer none(void)
{
	return (struct xos_decision_answer){.decision = XOS_POLICY_PERMITTED};
}

static enum xos_status limits(const struct xos_decision_answer *a, int64_t wall_asked,
    struct xos_launch_limits *out, struct xos_err *err)
{
	struct xos_limits_opts opts = plain_opts;
	int64_t lifetime;

	opts.wall_asked = wall_asked;
	return xos_limits_from(a, &opts, out, &lifetime, err);
}

static void cap(struct xos_decision_answer *a, enum xos_policy_cap c, int64_t n)
{
	a->limits[c] = (struct xos_decision_limit){.set = true, .number = n, .statement = "demo:1"};
}

START_TEST(limits_without_any)
{
	struct xos_decision_answer a = none();
	struct xos_launch_limits m;

	ck_assert_int_eq(limits(&a, 0, &m, NULL), XOS_OK);
	ck_assert_uint_eq(m.wall, 100);
	ck_assert_uint_eq(m.cpu, XOS_LIMIT_NONE);
	ck_assert_uint_eq(m.processes, XOS_LIMIT_NONE);
	ck_assert_int_eq(limits(&a, 1000, &m, NULL), XOS_OK);
	ck_assert_uint_eq(m.wall, 1000);
	ck_assert_int_eq(limits(&a, 1001, &m, NULL), XOS_DENIED);
}
END_TEST

START_TEST(limits_that_are_enforced)
{
	struct xos_decision_answer a = none();
	struct xos_launch_limits m;
	struct xos_err err = XOS_ERR_INIT;

	cap(&a, XOS_CAP_WALL, 50);
	cap(&a, XOS_CAP_CPU_TIME, 7);
	cap(&a, XOS_CAP_MEMORY, 1 << 20);
	cap(&a, XOS_CAP_PROCESSES, 3);
	cap(&a, XOS_CAP_FILES_OPEN, 9);
	cap(&a, XOS_CAP_FILE_SIZE, 11);
	ck_assert_int_eq(limits(&a, 0, &m, NULL), XOS_OK);
	ck_assert_uint_eq(m.wall, 50);
	ck_assert_uint_eq(m.cpu, 7);
	ck_assert_uint_eq(m.memory, 1 << 20);
	ck_assert_uint_eq(m.processes, 3);
	ck_assert_uint_eq(m.files, 9);
	ck_assert_uint_eq(m.file_size, 11);
	/* asked for more than policy gives: said, not cut */
	ck_assert_int_eq(limits(&a, 51, &m, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "wall-limit");
	ck_assert_ptr_nonnull(strstr(err.text, "demo:1"));
}
END_TEST

START_TEST(limits_that_cannot_be_enforced_refuse)
{
	static const char *const classes[] = {"staff"};
	static const struct xos_decision_duty duty = {.name = "log.full"};
	struct xos_decision_answer a = none();
	struct xos_launch_limits m;
	struct xos_err err = XOS_ERR_INIT;

	cap(&a, XOS_CAP_CPU, 3);
	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "limit-not-enforceable");
	cap(&a, XOS_CAP_CPU, 4); /* all there are: binds nobody */
	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_OK);
	ck_assert_uint_eq(m.processors, XOS_LIMIT_NONE);
	/* With a control group it binds all processes of the job together. */
	cap(&a, XOS_CAP_CPU, 3);
	struct xos_limits_opts opts = plain_opts;
	int64_t lifetime;
	opts.can = XOS_CGROUP_CPU;
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_OK);
	ck_assert_uint_eq(m.processors, 3);
	cap(&a, XOS_CAP_CPU, 0);
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_DENIED);
	opts.can = XOS_CGROUP_MEMORY;
	cap(&a, XOS_CAP_CPU, 3);
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_DENIED);
	a = none();
	a.limits[XOS_CAP_ACCOUNT_CLASS] =
	    (struct xos_decision_limit){.set = true, .names = classes, .nnames = 1};
	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_DENIED);
	a = none();
	a.duties = &duty;
	a.nduties = 1;
	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "duty-unknown");
	ck_assert_ptr_nonnull(strstr(err.text, "log.full"));
	a = none();
	cap(&a, XOS_CAP_WALL, 0);
	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_DENIED);
}
END_TEST

START_TEST(limits_of_networks)
{
	static const char *const inside[] = {"10.0.0.0/8", "fd00::/8"},
	                         *const closed[] = {"closed"}, *const bad[] = {"10.0.0.1/8"};
	struct xos_limits_opts opts = plain_opts;
	struct xos_decision_answer a = none();
	struct xos_launch_limits m;
	struct xos_err err = XOS_ERR_INIT;
	int64_t lifetime;

	ck_assert_int_eq(limits(&a, 0, &m, &err), XOS_OK);
	ck_assert(!xos_launch_needs_net_rules(&m) && !xos_launch_without_network(&m));
	a.limits[XOS_CAP_CLOSED_NETWORKS] =
	    (struct xos_decision_limit){.set = true, .names = inside, .nnames = 2};
	/* Root alone does not make it enforceable, a control group does. */
	opts.root = true;
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "limit-not-enforceable");
	opts.can = XOS_CGROUP_NETWORK;
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_OK);
	ck_assert(xos_launch_needs_net_rules(&m) && !m.networks.limited && m.networks.nclosed == 2);
	a.limits[XOS_CAP_NETWORKS] = a.limits[XOS_CAP_CLOSED_NETWORKS];
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_OK);
	ck_assert(m.networks.limited && m.networks.nopen == 2 && m.networks.nclosed == 2);
	/* None at all needs a namespace and nothing else, and what is closed besides does not matter. */
	a.limits[XOS_CAP_NETWORKS] =
	    (struct xos_decision_limit){.set = true, .names = closed, .nnames = 1};
	opts.can = 0;
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_OK);
	ck_assert(xos_launch_without_network(&m) && !xos_launch_needs_net_rules(&m));
	opts.root = false;
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_DENIED);
	opts = (struct xos_limits_opts){.wall_default = 1, .wall_max = 1, .can = ~0u, .root = true};
	a = none();
	a.limits[XOS_CAP_NETWORKS] =
	    (struct xos_decision_limit){.set = true, .names = bad, .nnames = 1};
	ck_assert_int_eq(xos_limits_from(&a, &opts, &m, &lifetime, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "limit-not-enforceable");
	ck_assert_int_eq(xos_limits_least(XOS_CAP_NETWORKS, 4, XOS_CGROUP_NETWORK), 0);
	ck_assert_int_eq(xos_limits_least(XOS_CAP_CLOSED_NETWORKS, 4, 15), -1);
}
END_TEST

/* --- orders --- */

START_TEST(order_round_trip_and_cuts)
{
	struct xos_order o = {.spec = xos_bytes_str("spec"),
	    .submitted = 1000,
	    .source = "::1",
	    .chain = {xos_bytes_str("leaf"), xos_bytes_str("token")},
	    .n = 2};
	struct xos_order back;
	struct xos_buf b;

	xos_buf_init(&b, XOS_ORDER_MAX);
	ck_assert_int_eq(xos_order_encode(&o, &b, NULL), XOS_OK);
	ck_assert_int_eq(xos_order_decode(xos_buf_bytes(&b), &back, NULL), XOS_OK);
	ck_assert_uint_eq(back.n, 2);
	ck_assert(xos_bytes_eq(back.chain[1], xos_bytes_str("token")));
	ck_assert_str_eq(back.source, "::1");
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(
		    xos_order_decode((struct xos_bytes){b.p, n}, &back, NULL), XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_order_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
	o.n = 0;
	xos_buf_init(&b, XOS_ORDER_MAX);
	ck_assert_int_eq(xos_order_encode(&o, &b, NULL), XOS_LIMIT);
	xos_buf_free(&b);
}
END_TEST

START_TEST(order_with_a_grant)
{
	struct xos_order o = {.spec = xos_bytes_str("spec"),
	    .chain = {xos_bytes_str("leaf")},
	    .n = 1,
	    .grant = xos_bytes_str("signed")};
	struct xos_order_grant g = {.id = "00112233445566778899aabbccddeeff",
	    .chain = {xos_bytes_str("leaf")},
	    .n = 1,
	    .grant = xos_bytes_str("signed")};
	struct xos_order_grant other;
	struct xos_order back;
	struct xos_buf b;

	xos_buf_init(&b, XOS_ORDER_MAX);
	ck_assert_int_eq(xos_order_encode(&o, &b, NULL), XOS_OK);
	ck_assert_int_eq(xos_order_decode(xos_buf_bytes(&b), &back, NULL), XOS_OK);
	ck_assert(xos_bytes_eq(back.grant, o.grant));
	/* Cut in the grant: malformed; before it: an order without, as there were. */
	for (size_t n = 1; n < 4 + o.grant.n; n++)
		ck_assert_int_eq(
		    xos_order_decode((struct xos_bytes){b.p, b.n - n}, &back, NULL), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_order_decode((struct xos_bytes){b.p, b.n - 4 - o.grant.n}, &back, NULL), XOS_OK);
	ck_assert_uint_eq(back.grant.n, 0);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_order_decode(xos_buf_bytes(&b), &back, NULL), XOS_MALFORMED);
	xos_buf_free(&b);

	xos_buf_init(&b, XOS_ORDER_MAX);
	ck_assert_int_eq(xos_order_grant_encode(&g, &b, NULL), XOS_OK);
	ck_assert_int_eq(xos_order_grant_decode(xos_buf_bytes(&b), &other, NULL), XOS_OK);
	ck_assert_str_eq(other.id, g.id);
	ck_assert(xos_bytes_eq(other.grant, g.grant));
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(xos_order_grant_decode((struct xos_bytes){b.p, n}, &other, NULL),
		    XOS_MALFORMED);
	xos_buf_u8(&b, 0);
	ck_assert_int_eq(xos_order_grant_decode(xos_buf_bytes(&b), &other, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
}
END_TEST

/* --- renewal --- */

START_TEST(renewal_is_kept_and_told)
{
	struct xos_job_renewal r = {.job = "00112233445566778899aabbccddeeff",
	    .state = "failing",
	    .until = 2000,
	    .renews_until = 3000,
	    .failing_since = 1000,
	    .renewed = 3,
	    .text = "authority not reached"};
	struct xos_job_info i = {.credential_until = 500};
	char dir[] = "/tmp/xos-renewal-XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/renewal", dir);
	xos_job_renewal_tell(dir, &i);
	ck_assert_str_eq(i.renew_state, "none");
	ck_assert_int_eq(i.credential_until, 500);
	ck_assert_int_eq(xos_job_renewal_write(dir, &r, NULL), XOS_OK);
	xos_job_renewal_tell(dir, &i);
	ck_assert_str_eq(i.renew_state, "failing");
	ck_assert_str_eq(i.renew_text, r.text);
	ck_assert_int_eq(i.renews_until, 3000);
	ck_assert_int_eq(i.renew_failing_since, 1000);
	ck_assert_int_eq(i.credential_until, 2000);
	/* What cannot be read is not told, and does no harm. */
	i = (struct xos_job_info){.credential_until = 500};
	ck_assert_int_eq(xos_file_write(path, 0600, xos_bytes_str("{\"job\":1}"), NULL), XOS_OK);
	xos_job_renewal_tell(dir, &i);
	ck_assert_str_eq(i.renew_state, "none");
	ck_assert_int_eq(i.credential_until, 500);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(order_with_a_chain_that_is_too_long)
{
	static uint8_t big[XOS_ORDER_CHAIN_MAX];
	struct xos_order o = {.chain = {{big, sizeof(big)}, {big, 1}}, .n = 2};
	struct xos_buf b;

	xos_buf_init(&b, 2 * XOS_ORDER_MAX);
	ck_assert_int_eq(xos_order_encode(&o, &b, NULL), XOS_LIMIT);
	xos_buf_free(&b);
}
END_TEST

/* --- the front's table --- */

static char top[64], dir[96], run[96];

static void setup(void)
{
	strcpy(top, "/tmp/xos-table-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/front", top);
	snprintf(run, sizeof(run), "%s/run", top);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(mkdir(run, 0700), 0);
}

static void teardown(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	ck_assert_int_eq(system(cmd), 0);
}

static struct xos_table *opened(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_table *t = NULL;

	ck_assert_msg(xos_table_open(dir, run, &t, &err) == XOS_OK, "%s", err.text);
	return t;
}

static const struct xos_table_limits roomy = {.jobs = 100, .of_member = 100};

static struct xos_entry add(
    struct xos_table *t, const char *member, const struct xos_table_limits *l, enum xos_status want)
{
	struct xos_entry e = {
	    .number = 4, .phase = XOS_PHASE_WAITING, .submitted = 10, .changed = 10};

	xos_random_id(e.id, (XOS_JOB_ID_TEXT - 1) / 2);
	snprintf(e.member, sizeof(e.member), "%s", member);
	ck_assert_int_eq(xos_table_add(t, &e, xos_bytes_str("spec"), l, NULL), want);
	return e;
}

START_TEST(table_survives_a_restart)
{
	struct xos_table *t = opened();
	struct xos_entry e = add(t, "alice", &roomy, XOS_OK), back;
	struct xos_buf b;

	ck_assert_int_eq(xos_table_add(t, &e, xos_bytes_str("spec"), &roomy, NULL), XOS_CONFLICT);
	e.phase = XOS_PHASE_STARTED;
	e.until = 77;
	ck_assert_int_eq(xos_table_set(t, &e, NULL), XOS_OK);
	ck_assert_int_eq(xos_table_chain_put(t, e.id, xos_bytes_str("chain"), NULL), XOS_OK);
	xos_table_free(t);
	t = opened();
	ck_assert_int_eq(xos_table_get(t, e.id, &back, NULL), XOS_OK);
	ck_assert_int_eq(back.phase, XOS_PHASE_STARTED);
	ck_assert_int_eq(back.until, 77);
	ck_assert_str_eq(back.member, "alice");
	xos_buf_init(&b, 100);
	ck_assert_int_eq(xos_table_chain_get(t, e.id, &b, NULL), XOS_OK);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&b), xos_bytes_str("chain")));
	xos_buf_free(&b);
	xos_table_chain_drop(t, e.id);
	xos_buf_init(&b, 100);
	ck_assert_int_eq(xos_table_chain_get(t, e.id, &b, NULL), XOS_NOT_FOUND);
	xos_buf_free(&b);
	ck_assert_int_eq(
	    xos_table_get(t, "00000000000000000000000000000000", &back, NULL), XOS_NOT_FOUND);
	xos_table_free(t);
}
END_TEST

START_TEST(table_has_room_for_so_many)
{
	const struct xos_table_limits tight = {.jobs = 3, .of_member = 2};
	struct xos_table *t = opened();
	struct xos_entry e = add(t, "alice", &tight, XOS_OK);

	add(t, "alice", &tight, XOS_OK);
	add(t, "alice", &tight, XOS_LIMIT);
	ck_assert_int_eq(xos_table_room(t, "alice", &tight, NULL), XOS_LIMIT);
	add(t, "bob", &tight, XOS_OK);
	add(t, "bob", &tight, XOS_LIMIT);
	e.phase = XOS_PHASE_CANCELLED;
	ck_assert_int_eq(xos_table_set(t, &e, NULL), XOS_OK);
	add(t, "alice", &tight, XOS_OK);
	xos_table_free(t);
}
END_TEST

START_TEST(table_reads_states_from_the_run_folder)
{
	struct xos_table *t = opened();
	struct xos_entry e = add(t, "alice", &roomy, XOS_OK);
	struct xos_job_outcome o = {
	    .end = XOS_END_EXITED, .cause = XOS_CAUSE_SELF, .value = 3, .started = 20, .ended = 30};
	struct xos_job_info i;
	char path[256];

	ck_assert_int_eq(xos_table_info(t, &e, "n1", &i, NULL), XOS_OK);
	ck_assert_int_eq(i.state, XOS_JOB_WAITING);
	e.phase = XOS_PHASE_STARTED;
	ck_assert_int_eq(xos_table_set(t, &e, NULL), XOS_OK);
	ck_assert_int_eq(xos_table_info(t, &e, "n1", &i, NULL), XOS_OK);
	ck_assert_int_eq(i.state, XOS_JOB_RUNNING);
	ck_assert(!xos_table_ended(t, &e));
	snprintf(path, sizeof(path), "%s/%s", run, e.id);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(xos_outcome_write(path, &o, NULL), XOS_OK);
	ck_assert(xos_table_ended(t, &e));
	ck_assert_int_eq(xos_table_info(t, &e, "n1", &i, NULL), XOS_OK);
	ck_assert_int_eq(i.state, XOS_JOB_DONE);
	ck_assert_int_eq(i.code, 3);
	o.end = XOS_END_LOST;
	ck_assert_int_eq(xos_outcome_write(path, &o, NULL), XOS_OK);
	ck_assert_int_eq(xos_table_info(t, &e, "n1", &i, NULL), XOS_OK);
	ck_assert_int_eq(i.state, XOS_JOB_FAILED);
	ck_assert(i.ran);
	/* it goes when the starter has removed its folder, not before */
	xos_table_clean(t, 1);
	ck_assert_int_eq(xos_table_get(t, e.id, &e, NULL), XOS_OK);
	snprintf(path, sizeof(path), "rm -r %s/%s", run, e.id);
	ck_assert_int_eq(system(path), 0);
	xos_table_clean(t, 1);
	ck_assert_int_eq(xos_table_get(t, e.id, &e, NULL), XOS_NOT_FOUND);
	xos_table_free(t);
}
END_TEST

START_TEST(table_passes_over_what_is_damaged)
{
	struct xos_table *t = opened();
	struct xos_entry e = add(t, "alice", &roomy, XOS_OK), f = add(t, "alice", &roomy, XOS_OK);
	char path[256];

	xos_table_free(t);
	snprintf(path, sizeof(path), "%s/%s/request", dir, e.id);
	ck_assert_int_eq(xos_file_write(path, 0600, xos_bytes_str("{\"member\":"), NULL), XOS_OK);
	t = opened();
	ck_assert_int_eq(xos_table_get(t, e.id, &e, NULL), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_table_get(t, f.id, &f, NULL), XOS_OK);
	xos_table_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jobs core");
	TCase *t = tcase_create("pure"), *files = tcase_create("table");
	SRunner *r;
	int failed;

	tcase_add_test(t, limits_without_any);
	tcase_add_test(t, limits_that_are_enforced);
	tcase_add_test(t, limits_that_cannot_be_enforced_refuse);
	tcase_add_test(t, limits_of_networks);
	tcase_add_test(t, order_round_trip_and_cuts);
	tcase_add_test(t, order_with_a_chain_that_is_too_long);
	tcase_add_test(t, order_with_a_grant);
	tcase_add_test(t, renewal_is_kept_and_told);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, table_survives_a_restart);
	tcase_add_test(files, table_has_room_for_so_many);
	tcase_add_test(files, table_reads_states_from_the_run_folder);
	tcase_add_test(files, table_passes_over_what_is_damaged);
	suite_add_tcase(s, t);
	suite_add_tcase(s, files);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
