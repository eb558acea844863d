#ifndef XOS_LOG_LOG_H
#define XOS_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * An append-only file of records, each hashed together with the hash before it. Every group of
 * records that is written ends with a seal: the signed head {name, sequence, hash, time} as it then
 * stood. The newest head also stands in PATH.head, so that cutting the file shows. Heads carry the
 * root of a Merkle tree over the records (tree.h), so that one record, or the growth of the log, can
 * be proven without the log; what proofs are made from stands in PATH.tree. This library knows no
 * record type and no cryptography: digests and signatures come from the caller. The format is in
 * docs/protocols/log-format.md.
 *
 * Cost: appending keeps 2 KiB for the tree, and takes one leaf hash, one node hash on average, and
 * log2(n) for the root of each group; PATH.tree has 72 bytes a record. A proof reads and hashes a few
 * times log2(n) nodes. Opening reads the whole log once.
 */
#define XOS_LOG_HASH 32
#define XOS_LOG_NAME_MAX 63
#define XOS_LOG_PAYLOAD_MAX (64 * 1024)
#define XOS_LOG_SIGNATURE_MAX 1024
#define XOS_LOG_TYPE_SEAL 0xffff /* not for callers */

struct xos_log_head {
	char name[XOS_LOG_NAME_MAX + 1];
	uint64_t sequence; /* of the last record; 0: none yet */
	uint8_t hash[XOS_LOG_HASH];
	int64_t time; /* when it was signed */
	/* Of the tree over the records 1 to sequence. Heads from before there was a tree have none; where
	 * one head of a log has it, all later ones must. */
	bool has_root;
	uint8_t root[XOS_LOG_HASH];
};

struct xos_log_crypto {
	void *ctx;
	void (*sha256)(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH]);
	/* Only for writing. signature is initialised, at most XOS_LOG_SIGNATURE_MAX bytes. */
	enum xos_status (*sign_head)(void *ctx, const struct xos_log_head *head,
	    struct xos_buf *signature, struct xos_err *err);
	/* OK, or DENIED for a signature that is not ours; NULL (readers without the key) checks the
	 * chain only. */
	enum xos_status (*verify_head)(void *ctx, const struct xos_log_head *head,
	    struct xos_bytes signature, struct xos_err *err);
	/* Did the key that signs now sign this head, which is verified? A log whose last seal is of the key before
	 * is sealed anew when it is opened. NULL: there is one key only. */
	bool (*is_current)(void *ctx, const struct xos_log_head *head, struct xos_bytes signature);
};

/* ---- writing ---- */

struct xos_log;

struct xos_log_options {
	const char *path;
	const char *name; /* [a-z0-9._/-]+, part of every head: "demo/issuance" */
	mode_t mode;      /* of new files; 0: 0600 */
	const struct xos_log_crypto *crypto; /* with sha256, sign_head and verify_head; copied */
};

/*
 * Opens or creates, and checks the whole chain against the newest signed head. What stands after
 * the last seal was never acknowledged: it is cut, with an event, and kept in PATH.cut-OFFSET.
 * Damage or a missing record before that refuses: MALFORMED ("log-damaged", "log-cut", "log-head"),
 * naming the record. A second writer is refused: CONFLICT.
 */
XOS_MUST_USE enum xos_status xos_log_open(
    const struct xos_log_options *o, struct xos_log **out, struct xos_err *err);
void xos_log_close(struct xos_log *log); /* commits what is staged; NULL-safe */

/*
 * Appends and returns when the record is on the disk and covered by a signed head. Threads may call
 * it at the same time: whoever comes first writes for all that wait. *sequence (may be NULL) counts
 * from 1. UNAVAILABLE when it could not be written: it does not count then, whether or not its bytes
 * reached the disk, and the log must be opened anew.
 */
XOS_MUST_USE enum xos_status xos_log_append(struct xos_log *log, uint16_t type,
    struct xos_bytes payload, uint64_t *sequence, struct xos_err *err);
/*
 * The same in two steps, for a server that answers many requests after one sync: a staged record is
 * nothing until xos_log_commit has returned OK. On failure of the commit all staged records are
 * gone.
 */
XOS_MUST_USE enum xos_status xos_log_stage(struct xos_log *log, uint16_t type,
    struct xos_bytes payload, uint64_t *sequence, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_log_commit(struct xos_log *log, struct xos_err *err);

/* The newest signed head and its encoded form (see xos_log_head_decode); encoded may be NULL. */
XOS_MUST_USE enum xos_status xos_log_head_get(
    struct xos_log *log, struct xos_log_head *head, struct xos_buf *encoded, struct xos_err *err);

/* ---- proving ---- */

/* All of these: size, to: at most the newest head's sequence (else NOT_FOUND). UNAVAILABLE "log-tree": PATH.tree could
 * not be written or is damaged, which opening the log repairs; nothing that the newest signed root does not confirm is
 * given out. Any thread. */
struct xos_tree_path;
XOS_MUST_USE enum xos_status xos_log_root(
    struct xos_log *log, uint64_t size, uint8_t root[XOS_LOG_HASH], struct xos_err *err);
/* For xos_tree_check_record. */
XOS_MUST_USE enum xos_status xos_log_prove_record(struct xos_log *log, uint64_t sequence,
    uint64_t size, struct xos_tree_path *path, struct xos_err *err);
/* For xos_tree_check_growth. */
XOS_MUST_USE enum xos_status xos_log_prove_growth(struct xos_log *log, uint64_t from, uint64_t to,
    struct xos_tree_path *path, struct xos_err *err);
/* One acknowledged record by its number, compared with its leaf (MALFORMED "log-damaged"). record (without hash) borrows
 * from entry, which is initialised by the caller with room for XOS_LOG_ENTRY_MAX, is overwritten, and may be used again and
 * again. */
struct xos_log_record;
XOS_MUST_USE enum xos_status xos_log_get(struct xos_log *log, uint64_t sequence,
    struct xos_buf *entry, struct xos_log_record *record, struct xos_err *err);

/* ---- reading ---- */

struct xos_log_record {
	uint64_t sequence;
	int64_t time;
	uint16_t type;
	struct xos_bytes payload;   /* lives until the next record is read */
	uint8_t hash[XOS_LOG_HASH]; /* the chain up to and with this record */
	uint64_t offset;            /* where its frame begins in the file */
};

/* Where the bytes of a log come from: a file, an HTTP body. The count read, 0 at the end, -1 on
 * error. */
struct xos_log_source {
	void *ctx;
	ssize_t (*read)(void *ctx, void *p, size_t n);
};

/* An encoded head: u8 2, lp(name) u64 sequence, 32 bytes hash, i64 time, 32 bytes root, lp(signature);
 * without a root the first byte and the root are not there. signature borrows. */
void xos_log_head_encode(
    struct xos_buf *out, const struct xos_log_head *head, struct xos_bytes signature);
XOS_MUST_USE enum xos_status xos_log_head_decode(struct xos_bytes in, struct xos_log_head *head,
    struct xos_bytes *signature, struct xos_err *err);
/* The newest head from PATH.head, encoded; verified if crypto can. *damaged (may be NULL): one of
 * its two copies is damaged. */
XOS_MUST_USE enum xos_status xos_log_head_read(const char *path,
    const struct xos_log_crypto *crypto, struct xos_buf *encoded, bool *damaged,
    struct xos_err *err);

struct xos_log_report {
	char name[XOS_LOG_NAME_MAX + 1];
	uint64_t records;                  /* good ones, from the first on */
	uint64_t head_sequence;            /* what the signed head says */
	uint64_t bad_record;               /* 0: none */
	uint64_t bad_offset;               /* of its frame */
	uint64_t missing_from, missing_to; /* 0: none */
	uint64_t tail_bytes; /* after the last seal: being written, or never acknowledged */
};

/*
 * Checks a whole log against an encoded signed head. each (may be NULL) sees every record after its
 * hash was checked, and stops the run by returning other than OK. MALFORMED with a text such as
 * "record 17 at byte 3012: the hash does not match" or "records 18 to 20 are missing: the signed
 * head says 20".
 */
XOS_MUST_USE enum xos_status xos_log_verify(const struct xos_log_source *source,
    struct xos_bytes encoded_head, const struct xos_log_crypto *crypto,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err);
/* The same for PATH and PATH.head. Works while a writer appends. */
XOS_MUST_USE enum xos_status xos_log_verify_file(const char *path,
    const struct xos_log_crypto *crypto,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err);

/* Reads acknowledged records from a sequence on, checking the chain. */
struct xos_log_reader;
XOS_MUST_USE enum xos_status xos_log_reader_open(const char *path, uint64_t from,
    const struct xos_log_crypto *crypto, struct xos_log_reader **out, struct xos_err *err);
/* *more false: no further record is acknowledged (ask again later). */
XOS_MUST_USE enum xos_status xos_log_reader_next(
    struct xos_log_reader *r, struct xos_log_record *record, bool *more, struct xos_err *err);
void xos_log_reader_close(struct xos_log_reader *r);

#endif
