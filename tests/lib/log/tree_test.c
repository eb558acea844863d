/* The tree against the definitions of RFC 9162, section 2.1, written down once more in the slowest way. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "log/tree.h"
#include "pki/digest.h"

#define MOST 130

static void sha256(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	(void)ctx;
	ck_assert_int_eq(xos_sha256(in, out), XOS_OK);
}

static const struct xos_log_crypto crypto = {.sha256 = sha256};
static uint8_t leaves[MOST][XOS_LOG_HASH];

static void make_leaves(void)
{
	for (uint64_t i = 0; i < MOST; i++) {
		struct xos_log_record r = {.sequence = i + 1, .time = 7, .type = 1};
		struct xos_buf b;
		xos_buf_init(&b, XOS_LOG_ENTRY_MAX);
		xos_log_entry_put(&b, &r);
		xos_tree_leaf(&crypto, xos_buf_bytes(&b), leaves[i]);
		xos_buf_free(&b);
	}
}

/* ---- the reference ---- */

static size_t below(size_t n)
{
	size_t k = 1;
	while (2 * k < n)
		k *= 2;
	return k;
}

static void mth(uint8_t (*d)[XOS_LOG_HASH], size_t n, uint8_t out[XOS_LOG_HASH])
{
	uint8_t l[XOS_LOG_HASH], r[XOS_LOG_HASH];
	if (n == 0) {
		sha256(NULL, XOS_BYTES_NONE, out);
	} else if (n == 1) {
		memcpy(out, d[0], XOS_LOG_HASH);
	} else {
		mth(d, below(n), l);
		mth(d + below(n), n - below(n), r);
		xos_tree_node(&crypto, l, r, out);
	}
}

static void push(struct xos_tree_path *p, uint8_t (*d)[XOS_LOG_HASH], size_t n)
{
	mth(d, n, p->hash[p->n++]);
}

static void path(size_t m, uint8_t (*d)[XOS_LOG_HASH], size_t n, struct xos_tree_path *out)
{
	size_t k = below(n);
	if (n == 1)
		return;
	if (m < k) {
		path(m, d, k, out);
		push(out, d + k, n - k);
	} else {
		path(m - k, d + k, n - k, out);
		push(out, d, k);
	}
}

static void subproof(
    size_t m, uint8_t (*d)[XOS_LOG_HASH], size_t n, bool b, struct xos_tree_path *out)
{
	size_t k = below(n);
	if (m == n) {
		if (!b)
			push(out, d, n);
	} else if (m <= k) {
		subproof(m, d, k, b, out);
		push(out, d + k, n - k);
	} else {
		subproof(m - k, d + k, n - k, false, out);
		push(out, d, k);
	}
}

/* ---- proofs ---- */

static enum xos_status included(size_t i, uint64_t sequence, uint64_t size,
    const struct xos_tree_path *p, const uint8_t root[XOS_LOG_HASH])
{
	return xos_tree_check_record(&crypto, leaves[i], sequence, size, p, root, NULL);
}

/* A path with every kind of damage: none passes. check: the proof with a path in place of the true one. */
static void mutated(const struct xos_tree_path *p,
    enum xos_status (*check)(const void *ctx, const struct xos_tree_path *p), const void *ctx)
{
	struct xos_tree_path q = *p;
	ck_assert_int_eq(check(ctx, &q), XOS_OK);
	for (size_t i = 0; i < p->n; i++) {
		q.hash[i][i % XOS_LOG_HASH] ^= (uint8_t)(1U << i % 8);
		ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
		q = *p;
		memmove(q.hash[i], q.hash[i + 1], (p->n - 1 - i) * XOS_LOG_HASH);
		q.n--;
		ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
		q = *p;
		memcpy(q.hash[p->n], p->hash[i], XOS_LOG_HASH);
		q.n++;
		ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
		q = *p;
		if (i + 1 < p->n) {
			memcpy(q.hash[i], p->hash[i + 1], XOS_LOG_HASH);
			memcpy(q.hash[i + 1], p->hash[i], XOS_LOG_HASH);
			ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
		}
		q = *p;
	}
	memset(q.hash[q.n++], 0, XOS_LOG_HASH);
	ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
	q.n = XOS_TREE_PATH_MAX + 1;
	ck_assert_int_eq(check(ctx, &q), XOS_MALFORMED);
}

struct inclusion {
	size_t i, size;
	const uint8_t *root;
};

static enum xos_status check_inclusion(const void *ctx, const struct xos_tree_path *p)
{
	const struct inclusion *c = ctx;
	return included(c->i, c->i + 1, c->size, p, c->root);
}

START_TEST(every_record_of_every_size)
{
	uint8_t root[XOS_LOG_HASH], got[XOS_LOG_HASH];
	struct xos_tree tree = {.size = 0};
	make_leaves();
	for (size_t n = 1; n <= MOST; n++) {
		xos_tree_add(&crypto, &tree, leaves[n - 1], NULL);
		xos_tree_root(&crypto, &tree, got);
		mth(leaves, n, root);
		ck_assert_mem_eq(root, got, sizeof(root));
		for (size_t i = 0; i < n; i++) {
			struct xos_tree_path p = {.n = 0};
			struct inclusion c = {i, n, root};
			path(i, leaves, n, &p);
			if (n < 20 || i % 17 == 0 || i + 1 == n)
				mutated(&p, check_inclusion, &c);
			else
				ck_assert_int_eq(included(i, i + 1, n, &p, root), XOS_OK);
		}
	}
}
END_TEST

START_TEST(another_record_or_size)
{
	uint8_t root[XOS_LOG_HASH];
	make_leaves();
	for (size_t n = 1; n <= 40; n++) {
		mth(leaves, n, root);
		for (size_t i = 0; i < n; i++) {
			struct xos_tree_path p = {.n = 0};
			path(i, leaves, n, &p);
			for (uint64_t s = 0; s <= n + 1; s++)
				ck_assert_int_eq(included(i, s, n, &p, root),
				    s == i + 1 ? XOS_OK : XOS_MALFORMED);
			ck_assert_int_ne(included((i + 1) % MOST, i + 1, n, &p, root), XOS_OK);
			ck_assert_int_ne(included(i, UINT64_MAX, n, &p, root), XOS_OK);
			ck_assert_int_ne(included(i, i + 1, UINT64_MAX, &p, root), XOS_OK);
			ck_assert_int_ne(included(i, i + 1, 0, &p, root), XOS_OK);
		}
	}
}
END_TEST

struct growth {
	size_t from, to;
	const uint8_t *from_root, *to_root;
};

static enum xos_status check_growth(const void *ctx, const struct xos_tree_path *p)
{
	const struct growth *c = ctx;
	return xos_tree_check_growth(&crypto, c->from, c->from_root, c->to, c->to_root, p, NULL);
}

START_TEST(every_pair_of_sizes)
{
	static uint8_t roots[MOST + 1][XOS_LOG_HASH];
	make_leaves();
	for (size_t n = 0; n <= MOST; n++)
		mth(leaves, n, roots[n]);
	for (size_t to = 1; to <= MOST; to++) {
		for (size_t from = 1; from < to; from++) {
			struct xos_tree_path p = {.n = 0};
			struct growth c = {from, to, roots[from], roots[to]};
			subproof(from, leaves, to, true, &p);
			if (to < 20 || from % 19 == 0)
				mutated(&p, check_growth, &c);
			ck_assert_int_eq(check_growth(&c, &p), XOS_OK);
			/* Swapped, and of other sizes. */
			struct growth other[] = {{to, from, roots[to], roots[from]},
			    {from, to, roots[to], roots[from]}, {from, to, roots[to], roots[to]},
			    {from - 1, to, roots[from], roots[to]},
			    {from + 1, to, roots[from], roots[to]},
			    {from, to, roots[from - 1], roots[to]},
			    {to, to, roots[from], roots[to]}};
			for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
				ck_assert_int_eq(check_growth(&other[i], &p), XOS_MALFORMED);
		}
		struct xos_tree_path none = {.n = 0}, some = {.n = 1};
		struct growth same = {to, to, roots[to], roots[to]};
		struct growth empty = {0, to, roots[0], roots[to]};
		struct growth false_empty = {0, to, roots[1], roots[to]};
		ck_assert_int_eq(check_growth(&same, &none), XOS_OK);
		ck_assert_int_eq(check_growth(&same, &some), XOS_MALFORMED);
		ck_assert_int_eq(check_growth(&empty, &none), XOS_OK);
		ck_assert_int_eq(check_growth(&empty, &some), XOS_MALFORMED);
		ck_assert_int_eq(check_growth(&false_empty, &none), XOS_MALFORMED);
	}
}
END_TEST

/* The tree of eight leaves that implementations of Certificate Transparency test themselves with. */
START_TEST(known_answers)
{
	static const char *const data[] = {"", "00", "10", "2021", "3031", "40414243",
	    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
	static const char *const roots[] = {
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	struct xos_tree tree = {.size = 0};
	uint8_t root[XOS_LOG_HASH], leaf[XOS_LOG_HASH];
	char hex[2 * XOS_LOG_HASH + 1];
	xos_tree_root(&crypto, &tree, root);
	xos_hex_encode(hex, root, sizeof(root));
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < 8; i++) {
		struct xos_buf in;
		xos_buf_init(&in, 64);
		ck_assert_int_eq(xos_hex_decode(&in, data[i], strlen(data[i])), XOS_OK);
		xos_tree_leaf(&crypto, xos_buf_bytes(&in), leaf);
		xos_tree_add(&crypto, &tree, leaf, NULL);
		xos_tree_root(&crypto, &tree, root);
		xos_hex_encode(hex, root, sizeof(root));
		ck_assert_str_eq(hex, roots[i]);
		xos_buf_free(&in);
	}
}
END_TEST

/* From six of these leaves to eight. */
START_TEST(known_growth)
{
	static const char text[] =
	    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
	struct xos_tree_path p;
	struct xos_buf b;
	xos_buf_init(&b, 5 * XOS_LOG_HASH);
	ck_assert_int_eq(xos_hex_decode(&b, text, strlen(text)), XOS_OK);
	ck_assert_int_eq(
	    xos_tree_path_get((struct xos_bytes){b.p, 3 * XOS_LOG_HASH}, &p, NULL), XOS_OK);
	struct growth c = {6, 8, b.p + 3 * XOS_LOG_HASH, b.p + 4 * XOS_LOG_HASH};
	mutated(&p, check_growth, &c);
	xos_buf_free(&b);
}
END_TEST

START_TEST(bytes_are_read_strictly)
{
	struct xos_tree_path p, back = {.n = 3};
	struct xos_log_record r = {.sequence = 9, .time = -1, .type = 5}, got;
	struct xos_buf b;
	uint8_t long_path[(XOS_TREE_PATH_MAX + 1) * XOS_LOG_HASH] = {0};
	r.payload = xos_bytes_str("text");
	xos_buf_init(&b, XOS_LOG_ENTRY_MAX + 1);
	xos_log_entry_put(&b, &r);
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(xos_log_entry_get((struct xos_bytes){b.p, n}, &got, NULL),
		    n < XOS_LOG_ENTRY_FIXED ? XOS_MALFORMED : XOS_OK);
	ck_assert_int_eq(xos_log_entry_get(xos_buf_bytes(&b), &got, NULL), XOS_OK);
	ck_assert(got.sequence == 9 && got.time == -1 && got.type == 5);
	ck_assert(xos_bytes_eq(got.payload, r.payload));
	b.p[16] = b.p[17] = 0xff; /* a seal is no record */
	ck_assert_int_eq(xos_log_entry_get(xos_buf_bytes(&b), &got, NULL), XOS_MALFORMED);
	xos_buf_free(&b);
	for (size_t n = 0; n <= sizeof(long_path); n++)
		ck_assert_int_eq(xos_tree_path_get((struct xos_bytes){long_path, n}, &p, NULL),
		    n % XOS_LOG_HASH == 0 && n <= XOS_TREE_PATH_MAX * XOS_LOG_HASH ? XOS_OK
		                                                                   : XOS_MALFORMED);
	xos_buf_init(&b, sizeof(back.hash));
	memset(back.hash, 7, sizeof(back.hash));
	xos_tree_path_put(&b, &back);
	ck_assert_uint_eq(b.n, 3 * XOS_LOG_HASH);
	ck_assert_int_eq(xos_tree_path_get(xos_buf_bytes(&b), &p, NULL), XOS_OK);
	ck_assert(p.n == 3 && memcmp(p.hash, back.hash, 3 * XOS_LOG_HASH) == 0);
	xos_buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tc = tcase_create("tree");
	tcase_set_timeout(tc, 250);
	tcase_add_test(tc, every_record_of_every_size);
	tcase_add_test(tc, another_record_or_size);
	tcase_add_test(tc, every_pair_of_sizes);
	tcase_add_test(tc, known_answers);
	tcase_add_test(tc, known_growth);
	tcase_add_test(tc, bytes_are_read_strictly);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
