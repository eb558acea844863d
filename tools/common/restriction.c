#include "cli/restriction.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/restriction.h"

#define DEFAULT_RESTRICTION                                                                        \
	"delegation by user \"%s\" { check action in {file.read, file.write, job.show}; }"
#define FILE_MAX 65536

static enum xos_status read_all(int fd, struct xos_buf *out, struct xos_err *err)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		xos_buf_put(out, chunk, (size_t)n);
	if (n < 0 || xos_buf_status(out) != XOS_OK)
		return xos_err_set(err, XOS_LIMIT, "restriction",
		    "standard input: cannot be read, or longer than %d bytes", FILE_MAX);
	return XOS_OK;
}

enum xos_status xos_cli_restriction(
    const char *file, const char *member, struct xos_buf *out, struct xos_err *err)
{
	const char *name = file ? file : "the default restriction";
	struct xos_policy_set *set = NULL;
	struct xos_buf text;
	enum xos_status st = XOS_OK;

	xos_buf_init(&text, FILE_MAX);
	if (!file)
		xos_buf_printf(&text, DEFAULT_RESTRICTION, member);
	else if (strcmp(file, "-") == 0)
		st = read_all(STDIN_FILENO, &text, err);
	else
		st = xos_file_read(file, FILE_MAX, &text, err);
	if (st == XOS_OK)
		st = xos_policy_set_load((const char *)text.p, text.n, name, &set, err);
	if (st == XOS_OK && xos_policy_set_level(set) != XOS_POLICY_DELEGATION)
		st = xos_err_set(err, XOS_MALFORMED, "restriction",
		    "%s: a restriction is written as: delegation by user \"%s\" { check ...; }",
		    name, member);
	if (st == XOS_OK)
		st = xos_restriction_encode(set, out, err);
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	return st;
}
