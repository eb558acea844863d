/* The lines of the journal of leases: "lease UID JOB MEMBER NUMBER TIME", "held UID TIME WHY", "free UID TIME". */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "credd/leases.h"

#define LINE_MAX_BYTES 400

static const char *const names[] = {
    [XOS_LEASE_TAKEN] = "lease", [XOS_LEASE_HELD] = "held", [XOS_LEASE_FREE] = "free"};

/* The next word, cut out of the text; NULL: there is none. The last may hold blanks (rest). */
static char *word(char **at, bool rest)
{
	char *w = *at, *end;
	if (!w || !*w)
		return NULL;
	end = rest ? NULL : strchr(w, ' ');
	if (end)
		*end = '\0';
	*at = end ? end + 1 : NULL;
	return *w ? w : NULL;
}

static bool number(const char *w, uint64_t max, uint64_t *v)
{
	return w && xos_parse_u64(w, max, v);
}

static bool read_taken(char **at, struct xos_credd_lease *l)
{
	const char *job = word(at, false), *member = word(at, false), *num = word(at, false);
	return job && member && xos_local_job_valid(job) &&
	       xos_str_copy(l->job, sizeof(l->job), job) &&
	       xos_str_copy(l->member, sizeof(l->member), member) &&
	       number(num, UINT32_MAX, &l->number);
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

bool xos_credd_lease_line_read(struct xos_bytes in, struct xos_credd_lease_line *out)
{
	char text[LINE_MAX_BYTES + 1], *at = text;
	struct xos_credd_lease_line line = {.event = XOS_LEASE_TAKEN};
	uint64_t uid = 0, time = 0;
	if (!in.n || in.n > LINE_MAX_BYTES || memchr(in.p, 0, in.n))
		return false;
	memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	const char *what = printable(text) ? word(&at, false) : NULL, *why = NULL;
	unsigned event = 0;
	while (what && event < 3 && strcmp(names[event], what) != 0)
		event++;
	if (!what || event == 3 || !number(word(&at, false), INT32_MAX, &uid))
		return false;
	line.event = (enum xos_credd_lease_event)event;
	line.lease.uid = (uint32_t)uid;
	if (line.event == XOS_LEASE_TAKEN && !read_taken(&at, &line.lease))
		return false;
	if (!number(word(&at, false), INT64_MAX, &time))
		return false;
	line.lease.since = (int64_t)time;
	if (line.event == XOS_LEASE_HELD &&
	    (!(why = word(&at, true)) ||
	        !xos_str_copy(line.lease.why, sizeof(line.lease.why), why)))
		return false;
	if (at)
		return false;
	*out = line;
	return true;
}

void xos_credd_lease_line_write(struct xos_buf *out, const struct xos_credd_lease_line *line)
{
	const struct xos_credd_lease *l = &line->lease;
	xos_buf_printf(out, "%s %u ", names[line->event], l->uid);
	if (line->event == XOS_LEASE_TAKEN)
		xos_buf_printf(
		    out, "%s %s %llu ", l->job, l->member, (unsigned long long)l->number);
	xos_buf_printf(out, "%lld", (long long)l->since);
	if (line->event == XOS_LEASE_HELD)
		xos_buf_printf(out, " %s", l->why);
	xos_buf_put_str(out, "\n");
}
