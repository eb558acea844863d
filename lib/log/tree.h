#ifndef XOS_LOG_TREE_H
#define XOS_LOG_TREE_H

#include "log/log.h"

/*
 * The Merkle tree over the records of a log (RFC 9162, section 2.1): its hashes, and the checking of proofs by
 * whoever holds a signed head. No I/O and no memory of its own: clients use this without having the log.
 *
 * Leaf i (from 0) is record i + 1; seals are no leaves. Its hash is H(0x00 || entry), where
 *   entry = u64 sequence, i64 time, u16 type, payload
 * are the record's bytes as they stand in its frame, so that a proof covers all four. Two nodes have the parent
 * H(0x01 || left || right); the root of nothing is H(""). Of `crypto` only sha256 is used.
 */
#define XOS_TREE_PATH_MAX 64 /* hashes: a tree of 2^63 leaves needs no more */
#define XOS_LOG_ENTRY_FIXED 18
#define XOS_LOG_ENTRY_MAX (XOS_LOG_ENTRY_FIXED + XOS_LOG_PAYLOAD_MAX)

/* A proof: the hashes in the order in which the RFC's algorithms take them. */
struct xos_tree_path {
	uint8_t hash[XOS_TREE_PATH_MAX][XOS_LOG_HASH];
	size_t n;
};

/* entry: at most XOS_LOG_ENTRY_MAX bytes. */
void xos_tree_leaf(
    const struct xos_log_crypto *crypto, struct xos_bytes entry, uint8_t out[XOS_LOG_HASH]);
void xos_tree_node(const struct xos_log_crypto *crypto, const uint8_t left[XOS_LOG_HASH],
    const uint8_t right[XOS_LOG_HASH], uint8_t out[XOS_LOG_HASH]);

/*
 * Is this the leaf of the record `sequence` in the tree of `size` records with that root (2.1.3.2)? OK, or MALFORMED
 * "log-proof". Neither too many nor too few hashes pass, nor another sequence or size.
 */
XOS_MUST_USE enum xos_status xos_tree_check_record(const struct xos_log_crypto *crypto,
    const uint8_t leaf[XOS_LOG_HASH], uint64_t sequence, uint64_t size,
    const struct xos_tree_path *path, const uint8_t root[XOS_LOG_HASH], struct xos_err *err);
/*
 * Are the first `from` records of the second tree those of the first (2.1.4.2)? Trees of one size take an empty path
 * and equal roots; an empty first tree takes an empty path.
 */
XOS_MUST_USE enum xos_status xos_tree_check_growth(const struct xos_log_crypto *crypto,
    uint64_t from, const uint8_t from_root[XOS_LOG_HASH], uint64_t to,
    const uint8_t to_root[XOS_LOG_HASH], const struct xos_tree_path *path, struct xos_err *err);

/* A path as bytes: its hashes one after another. MALFORMED "log-proof" for a length that is none. */
void xos_tree_path_put(struct xos_buf *out, const struct xos_tree_path *path);
XOS_MUST_USE enum xos_status xos_tree_path_get(
    struct xos_bytes in, struct xos_tree_path *path, struct xos_err *err);

/* An entry as bytes and back; of *record sequence, time, type and payload (borrowed) are set. */
void xos_log_entry_put(struct xos_buf *out, const struct xos_log_record *record);
XOS_MUST_USE enum xos_status xos_log_entry_get(
    struct xos_bytes in, struct xos_log_record *record, struct xos_err *err);

/*
 * A tree that grows at its end: only the roots of the complete subtrees that it is made of, 2 KiB whatever the size.
 * All zero is the empty tree.
 */
struct xos_tree {
	uint64_t size;
	uint8_t full[XOS_TREE_PATH_MAX][XOS_LOG_HASH]; /* [k] counts where size has bit k */
};
/* nodes (may be NULL) gets the hash of each subtree that this leaf completes, the leaf's first. */
void xos_tree_add(const struct xos_log_crypto *crypto, struct xos_tree *tree,
    const uint8_t leaf[XOS_LOG_HASH], struct xos_buf *nodes);
void xos_tree_root(
    const struct xos_log_crypto *crypto, const struct xos_tree *tree, uint8_t root[XOS_LOG_HASH]);

#endif
