#include "proc/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(XOS_PASS_MAX * sizeof(int))];
};

enum xos_status xos_fds_send(int sock, const int *fds, size_t n, struct xos_err *err)
{
	char word = 'F';
	struct iovec iov = {&word, 1};
	union control c = {.room = {0}};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = c.room,
	    .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	if (n == 0 || n > XOS_PASS_MAX)
		return xos_err_set(err, XOS_INTERNAL, "pass", "wrong use of xos_fds_send");
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	if (sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		return XOS_OK;
	return xos_err_errno(err, errno, "pass", "cannot hand descriptors over");
}

/* All descriptors that came, whatever else is wrong: none may stay open unknown. */
static size_t take_all(struct msghdr *m, int got[XOS_PASS_MAX])
{
	size_t count = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n && count < XOS_PASS_MAX; i++)
			memcpy(&got[count++], CMSG_DATA(h) + i * sizeof(int), sizeof(int));
	}
	return count;
}

enum xos_status xos_fds_receive(int sock, int *fds, size_t n, struct xos_err *err)
{
	char word[2];
	struct iovec iov = {word, sizeof(word)};
	union control c = {.room = {0}};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = c.room,
	    .msg_controllen = sizeof(c.room)};
	int got[XOS_PASS_MAX];
	ssize_t len = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return xos_err_set(err, XOS_NOT_FOUND, "pass", "nothing was handed over");
	if (len <= 0)
		return xos_err_set(err, XOS_UNAVAILABLE, "pass", "the other side is gone");
	size_t count = take_all(&m, got);
	if (len == 1 && word[0] == 'F' && count == n && !(m.msg_flags & MSG_CTRUNC)) {
		memcpy(fds, got, n * sizeof(int));
		return XOS_OK;
	}
	for (size_t i = 0; i < count; i++)
		close(got[i]);
	return xos_err_set(err, XOS_MALFORMED, "pass", "not the descriptors that were expected");
}
