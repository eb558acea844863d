#include "proc/privdrop.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XOS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define XOS_ASAN 1
#endif

enum xos_status xos_proc_harden(struct xos_err *err)
{
	struct rlimit none = {0, 0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return xos_err_errno(err, errno, "harden", "cannot set no_new_privs");
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return xos_err_errno(err, errno, "harden", "cannot switch core dumps off");
#ifndef XOS_ASAN
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return xos_err_errno(err, errno, "harden", "cannot become undumpable");
#endif
	return XOS_OK;
}

/* Everything that could bring root back must fail now. */
static enum xos_status check_gone(const struct xos_proc_user *to, struct xos_err *err)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0 || r != to->uid ||
	    e != to->uid || s != to->uid || rg != to->gid || eg != to->gid || sg != to->gid)
		return xos_err_set(
		    err, XOS_INTERNAL, "privdrop", "the change of user did not hold");
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0)
		return xos_err_set(err, XOS_INTERNAL, "privdrop", "root could be regained");
	return XOS_OK;
}

static enum xos_status drop(const struct xos_proc_user *to, struct xos_err *err)
{
	int death_signal = 0;
	pid_t parent = getppid();
	if (prctl(PR_GET_PDEATHSIG, &death_signal) != 0)
		return xos_err_errno(err, errno, "privdrop", "cannot read the parent-death signal");
	if (setgroups(to->ngroups, to->groups) != 0)
		return xos_err_errno(err, errno, "privdrop", "cannot set the supplementary groups");
	if (setresgid(to->gid, to->gid, to->gid) != 0)
		return xos_err_errno(
		    err, errno, "privdrop", "cannot become gid %u", (unsigned)to->gid);
	if (setresuid(to->uid, to->uid, to->uid) != 0)
		return xos_err_errno(
		    err, errno, "privdrop", "cannot become uid %u", (unsigned)to->uid);
	enum xos_status rc = check_gone(to, err);
	if (rc != XOS_OK)
		return rc;
	/* The kernel clears it on a change of user; the parent may have died meanwhile. */
	if (death_signal && (prctl(PR_SET_PDEATHSIG, death_signal) != 0 || getppid() != parent))
		return xos_err_set(err, XOS_UNAVAILABLE, "privdrop", "the parent process has died");
	return XOS_OK;
}

enum xos_status xos_privdrop(const struct xos_proc_user *to, bool *skipped, struct xos_err *err)
{
	bool other = false;
	if (skipped)
		*skipped = false;
	if (to && (to->uid == 0 || to->gid == 0))
		return xos_err_set(err, XOS_MALFORMED, "privdrop",
		    "a service cannot drop to root; name an ordinary user");
	if (to && geteuid() == 0) {
		enum xos_status rc = drop(to, err);
		if (rc != XOS_OK)
			return rc;
	} else if (to) {
		other = to->uid != geteuid() || to->gid != getegid();
	}
	if (skipped)
		*skipped = other;
	return xos_proc_harden(err);
}
