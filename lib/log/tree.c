#include "log/tree.h"

#include <string.h>

void xos_tree_leaf(
    const struct xos_log_crypto *crypto, struct xos_bytes entry, uint8_t out[XOS_LOG_HASH])
{
	uint8_t in[1 + XOS_LOG_ENTRY_MAX];
	size_t n = entry.n < XOS_LOG_ENTRY_MAX ? entry.n : XOS_LOG_ENTRY_MAX;
	in[0] = 0;
	if (n)
		memcpy(in + 1, entry.p, n);
	crypto->sha256(crypto->ctx, (struct xos_bytes){in, 1 + n}, out);
}

void xos_tree_node(const struct xos_log_crypto *crypto, const uint8_t left[XOS_LOG_HASH],
    const uint8_t right[XOS_LOG_HASH], uint8_t out[XOS_LOG_HASH])
{
	uint8_t in[1 + 2 * XOS_LOG_HASH];
	in[0] = 1;
	memcpy(in + 1, left, XOS_LOG_HASH);
	memcpy(in + 1 + XOS_LOG_HASH, right, XOS_LOG_HASH);
	crypto->sha256(crypto->ctx, (struct xos_bytes){in, sizeof(in)}, out);
}

static enum xos_status bad_proof(struct xos_err *err, const char *why)
{
	return xos_err_set(err, XOS_MALFORMED, "log-proof", "the proof does not hold: %s", why);
}

/* ---- proofs ---- */

enum xos_status xos_tree_check_record(const struct xos_log_crypto *crypto,
    const uint8_t leaf[XOS_LOG_HASH], uint64_t sequence, uint64_t size,
    const struct xos_tree_path *path, const uint8_t root[XOS_LOG_HASH], struct xos_err *err)
{
	uint8_t r[XOS_LOG_HASH];
	if (sequence == 0 || sequence > size || path->n > XOS_TREE_PATH_MAX)
		return bad_proof(err, "the tree has no such record");
	uint64_t fn = sequence - 1, sn = size - 1;
	memcpy(r, leaf, sizeof(r));
	for (size_t i = 0; i < path->n; i++) {
		if (sn == 0)
			return bad_proof(err, "it has too many hashes");
		if (fn & 1 || fn == sn) {
			xos_tree_node(crypto, path->hash[i], r, r);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			xos_tree_node(crypto, r, path->hash[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return bad_proof(err, "it has too few hashes");
	if (memcmp(r, root, sizeof(r)) != 0)
		return bad_proof(err, "it leads to another root");
	return XOS_OK;
}

/* 2.1.4.2 for trees of two sizes, the first one not empty. */
static enum xos_status check_growth(const struct xos_log_crypto *crypto, uint64_t from,
    const uint8_t from_root[XOS_LOG_HASH], uint64_t to, const uint8_t to_root[XOS_LOG_HASH],
    const struct xos_tree_path *path, struct xos_err *err)
{
	uint8_t fr[XOS_LOG_HASH], sr[XOS_LOG_HASH];
	uint64_t fn = from - 1, sn = to - 1;
	size_t i = 0;
	if (path->n == 0)
		return bad_proof(err, "it has too few hashes");
	/* A first tree that is complete is a node of the second: the proof leaves it out. */
	memcpy(fr, from & (from - 1) ? path->hash[i++] : from_root, sizeof(fr));
	memcpy(sr, fr, sizeof(sr));
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	for (; i < path->n; i++) {
		if (sn == 0)
			return bad_proof(err, "it has too many hashes");
		if (fn & 1 || fn == sn) {
			xos_tree_node(crypto, path->hash[i], fr, fr);
			xos_tree_node(crypto, path->hash[i], sr, sr);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			xos_tree_node(crypto, sr, path->hash[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return bad_proof(err, "it has too few hashes");
	if (memcmp(fr, from_root, sizeof(fr)) != 0)
		return bad_proof(err, "it leads to another root of the smaller tree");
	if (memcmp(sr, to_root, sizeof(sr)) != 0)
		return bad_proof(err, "it leads to another root of the larger tree");
	return XOS_OK;
}

enum xos_status xos_tree_check_growth(const struct xos_log_crypto *crypto, uint64_t from,
    const uint8_t from_root[XOS_LOG_HASH], uint64_t to, const uint8_t to_root[XOS_LOG_HASH],
    const struct xos_tree_path *path, struct xos_err *err)
{
	uint8_t none[XOS_LOG_HASH];
	if (from > to || path->n > XOS_TREE_PATH_MAX)
		return bad_proof(err, "a tree does not shrink");
	if (from != 0 && from != to)
		return check_growth(crypto, from, from_root, to, to_root, path, err);
	if (path->n != 0)
		return bad_proof(err, "it has too many hashes");
	if (from == to)
		return memcmp(from_root, to_root, XOS_LOG_HASH) == 0
		           ? XOS_OK
		           : bad_proof(err, "two roots for one size");
	crypto->sha256(crypto->ctx, XOS_BYTES_NONE, none);
	return memcmp(from_root, none, XOS_LOG_HASH) == 0
	           ? XOS_OK
	           : bad_proof(err, "the empty tree has another root");
}

/* ---- bytes ---- */

void xos_tree_path_put(struct xos_buf *out, const struct xos_tree_path *path)
{
	xos_buf_put(out, path->hash, path->n * XOS_LOG_HASH);
}

enum xos_status xos_tree_path_get(
    struct xos_bytes in, struct xos_tree_path *path, struct xos_err *err)
{
	if (in.n % XOS_LOG_HASH != 0 || in.n > sizeof(path->hash))
		return xos_err_set(err, XOS_MALFORMED, "log-proof", "%zu bytes are no proof", in.n);
	path->n = in.n / XOS_LOG_HASH;
	if (in.n)
		memcpy(path->hash, in.p, in.n);
	return XOS_OK;
}

void xos_log_entry_put(struct xos_buf *out, const struct xos_log_record *record)
{
	xos_buf_u64(out, record->sequence);
	xos_buf_u64(out, (uint64_t)record->time);
	xos_buf_u16(out, record->type);
	if (record->payload.n)
		xos_buf_put(out, record->payload.p, record->payload.n);
}

enum xos_status xos_log_entry_get(
    struct xos_bytes in, struct xos_log_record *record, struct xos_err *err)
{
	struct xos_log_record got = {.sequence = 0};
	struct xos_reader r;
	uint64_t time = 0;
	xos_reader_init(&r, in);
	if (!xos_reader_u64(&r, &got.sequence) || !xos_reader_u64(&r, &time) ||
	    !xos_reader_u16(&r, &got.type) || r.left > XOS_LOG_PAYLOAD_MAX ||
	    !xos_reader_take(&r, r.left, &got.payload) || got.sequence == 0 ||
	    got.type == XOS_LOG_TYPE_SEAL)
		return xos_err_set(
		    err, XOS_MALFORMED, "log-entry", "the record of the log cannot be read");
	got.time = (int64_t)time;
	*record = got;
	return XOS_OK;
}

/* ---- growing ---- */

void xos_tree_add(const struct xos_log_crypto *crypto, struct xos_tree *tree,
    const uint8_t leaf[XOS_LOG_HASH], struct xos_buf *nodes)
{
	uint8_t h[XOS_LOG_HASH];
	size_t k = 0;
	memcpy(h, leaf, sizeof(h));
	if (nodes)
		xos_buf_put(nodes, h, sizeof(h));
	for (; k < XOS_TREE_PATH_MAX - 1 && tree->size >> k & 1; k++) {
		xos_tree_node(crypto, tree->full[k], h, h);
		if (nodes)
			xos_buf_put(nodes, h, sizeof(h));
	}
	memcpy(tree->full[k], h, sizeof(h));
	tree->size++;
}

void xos_tree_root(
    const struct xos_log_crypto *crypto, const struct xos_tree *tree, uint8_t root[XOS_LOG_HASH])
{
	size_t k = 0;
	if (tree->size == 0) {
		crypto->sha256(crypto->ctx, XOS_BYTES_NONE, root);
		return;
	}
	while (!(tree->size >> k & 1))
		k++;
	memcpy(root, tree->full[k], XOS_LOG_HASH);
	for (k++; k < XOS_TREE_PATH_MAX; k++)
		if (tree->size >> k & 1)
			xos_tree_node(crypto, tree->full[k], root, root);
}
