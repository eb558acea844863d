/* Arguments of a daemon's verbs. */
#include <string.h>

#include "service/main.h"

/* Is argv[i] "NAME" or "NAME=..."? Then its value, and how many arguments it takes. */
static const char *value_at(int argc, char **argv, int i, const char *name, int *takes)
{
	size_t n = strlen(name);
	if (strncmp(argv[i], name, n) != 0)
		return NULL;
	*takes = 1;
	if (argv[i][n] == '=')
		return argv[i] + n + 1;
	if (argv[i][n] != '\0')
		return NULL;
	*takes = 2;
	return i + 1 < argc ? argv[i + 1] : NULL;
}

enum xos_status xos_service_arg(int *argc, char **argv, const char *name, bool required,
    const char **value, struct xos_err *err)
{
	const char *found = NULL;
	for (int i = 1; i < *argc;) {
		int takes = 0;
		const char *v = value_at(*argc, argv, i, name, &takes);
		if (!v && takes == 2)
			return xos_err_set(err, XOS_MALFORMED, "usage", "%s needs a value", name);
		if (!v) {
			i++;
			continue;
		}
		if (found)
			return xos_err_set(err, XOS_MALFORMED, "usage", "%s is given twice", name);
		found = v;
		for (int k = i; k + takes <= *argc; k++)
			argv[k] = argv[k + takes]; /* the closing NULL comes along */
		*argc -= takes;
	}
	if (!found && required)
		return xos_err_set(err, XOS_MALFORMED, "usage", "%s is needed", name);
	*value = found;
	return XOS_OK;
}

bool xos_service_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name) != 0)
			continue;
		for (int k = i; k + 1 <= *argc; k++)
			argv[k] = argv[k + 1];
		(*argc)--;
		return true;
	}
	return false;
}

enum xos_status xos_service_args_end(int argc, char **argv, struct xos_err *err)
{
	if (argc <= 1)
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "usage", "unexpected argument \"%s\"", argv[1]);
}
