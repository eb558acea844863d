#include "jobs/pump.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"

#define CHUNK 65536

static void store(struct xos_pump *p, const uint8_t *buf, size_t n)
{
	size_t take = n < p->left ? n : (size_t)p->left;

	if (take > 0 && xos_fd_write_all(p->out, (struct xos_bytes){buf, take}, NULL) != XOS_OK)
		take = 0;
	p->left -= take;
	p->dropped += n - take;
}

bool xos_pump_run(struct xos_pump *p, uint64_t max)
{
	uint8_t buf[CHUNK];
	uint64_t done = 0;

	if (p->in < 0)
		return false;
	while (done < max) {
		ssize_t n = read(p->in, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			close(p->in);
			p->in = -1;
			return false;
		}
		store(p, buf, (size_t)n);
		done += (uint64_t)n;
	}
	return true;
}
