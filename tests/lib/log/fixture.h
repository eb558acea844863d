#ifndef XOS_TEST_LOG_FIXTURE_H
#define XOS_TEST_LOG_FIXTURE_H

/* A log in a folder of its own for each test, with a digest and a signature that are toys. */

#include <check.h>

#include "log/log.h"

extern const struct xos_log_crypto crypto;
extern char path[128], head_path[160]; /* of the log and of its head */
extern int sign_fails;                 /* the key is away */

void toy_hash(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH]);

enum xos_status open_log(struct xos_log **log, struct xos_err *err);
struct xos_log *must_open(void);
/* Records from..to, with their number as type and in the text: see() knows them again. */
void append(struct xos_log *log, int from, int to);
void make(int n); /* a log of n records, closed */
struct xos_buf read_all(const char *name);
void write_all(const char *name, const uint8_t *p, size_t n);
enum xos_status verify(struct xos_log_report *report, struct xos_err *err);

extern uint64_t offsets[64]; /* of the records that see() has seen */
/* For xos_log_verify_file: ctx is an int, how many records were seen. */
enum xos_status see(void *ctx, const struct xos_log_record *r, struct xos_err *err);

/* A case whose tests each begin with an empty folder. */
TCase *log_case(const char *name);
int run_case(TCase *tc); /* the result of main */

#endif
