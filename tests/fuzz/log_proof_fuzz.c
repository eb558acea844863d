/* Proofs and records from a stranger: u8 what, u64 a, u64 b, u16 length of the path, the path, the entry. */
#include <string.h>

#include "log/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cheap, but other inputs give other results. */
static void sum(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	uint64_t s = 14695981039346656037U;
	(void)ctx;
	for (size_t i = 0; i < in.n; i++)
		s = (s ^ in.p[i]) * 1099511628211U;
	for (size_t i = 0; i < XOS_LOG_HASH; i++)
		out[i] = (uint8_t)(s >> i % 8 * 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xos_log_crypto crypto = {.sha256 = sum};
	struct xos_log_record record;
	struct xos_tree_path path;
	struct xos_reader r;
	struct xos_bytes in;
	struct xos_buf back;
	uint8_t what = 0, root[XOS_LOG_HASH] = {0}, leaf[XOS_LOG_HASH];
	uint64_t a = 0, b = 0;
	uint16_t n = 0;

	xos_reader_init(&r, (struct xos_bytes){data, size});
	xos_reader_u8(&r, &what);
	xos_reader_u64(&r, &a);
	xos_reader_u64(&r, &b);
	if (!xos_reader_u16(&r, &n) || !xos_reader_take(&r, n, &in) ||
	    xos_tree_path_get(in, &path, NULL) != XOS_OK)
		return 0;
	xos_buf_init(&back, sizeof(path.hash));
	xos_tree_path_put(&back, &path);
	if (!xos_bytes_eq(xos_buf_bytes(&back), in))
		__builtin_trap();
	xos_buf_free(&back);
	if (what & 1) {
		if (xos_tree_check_growth(&crypto, a, root, b, root, &path, NULL) == XOS_OK &&
		    a > b)
			__builtin_trap();
		return 0;
	}
	if (xos_log_entry_get((struct xos_bytes){r.p, r.left}, &record, NULL) != XOS_OK)
		return 0;
	xos_buf_init(&back, XOS_LOG_ENTRY_MAX);
	xos_log_entry_put(&back, &record);
	if (!xos_bytes_eq(xos_buf_bytes(&back), (struct xos_bytes){r.p, r.left}))
		__builtin_trap();
	xos_tree_leaf(&crypto, xos_buf_bytes(&back), leaf);
	xos_buf_free(&back);
	if (xos_tree_check_record(&crypto, leaf, a, b, &path, root, NULL) == XOS_OK &&
	    (a == 0 || a > b))
		__builtin_trap();
	return 0;
}
