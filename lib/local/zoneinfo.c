#include "local/zoneinfo.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

bool xos_zoneinfo_name_ok(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	static const char others[] = "0123456789_+-";
	bool start = true;
	size_t n = strlen(name);
	if (n == 0 || n > XOS_ZONEINFO_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool letter = strchr(letters, name[i]), other = strchr(others, name[i]);
		if (name[i] == '/' ? start : !letter && (start || !other))
			return false;
		start = name[i] == '/';
	}
	return !start;
}

enum xos_status xos_zoneinfo_read(
    const char *dir, const char *name, struct xos_buf *out, struct xos_err *err)
{
	char path[PATH_MAX];
	xos_buf_init(out, XOS_ZONEINFO_MAX);
	if (!xos_zoneinfo_name_ok(name))
		return xos_err_set(err, XOS_MALFORMED, "zone-name",
		    "'%.63s' is not the name of a time zone; write one such as Europe/Paris", name);
	if (!xos_str_printf(path, sizeof(path), "%s/%s", dir ? dir : XOS_ZONEINFO_DIR, name))
		return xos_err_set(err, XOS_LIMIT, "zone-path",
		    "the path of the folder of time zones is too long");
	return xos_file_read(path, XOS_ZONEINFO_MAX, out, err);
}
