#ifndef XOS_TESTSUPPORT_HEADS_H
#define XOS_TESTSUPPORT_HEADS_H

#include "json/json.h"
#include "log/log.h"
#include "pki/key.h"
#include "testsupport/vo.h"

/* Logs of a VO and their signed heads, for tests. As vo.h: what fails ends the test. */

/* Certificate and key that sign heads of the accounting; *out is zeroed by the caller, who clears it. */
void xos_test_accounting(const struct xos_test_vo *v, struct xos_chain *out);
/* A head of that log with hashes that follow from name and n. */
void xos_test_head(const char *name, uint64_t n, int64_t time, struct xos_log_head *out);
/* As bundles carry it; beside NULL: without a certificate. Appended. */
void xos_test_head_carried(const struct xos_log_head *h, const struct xos_key *key,
    const struct xos_cert *beside, struct xos_buf *out);
/* {"head", "chain"}, as an authority answers. */
struct xos_json *xos_test_head_doc(
    const struct xos_log_head *h, const struct xos_key *key, const struct xos_cert *cert);

/* A log on disk, in dir, whose heads `key` signs; name: "demo/ca". */
struct xos_test_log;
struct xos_test_log *xos_test_log_new(const char *dir, const char *name, const struct xos_key *key);
void xos_test_log_free(struct xos_test_log *l);
/* n records that say `word`. */
void xos_test_log_grow(struct xos_test_log *l, size_t n, const char *word);
/* Its newest head. */
struct xos_log_head xos_test_log_head(struct xos_test_log *l);
/* {"from", "to", "path"} */
struct xos_json *xos_test_log_growth(struct xos_test_log *l, uint64_t from, uint64_t to);

#endif
