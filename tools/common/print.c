#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define JSON_OUT_MAX (64 * 1024 * 1024)
#define PAIR_WIDTH 17
#define LINE_MAX_BYTES 8192

enum xos_status xos_cli_print_json(struct xos_json *doc, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, JSON_OUT_MAX);
	enum xos_status st = xos_json_dump_pretty(doc, &b, err);
	if (st == XOS_OK)
		fwrite(b.p, 1, b.n, stdout); /* a failed write shows when main flushes */
	xos_json_free(doc);
	xos_buf_free(&b);
	return st;
}

void xos_cli_say_list(const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	vsnprintf(text, sizeof(text), fmt, ap);
	xos_text_clean(text);
	printf("%s\n", text);
}

void xos_cli_say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	xos_cli_say_list(fmt, ap);
	va_end(ap);
}

void xos_cli_print_text(FILE *out, const char *text)
{
	char line[LINE_MAX_BYTES];
	while (*text) {
		size_t n = strcspn(text, "\n"), k = n < sizeof(line) ? n : sizeof(line) - 1;
		memcpy(line, text, k);
		line[k] = '\0';
		xos_text_clean(line);
		fprintf(out, "%s%s", line, k == n ? "\n" : "");
		text += k + (k == n && text[k] == '\n');
	}
}

void xos_cli_print_pair(const char *key, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], left[64];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	xos_text_clean(text);
	snprintf(left, sizeof(left), "%s%s", key, *key ? ":" : "");
	xos_text_clean(left); /* keys, too, come from peers */
	printf("%-*s %s\n", PAIR_WIDTH, left, text);
}

void xos_cli_progress(const struct xos_cli *cli, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	if (cli->json || !isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	xos_text_clean(text);
	fprintf(stderr, "\r\033[K%s", text);
	if (text[0] == '\0')
		fflush(stderr);
}
