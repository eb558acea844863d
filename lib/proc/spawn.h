#ifndef XOS_PROC_SPAWN_H
#define XOS_PROC_SPAWN_H

#include <stddef.h>

/* Inside xos-proc, between fork and exec: only async-signal-safe calls. */

/* Default dispositions, nothing blocked. */
void spawn_reset_signals(void);
/* Moves fds[i] to number 3 + i without close-on-exec and closes everything above. -1 on failure. */
int spawn_place_fds(const int *fds, size_t n);
/* Tells the parent through fd why exec failed, and ends. */
_Noreturn void spawn_exec_failed(int fd, const char *what);

#endif
