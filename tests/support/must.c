#include "testsupport/must.h"

#include <stdio.h>
#include <stdlib.h>

void xos_test_must(
    enum xos_status st, const struct xos_err *err, const char *what, const char *file, int line)
{
	if (st == XOS_OK)
		return;
	fprintf(stderr, "%s:%d: preparation failed: %s\n  %s: %s\n", file, line, what,
	    xos_status_name(st), err ? err->text : "");
	abort();
}
