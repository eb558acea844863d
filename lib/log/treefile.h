#ifndef XOS_LOG_TREEFILE_H
#define XOS_LOG_TREEFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "log/tree.h"

/*
 * Inside xos-log: PATH.tree, from which proofs are made without reading the log. It only grows: for each record the u64
 * offset of its frame, its leaf hash, and the hash of every subtree that it completes. Where anything stands follows
 * from its number alone, so there is no index. It says nothing that the log does not say: opening the log compares it
 * with the log and writes anew what differs, so it is never synced, and may be lost.
 */
struct tree_file {
	int fd;
	atomic_bool lost; /* could not be written: no proofs until the log is opened anew */
};

/* Opens or creates; what is in it counts only after tree_rebuild_end. */
enum xos_status tree_file_open(
    const char *path, mode_t mode, struct tree_file *f, struct xos_err *err);
void tree_file_close(struct tree_file *f);
/* What belongs to a record: offset and nodes, appended to out. Counts it in the tree. */
void tree_file_entry(const struct xos_log_crypto *crypto, struct xos_tree *tree, uint64_t offset,
    const uint8_t leaf[XOS_LOG_HASH], struct xos_buf *out);
/* Writes entries of the records from index on. */
enum xos_status tree_file_put(
    struct tree_file *f, uint64_t index, struct xos_bytes entries, struct xos_err *err);

/* While a whole log is read: brings the file to what the log says. The reader appends to entries. */
struct tree_rebuild {
	struct tree_file *file;
	struct xos_buf entries;
	uint64_t index; /* of the first record in entries */
	bool changed;
};
void tree_rebuild_begin(struct tree_rebuild *b, struct tree_file *f);
/* After each record; ctx is the struct tree_rebuild. */
enum xos_status tree_rebuild_record(void *ctx, const struct xos_log_record *r, struct xos_err *err);
/* Ends the file after so many records. */
enum xos_status tree_rebuild_end(struct tree_rebuild *b, uint64_t records, struct xos_err *err);
void tree_rebuild_free(struct tree_rebuild *b);

/* Record `index` (from 0): where its frame begins, and its leaf hash. */
enum xos_status tree_file_record(struct tree_file *f, uint64_t index, uint64_t *offset,
    uint8_t leaf[XOS_LOG_HASH], struct xos_err *err);
/* The root over the records [from, from + n), n > 0, from being a multiple of the least power of two not below n. */
enum xos_status tree_file_range(struct tree_file *f, const struct xos_log_crypto *crypto,
    uint64_t from, uint64_t n, uint8_t root[XOS_LOG_HASH], struct xos_err *err);

#endif
