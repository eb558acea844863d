/* xos NOUN ARGUMENT...: runs xos-NOUN, from the folder of this program or along PATH. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { EXIT_USAGE = 2, EXIT_UNDECIDED = 3 };

static bool is_noun(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n < 64 && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static bool own_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Daemons end in d and are for systemd and xos-server to run, but they are tools, too: all are shown, but
 * for the monitor, which only xos-jobd can start. */
static void list_nouns(void)
{
	char dir[PATH_MAX], path[PATH_MAX];
	char *names[128];
	size_t n = 0;
	DIR *d = own_folder(dir) ? opendir(dir) : NULL;
	for (struct dirent *e; d && n < 128 && (e = readdir(d));) {
		if (strncmp(e->d_name, "xos-", 4) == 0 && is_noun(e->d_name + 4) &&
		    strcmp(e->d_name, "xos-job-monitor") != 0 &&
		    xos_str_printf(path, sizeof(path), "%s/%s", dir, e->d_name) &&
		    access(path, X_OK) == 0 && (names[n] = strdup(e->d_name + 4)))
			n++;
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		printf("  %s\n", names[i]);
		free(names[i]);
	}
}

static int help(void)
{
	printf("xos: runs the tools of XOS by their noun\n\nUsage:\n  xos NOUN [ARGUMENT...]\n"
	       "\nNouns here (xos NOUN --help shows what one takes):\n");
	list_nouns();
	printf("\nExamples:\n  xos login alice\n  xos token show --json\n"
	       "  xos job submit --wait -- sh -c 'id -u'\n"
	       "\nExit status: that of xos-NOUN; 2 if there is none.\n");
	return fflush(stdout) == 0 ? 0 : EXIT_UNDECIDED;
}

/* Does the program stand in a folder of PATH? exec's errno cannot tell: it also speaks of folders that
 * could not be searched, or are none. */
static bool along_path(const char *name)
{
	char path[PATH_MAX];
	const char *dir = getenv("PATH");
	for (size_t n; dir; dir = dir[n] ? dir + n + 1 : NULL) {
		n = strcspn(dir, ":");
		if (xos_str_printf(
		        path, sizeof(path), "%.*s/%s", n ? (int)n : 1, n ? dir : ".", name) &&
		    access(path, F_OK) == 0)
			return true;
	}
	return false;
}

static int usage(void)
{
	fprintf(stderr, "Try: xos --help\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	char dir[PATH_MAX], path[PATH_MAX], name[80];
	if (argc < 2) {
		fprintf(stderr, "xos: say which tool\n");
		return usage();
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help();
	if (strcmp(argv[1], "--version") == 0) {
		printf("xos %s\n", XOS_VERSION);
		return 0;
	}
	if (!is_noun(argv[1]) || !xos_str_printf(name, sizeof(name), "xos-%s", argv[1])) {
		xos_text_clean(argv[1]);
		fprintf(stderr, "xos: \"%s\" is no noun\n", argv[1]);
		return usage();
	}
	argv[1] = name;
	if (own_folder(dir) && xos_str_printf(path, sizeof(path), "%s/%s", dir, name))
		execv(path, argv + 1);
	execvp(name, argv + 1);
	int why = errno;
	if (!along_path(name)) {
		fprintf(stderr, "xos: there is no %s here nor along PATH\n", name);
		return usage();
	}
	fprintf(stderr, "xos: cannot run %s: %s\n", name, strerror(why));
	return EXIT_UNDECIDED;
}
