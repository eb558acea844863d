#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testsupport/must.h"
#include "testsupport/vo.h"

char *xos_test_dir_new(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xos_test_path(tmp && tmp[0] ? tmp : "/tmp", "xos-test-XXXXXX");
	MUST_TRUE(mkdtemp(path));
	return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void xos_test_dir_free(char *dir)
{
	if (!dir)
		return;
	MUST_TRUE(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	free(dir);
}

char *xos_test_path(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *path = malloc(n);
	MUST_TRUE(path);
	snprintf(path, n, "%s/%s", dir, name);
	return path;
}
