#ifndef XOS_PROC_CGROUP_INTERNAL_H
#define XOS_PROC_CGROUP_INTERNAL_H

#include "proc/cgroup.h"

/* One write, as the kernel wants it. */
XOS_MUST_USE enum xos_status xos_cgroup_write(
    const char *dir, const char *name, const char *text, struct xos_err *err);
/* What fits, as text; false: cannot be read. */
bool xos_cgroup_read(const char *dir, const char *name, char *out, size_t cap);

#endif
