/* The binary form of restrictions: exact, canonical, and never more than was written. */
#include "policy_test.h"

static const char *const texts[] = {"delegation { }", "delegation by user \"alice\" { }",
    "delegation by user \"alice\" { check action in {job.show, file.read}; limit { lifetime <= 2h; "
    "} }",
    "delegation { check @id ip(ctx.src) in {10.0.0.0/8, 2001:db8::/32} and now < 2026-12-01T00:00Z "
    "because \"b\" contact \"c\"; }",
    "delegation { check not (on site:lab & tag:gpu or user demo:alice and not role /demo/Role=x) "
    "or home \"h\"; }",
    "delegation { check time in 22:00-06:00 -14:00 or time in 00:00-24:00 +14:00 or has ctx.src or "
    "auth.mfa; }",
    "delegation { check auth.method in {a, b} and job.cpu in {1, 2} and auth.age <= 1h and "
    "ctx.service != x and any and local; }",
    "delegation { limit action job.submit on node:lab/n1 when auth.mfa { wall <= 1h; cpu <= 1; "
    "cpu_time <= 1h; memory <= 1GiB; "
    "lifetime <= 1h; processes <= 3; files_open <= 9; file_size <= 1MB; account_class in {a, b}; } "
    "}",
    "delegation { limit { networks in {0.0.0.0/0, 10.0.0.0/8, ::/0}; closed_networks in "
    "{10.1.0.0/16, fd00::/8}; } limit "
    "{ networks closed; } }",
    "delegation { check vo demo and group /demo/x and exactly /demo/y and on job:* and on "
    "file:/a/b and on class:c and on job:7; }",
    /* what version 2 adds */
    "delegation { check time in mon-fri,sun 08:00-20:00 Europe/Paris or date in "
    "2026-12-24..2027-01-02 America/New_York or time in sat 00:00-24:00 UTC; }",
    "delegation { check date in 1970-01-01..9999-12-31 +05:30 and time in 22:00-06:00 "
    "Europe/Paris; }",
    "delegation { check @l ctx.service like {\"ss*\", \"*d\"} on change drain; check auth.mfa on "
    "change "
    "continue; }",
    "delegation { limit action job.submit on site:lab, tag:gpu & class:big, service:sshd, "
    "session:7 { "
    "wall <= 1h; } on change stop after 10m; }",
    "delegation schema 2 { check action in {job.signal, node.drain} or has resource.id and "
    "resource.id "
    "like \"/d/*\" or on session:*; }"};
#define COUNT (sizeof(texts) / sizeof(texts[0]))

static struct xos_buf encode(const char *text)
{
	struct xos_policy_set *set = must_parse(text);
	struct xos_buf out;
	struct xos_err err = XOS_ERR_INIT;
	xos_buf_init(&out, XOS_RESTRICTION_MAX);
	ck_assert_msg(xos_restriction_encode(set, &out, &err) == XOS_OK, "%s", err.text);
	xos_policy_set_unref(set);
	return out;
}

static enum xos_status decode(const uint8_t *p, size_t n)
{
	struct xos_policy_set *set;
	/* an exact heap copy, for the sanitizer */
	uint8_t *copy = malloc(n ? n : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, p, n);
	enum xos_status status = xos_restriction_decode((struct xos_bytes){copy, n}, &set, NULL);
	ck_assert_int_eq(status == XOS_OK, set != NULL);
	xos_policy_set_unref(set);
	free(copy);
	return status;
}

START_TEST(what_is_encoded_decodes_to_the_same)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct xos_buf bytes = encode(texts[i]), before, after;
		struct xos_policy_set *set = must_parse(texts[i]);
		xos_buf_init(&before, 100000);
		xos_buf_init(&after, 100000);
		xos_policy_set_text(set, &before);
		xos_policy_set_unref(set);
		ck_assert_int_eq(xos_restriction_text(xos_buf_bytes(&bytes), &after, NULL), XOS_OK);
		ck_assert_str_eq(xos_buf_str(&before), xos_buf_str(&after));
		ck_assert_int_eq(xos_restriction_decode(xos_buf_bytes(&bytes), &set, NULL), XOS_OK);
		xos_buf_free(&before);
		xos_buf_init(&before, XOS_RESTRICTION_MAX);
		ck_assert_int_eq(xos_restriction_encode(set, &before, NULL), XOS_OK);
		ck_assert(xos_bytes_eq(xos_buf_bytes(&before), xos_buf_bytes(&bytes)));
		xos_policy_set_unref(set);
		xos_buf_free(&before);
		xos_buf_free(&after);
		xos_buf_free(&bytes);
	}
}
END_TEST

START_TEST(truncated_or_extended_is_refused)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct xos_buf bytes = encode(texts[i]);
		for (size_t n = 0; n < bytes.n; n++)
			ck_assert_int_eq(decode(bytes.p, n), XOS_MALFORMED);
		ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_OK);
		for (unsigned v = 0; v < 256; v++) {
			uint8_t *longer = malloc(bytes.n + 1);
			ck_assert_ptr_nonnull(longer);
			memcpy(longer, bytes.p, bytes.n);
			longer[bytes.n] = (uint8_t)v;
			ck_assert_int_eq(decode(longer, bytes.n + 1), XOS_MALFORMED);
			free(longer);
		}
		xos_buf_free(&bytes);
	}
}
END_TEST

/* Whatever one changed byte makes of it: it is refused, or it is another canonical restriction. */
START_TEST(changed_bytes)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct xos_buf bytes = encode(texts[i]);
		size_t accepted = 0;
		for (size_t at = 0; at < bytes.n; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				struct xos_policy_set *set;
				struct xos_buf again;
				bytes.p[at] ^= (uint8_t)(1u << bit);
				if (xos_restriction_decode(xos_buf_bytes(&bytes), &set, NULL) ==
				    XOS_OK) {
					xos_buf_init(&again, XOS_RESTRICTION_MAX);
					ck_assert_int_eq(
					    xos_restriction_encode(set, &again, NULL), XOS_OK);
					ck_assert(xos_bytes_eq(
					    xos_buf_bytes(&again), xos_buf_bytes(&bytes)));
					xos_buf_free(&again);
					xos_policy_set_unref(set);
					accepted++;
				}
				bytes.p[at] ^= (uint8_t)(1u << bit);
			}
		}
		ck_assert_uint_lt(accepted, bytes.n * 8);
		xos_buf_free(&bytes);
	}
}
END_TEST

START_TEST(versions_and_names_unknown_here)
{
	struct xos_buf bytes = encode("delegation { check action in {job.show}; }");
	bytes.p[0]++; /* version */
	ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_MALFORMED);
	bytes.p[0]--;
	bytes.p[1] = XOS_POLICY_SCHEMA + 1; /* schema */
	ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_MALFORMED);
	bytes.p[1] = 1;
	ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_OK);
	/* the mask of actions stands before the byte that counts the caps */
	bytes.p[bytes.n - 2] |= 1; /* code 0 */
	ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_MALFORMED);
	bytes.p[bytes.n - 2] &= 0xfe;
	bytes.p[bytes.n - 9] |= 0x80; /* code 63 */
	ck_assert_int_eq(decode(bytes.p, bytes.n), XOS_MALFORMED);
	xos_buf_free(&bytes);
}
END_TEST

START_TEST(only_delegations_and_only_so_long)
{
	struct xos_policy_set *set = must_parse("vo \"demo\" serial 1 { }");
	struct xos_buf out, text;
	xos_buf_init(&out, 100000);
	ck_assert_int_eq(xos_restriction_encode(set, &out, NULL), XOS_MALFORMED);
	ck_assert_uint_eq(out.n, 0);
	xos_policy_set_unref(set);
	xos_buf_init(&text, 100000);
	xos_buf_put_str(&text, "delegation {");
	for (int i = 0; i < 400; i++)
		xos_buf_put_str(&text, " check action in {job.show};");
	xos_buf_put_str(&text, " }");
	set = must_parse(xos_buf_str(&text));
	ck_assert_int_eq(xos_restriction_encode(set, &out, NULL), XOS_LIMIT);
	ck_assert_uint_eq(out.n, 0);
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	xos_buf_free(&out);
	static uint8_t big[XOS_RESTRICTION_MAX + 1] = {1, 1};
	ck_assert_int_eq(decode(big, sizeof(big)), XOS_MALFORMED);
}
END_TEST

/* The bytes of version 1, written by hand from docs/policy-language.md. */
START_TEST(version_1_stays)
{
	static const uint8_t bytes[] = {1, 1, 0, 5, 'a', 'l', 'i', 'c', 'e', 0, 2,
	    /* check action in {job.show, file.read} */
	    4, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1, 6, 0, 0, 0,
	    0, 0, 0, 0, 0x24, 0,
	    /* limit { lifetime <= 2h; } */
	    2, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 4, 0, 0,
	    0, 0, 0, 0, 0x1c, 0x20};
	struct xos_buf again = encode("delegation by user \"alice\" { check action in {job.show, "
	                              "file.read}; limit { lifetime <= 2h; } }");
	ck_assert(xos_bytes_eq(xos_buf_bytes(&again), (struct xos_bytes){bytes, sizeof(bytes)}));
	ck_assert_int_eq(decode(bytes, sizeof(bytes)), XOS_OK);
	xos_buf_free(&again);
}
END_TEST

/* One statement of version 2, and what stands around it. */
static enum xos_status decode_v2(uint8_t effect, const uint8_t *places, size_t nplaces,
    const uint8_t *cond, size_t ncond, const uint8_t *tail, size_t ntail)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_RESTRICTION_MAX);
	xos_buf_u8(&b, 2);
	xos_buf_u8(&b, 1);
	xos_buf_u16(&b, 0);
	xos_buf_u16(&b, 1);
	xos_buf_u8(&b, effect);
	xos_buf_put(&b, "\0\0\0\0\0\0", 6);
	xos_buf_u64(&b, UINT64_MAX);
	xos_buf_put(&b, places, nplaces);
	xos_buf_u8(&b, ncond != 0);
	xos_buf_put(&b, cond, ncond);
	xos_buf_put(&b, tail, ntail);
	enum xos_status status = decode(b.p, b.n);
	xos_buf_free(&b);
	return status;
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define NO_PLACES BYTES(0, 0)
#define NO_CHANGE BYTES(0, 0) /* no caps, no change */
#define check_cond(...) decode_v2(4, NO_PLACES, BYTES(__VA_ARGS__), NO_CHANGE)
#define PARIS 0, 12, 'E', 'u', 'r', 'o', 'p', 'e', '/', 'P', 'a', 'r', 'i', 's'
#define UTC 0, 0, 3, 72 /* no zone; 840 */

START_TEST(version_2_conditions)
{
	/* time in mon 01:00-02:00 Europe/Paris */
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 1, PARIS), XOS_OK);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 1, UTC), XOS_OK);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 0x7f, PARIS), XOS_OK);
	/* every day and no zone: version 1 says that */
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 0x7f, UTC), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 0, PARIS), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 0x80, PARIS), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 60, 1, PARIS), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(13, 0, 60, 5, 161, 1, PARIS), XOS_MALFORMED);        /* 24:01 */
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 1, 0, 0, 6, 145), XOS_MALFORMED); /* 14:01 */
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 1, 0, 3, 'a', '/', '.'), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(13, 0, 60, 0, 120, 1, 0, 3, 'C', 'E', 'T'), XOS_MALFORMED);
	/* date in 1970-01-02..1970-01-03 */
	ck_assert_int_eq(check_cond(15, 0, 0, 0, 1, 0, 0, 0, 2, UTC), XOS_OK);
	ck_assert_int_eq(check_cond(15, 0, 0, 0, 2, 0, 0, 0, 1, UTC), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(15, 0, 0, 0, 1, 0xff, 0, 0, 2, UTC), XOS_MALFORMED);
	/* ctx.service like "s*", and what is not a string, or compares */
	ck_assert_int_eq(check_cond(14, 6, 0, 0, 1, 0, 2, 's', '*'), XOS_OK);
	ck_assert_int_eq(check_cond(14, 6, 1, 0, 1, 0, 2, 's', '*'), XOS_MALFORMED);
#define STARS8 '*', 'a', '*', 'a', '*', 'a', '*', 'a', '*', 'a', '*', 'a', '*', 'a', '*'
	ck_assert_int_eq(check_cond(14, 6, 0, 0, 1, 0, 15, STARS8), XOS_OK);
	ck_assert_int_eq(check_cond(14, 6, 0, 0, 1, 0, 16, STARS8, '*'), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(14, 6, 0, 0, 1, 0, 0), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(14, 8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(14, 5, 0, 0, 1, 4, 8, 10, 0, 0, 0), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(14, 6, 0, 0, 2, 0, 1, 'b', 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(check_cond(16, 6, 0, 0, 1, 0, 2, 's', '*'), XOS_MALFORMED);
}
END_TEST

START_TEST(version_2_places_and_changes)
{
	/* wall <= 1 s, nothing about running work */
#define CAP 1, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define limit_at(...) decode_v2(2, BYTES(__VA_ARGS__), NULL, 0, BYTES(CAP, 0))
	/* site:a, site:b */
	ck_assert_int_eq(limit_at(0, 2, 1, 0, 0, 1, 'a', 1, 0, 0, 1, 'b'), XOS_OK);
	ck_assert_int_eq(limit_at(0, 2, 1, 0, 0, 1, 'b', 1, 0, 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(limit_at(0, 2, 1, 0, 0, 1, 'a', 1, 0, 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(limit_at(0, 2, 0, 1, 0, 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(limit_at(0xff, 0xff), XOS_MALFORMED);
	/* one place alone is version 1, unless it is of a new kind: service:a, session:a */
	ck_assert_int_eq(limit_at(0, 1, 1, 0, 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(limit_at(0, 1, 1, 8, 0, 1, 'a'), XOS_OK);
	ck_assert_int_eq(limit_at(0, 1, 1, 9, 0, 1, 'a'), XOS_MALFORMED);
	ck_assert_int_eq(
	    limit_at(0, 1, 1, 7, 0, 9, 's', 'e', 's', 's', 'i', 'o', 'n', ':', 'a'), XOS_OK);
	ck_assert_int_eq(limit_at(0, 1, 1, 7, 0, 3, 'x', ':', 'a'), XOS_MALFORMED);
	ck_assert_int_eq(limit_at(0, 1, 1, 7, 0, 1, 'a'), XOS_MALFORMED);
#define then(...) decode_v2(2, NO_PLACES, NULL, 0, BYTES(CAP, __VA_ARGS__))
	ck_assert_int_eq(then(0), XOS_MALFORMED); /* version 1 */
	ck_assert_int_eq(then(1), XOS_OK);
	ck_assert_int_eq(then(2), XOS_OK);
	ck_assert_int_eq(then(3, 0, 0, 0, 0, 0, 0, 0, 60), XOS_OK);
	ck_assert_int_eq(then(3, 0x80, 0, 0, 0, 0, 0, 0, 60), XOS_MALFORMED);
	ck_assert_int_eq(then(3), XOS_MALFORMED);
	ck_assert_int_eq(then(4), XOS_MALFORMED);
	ck_assert_int_eq(then(1, 0), XOS_MALFORMED);
}
END_TEST

/* Nesting deeper than a parser would make is refused before the stack is. */
START_TEST(deep_bytes)
{
	struct xos_buf b;
	xos_buf_init(&b, XOS_RESTRICTION_MAX);
	struct xos_buf good = encode("delegation { check not auth.mfa; }");
	static const uint8_t not [] = {3, 0, 1}; /* XOS_COND_NOT with one part */
	const uint8_t *at = good.p + good.n - 6; /* not(3) bool(1) attribute(1) caps(1) */
	ck_assert_int_eq(memcmp(at, not, 3), 0);
	for (int i = 0; i < 2500; i++) {
		b.n = 0;
		xos_buf_put(&b, good.p, good.n - 6);
		for (int j = 0; j < i; j++)
			xos_buf_put(&b, not, 3);
		xos_buf_put(&b, good.p + good.n - 3, 3);
		ck_assert_int_eq(decode(b.p, b.n), i <= 64 ? XOS_OK : XOS_MALFORMED);
		if (i > 70)
			i += 400;
	}
	xos_buf_free(&good);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy restriction");
	TCase *tc = tcase_create("codec");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_is_encoded_decodes_to_the_same);
	tcase_add_test(tc, truncated_or_extended_is_refused);
	tcase_add_test(tc, changed_bytes);
	tcase_add_test(tc, versions_and_names_unknown_here);
	tcase_add_test(tc, only_delegations_and_only_so_long);
	tcase_add_test(tc, deep_bytes);
	tcase_add_test(tc, version_1_stays);
	tcase_add_test(tc, version_2_conditions);
	tcase_add_test(tc, version_2_places_and_changes);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
