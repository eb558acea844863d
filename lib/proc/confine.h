#ifndef XOS_PROC_CONFINE_H
#define XOS_PROC_CONFINE_H

#include "proc/sandbox.h"

/* Inside xos-proc: the two halves of a sandbox. *weak: why it is not there, or untouched. */
enum xos_status confine_paths(const struct xos_sandbox *s, const char **weak, struct xos_err *err);
enum xos_status confine_calls(const struct xos_sandbox *s, const char **weak, struct xos_err *err);

#endif
