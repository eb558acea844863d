/* The serial in the head of a set replaced, and not a byte else. */
#include <stdio.h>
#include <string.h>

#include "policy/format.h"
#include "policy/lexer.h"

static bool is(const struct xos_policy_token *t, const char *word)
{
	return t->kind == XOS_TOKEN_WORD && t->len == strlen(word) &&
	       memcmp(t->text, word, t->len) == 0;
}

/* Where the number stands that the head gives as the serial. The text parses, so the first `serial` before the
 * first brace is the one; a head without it (a delegation) has none. */
static bool find(const char *text, size_t len, size_t *start, size_t *end)
{
	struct xos_policy_lexer lexer;
	struct xos_policy_token t;
	bool after = false;

	xos_policy_lexer_init(&lexer, text, len);
	for (;;) {
		xos_policy_lexer_next(&lexer, &t);
		if (t.kind == XOS_TOKEN_END || t.kind == XOS_TOKEN_ERROR ||
		    (t.kind == XOS_TOKEN_OP && t.len == 1 && t.text[0] == '{'))
			return false;
		if (after && t.kind == XOS_TOKEN_WORD) {
			*start = t.start;
			*end = t.start + t.len;
			return true;
		}
		after = is(&t, "serial");
	}
}

enum xos_status xos_policy_renumber(
    const char *text, size_t len, uint64_t serial, struct xos_buf *out, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	char number[24];
	size_t start = 0, end = 0, before = out->n;

	if (!find(text, len, &start, &end))
		return xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "the head of the set has no serial that could be replaced");
	snprintf(number, sizeof(number), "%llu", (unsigned long long)serial);
	xos_buf_put(out, text, start);
	xos_buf_put_str(out, number);
	xos_buf_put(out, text + end, len - end);
	enum xos_status st = xos_buf_status(out);
	if (st != XOS_OK)
		return xos_err_set(err, st, "set-size", "the renumbered set does not fit");
	st = xos_policy_set_load(
	    (const char *)out->p + before, out->n - before, "renumbered set", &set, err);
	if (st == XOS_OK && xos_policy_set_serial(set) != serial)
		st = xos_err_set(err, XOS_INTERNAL, "set-serial", "the serial was not replaced");
	xos_policy_set_unref(set);
	return st;
}
