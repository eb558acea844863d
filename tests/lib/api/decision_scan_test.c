/*
 * Requests are read by a scanner, and by the parser where the scanner gives up: what the scanner takes,
 * the parser must take, and mean the same. Texts that people write are damaged in every small way.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api/decision_scan.h"
#include "json/scan.h"
#include "json/write.h"

static const char *const texts[] = {
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job.submit\"},"
    "\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"},\"context\":{\"job.wall\":3600,"
    "\"ctx.src\":\"192.0.2.7\",\"ctx.service\":\"sshd\"}}",
    " { \"context\" : { } , \"resource\" : { \"id\" : \"/a/b\" , \"type\" : \"file\" , "
    "\"properties\" : { \"site\" : \"lab\" , \"node\" : \"n1\" , \"vo\" : \"demo\" , "
    "\"owner\" : \"bob\" } } , \"action\":{\"name\":\"file.read\"},\"subject\":{\"id\":\"u\","
    "\"type\":\"local\"} } ",
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job.show\"},"
    "\"resource\":{\"type\":\"vo\",\"id\":\"demo\"}}",
    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":\"job.show\"},"
    "\"resource\":{\"type\":\"site\",\"id\":\"lab\",\"properties\":{}}}",
    "{\"subject\":{\"type\":\"node\",\"id\":\"demo:n1.lab.example\"},\"action\":{\"name\":"
    "\"file.read\"},\"resource\":{\"type\":\"file\",\"id\":\"/a\"}}",
    "{\"subject\":{\"type\":\"service\",\"id\":\"demo:data/n1\"},\"action\":{\"name\":"
    "\"file.read\"},\"resource\":{\"type\":\"file\",\"id\":\"/a\"}}",
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

/* Whether the scanner took it. */
static bool same(struct xos_bytes in)
{
	struct xos_decision_request *fast = xos_decision_request_scan(in), *slow = NULL;
	struct xos_buf one, two;
	if (!fast)
		return false;
	ck_assert_msg(xos_decision_request_parse(in, &slow, NULL) == XOS_OK,
	    "only the scanner takes %.*s", (int)in.n, (const char *)in.p);
	xos_buf_init(&one, XOS_DECISION_REQUEST_MAX);
	xos_buf_init(&two, XOS_DECISION_REQUEST_MAX);
	ck_assert_int_eq(
	    xos_decision_request_encode(xos_decision_request_get(fast), &one, NULL), XOS_OK);
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_msg(
	    xos_decision_request_encode(xos_decision_request_get(slow), &two, &err) == XOS_OK, "%s",
	    err.text);
	ck_assert_str_eq(xos_buf_str(&one), xos_buf_str(&two));
	xos_buf_free(&one);
	xos_buf_free(&two);
	xos_decision_request_free(fast);
	xos_decision_request_free(slow);
	return true;
}

START_TEST(what_is_usual_is_scanned)
{
	for (size_t i = 0; i < TEXTS; i++)
		ck_assert(same(xos_bytes_str(texts[i])));
	/* Escapes and what sets declare are the parser's; both still decode. */
	static const char own[] =
	    "{\"subject\":{\"type\":\"user\",\"id\":\"demo:alice\"},\"action\":{\"name\":"
	    "\"demo.annotate\"},\"resource\":{\"type\":\"demo.dataset\",\"id\":\"d\\u0031\"},"
	    "\"context\":{\"demo.licences\":3}}";
	struct xos_decision_request *r = NULL;
	ck_assert_ptr_null(xos_decision_request_scan(xos_bytes_str(own)));
	ck_assert_int_eq(xos_decision_request_decode(xos_bytes_str(own), &r, NULL), XOS_OK);
	const struct xos_policy_request *q = xos_decision_request_get(r);
	ck_assert_str_eq(q->action, "demo.annotate");
	ck_assert_str_eq(q->resource.kind, "demo.dataset");
	ck_assert_str_eq(q->resource.id, "d1");
	ck_assert_uint_eq(q->nvalues, 1);
	ck_assert_str_eq(q->values[0].name, "demo.licences");
	ck_assert_int_eq(q->values[0].type, XOS_POLICY_NUMBER);
	xos_decision_request_free(r);
}
END_TEST

START_TEST(damaged_texts_mean_the_same_to_both)
{
	static const char bytes[] = "{}[]\":,\\ 01-.eE/tfn\x01\x7f\xc3\xa9\xff";
	size_t taken = 0;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t n = strlen(texts[i]);
		char *copy = malloc(n + 2);
		for (size_t at = 0; at < n; at++) {
			struct xos_bytes in = {(const uint8_t *)copy, n};
			for (size_t b = 0; b < sizeof(bytes); b++) { /* a NUL as well */
				memcpy(copy, texts[i], n);
				copy[at] = bytes[b];
				taken += same(in);
				/* and put in between */
				memmove(copy + at + 1, texts[i] + at, n - at);
				taken += same((struct xos_bytes){in.p, n + 1});
			}
			memcpy(copy, texts[i], n); /* one byte less */
			memmove(copy + at, copy + at + 1, n - at - 1);
			taken += same((struct xos_bytes){in.p, n - 1});
			memcpy(copy, texts[i], n); /* cut off */
			taken += same((struct xos_bytes){in.p, at});
		}
		free(copy);
	}
	ck_assert_uint_gt(taken, 100); /* else nothing was compared */
}
END_TEST

START_TEST(members_stand_once)
{
	static const char *const twice[] = {"{\"a\":1,\"a\":1}", "{\"a\":1,}", "{,\"a\":1}",
	    "{\"a\" 1}", "{\"a\":01}", "{\"a\":1.0}", "{\"a\":1e3}", "{\"a\":-}",
	    "{\"a\":9223372036854775808}", "{\"a\":1} x", "{\"a\":1", "{\"a\\u0062\":1}"};
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		char room[64];
		struct xos_scan s;
		const char *key;
		int64_t v;
		unsigned seen = 0;
		xos_scan_init(&s, xos_bytes_str(twice[i]), room);
		xos_scan_open(&s);
		while (xos_scan_key(&s, &key)) {
			seen++;
			xos_scan_int(&s, INT64_MIN, INT64_MAX, &v);
		}
		ck_assert_msg(!xos_scan_end(&s) || seen == 2, "taken: %s", twice[i]);
	}
	struct xos_decision_request *r = xos_decision_request_scan(
	    xos_bytes_str("{\"subject\":{\"type\":\"user\",\"id\":\"demo:a\",\"id\":\"demo:b\"},"
	                  "\"action\":{\"name\":\"job.show\"},\"resource\":{\"type\":\"vo\","
	                  "\"id\":\"demo\"}}"));
	ck_assert_ptr_null(r);
}
END_TEST

START_TEST(what_is_written_is_json)
{
	struct xos_json_writer w;
	struct xos_buf out;
	static const char *const list[] = {"a", "\"\\\n\x01", "\xff\xc3\xa9"};
	xos_buf_init(&out, 1000);
	xos_json_writer_init(&w, &out);
	xos_json_write_open(&w, NULL, '{');
	xos_json_write_int(&w, "n", INT64_MIN);
	xos_json_write_bool(&w, "b", true);
	xos_json_write_text(&w, "none", NULL);
	xos_json_write_open(&w, "empty", '{');
	xos_json_write_close(&w, '}');
	xos_json_write_texts(&w, "list", list, 3);
	xos_json_write_time(&w, "t", 0);
	xos_json_write_close(&w, '}');
	ck_assert_str_eq(xos_buf_str(&out),
	    "{\"n\":-9223372036854775808,\"b\":true,\"empty\":{},\"list\":[\"a\","
	    "\"\\\"\\\\\\n\\u0001\",\"???\"],\"t\":\"1970-01-01T00:00:00Z\"}");
	xos_buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("api-decision-scan");
	TCase *tc = tcase_create("all");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, what_is_usual_is_scanned);
	tcase_add_test(tc, damaged_texts_mean_the_same_to_both);
	tcase_add_test(tc, members_stand_once);
	tcase_add_test(tc, what_is_written_is_json);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
