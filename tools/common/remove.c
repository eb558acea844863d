#include "cli/remove.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum xos_status xos_cli_remove_tree(const char *dir, struct xos_err *err)
{
	if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
		return xos_err_errno(err, errno, "remove", "cannot remove all of %s", dir);
	return XOS_OK;
}
