/* glibc has no wrappers, and libkeyutils would be one more library in programs of others. */
#include "credential/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long search(const char *name)
{
	return syscall(
	    SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_SESSION_KEYRING, "user", name, 0L);
}

bool xos_keyring_get(const char *name, char *out, size_t cap)
{
	long key = search(name);
	long n = key < 0 ? -1 : syscall(SYS_keyctl, (long)KEYCTL_READ, key, out, cap);
	/* The kernel gives the whole length, also of what did not fit. */
	if (n <= 0 || (size_t)n >= cap || memchr(out, 0, (size_t)n)) {
		out[0] = '\0';
		return false;
	}
	out[n] = '\0';
	return true;
}

static enum xos_status failed(struct xos_err *err)
{
	if (errno == EDQUOT)
		return xos_err_set(err, XOS_LIMIT, "keyring-quota",
		    "the kernel keeps as many keys for this user as it may (keyctl(1), "
		    "/proc/key-users): the choice is not kept; name the credential instead");
	(void)xos_err_errno(err, errno, "keyring",
	    "the session's keyring cannot be used here: the choice is not kept; name the "
	    "credential "
	    "instead");
	if (err)
		err->status = XOS_UNAVAILABLE;
	return XOS_UNAVAILABLE;
}

enum xos_status xos_keyring_set(const char *name, const char *word, struct xos_err *err)
{
	if (word) {
		long key = syscall(
		    SYS_add_key, "user", name, word, strlen(word), (long)KEY_SPEC_SESSION_KEYRING);
		return key < 0 ? failed(err) : XOS_OK;
	}
	long key = search(name);
	if (key < 0)
		return XOS_OK;
	return syscall(SYS_keyctl, (long)KEYCTL_UNLINK, key, (long)KEY_SPEC_SESSION_KEYRING) < 0
	           ? failed(err)
	           : XOS_OK;
}
