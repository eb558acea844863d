/* What the job service reads about a job that runs: the first byte chooses the form. What is remembered encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/standing.h"
#include "jobs/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void standing(struct xos_bytes in)
{
	struct xos_job_standing s;
	struct xos_buf b;

	if (xos_standing_decode(in, &s, NULL) != XOS_OK)
		return;
	xos_buf_init(&b, XOS_STANDING_MAX);
	xos_standing_encode(&b, &s);
	if (xos_buf_status(&b) != XOS_OK || !xos_bytes_eq(xos_buf_bytes(&b), in))
		abort();
	xos_buf_free(&b);
}

static void asked(struct xos_bytes in)
{
	struct xos_job_asked a;

	if (xos_asked_decode(in, &a, NULL) == XOS_OK && strlen(a.source) >= sizeof(a.source))
		abort();
}

/* Whatever is said of others, and however it is said: what was not asked about stays as it is. */
static void words(struct xos_bytes in)
{
	static const struct xos_word_question q[] = {{.id = "a"}, {.id = "b"}};
	struct xos_words *w = calloc(1, sizeof(*w));

	if (w && xos_word_read(in, q, 2, w, NULL) == XOS_OK)
		for (size_t i = 0; i < XOS_LOCAL_STANDING_JOBS; i++)
			if ((i > 1 && w->of[i].kind != XOS_WORD_NOTHING) || w->of[i].after < 0)
				abort();
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const forms[])(struct xos_bytes) = {standing, asked, words};

	if (size < 1)
		return 0;
	forms[data[0] % (sizeof(forms) / sizeof(forms[0]))]((struct xos_bytes){data + 1, size - 1});
	return 0;
}
