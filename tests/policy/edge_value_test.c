/* The edges of small parts: values from text, names of codes, memory, lists of errors. */
#include "engine.h"

#include "policy/memory.h"

static const struct {
	const char *name, *text;
	bool ok;
	int64_t number;
} values[] = {{"job.wall", "2h", true, 7200}, {"job.wall", "2", false, 0},
    {"job.wall", "", false, 0}, {"job.wall", "-1h", false, 0}, {"job.cpu", "8", true, 8},
    {"job.cpu", "08", false, 0}, {"job.cpu", "-8", false, 0},
    {"job.cpu", "9223372036854775807", true, INT64_MAX},
    {"job.cpu", "9223372036854775808", false, 0}, {"job.memory", "4GiB", true, INT64_C(4) << 30},
    {"job.memory", "4GB", true, INT64_C(4000000000)}, {"job.memory", "4", false, 0},
    {"job.memory", "4gib", false, 0}, {"job.memory", "9999999999TiB", false, 0},
    {"ctx.src", "192.0.2.7", true, 0}, {"ctx.src", "192.0.2.256", false, 0},
    {"ctx.src", "192.0.2.0/24", false, 0}, {"ctx.src", "fe80::1%eth0", false, 0},
    {"ctx.service", "sshd", true, 0}, {"ctx.service", "", true, 0}, {"auth.mfa", "true", false, 0},
    {"auth.age", "1h", false, 0}, {"no.such", "1", false, 0}, {"", "1", false, 0},
    {"session.tty", "true", true, 1}, {"session.tty", "false", true, 0},
    {"session.tty", "yes", false, 0}};

START_TEST(values_from_text)
{
	char longest[300];
	struct xos_policy_value v;
	struct xos_err err = XOS_ERR_INIT;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		enum xos_status status =
		    xos_policy_value_parse(NULL, values[i].name, values[i].text, &v, &err);
		ck_assert_msg((status == XOS_OK) == values[i].ok, "%s = '%s': %s", values[i].name,
		    values[i].text, err.text);
		if (values[i].ok && v.type != XOS_POLICY_STRING && v.type != XOS_POLICY_IP)
			ck_assert_int_eq(v.number, values[i].number);
		if (!values[i].ok)
			ck_assert_int_eq(status, XOS_MALFORMED);
	}
	memset(longest, 'a', sizeof(longest));
	longest[256] = 0;
	ck_assert_int_eq(
	    xos_policy_value_parse(NULL, "ctx.service", longest, &v, &err), XOS_MALFORMED);
	longest[255] = 0;
	ck_assert_int_eq(xos_policy_value_parse(NULL, "ctx.service", longest, &v, &err), XOS_OK);
	ck_assert_str_eq(v.string, longest);
}
END_TEST

/* What sets add has the type that its VO says, and else the one of whoever declares it. */
START_TEST(own_values_from_text)
{
#define ADD(type) "schema { attribute demo.licences " type " optional for any; } }"
	static const char site[] = "site \"lab\" serial 1 schema 2 { " ADD("duration");
	static const char vo[] = "vo \"demo\" serial 1 schema 2 { " ADD("number");
	struct xos_policy_value v;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_policy *p = BUILD(site);
	ck_assert_int_eq(xos_policy_value_parse(p, "demo.licences", "4", &v, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_policy_value_parse(p, "demo.licences", "4h", &v, &err), XOS_OK);
	ck_assert_int_eq(v.number, 14400);
	xos_policy_unref(p);
	p = BUILD(site, vo);
	ck_assert_int_eq(xos_policy_value_parse(p, "demo.licences", "4h", &v, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_policy_value_parse(p, "demo.licences", "4", &v, &err), XOS_OK);
	ck_assert_int_eq(v.type, XOS_POLICY_NUMBER);
	ck_assert_int_eq(v.number, 4);
	ck_assert_int_eq(xos_policy_value_parse(p, "demo.other", "4", &v, &err), XOS_MALFORMED);
	ck_assert_ptr_null(xos_policy_own_attr(p, "job.wall"));
	ck_assert_ptr_null(xos_policy_own_action(p, "demo.licences"));
	xos_policy_unref(p);
	ck_assert_int_eq(
	    xos_policy_value_parse(NULL, "demo.licences", "4", &v, &err), XOS_MALFORMED);
#undef ADD
}
END_TEST

START_TEST(names_of_codes)
{
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_ptr_nonnull(xos_policy_level_name((enum xos_policy_level)i));
		ck_assert_ptr_nonnull(xos_policy_effect_name((enum xos_policy_effect)i));
		ck_assert_ptr_nonnull(xos_policy_change_name((enum xos_policy_change)i));
		ck_assert_ptr_nonnull(xos_policy_type_name((enum xos_policy_type)i));
		ck_assert_ptr_nonnull(xos_policy_decision_name((enum xos_policy_decision)i));
		const struct xos_policy_cap_info *cap = xos_policy_cap_info((enum xos_policy_cap)i);
		ck_assert_int_eq(cap != NULL, i < XOS_CAP_COUNT);
	}
	ck_assert_str_eq(xos_policy_decision_name((enum xos_policy_decision)77), "undecided");
	ck_assert_str_eq(xos_policy_type_name((enum xos_policy_type)77), "unknown");
}
END_TEST

/* Codes stand in certificates: no two alike, and each is found by name and by code. */
START_TEST(the_schema_is_one)
{
	size_t n;
	enum xos_policy_cap cap;
	uint64_t codes = 1;
	const struct xos_policy_action *actions = xos_policy_actions(&n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_gt(actions[i].code, 0);
		ck_assert_uint_lt(actions[i].code, XOS_POLICY_ACTION_OWN);
		ck_assert(!(codes >> actions[i].code & 1));
		codes |= UINT64_C(1) << actions[i].code;
		ck_assert_ptr_eq(xos_policy_action_by_code(actions[i].code), &actions[i]);
		ck_assert_ptr_eq(
		    xos_policy_action_find(actions[i].name, XOS_POLICY_SCHEMA), &actions[i]);
		ck_assert_ptr_null(xos_policy_action_find(actions[i].name, 0));
	}
	const struct xos_policy_attr *attrs = xos_policy_attrs(&n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(attrs[i].code, XOS_POLICY_ATTR_OWN);
		ck_assert_ptr_eq(xos_policy_attr_by_code(attrs[i].code), &attrs[i]);
		ck_assert_ptr_eq(xos_policy_attr_find(attrs[i].name, XOS_POLICY_SCHEMA), &attrs[i]);
		ck_assert_ptr_null(xos_policy_attr_find(attrs[i].name, 0));
		ck_assert(!(attrs[i].given & attrs[i].optional));
	}
	const struct xos_policy_kind *kinds = xos_policy_kinds(&n);
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_eq(xos_policy_kind_find(kinds[i].name, XOS_POLICY_SCHEMA), &kinds[i]);
	ck_assert_ptr_null(xos_policy_kind_find("x", XOS_POLICY_SCHEMA));
	ck_assert_ptr_null(xos_policy_action_by_code(0));
	ck_assert_ptr_null(xos_policy_attr_by_code(0));
	ck_assert(!xos_policy_cap_find("no", &cap));
	ck_assert(xos_policy_cap_find("files_open", &cap) && cap == XOS_CAP_FILES_OPEN);
}
END_TEST

START_TEST(memory_is_taken_and_used_again)
{
	struct xos_policy_memory *m = xos_policy_memory_new();
	void *first = xos_policy_memory_take(m, 100);
	ck_assert_ptr_nonnull(xos_policy_memory_take(m, 3 << 20));
	ck_assert_ptr_nonnull(xos_policy_memory_take(m, 100));
	for (int i = 0; i < 2000; i++)
		ck_assert_ptr_nonnull(xos_policy_memory_take(m, 4000));
	xos_policy_memory_reset(m);
	ck_assert_ptr_eq(xos_policy_memory_take(m, 100), first);
	ck_assert_ptr_nonnull(xos_policy_memory_take(m, 3 << 20));
	ck_assert_ptr_null(xos_policy_memory_take(m, SIZE_MAX / 2 + 1));
	ck_assert_ptr_null(xos_policy_memory_grow(m, first, (size_t)1 << 60, 1 << 10));
	int *list = NULL;
	for (size_t n = 0; n < 1000; n++) {
		list = xos_policy_memory_grow(m, list, n, sizeof(*list));
		ck_assert_ptr_nonnull(list);
		list[n] = (int)n;
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(list[i], i);
	xos_policy_memory_free(m);
	xos_policy_memory_free(NULL);
}
END_TEST

START_TEST(errors_are_printed_for_people)
{
	static struct xos_policy_errors errs;
	struct xos_policy_set *set;
	struct xos_buf text, out;
	struct xos_err err = XOS_ERR_INIT;
	xos_buf_init(&text, 1 << 20);
	xos_buf_init(&out, 1 << 20);
	xos_buf_put_str(&text, "vo \"demo\" serial 1 {\n");
	for (int i = 0; i < 80; i++)
		xos_buf_put_str(&text, "permit any action job.sumbit;\n");
	xos_buf_put_str(&text, "}\n");
	ck_assert_int_eq(
	    xos_policy_set_parse(xos_buf_str(&text), text.n, "a\nb", &set, &errs), XOS_MALFORMED);
	ck_assert_uint_eq(errs.n, XOS_POLICY_ERRORS_MAX);
	xos_policy_errors_print(&errs, &out);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&out), "a?b:2:"));
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&out), "hint: did you mean job.submit?"));
	errs.total = 70;
	xos_policy_errors_print(&errs, &out);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&out), "20 more errors"));
	ck_assert_int_eq(xos_policy_set_load("vo", 2, "f", &set, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "f:1:"));
	ck_assert_ptr_null(set);
	/* Nobody has to want them, and a file has to have no name. */
	ck_assert_int_eq(xos_policy_set_parse("vo", 2, NULL, &set, NULL), XOS_MALFORMED);
	xos_buf_free(&text);
	xos_buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy edge value");
	TCase *tc = tcase_create("edges");
	tcase_add_test(tc, values_from_text);
	tcase_add_test(tc, own_values_from_text);
	tcase_add_test(tc, names_of_codes);
	tcase_add_test(tc, the_schema_is_one);
	tcase_add_test(tc, memory_is_taken_and_used_again);
	tcase_add_test(tc, errors_are_printed_for_people);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
