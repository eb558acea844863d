#ifndef XOS_LOG_SCAN_H
#define XOS_LOG_SCAN_H

#include "log/log.h"
#include "log/tree.h"
#include "log/treefile.h"

/* Inside xos-log: the file's format, and reading it frame by frame while checking the chain. */

#define LOG_MAGIC "XOSLOG1\n"
#define LOG_DOMAIN "xos-log-chain-v1"          /* its NUL is hashed too */
#define FRAME_FIXED (8 + 8 + 2 + XOS_LOG_HASH) /* what the length counts beside the payload */
#define FRAME_MAX (4 + FRAME_FIXED + XOS_LOG_PAYLOAD_MAX)

/* Where a log stands after a frame. */
struct log_state {
	uint64_t offset;              /* of the next frame */
	uint64_t sequence;            /* of the last record */
	uint8_t chain[XOS_LOG_HASH];  /* over every frame, seals too */
	uint8_t record[XOS_LOG_HASH]; /* the chain as of the last record: what a head names */
	struct xos_tree tree;         /* over the records so far */
};

enum scan_kind {
	SCAN_RECORD,
	SCAN_SEAL,
	SCAN_END,  /* the bytes end between two frames */
	SCAN_TORN, /* the bytes end within a frame */
	SCAN_BAD   /* a frame that cannot be right; err says why */
};

struct scan {
	const struct xos_log_source *source;
	const struct xos_log_crypto *crypto;
	char name[XOS_LOG_NAME_MAX + 1];
	struct log_state now;
	struct log_state sealed; /* as of the last seal */
	bool any_seal;
	bool rooted;         /* a seal so far has a root: all later ones must */
	struct xos_buf seal; /* the last seal's encoded head */
	uint64_t bad_record;
	uint8_t *buf;
	size_t start, end;
	struct xos_buf *entries; /* NULL, or where what belongs into PATH.tree is appended */
};

/* Reads the header. MALFORMED "log-damaged" if it is none. */
enum xos_status scan_begin(struct scan *s, const struct xos_log_source *source,
    const struct xos_log_crypto *crypto, struct xos_err *err);
void scan_end(struct scan *s);
/* One frame. Status other than OK: the source could not be read. */
enum xos_status scan_next(
    struct scan *s, enum scan_kind *kind, struct xos_log_record *r, struct xos_err *err);

/* chain = SHA-256(domain, chain, bytes) */
void log_chain(
    const struct xos_log_crypto *crypto, uint8_t chain[XOS_LOG_HASH], struct xos_bytes bytes);
void log_put_header(struct xos_buf *out, const char *name, int64_t created);
/* A frame with zeros where its hash goes. */
void log_put_frame(
    struct xos_buf *out, uint64_t sequence, int64_t time, uint16_t type, struct xos_bytes payload);
bool log_name_valid(const char *name);
/* Counts the record in a whole frame in the tree; entries as in struct scan. */
void log_count_record(const struct xos_log_crypto *crypto, struct log_state *state,
    struct xos_bytes frame, struct xos_buf *entries);

/* What proofs are made from: the newest signed head, and files that reach at least as far. */
struct log_view {
	struct xos_log_head head;
	struct tree_file *tree;
	const struct xos_log_crypto *crypto;
	int fd;
};
/* UNAVAILABLE if there is no tree to prove from. */
enum xos_status log_view(struct xos_log *log, struct log_view *v, struct xos_err *err);

/* The file PATH.head. */
struct head_file {
	int fd;
	unsigned next; /* the slot to be written next */
};
enum xos_status head_file_path(char *out, size_t cap, const char *path, struct xos_err *err);
/* The newest copy; NOT_FOUND if there is no file, MALFORMED if no copy is good. */
enum xos_status head_file_read(const char *path, const struct xos_log_crypto *crypto,
    struct xos_buf *encoded, bool *damaged, unsigned *next, struct xos_err *err);
enum xos_status head_file_create(const char *path, mode_t mode, const struct xos_log_crypto *crypto,
    struct xos_bytes encoded, struct xos_err *err);
enum xos_status head_file_open(const char *path, struct head_file *h, struct xos_err *err);
enum xos_status head_file_put(struct head_file *h, const struct xos_log_crypto *crypto,
    struct xos_bytes encoded, struct xos_err *err);

/* A file as a source; ctx is the int. */
ssize_t log_read_fd(void *ctx, void *p, size_t n);

/*
 * What log_check found. The whole file is checked against the head; see xos_log_verify for the
 * messages.
 */
enum xos_status log_check(struct scan *s, const struct xos_log_head *head,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err);

#endif
