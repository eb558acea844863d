/*
 * The formatter: what parses keeps its meaning and its comments, and what is formatted stays as it is;
 * and the layout alone, which knows little of the grammar, on any tokens at all.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/format.h"
#include "policy/format_unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const struct xos_buf *out)
{
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] == '\n' && i && strchr(" \t\r", out->p[i - 1]))
			abort();
		if (i > 1 && out->p[i] == '\n' && out->p[i - 1] == '\n' && out->p[i - 2] == '\n')
			abort();
	}
	if (out->n && (out->p[0] == '\n' || out->p[out->n - 1] != '\n'))
		abort();
}

static void check_layout(const char *text, size_t n)
{
	struct xos_buf once, twice;
	xos_buf_init(&once, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&twice, XOS_POLICY_TEXT_MAX);
	if (xos_format_text(text, n, &once) == XOS_OK) {
		check_lines(&once);
		if (!xos_format_same(text, n, (const char *)once.p, once.n))
			abort();
		enum xos_status status = xos_format_text((const char *)once.p, once.n, &twice);
		if (status != XOS_LIMIT &&
		    (status || !xos_bytes_eq(xos_buf_bytes(&once), xos_buf_bytes(&twice))))
			abort();
	}
	xos_buf_free(&once);
	xos_buf_free(&twice);
}

static char *canonical(const struct xos_policy_set *set)
{
	struct xos_buf out;
	xos_buf_init(&out, 256u << 20);
	xos_policy_set_text(set, &out);
	char *text = xos_buf_steal(&out, NULL);
	if (!text)
		abort();
	return text;
}

static void check_meaning(const struct xos_policy_set *set, const char *text, size_t n)
{
	struct xos_policy_set *again;
	struct xos_buf out;
	xos_buf_init(&out, XOS_POLICY_TEXT_MAX);
	enum xos_status status = xos_policy_format(text, n, "fuzz", &out, NULL);
	if (status == XOS_OK) {
		if (xos_policy_set_parse((const char *)out.p, out.n, "again", &again, NULL))
			abort();
		char *a = canonical(set), *b = canonical(again);
		if (strcmp(a, b) != 0)
			abort();
		free(a);
		free(b);
		xos_policy_set_unref(again);
	} else if (status != XOS_LIMIT) {
		abort();
	}
	xos_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct xos_policy_set *set;
	check_layout(text, size);
	if (xos_policy_set_parse(text, size, "fuzz", &set, NULL) == XOS_OK)
		check_meaning(set, text, size);
	xos_policy_set_unref(set);
	return 0;
}
