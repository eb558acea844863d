#include "jobs/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"

#define PACKET_MAX (XOS_REPORT_TEXT + 16)

void xos_report_send(int fd, enum xos_report_kind kind, uint32_t value, const char *text)
{
	char cut[XOS_REPORT_TEXT];
	struct xos_buf b;

	snprintf(cut, sizeof(cut), "%s", text ? text : "");
	xos_buf_init(&b, PACKET_MAX);
	xos_buf_u8(&b, (uint8_t)kind);
	xos_buf_u32(&b, value);
	xos_buf_lp_str(&b, cut);
	if (xos_buf_status(&b) == XOS_OK)
		while (send(fd, b.p, b.n, MSG_NOSIGNAL) < 0 && errno == EINTR)
			;
	xos_buf_free(&b);
}

enum xos_status xos_report_receive(int fd, struct xos_report *r)
{
	struct xos_report f = {0};
	struct xos_reader in;
	uint8_t raw[PACKET_MAX], kind = 0;
	ssize_t n;

	do
		n = recv(fd, raw, sizeof(raw), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return XOS_UNAVAILABLE;
	if (n <= 0)
		return XOS_NOT_FOUND;
	xos_reader_init(&in, (struct xos_bytes){raw, (size_t)n});
	xos_reader_u8(&in, &kind);
	xos_reader_u32(&in, &f.value);
	xos_reader_lp_str(&in, f.text, sizeof(f.text));
	if (xos_reader_end(&in) != XOS_OK || kind < XOS_REPORT_STARTED || kind > XOS_REPORT_KILL)
		return XOS_MALFORMED;
	f.kind = kind;
	*r = f;
	return XOS_OK;
}
