/* What a server makes of packets from a process that was taken over: u16 length, packet, and so on. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "proc/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum xos_status on_any(
    void *ctx, size_t from, struct xos_bytes in, struct xos_buf *reply, struct xos_err *err)
{
	(void)ctx;
	(void)from;
	if (in.n == 3)
		return xos_err_set(err, XOS_DENIED, "three", "no");
	xos_buf_put(reply, in.p, in.n);
	return XOS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xos_channel_handler table[] = {
	    {1, "any", 1, on_any}, {2, "none", 2, on_any}};
	struct xos_channel *ch = NULL;
	struct xos_reader r;
	struct xos_bytes packet;
	uint16_t n;
	int fds[2];
	xos_event_setup("fuzz", XOS_ERROR + 1);
	if (xos_channel_pair(fds, NULL) != XOS_OK || xos_channel_new(fds[1], &ch, NULL) != XOS_OK)
		abort();
	xos_reader_init(&r, (struct xos_bytes){data, size});
	while (xos_reader_u16(&r, &n) && xos_reader_take(&r, n, &packet))
		if (n > 0 && send(fds[0], packet.p, packet.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	/* No more will come: the serving ends by itself. */
	shutdown(fds[0], SHUT_WR);
	struct xos_channel_server server = {
	    .channels = &ch, .nchannels = 1, .table = table, .ntable = 2, .signal_fd = -1};
	if (xos_channel_serve(&server, NULL) != XOS_OK)
		abort();
	close(fds[0]);
	xos_channel_free(ch);
	return 0;
}
