/* Proofs from a log's files: every record, every pair of sizes; lost and damaged trees; logs from before the tree. */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "log/tree.h"

static char tree_path[160];

static struct xos_log *begin(int n)
{
	ck_assert(xos_str_printf(tree_path, sizeof(tree_path), "%s.tree", path));
	make(n);
	return must_open();
}

static enum xos_status prove_record(
    struct xos_log *log, uint64_t sequence, uint64_t size, struct xos_err *err)
{
	struct xos_tree_path p;
	struct xos_log_record r;
	struct xos_buf entry;
	uint8_t root[XOS_LOG_HASH], leaf[XOS_LOG_HASH];
	xos_buf_init(&entry, XOS_LOG_ENTRY_MAX);
	enum xos_status rc = xos_log_prove_record(log, sequence, size, &p, err);
	if (rc == XOS_OK)
		rc = xos_log_get(log, sequence, &entry, &r, err);
	if (rc == XOS_OK)
		rc = xos_log_root(log, size, root, err);
	if (rc == XOS_OK) {
		ck_assert_uint_eq(r.sequence, sequence);
		ck_assert_uint_eq(r.type, sequence);
		xos_tree_leaf(&crypto, xos_buf_bytes(&entry), leaf);
		ck_assert_int_eq(
		    xos_tree_check_record(&crypto, leaf, sequence, size, &p, root, err), XOS_OK);
	}
	xos_buf_free(&entry);
	return rc;
}

static enum xos_status prove_growth(
    struct xos_log *log, uint64_t from, uint64_t to, struct xos_err *err)
{
	struct xos_tree_path p;
	uint8_t a[XOS_LOG_HASH], b[XOS_LOG_HASH];
	enum xos_status rc = xos_log_prove_growth(log, from, to, &p, err);
	if (rc == XOS_OK)
		rc = xos_log_root(log, from, a, err);
	if (rc == XOS_OK)
		rc = xos_log_root(log, to, b, err);
	if (rc == XOS_OK)
		ck_assert_int_eq(xos_tree_check_growth(&crypto, from, a, to, b, &p, err), XOS_OK);
	return rc;
}

static void all_proofs(struct xos_log *log, uint64_t n)
{
	struct xos_err err = XOS_ERR_INIT;
	for (uint64_t size = 0; size <= n; size++) {
		for (uint64_t s = 1; s <= size; s++)
			ck_assert_msg(prove_record(log, s, size, &err) == XOS_OK, "%s", err.text);
		for (uint64_t from = 0; from <= size; from++)
			ck_assert_msg(
			    prove_growth(log, from, size, &err) == XOS_OK, "%s", err.text);
	}
}

START_TEST(everything_is_proven)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_tree_path p;
	struct xos_log_head head;
	uint8_t root[XOS_LOG_HASH];
	struct xos_log *log = begin(0);
	all_proofs(log, 0);
	append(log, 1, 40);
	all_proofs(log, 40);
	ck_assert_int_eq(xos_log_head_get(log, &head, NULL, &err), XOS_OK);
	ck_assert(head.has_root);
	ck_assert_int_eq(xos_log_root(log, 40, root, &err), XOS_OK);
	ck_assert_mem_eq(root, head.root, sizeof(root));
	xos_log_close(log);
	log = must_open();
	all_proofs(log, 40);
	ck_assert_int_eq(xos_log_prove_record(log, 0, 40, &p, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_prove_record(log, 41, 40, &p, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_prove_record(log, 41, 41, &p, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_prove_record(log, 1, UINT64_MAX, &p, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_prove_growth(log, 1, 41, &p, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_prove_growth(log, 5, 4, &p, &err), XOS_MALFORMED);
	xos_log_close(log);
}
END_TEST

START_TEST(groups_stand_in_the_tree)
{
	struct xos_log *log = begin(0);
	for (int group = 0, n = 1; group < 6; group++) {
		for (int i = 0; i <= group; i++, n++) {
			uint64_t s = 0;
			ck_assert_int_eq(
			    xos_log_stage(log, (uint16_t)n, xos_bytes_str("x"), &s, NULL), XOS_OK);
		}
		ck_assert_int_eq(xos_log_commit(log, NULL), XOS_OK);
	}
	all_proofs(log, 21);
	xos_log_close(log);
}
END_TEST

START_TEST(lost_or_damaged_tree)
{
	struct xos_err err = XOS_ERR_INIT;
	struct stat before, after;
	struct xos_log *log = begin(20);
	struct xos_buf whole = read_all(tree_path);
	/* While the log is open: what is proven is still true, or nothing is. */
	for (size_t i = 8; i < whole.n; i += 3) {
		int fd = open(tree_path, O_WRONLY);
		uint8_t other = whole.p[i] ^ 4;
		ck_assert_int_eq(pwrite(fd, &other, 1, (off_t)i), 1);
		for (uint64_t s = 1; s <= 20; s++) {
			enum xos_status rc = prove_record(log, s, 20, &err);
			ck_assert(rc == XOS_OK || rc == XOS_UNAVAILABLE || rc == XOS_MALFORMED);
			rc = prove_growth(log, s, 20, &err);
			ck_assert(rc == XOS_OK || rc == XOS_UNAVAILABLE);
		}
		ck_assert_int_eq(pwrite(fd, &whole.p[i], 1, (off_t)i), 1);
		close(fd);
	}
	ck_assert_int_eq(truncate(tree_path, 100), 0);
	ck_assert_int_eq(prove_record(log, 19, 20, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.code, "log-tree");
	xos_log_close(log);
	/* Opening repairs it, whatever is there. */
	for (int how = 0; how < 4; how++) {
		whole.p[how * 300 + 3] ^= 1;
		if (how == 0)
			unlink(tree_path);
		else
			write_all(tree_path, whole.p, how == 1 ? whole.n - 50 : whole.n);
		whole.p[how * 300 + 3] ^= 1;
		if (how == 3) { /* of a log that went on and was put back */
			int fd = open(tree_path, O_WRONLY | O_APPEND);
			ck_assert_int_eq(write(fd, whole.p, 72), 72);
			close(fd);
		}
		log = must_open();
		all_proofs(log, 20);
		xos_log_close(log);
		struct xos_buf again = read_all(tree_path);
		ck_assert(xos_bytes_eq(xos_buf_bytes(&again), xos_buf_bytes(&whole)));
		xos_buf_free(&again);
	}
	/* What is right is left alone. */
	ck_assert_int_eq(stat(tree_path, &before), 0);
	log = must_open();
	xos_log_close(log);
	ck_assert_int_eq(stat(tree_path, &after), 0);
	ck_assert_int_eq(before.st_ino, after.st_ino);
	xos_buf_free(&whole);
}
END_TEST

START_TEST(a_changed_record_is_not_given_out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_record r;
	struct xos_buf entry;
	struct xos_log *log = begin(9);
	xos_buf_init(&entry, XOS_LOG_ENTRY_MAX);
	ck_assert_int_eq(xos_log_get(log, 7, &entry, &r, &err), XOS_OK);
	ck_assert(xos_bytes_eq(r.payload, xos_bytes_str("record number 7")));
	struct xos_buf whole = read_all(path);
	int fd = open(path, O_WRONLY);
	for (size_t i = 0; i < 4 + 18 + 15; i++) {
		uint8_t other = whole.p[r.offset + i] ^ 1;
		ck_assert_int_eq(pwrite(fd, &other, 1, (off_t)(r.offset + i)), 1);
		ck_assert_int_eq(xos_log_get(log, 7, &entry, &r, &err), XOS_MALFORMED);
		ck_assert_ptr_nonnull(strstr(err.text, "record 7 at byte"));
		ck_assert_int_eq(pwrite(fd, &whole.p[r.offset + i], 1, (off_t)(r.offset + i)), 1);
	}
	close(fd);
	ck_assert_int_eq(xos_log_get(log, 7, &entry, &r, &err), XOS_OK);
	ck_assert_int_eq(xos_log_get(log, 0, &entry, &r, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_log_get(log, 10, &entry, &r, &err), XOS_NOT_FOUND);
	xos_buf_free(&entry);
	xos_buf_free(&whole);
	xos_log_close(log);
}
END_TEST

/* ---- logs from before the tree ---- */

static struct xos_buf old_file;
static uint8_t old_chain[XOS_LOG_HASH], old_record[XOS_LOG_HASH];

static void chain(struct xos_bytes bytes)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put(&b, "xos-log-chain-v1", 17);
	xos_buf_put(&b, old_chain, XOS_LOG_HASH);
	xos_buf_put(&b, bytes.p, bytes.n);
	toy_hash(NULL, xos_buf_bytes(&b), old_chain);
	xos_buf_free(&b);
}

static void frame(uint64_t sequence, uint16_t type, struct xos_bytes payload)
{
	size_t at = old_file.n;
	xos_buf_u32(&old_file, (uint32_t)(50 + payload.n));
	xos_buf_u64(&old_file, sequence);
	xos_buf_u64(&old_file, 7);
	xos_buf_u16(&old_file, type);
	xos_buf_put(&old_file, payload.p, payload.n);
	chain((struct xos_bytes){old_file.p + at, old_file.n - at});
	xos_buf_put(&old_file, old_chain, XOS_LOG_HASH);
}

/* The seal as programs wrote it that knew no tree; encoded gets the head. */
static void old_seal(uint64_t sequence, struct xos_buf *encoded)
{
	struct xos_log_head head = {.name = "demo/test", .sequence = sequence, .time = 7};
	struct xos_buf signature;
	memcpy(head.hash, old_record, XOS_LOG_HASH);
	xos_buf_init(&signature, 1024);
	xos_buf_init(encoded, 4096);
	ck_assert_int_eq(crypto.sign_head(NULL, &head, &signature, NULL), XOS_OK);
	xos_log_head_encode(encoded, &head, xos_buf_bytes(&signature));
	frame(sequence, 0xffff, xos_buf_bytes(encoded));
	xos_buf_free(&signature);
}

static void put_head(const struct xos_buf *encoded)
{
	uint8_t file[4096] = {0};
	file[3] = (uint8_t)encoded->n;
	ck_assert_uint_lt(encoded->n, 256);
	memcpy(file + 4, encoded->p, encoded->n);
	toy_hash(NULL, (struct xos_bytes){file, 4 + encoded->n}, file + 4 + encoded->n);
	write_all(head_path, file, sizeof(file));
}

static void old_log(int n)
{
	struct xos_buf encoded;
	char text[32];
	ck_assert(xos_str_printf(tree_path, sizeof(tree_path), "%s.tree", path));
	xos_buf_init(&old_file, 1 << 20);
	memset(old_chain, 0, sizeof(old_chain));
	xos_buf_put_str(&old_file, "XOSLOG1\n");
	xos_buf_lp_str(&old_file, "demo/test");
	xos_buf_u64(&old_file, 7);
	chain(xos_buf_bytes(&old_file));
	memcpy(old_record, old_chain, XOS_LOG_HASH);
	old_seal(0, &encoded);
	for (int i = 1; i <= n; i++) {
		ck_assert(xos_str_printf(text, sizeof(text), "record number %d", i));
		frame((uint64_t)i, (uint16_t)i, xos_bytes_str(text));
		memcpy(old_record, old_chain, XOS_LOG_HASH);
		xos_buf_free(&encoded);
		old_seal((uint64_t)i, &encoded);
	}
	write_all(path, old_file.p, old_file.n);
	put_head(&encoded);
	xos_buf_free(&encoded);
}

START_TEST(old_logs_go_on)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log_head head;
	struct xos_bytes signature;
	struct xos_buf encoded;
	old_log(5);
	ck_assert_msg(verify(NULL, &err) == XOS_OK, "%s", err.text);
	struct xos_buf before = read_all(head_path);
	struct xos_log *log = must_open();
	/* From now on, and before the next record. */
	ck_assert_int_eq(xos_log_head_get(log, &head, NULL, &err), XOS_OK);
	ck_assert(head.has_root && head.sequence == 5);
	ck_assert_int_eq(xos_log_head_read(path, &crypto, &encoded, NULL, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_log_head_decode(xos_buf_bytes(&encoded), &head, &signature, &err), XOS_OK);
	ck_assert(head.has_root);
	xos_buf_free(&encoded);
	all_proofs(log, 5);
	append(log, 6, 8);
	all_proofs(log, 8);
	xos_log_close(log);
	ck_assert_int_eq(verify(NULL, &err), XOS_OK);
	/* The power went before the head file reached the disk. */
	write_all(head_path, before.p, before.n);
	ck_assert_int_eq(verify(NULL, &err), XOS_OK);
	log = must_open();
	all_proofs(log, 8);
	xos_log_close(log);
	xos_buf_free(&before);
	xos_buf_free(&old_file);
}
END_TEST

START_TEST(no_way_back_to_heads_without_a_root)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = NULL;
	struct xos_log_head now;
	uint8_t hash_of_record_4[XOS_LOG_HASH];
	struct xos_buf encoded;
	old_log(3);
	log = must_open();
	append(log, 4, 4);
	ck_assert_int_eq(xos_log_head_get(log, &now, NULL, &err), XOS_OK);
	memcpy(hash_of_record_4, now.hash, XOS_LOG_HASH);
	xos_log_close(log);
	/* Whoever has the key goes on as before the tree: the seal after a seal with a root lacks it. */
	struct xos_buf file = read_all(path);
	xos_buf_free(&old_file);
	xos_buf_init(&old_file, 1 << 20);
	xos_buf_put(&old_file, file.p, file.n);
	memcpy(old_chain, file.p + file.n - XOS_LOG_HASH, XOS_LOG_HASH);
	frame(5, 5, xos_bytes_str("record number 5"));
	memcpy(old_record, old_chain, XOS_LOG_HASH);
	old_seal(5, &encoded);
	write_all(path, old_file.p, old_file.n);
	put_head(&encoded);
	ck_assert_int_eq(verify(NULL, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "no root of the tree"));
	ck_assert_int_eq(open_log(&log, &err), XOS_MALFORMED);
	xos_buf_free(&encoded);
	/* Only its head, of a record that had a root: signed, but beside a log that goes back to it. */
	struct xos_log_head head = {.name = "demo/test", .sequence = 4, .time = 9};
	struct xos_buf signature;
	write_all(path, file.p, file.n);
	unlink(head_path);
	memcpy(head.hash, hash_of_record_4, XOS_LOG_HASH);
	xos_buf_init(&signature, 1024);
	xos_buf_init(&encoded, 4096);
	ck_assert_int_eq(crypto.sign_head(NULL, &head, &signature, NULL), XOS_OK);
	xos_log_head_encode(&encoded, &head, xos_buf_bytes(&signature));
	put_head(&encoded);
	ck_assert_int_eq(verify(NULL, &err), XOS_MALFORMED);
	ck_assert_ptr_nonnull(strstr(err.text, "no root of the tree"));
	ck_assert_int_eq(open_log(&log, &err), XOS_MALFORMED);
	xos_buf_free(&signature);
	xos_buf_free(&encoded);
	xos_buf_free(&file);
	xos_buf_free(&old_file);
}
END_TEST

int main(void)
{
	TCase *tc = log_case("prove");
	tcase_add_test(tc, everything_is_proven);
	tcase_add_test(tc, groups_stand_in_the_tree);
	tcase_add_test(tc, lost_or_damaged_tree);
	tcase_add_test(tc, a_changed_record_is_not_given_out);
	tcase_add_test(tc, old_logs_go_on);
	tcase_add_test(tc, no_way_back_to_heads_without_a_root);
	return run_case(tc);
}
