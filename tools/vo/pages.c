/* Lists that come in pages, so that the authority never holds all of one in one answer. */
#include <stdio.h>

#include "vo/verbs.h"

#define PAGE_MAX 10000

static enum xos_status next_after(
    const struct xos_json *last, const char *field, char *after, size_t cap, struct xos_err *err)
{
	const char *text = NULL;
	if (field)
		return xos_json_copy_string(last, field, after, cap, err);
	enum xos_status st = xos_json_as_string(last, cap - 1, &text, err);
	if (!st)
		snprintf(after, cap, "%s", text);
	return st;
}

enum xos_status vo_pages(const struct xos_cli *cli, const char *verb, const struct xos_json *args,
    const char *key, const char *field, struct xos_json *into, struct xos_err *err)
{
	char after[512] = "";
	bool more = true;
	while (more) {
		struct xos_json *ask = args ? xos_json_copy(args) : xos_json_object(), *page = NULL;
		const struct xos_json *items = NULL;
		if (after[0])
			xos_json_set_string(ask, "after", after);
		enum xos_status st = xos_cli_command(cli, "ca", verb, ask, &page, err);
		if (!st)
			st = xos_json_get_array(page, key, PAGE_MAX, &items, err);
		if (!st)
			st = xos_json_get_bool(page, "more", &more, err);
		size_t n = xos_json_count(items);
		for (size_t i = 0; !st && i < n; i++)
			xos_json_add(into, xos_json_copy(xos_json_at(items, i)));
		if (!st && n > 0)
			st =
			    next_after(xos_json_at(items, n - 1), field, after, sizeof(after), err);
		more = more && n > 0;
		xos_json_free(page);
		if (st)
			return st;
		if (more)
			xos_cli_progress(cli, "%zu so far", xos_json_count(into));
	}
	xos_cli_progress(cli, "%s", "");
	return XOS_OK;
}
