/* GET trust: root, issuers and the root's list, as who joins and who follows reads them; and the file that keeps it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/trustdoc.h"
#include "api/trustkeep.h"
#include "base/file.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo, *twin;
static struct xos_trust *trust;
static struct xos_err err;
static struct xos_buf compact, body;

static void add(struct xos_trust_list *l, const struct xos_cert *c, enum xos_trust_state state)
{
	struct xos_trust_entry *e = &l->entry[l->n++];

	*e = (struct xos_trust_entry){.cert = xos_cert_ref(c), .state = state, .since = NOW};
	MUST(xos_trust_role_of(c, l->vo, &e->role, &err), &err);
}

static struct xos_bytes list(const struct xos_test_vo *v, uint64_t serial, enum xos_trust_state rca)
{
	struct xos_trust_list *l = calloc(1, sizeof(*l));

	snprintf(l->vo, sizeof(l->vo), "demo");
	l->serial = serial;
	l->issued = NOW;
	add(l, v->ca, XOS_TRUST_ACTIVE);
	add(l, v->rca, rca);
	add(l, v->policy, XOS_TRUST_ACTIVE);
	xos_buf_free(&compact);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	MUST(xos_trust_list_sign(v->root_key, v->root, l, &compact, &err), &err);
	xos_trust_list_free(l);
	return xos_buf_bytes(&compact);
}

static struct xos_bytes dump(struct xos_json *doc)
{
	xos_buf_free(&body);
	xos_buf_init(&body, XOS_TRUST_DOC_MAX);
	MUST(xos_json_dump(doc, &body, &err), &err);
	xos_json_free(doc);
	return xos_buf_bytes(&body);
}

static struct xos_json *encoded(void)
{
	const struct xos_trust_doc d = {trust, "demo"};

	return xos_trust_doc_encode(&d);
}

static void setup(void)
{
	vo = xos_test_vo_new("demo", "lab", NOW);
	twin = xos_test_vo_new("demo", "lab", NOW);
	trust = xos_test_vo_trust(vo);
	xos_buf_init(&compact, XOS_TRUST_LIST_MAX);
	xos_buf_init(&body, XOS_TRUST_DOC_MAX);
}

static void teardown(void)
{
	xos_buf_free(&compact);
	xos_buf_free(&body);
	xos_trust_free(trust);
	xos_test_vo_free(twin);
	xos_test_vo_free(vo);
}

START_TEST(who_joins_gets_the_list_and_no_revoked_issuer)
{
	struct xos_joined *j = NULL;

	MUST(xos_trust_doc_decode(dump(encoded()), xos_cert_fingerprint(vo->root), NOW, &j, &err),
	    &err);
	ck_assert_uint_eq(j->list.n, 0); /* a VO from before there were lists */
	ck_assert_uint_eq(j->issuers.n, 2);
	xos_joined_free(j);
	MUST(xos_trust_take_list(trust, list(vo, 1, XOS_TRUST_REVOKED), NULL, &err), &err);
	MUST(xos_trust_doc_decode(dump(encoded()), xos_cert_fingerprint(vo->root), NOW, &j, &err),
	    &err);
	ck_assert(xos_bytes_eq(xos_buf_bytes(&j->list), xos_buf_bytes(&compact)));
	ck_assert_uint_eq(j->issuers.n, 1);
	xos_joined_free(j);
}
END_TEST

START_TEST(who_joins_takes_no_list_of_another_root)
{
	struct xos_joined *j = NULL;
	struct xos_json *doc = encoded();

	list(twin, 1, XOS_TRUST_ACTIVE);
	xos_json_set_string(doc, "list", xos_buf_str(&compact));
	ck_assert_int_eq(
	    xos_trust_doc_decode(dump(doc), xos_cert_fingerprint(vo->root), NOW, &j, &err),
	    XOS_DENIED);
	ck_assert_ptr_null(j);
}
END_TEST

START_TEST(who_follows_takes_newer_lists_alone)
{
	struct xos_trust *mine = xos_test_vo_trust(vo);
	bool news = true;

	MUST(xos_trust_doc_take(mine, dump(encoded()), &news, &err), &err);
	ck_assert(!news);
	MUST(xos_trust_take_list(trust, list(vo, 2, XOS_TRUST_ACTIVE), NULL, &err), &err);
	MUST(xos_trust_doc_take(mine, dump(encoded()), &news, &err), &err);
	ck_assert(news);
	MUST(xos_trust_doc_take(mine, xos_buf_bytes(&body), &news, &err), &err);
	ck_assert(!news);
	MUST(xos_trust_take_list(mine, list(vo, 3, XOS_TRUST_ACTIVE), NULL, &err), &err);
	ck_assert_int_eq(xos_trust_doc_take(mine, xos_buf_bytes(&body), &news, &err), XOS_CONFLICT);
	ck_assert_int_eq(
	    xos_trust_doc_take(mine, xos_bytes_str("{\"list\":7}"), &news, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_trust_doc_take(mine, xos_bytes_str("{\"list\":\"x\"}"), &news, &err),
	    XOS_MALFORMED);
	ck_assert_uint_eq(xos_trust_list(mine, "demo")->serial, 3);
	xos_trust_free(mine);
}
END_TEST

START_TEST(what_was_taken_is_there_after_a_restart)
{
	char dir[] = "/tmp/xos-trustkeep-XXXXXX", path[64];
	struct xos_trust *again = xos_test_vo_trust(vo);
	bool news = false;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, XOS_TRUST_FILE);
	MUST(xos_trust_keep_store(trust, "demo", path, &err), &err);
	ck_assert_int_ne(access(path, F_OK), 0); /* nothing to keep */
	MUST(xos_trust_keep_take(trust, list(vo, 4, XOS_TRUST_REVOKED), path, &news, &err), &err);
	ck_assert(news);
	MUST(xos_trust_keep_take(trust, xos_buf_bytes(&compact), path, &news, &err), &err);
	ck_assert(!news);
	MUST(xos_trust_follow(again, path, &err), &err);
	ck_assert_uint_eq(xos_trust_list(again, "demo")->serial, 4);
	/* A list that cannot be written counts all the same. */
	MUST(xos_trust_keep_take(
	         trust, list(vo, 5, XOS_TRUST_ACTIVE), "/nonexistent/trust.jws", &news, &err),
	    &err);
	ck_assert_uint_eq(xos_trust_list(trust, "demo")->serial, 5);
	ck_assert_int_eq(
	    xos_trust_keep_take(trust, list(twin, 9, XOS_TRUST_ACTIVE), path, &news, &err),
	    XOS_DENIED);
	/* Half of a file, at a start. */
	MUST(xos_file_write(path, 0644, (struct xos_bytes){compact.p, 300}, &err), &err);
	xos_trust_free(again);
	again = xos_test_vo_trust(vo);
	ck_assert_int_ne(xos_trust_follow(again, path, &err), XOS_OK);
	xos_trust_free(again);
	unlink(path);
	rmdir(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trust document");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_joins_gets_the_list_and_no_revoked_issuer);
	tcase_add_test(t, who_joins_takes_no_list_of_another_root);
	tcase_add_test(t, who_follows_takes_newer_lists_alone);
	tcase_add_test(t, what_was_taken_is_there_after_a_restart);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
