/* A report of a process that was taken over: read whole or not at all, and its text is always lines of metrics. */
#include <stdlib.h>
#include <string.h>

#include "service/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		if (!strchr(line, '\n'))
			abort();
		if (strncmp(line, "# HELP ", 7) != 0 && strncmp(line, "# TYPE ", 7) != 0 &&
		    !(*line >= 'a' && *line <= 'z'))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_report *r = calloc(1, sizeof(*r));
	struct xos_buf again, text;

	if (!r)
		return 0;
	xos_buf_init(&again, XOS_REPORT_MAX);
	xos_buf_init(&text, 1024 * 1024);
	if (xos_report_decode((struct xos_bytes){data, size}, r, NULL) == XOS_OK) {
		xos_report_text(r, &text);
		if (xos_buf_str(&text))
			check_lines(xos_buf_str(&text));
		xos_report_encode(&again, r);
	}
	xos_buf_free(&text);
	xos_buf_free(&again);
	free(r);
	return 0;
}
