#include "proc/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>

#include "base/event.h"
#include "proc/confine.h"

enum xos_status xos_sandbox_enter(const struct xos_sandbox *s, struct xos_err *err)
{
	const char *weak = NULL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return xos_err_errno(err, errno, "sandbox", "cannot set no_new_privs");
	enum xos_status rc = s->any_path ? XOS_OK : confine_paths(s, &weak, err);
	if (rc == XOS_OK && weak)
		XOS_EVENT(XOS_WARN, "sandbox.weak", "sandbox", s->name, "missing", weak);
	weak = NULL;
	if (rc == XOS_OK)
		rc = confine_calls(s, &weak, err);
	if (rc == XOS_OK && weak)
		XOS_EVENT(XOS_WARN, "sandbox.weak", "sandbox", s->name, "missing", weak);
	return rc == XOS_OK ? rc : xos_err_prefix(err, rc, "sandbox %s", s->name);
}
