#ifndef XOS_PROC_READY_H
#define XOS_PROC_READY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Inside xos-proc: the line "ready\n" or "failed STATUS CODE TEXT\n" that a starting process writes. */

#define READY_LINE_MAX (XOS_ERR_CODE_MAX + XOS_ERR_TEXT_MAX + 16)

struct ready_reader {
	int fd; /* -1: nothing more comes */
	char line[READY_LINE_MAX];
	size_t n;
};

/* Writes the line (err NULL: ready). Best effort: whoever started us may be gone. */
void ready_write(int fd, const struct xos_err *err);
/* Takes what is there. *whole: a line has come or no more will. */
void ready_take(struct ready_reader *r, bool *whole);
/* After whole. OK: ready. Otherwise the error it reports; UNAVAILABLE "start-silent" if it said
 * nothing. */
enum xos_status ready_result(const struct ready_reader *r, struct xos_err *err);

#endif
