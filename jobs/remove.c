#include "jobs/remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 256

static void empty(int fd, dev_t dev, int depth);

static void remove_entry(int fd, const char *name, dev_t dev, int depth)
{
	struct stat sb;
	int sub;

	if (unlinkat(fd, name, 0) == 0)
		return;
	if (fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(sb.st_mode) ||
	    sb.st_dev != dev)
		return;
	if (depth < DEPTH_MAX) {
		/* Root needs no permission, and must not change the mode of what a link put here
		 * meanwhile points to. */
		if (geteuid() != 0 && (sb.st_mode & 0700) != 0700 &&
		    fchmodat(fd, name, 0700, 0) != 0)
			return;
		sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			empty(sub, dev, depth + 1);
	}
	unlinkat(fd, name, AT_REMOVEDIR);
}

/* Takes fd. */
static void empty(int fd, dev_t dev, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_entry(fd, e->d_name, dev, depth);
	closedir(d);
}

void xos_remove_below(const char *path)
{
	struct stat sb;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &sb) == 0)
		empty(fd, sb.st_dev, 0);
	else
		close(fd);
}
