#include <string.h>

#include "base/file.h"
#include "policytool/verbs.h"

enum xos_status xos_policytool_read(const char *path, struct xos_policy_set **set,
    struct xos_policy_errors *errs, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status status;

	*set = NULL;
	memset(errs, 0, sizeof(*errs));
	/* One byte more than a set may have, so that the parser says what is wrong. */
	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	status = xos_file_read(path, XOS_POLICY_TEXT_MAX, &text, err);
	if (status == XOS_OK)
		status = xos_policy_set_parse((const char *)text.p, text.n, path, set, errs);
	if (status != XOS_OK && errs->n) {
		const struct xos_policy_error *e = &errs->list[0];
		xos_err_set(err, status, "policy-malformed", "%s:%u:%u: %s%s%s%s", path, e->line,
		    e->col, e->text, e->hint[0] ? " (" : "", e->hint, e->hint[0] ? ")" : "");
	}
	xos_buf_free(&text);
	return status;
}
