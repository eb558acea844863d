/* Parsing and building JSON: what is taken, and, mostly, what is refused and how it is named. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static struct xos_json *parse(const char *text)
{
	struct xos_json *v = NULL;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_msg(xos_json_parse(xos_bytes_str(text), 1 << 20, &v, &err) == XOS_OK, "%s: %s",
	    text, err.text);
	return v;
}

static void refused(struct xos_bytes in, enum xos_status want, const char *part)
{
	struct xos_json *v = NULL;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_json_parse(in, 1 << 20, &v, &err), want);
	ck_assert_ptr_null(v);
	ck_assert_msg(strstr(err.text, part) != NULL, "\"%s\" does not say \"%s\"", err.text, part);
}

START_TEST(takes_what_is_right)
{
	struct xos_json *v =
	    parse("{\"a\": [1, -2, 9223372036854775807, true, null, \"\\u00e9\"]}");
	const struct xos_json *arr = NULL;
	const char *s = NULL;
	int64_t n = 0;
	ck_assert_int_eq(xos_json_get_array(v, "a", 6, &arr, NULL), XOS_OK);
	ck_assert_uint_eq(xos_json_count(arr), 6);
	ck_assert_int_eq(xos_json_as_int64(xos_json_at(arr, 2), 0, INT64_MAX, &n, NULL), XOS_OK);
	ck_assert_int_eq(n, INT64_MAX);
	ck_assert_int_eq(xos_json_as_string(xos_json_at(arr, 5), 2, &s, NULL), XOS_OK);
	ck_assert_str_eq(s, "\xc3\xa9");
	ck_assert_int_eq(xos_json_type(xos_json_at(arr, 4)), XOS_JSON_NULL);
	ck_assert_ptr_null(xos_json_at(arr, 6));
	xos_json_free(v);
}
END_TEST

static const struct {
	const char *text, *part;
} bad[] = {
    {"", "empty"},
    {"{", "line 1"},
    {"{\"a\":1}x", "line 1"},
    {"{\"a\":1} {}", "line 1"},
    {"{\"a\":1,\"a\":2}", "duplicate"},
    {"{\"a\":{\"b\":1,\"b\":2}}", "duplicate"},
    {"{\"a\":\n\n tru}", "line 3"},
    {"[1,]", "line 1"},
    {"{\"a\":01}", "line 1"},
    {"[9223372036854775808]", "integer"},
    {"[1e999]", "real"},
    {"[\"\\u0000\"]", "u0000"},
    {"[\"\\ud800\"]", "line 1"},
    {"[\"\\x\"]", "line 1"},
    {"[\"a\nb\"]", "line"},
    {"[\"\xff\"]", "UTF-8"},
    {"[\"\xc0\x80\"]", "UTF-8"},
    {"[\"\xed\xa0\x80\"]", "UTF-8"},
    {"\"just a string\"", "line 1"},
    {"7", "line 1"},
    {"// comment\n{}", "line 1"},
    {"{'a':1}", "line 1"},
    {"[NaN]", "line 1"},
};

START_TEST(refuses_what_is_wrong)
{
	refused(xos_bytes_str(bad[_i].text), XOS_MALFORMED, bad[_i].part);
}
END_TEST

START_TEST(refuses_a_raw_nul)
{
	static const uint8_t text[] = "[\"a\0b\"]";
	refused((struct xos_bytes){text, sizeof(text) - 1}, XOS_MALFORMED, "JSON");
	static const uint8_t tail[] = "[]\0";
	refused((struct xos_bytes){tail, 3}, XOS_MALFORMED, "JSON");
}
END_TEST

/* Every truncation of a good document is refused. */
START_TEST(refuses_truncation)
{
	const char *text = "{\"a\":[1,{\"b\":\"c\\u00e9\"}],\"d\":false}";
	for (size_t n = 0; n < strlen(text); n++)
		refused((struct xos_bytes){(const uint8_t *)text, n}, XOS_MALFORMED, "JSON");
}
END_TEST

static char *nested(size_t depth)
{
	char *text = malloc(2 * depth + 1);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	return text;
}

START_TEST(bounds_depth)
{
	char *ok = nested(XOS_JSON_DEPTH), *deep = nested(XOS_JSON_DEPTH + 1),
	     *abyss = nested(10000);
	xos_json_free(parse(ok));
	refused(xos_bytes_str(deep), XOS_MALFORMED, "column 33: nested");
	refused(xos_bytes_str(abyss), XOS_MALFORMED, "nested");
	/* Brackets in strings are no depth. */
	xos_json_free(parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"]"));
	free(ok);
	free(deep);
	free(abyss);
}
END_TEST

START_TEST(bounds_size)
{
	struct xos_json *v = NULL;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_json_parse(xos_bytes_str("[ 1 ]"), 4, &v, &err), XOS_LIMIT);
	ck_assert_str_eq(err.code, "json-too-long");
	ck_assert_int_eq(xos_json_parse(xos_bytes_str("[ 1 ]"), 5, &v, &err), XOS_OK);
	xos_json_free(v);
}
END_TEST

START_TEST(names_the_place)
{
	struct xos_json *v =
	    parse("{\"args\":{\"name\":7,\"list\":[\"a\",[true]]},\"t\":\"yesterday\"}");
	const struct xos_json *args = NULL, *list = NULL;
	struct xos_err err = XOS_ERR_INIT;
	const char *s = NULL;
	int64_t t = 0;
	bool b = false;
	ck_assert_int_eq(xos_json_get_object(v, "args", &args, &err), XOS_OK);
	ck_assert_int_eq(xos_json_get_string(args, "name", 10, &s, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "args.name: expected a string");
	ck_assert_str_eq(err.code, "json-field");
	ck_assert_int_eq(xos_json_get_string(args, "nam", 10, &s, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "args.nam: missing");
	ck_assert_int_eq(xos_json_get_array(args, "list", 2, &list, &err), XOS_OK);
	ck_assert_int_eq(xos_json_as_bool(xos_json_at(xos_json_at(list, 1), 0), &b, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_json_as_string(xos_json_at(xos_json_at(list, 1), 0), 9, &s, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "args.list[1][0]: expected a string");
	ck_assert_int_eq(xos_json_get_time(v, "t", &t, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "t: expected a time"));
	ck_assert_int_eq(xos_json_get_array(args, "list", 1, &list, &err), XOS_MALFORMED);
	ck_assert_int_eq(
	    xos_json_get_string(xos_json_at(list, 0), "x", 1, &s, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "args.list[0]: expected an object"));
	ck_assert_ptr_null(s);
	xos_json_free(v);
}
END_TEST

START_TEST(refuses_unknown_keys)
{
	struct xos_json *v = parse("{\"csr\":\"x\",\"roles\":[]}");
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(XOS_JSON_ONLY(v, &err, "roles", "csr", "lifetime"), XOS_OK);
	ck_assert_int_eq(XOS_JSON_ONLY(v, &err, "csr"), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "roles: unknown key");
	xos_json_free(v);
	v = parse("{}");
	ck_assert_int_eq(XOS_JSON_ONLY(v, &err, "csr"), XOS_OK);
	xos_json_free(v);
	v = parse("[]");
	ck_assert_int_eq(XOS_JSON_ONLY(v, &err, "csr"), XOS_MALFORMED);
	xos_json_free(v);
}
END_TEST

START_TEST(optional_means_absent_only)
{
	struct xos_json *v = parse("{\"s\":null,\"n\":\"1\"}");
	const char *s = "kept";
	int64_t n = 5;
	bool b = false;
	ck_assert_int_eq(xos_json_opt_string(v, "s", 9, &s, NULL), XOS_MALFORMED);
	ck_assert_str_eq(s, "kept");
	ck_assert_int_eq(xos_json_opt_string(v, "other", 9, &s, NULL), XOS_OK);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(xos_json_opt_int64(v, "n", 0, 9, 3, &n, NULL), XOS_MALFORMED);
	ck_assert_int_eq(n, 5);
	ck_assert_int_eq(xos_json_opt_int64(v, "m", 0, 9, 3, &n, NULL), XOS_OK);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(xos_json_opt_bool(v, "b", true, &b, NULL), XOS_OK);
	ck_assert(b);
	/* Nothing is absent from what is no object. */
	ck_assert_int_eq(xos_json_opt_bool(NULL, "b", true, &b, NULL), XOS_MALFORMED);
	xos_json_free(v);
}
END_TEST

START_TEST(bounds_numbers)
{
	struct xos_json *v = parse("{\"n\":-1,\"u\":7,\"r\":1.5}");
	int64_t n = 0;
	uint64_t u = 0;
	ck_assert_int_eq(xos_json_get_uint64(v, "n", 9, &u, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_uint64(v, "u", 6, &u, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_uint64(v, "u", 7, &u, NULL), XOS_OK);
	ck_assert_uint_eq(u, 7);
	ck_assert_int_eq(xos_json_get_uint64(v, "u", UINT64_MAX, &u, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_int64(v, "n", 0, 9, &n, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_int64(v, "r", 0, 9, &n, NULL), XOS_MALFORMED);
	xos_json_free(v);
}
END_TEST

START_TEST(bytes_are_strict_base64)
{
	struct xos_json *v = parse("{\"ok\":\"AAEC\",\"pad\":\"AAE\",\"space\":\"AA "
	                           "EC\",\"url\":\"-_-_\",\"long\":\"AAECAwQF\"}");
	struct xos_buf b;
	xos_buf_init(&b, 100);
	ck_assert_int_eq(xos_json_get_bytes(v, "ok", 3, &b, NULL), XOS_OK);
	ck_assert_uint_eq(b.n, 3);
	ck_assert_int_eq(memcmp(b.p, "\0\1\2", 3), 0);
	ck_assert_int_eq(xos_json_get_bytes(v, "pad", 3, &b, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_bytes(v, "space", 9, &b, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_bytes(v, "url", 9, &b, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_bytes(v, "long", 5, &b, NULL), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_opt_bytes(v, "none", 5, &b, NULL), XOS_OK);
	ck_assert_uint_eq(b.n, 3);
	xos_buf_free(&b);
	xos_json_free(v);
}
END_TEST

START_TEST(string_lists)
{
	struct xos_json *v = parse("{\"l\":[\"a\",\"bc\"],\"m\":[\"a\",1]}");
	struct xos_err err = XOS_ERR_INIT;
	const char **list = NULL;
	size_t n = 9;
	ck_assert_int_eq(xos_json_get_strings(v, "l", 2, 2, &list, &n, &err), XOS_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[1], "bc");
	ck_assert_ptr_null(list[2]);
	free(list);
	list = NULL;
	ck_assert_int_eq(xos_json_get_strings(v, "l", 1, 2, &list, &n, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_json_get_strings(v, "l", 2, 1, &list, &n, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "l[1]: 2 bytes where at most 1 are taken");
	ck_assert_int_eq(xos_json_get_strings(v, "m", 2, 2, &list, &n, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.text, "m[1]: expected a string");
	ck_assert_ptr_null(list);
	ck_assert_int_eq(xos_json_opt_strings(v, "x", 2, 2, &list, &n, &err), XOS_OK);
	ck_assert_uint_eq(n, 0);
	xos_json_free(v);
}
END_TEST

START_TEST(walks_members)
{
	struct xos_json *v = parse("{\"b\":2,\"a\":1,\"c\":3}");
	void *it = NULL;
	const char *key = NULL;
	const struct xos_json *value = NULL;
	int64_t n = 0, sum = 0;
	while (xos_json_next(v, &it, &key, &value)) {
		ck_assert_int_eq(xos_json_as_int64(value, 0, 9, &n, NULL), XOS_OK);
		ck_assert_int_eq(key[0], 'a' + (int)n - 1);
		sum += n;
	}
	ck_assert_int_eq(sum, 6);
	xos_json_free(v);
}
END_TEST

static void dumps_as(struct xos_json *v, const char *want)
{
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_json_dump(v, &b, NULL), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&b), want);
	xos_buf_free(&b);
	xos_json_free(v);
}

START_TEST(builds_sorted_and_compact)
{
	const char *const list[] = {"x", "y"};
	struct xos_json *v = xos_json_object(), *inner = xos_json_array();
	xos_json_set_string(v, "z", "q\"\xc3\xa9");
	xos_json_set_int(v, "a", -5);
	xos_json_set_bool(v, "b", true);
	xos_json_set_null(v, "n");
	xos_json_set_bytes(v, "d", (struct xos_bytes){(const uint8_t *)"\0\1", 2});
	xos_json_set_time(v, "t", 0);
	xos_json_set_string(v, "left-out", NULL);
	xos_json_add_int(inner, 1);
	xos_json_add(inner, xos_json_object());
	xos_json_set(v, "i", inner);
	xos_json_set_strings(v, "l", list, 2);
	xos_json_set_int(v, "a", 6);
	dumps_as(v,
	    "{\"a\":6,\"b\":true,\"d\":\"AAE=\",\"i\":[1,{}],\"l\":[\"x\",\"y\"],\"n\":null,"
	    "\"t\":\"1970-01-01T00:00:00Z\",\"z\":\"q\\\"\xc3\xa9\"}");
}
END_TEST

START_TEST(equal_documents_give_equal_bytes)
{
	struct xos_json *a = parse("{ \"x\" : 1, \"a\" : [ \"\\u00e9\" ] }");
	dumps_as(a, "{\"a\":[\"\xc3\xa9\"],\"x\":1}");
	struct xos_json *b = parse("{\"a\":[\"\xc3\xa9\"],\"x\":1}");
	struct xos_json *copy = xos_json_copy(b);
	xos_json_free(b);
	dumps_as(copy, "{\"a\":[\"\xc3\xa9\"],\"x\":1}");
}
END_TEST

START_TEST(a_failed_builder_stays_failed)
{
	struct xos_json *v = xos_json_object(), *child = xos_json_object();
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	xos_buf_init(&b, 100);
	xos_json_set_string(child, "bad", "\xff");
	xos_json_set(v, "child", child);
	xos_json_set_int(v, "a", 1);
	ck_assert_int_eq(xos_json_dump(v, &b, &err), XOS_MALFORMED);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_int_eq(xos_json_dump(NULL, &b, &err), XOS_INTERNAL);
	xos_json_free(v);
	v = xos_json_object();
	xos_json_set_text(v, "t", "a\xff");
	dumps_as(v, "{\"t\":\"a?\"}");
	v = parse("{\"k\":\"0123456789\"}");
	xos_buf_free(&b);
	xos_buf_init(&b, 8);
	ck_assert_int_eq(xos_json_dump(v, &b, &err), XOS_LIMIT);
	xos_json_free(v);
	xos_buf_free(&b);
}
END_TEST

/* A terminal must not obey what a server says: also not in the control characters beyond ASCII. */
START_TEST(what_people_see_is_ascii)
{
	struct xos_json *o = xos_json_object(), *back = NULL;
	const char *text = NULL;
	struct xos_buf b;

	xos_json_set_string(o, "name",
	    "\x1b[31m \xc2\x9b"
	    "31m \xe2\x80\xae \xc3\xa9 \xf0\x9f\x98\x80");
	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_json_dump_pretty(o, &b, NULL), XOS_OK);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(b.p[i] == '\n' || (b.p[i] >= 0x20 && b.p[i] < 0x7f));
	ck_assert_int_eq(xos_json_parse(xos_buf_bytes(&b), 4096, &back, NULL), XOS_OK);
	ck_assert_int_eq(xos_json_get_string(back, "name", 100, &text, NULL), XOS_OK);
	ck_assert_str_eq(text, "\x1b[31m \xc2\x9b"
	                       "31m \xe2\x80\xae \xc3\xa9 \xf0\x9f\x98\x80");
	xos_buf_free(&b);
	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_json_dump_line(o, &b, NULL), XOS_OK);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(b.p[i] >= 0x20 && b.p[i] < 0x7f);
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&b), "\\u202E \\u00E9"));
	xos_json_free(back);
	xos_json_free(o);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");
	tcase_add_test(t, takes_what_is_right);
	tcase_add_test(t, what_people_see_is_ascii);
	tcase_add_loop_test(t, refuses_what_is_wrong, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, refuses_a_raw_nul);
	tcase_add_test(t, refuses_truncation);
	tcase_add_test(t, bounds_depth);
	tcase_add_test(t, bounds_size);
	tcase_add_test(t, names_the_place);
	tcase_add_test(t, refuses_unknown_keys);
	tcase_add_test(t, optional_means_absent_only);
	tcase_add_test(t, bounds_numbers);
	tcase_add_test(t, bytes_are_strict_base64);
	tcase_add_test(t, string_lists);
	tcase_add_test(t, walks_members);
	tcase_add_test(t, builds_sorted_and_compact);
	tcase_add_test(t, equal_documents_give_equal_bytes);
	tcase_add_test(t, a_failed_builder_stays_failed);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
