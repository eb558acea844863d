#include "fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"

/*
 * The library takes digest and signature from its caller; these are good enough to tell whether it
 * checks them: every step is a bijection of the state, so a changed byte always changes the result.
 */
void toy_hash(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	uint64_t s[4] = {1, 2, 3, 4};
	(void)ctx;
	for (size_t i = 0; i < in.n; i++) {
		s[i % 4] = (s[i % 4] ^ in.p[i]) * 1099511628211U;
		s[(i + 1) % 4] ^= s[i % 4] >> 29;
	}
	for (int round = 0; round < 8; round++)
		s[(round + 1) % 4] = (s[(round + 1) % 4] ^ s[round % 4]) * 1099511628211U;
	memcpy(out, s, XOS_LOG_HASH);
}

int sign_fails;

static void toy_signature(const struct xos_log_head *head, uint8_t out[XOS_LOG_HASH])
{
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_buf_put_str(&b, "secret");
	xos_log_head_encode(&b, head, XOS_BYTES_NONE);
	toy_hash(NULL, xos_buf_bytes(&b), out);
	xos_buf_free(&b);
}

static enum xos_status toy_sign(
    void *ctx, const struct xos_log_head *head, struct xos_buf *signature, struct xos_err *err)
{
	uint8_t raw[XOS_LOG_HASH];
	(void)ctx;
	if (sign_fails)
		return xos_err_set(err, XOS_UNAVAILABLE, "key-away", "the key is away");
	toy_signature(head, raw);
	xos_buf_put(signature, raw, sizeof(raw));
	return XOS_OK;
}

static enum xos_status toy_verify(
    void *ctx, const struct xos_log_head *head, struct xos_bytes signature, struct xos_err *err)
{
	uint8_t raw[XOS_LOG_HASH];
	(void)ctx;
	toy_signature(head, raw);
	if (xos_bytes_eq(signature, (struct xos_bytes){raw, sizeof(raw)}))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "signature", "wrong signature");
}

const struct xos_log_crypto crypto = {NULL, toy_hash, toy_sign, toy_verify, NULL};
char path[128], head_path[160];
static char dir[64];

static void setup(void)
{
	xos_event_setup("test", XOS_ERROR + 1);
	strcpy(dir, "/tmp/xos-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(xos_path_join(path, sizeof(path), dir, "log"));
	ck_assert(xos_str_printf(head_path, sizeof(head_path), "%s.head", path));
	sign_fails = 0;
}

static void teardown(void)
{
	DIR *d = opendir(dir);
	char file[512];
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && xos_path_join(file, sizeof(file), dir, e->d_name))
			unlink(file);
	closedir(d);
	rmdir(dir);
}

enum xos_status open_log(struct xos_log **log, struct xos_err *err)
{
	struct xos_log_options o = {.path = path, .name = "demo/test", .crypto = &crypto};
	*log = NULL;
	return xos_log_open(&o, log, err);
}

struct xos_log *must_open(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_log *log = NULL;
	ck_assert_msg(open_log(&log, &err) == XOS_OK, "%s", err.text);
	return log;
}

void append(struct xos_log *log, int from, int to)
{
	for (int i = from; i <= to; i++) {
		char text[32];
		uint64_t sequence = 0;
		ck_assert(xos_str_printf(text, sizeof(text), "record number %d", i));
		ck_assert_int_eq(
		    xos_log_append(log, (uint16_t)i, xos_bytes_str(text), &sequence, NULL), XOS_OK);
		ck_assert_uint_eq(sequence, (uint64_t)i);
	}
}

void make(int n)
{
	struct xos_log *log = must_open();
	append(log, 1, n);
	xos_log_close(log);
}

struct xos_buf read_all(const char *name)
{
	struct xos_buf b;
	ck_assert_int_eq(xos_file_read(name, 1 << 24, &b, NULL), XOS_OK);
	return b;
}

void write_all(const char *name, const uint8_t *p, size_t n)
{
	ck_assert_int_eq(xos_file_write(name, 0600, (struct xos_bytes){p, n}, NULL), XOS_OK);
}

enum xos_status verify(struct xos_log_report *report, struct xos_err *err)
{
	return xos_log_verify_file(path, &crypto, NULL, NULL, report, err);
}

uint64_t offsets[64];

enum xos_status see(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	char text[32];
	(void)err;
	++*(int *)ctx;
	ck_assert_int_eq(r->sequence, *(int *)ctx);
	ck_assert(xos_str_printf(text, sizeof(text), "record number %d", *(int *)ctx));
	ck_assert(xos_bytes_eq(r->payload, xos_bytes_str(text)));
	ck_assert_int_eq(r->type, *(int *)ctx);
	offsets[r->sequence] = r->offset;
	return XOS_OK;
}

TCase *log_case(const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_set_timeout(tc, 250);
	tcase_add_checked_fixture(tc, setup, teardown);
	return tc;
}

int run_case(TCase *tc)
{
	Suite *suite = suite_create("log");
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
