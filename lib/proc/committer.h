#ifndef XOS_PROC_COMMITTER_H
#define XOS_PROC_COMMITTER_H

#include <stdbool.h>

#include "base/status.h"

/* Inside xos-proc: a thread that runs one commit at a time, so that requests are taken while the disk is waited for. */
struct committer;

enum xos_status committer_new(enum xos_status (*commit)(void *ctx, struct xos_err *err), void *ctx,
    struct committer **out, struct xos_err *err);
/* Waits for a commit that runs. NULL-safe. */
void committer_free(struct committer *c);
/* Readable when a commit has ended. */
int committer_fd(const struct committer *c);
/* None runs: starts one. */
void committer_begin(struct committer *c);
/* true: the commit has ended, with this result; the next may begin. */
bool committer_end(struct committer *c, enum xos_status *rc, struct xos_err *err);

#endif
