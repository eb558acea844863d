/* The next key of a daemon: each step, repeated, cut in between, and taken back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/cert.h"
#include "service/rollover.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/authority.h"

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;
static struct xos_issuer *root;
static struct xos_err err;
static char dir[64];

static const char *in(const char *name)
{
	static char path[8][128];
	static unsigned next;
	char *p = path[next++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

/* As the root does it; any key of the folder. */
static void sign(const char *key_file, const char *pem_file)
{
	struct xos_key *key = NULL;
	struct xos_cert *c = NULL;
	struct xos_buf pem;

	xos_buf_init(&pem, 65536);
	MUST(xos_key_load(in(key_file), NULL, NULL, &key, &err), &err);
	MUST(xos_authority_issuer(root, "demo", XOS_KIND_BIT(XOS_KIND_USER), xos_key_spki(key),
	         NOW - 300, NOW + 86400, &c, &err),
	    &err);
	xos_cert_to_pem(c, &pem);
	MUST(xos_file_write(in(pem_file), 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
	xos_cert_free(c);
	xos_key_free(key);
}

static bool together(void)
{
	struct xos_chain ch = {.n = 0};
	struct xos_key *key = NULL;
	bool ok;

	MUST(xos_key_load(in("ca.key"), NULL, NULL, &key, &err), &err);
	MUST(xos_chain_load(in("ca.pem"), &ch, &err), &err);
	ok = xos_key_same(xos_cert_key(ch.cert[0]), key);
	xos_chain_clear(&ch);
	xos_key_free(key);
	return ok;
}

static void fingerprint(const char *pem, uint8_t out[XOS_SHA256_LEN])
{
	struct xos_chain ch = {.n = 0};

	MUST(xos_chain_load(in(pem), &ch, &err), &err);
	memcpy(out, xos_cert_fingerprint(ch.cert[0]), XOS_SHA256_LEN);
	xos_chain_clear(&ch);
}

static bool there(const char *name)
{
	return access(in(name), F_OK) == 0;
}

static void setup(void)
{
	struct xos_key *key = NULL;

	vo = xos_test_vo_new("demo", "lyon", NOW);
	MUST(xos_issuer_new(vo->root, vo->root_key, &root, &err), &err);
	snprintf(dir, sizeof(dir), "/tmp/xos-rollover-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_key_save(key, in("ca.key"), NULL, &err), &err);
	xos_key_free(key);
	sign("ca.key", "ca.pem");
}

static void teardown(void)
{
	static const char *const names[] = {"ca.key", "ca.csr", "ca.pem", "ca.next.key",
	    "ca.next.csr", "ca.next.pem", "ca.old.key", "ca.old.pem"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in(names[i]));
	ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left there */
	xos_issuer_free(root);
	xos_test_vo_free(vo);
}

static void prepare(void)
{
	ck_assert_int_eq(xos_rollover_prepare(dir, "ca", &err), XOS_OK);
	if (!there("ca.next.pem"))
		sign("ca.next.key", "ca.next.pem");
}

START_TEST(a_key_gets_a_successor)
{
	uint8_t first[XOS_SHA256_LEN], old[XOS_SHA256_LEN], now[XOS_SHA256_LEN];
	struct xos_key *before = NULL;

	fingerprint("ca.pem", first);
	ck_assert_int_eq(xos_rollover_key_before(dir, "ca", &before, &err), XOS_OK);
	ck_assert_ptr_null(before);
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_rollover_prepare(dir, "ca", &err), XOS_OK);
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_NOT_FOUND);
	ck_assert_str_eq(err.code, "rollover-unsigned");
	prepare();
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_OK);
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_OK);
	fingerprint("ca.old.pem", old);
	fingerprint("ca.pem", now);
	ck_assert_mem_eq(first, old, sizeof(first));
	ck_assert_mem_ne(first, now, sizeof(first));
	ck_assert(together());
	ck_assert_int_eq(xos_rollover_key_before(dir, "ca", &before, &err), XOS_OK);
	ck_assert_ptr_nonnull(before);
	xos_key_free(before);
}
END_TEST

START_TEST(a_cut_exchange_is_finished)
{
	uint8_t next[XOS_SHA256_LEN], now[XOS_SHA256_LEN];

	prepare();
	fingerprint("ca.next.pem", next);
	ck_assert_int_eq(rename(in("ca.next.key"), in("ca.key")), 0);
	ck_assert(!together());
	ck_assert_int_eq(xos_rollover_heal(dir, "ca", &err), XOS_OK);
	ck_assert(together());
	fingerprint("ca.pem", now);
	ck_assert_mem_eq(next, now, sizeof(now));
	/* What is left of that key's request is not signed for the one after it. */
	prepare();
	sign("ca.next.key", "ca.next.pem");
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_OK);
	ck_assert(together());
}
END_TEST

START_TEST(a_certificate_of_another_key_is_not_taken)
{
	prepare();
	sign("ca.key", "ca.next.pem");
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_MALFORMED);
	ck_assert(together());
	ck_assert_int_eq(
	    xos_file_write(in("ca.next.pem"), 0644, xos_bytes_str("no"), &err), XOS_OK);
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_MALFORMED);
	ck_assert(together());
}
END_TEST

START_TEST(each_step_is_taken_back)
{
	uint8_t first[XOS_SHA256_LEN], now[XOS_SHA256_LEN];

	fingerprint("ca.pem", first);
	ck_assert_int_eq(xos_rollover_undo(dir, "ca", &err), XOS_NOT_FOUND);
	prepare();
	ck_assert_int_eq(xos_rollover_undo(dir, "ca", &err), XOS_OK);
	ck_assert(!there("ca.next.key") && !there("ca.next.csr") && !there("ca.next.pem"));
	prepare();
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_OK);
	ck_assert_int_eq(xos_rollover_undo(dir, "ca", &err), XOS_OK);
	fingerprint("ca.pem", now);
	ck_assert_mem_eq(first, now, sizeof(now));
	ck_assert(together());
	/* Cut between key and certificate, and then the other way on. */
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_OK);
	ck_assert_int_eq(link(in("ca.pem"), in("ca.next.pem")), 0);
	ck_assert_int_eq(link(in("ca.key"), in("ca.next.key")), 0);
	ck_assert_int_eq(xos_rollover_activate(dir, "ca", &err), XOS_CONFLICT);
	ck_assert_int_eq(rename(in("ca.old.key"), in("ca.key")), 0);
	ck_assert_int_eq(xos_rollover_heal(dir, "ca", &err), XOS_OK);
	fingerprint("ca.pem", now);
	ck_assert_mem_eq(first, now, sizeof(now));
	ck_assert(together());
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rollover");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_key_gets_a_successor);
	tcase_add_test(t, a_cut_exchange_is_finished);
	tcase_add_test(t, a_certificate_of_another_key_is_not_taken);
	tcase_add_test(t, each_step_is_taken_back);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
