#ifndef XOS_VOPS_INIT_H
#define XOS_VOPS_INIT_H

#include "service/main.h"

/* init --dir DIR --vo NAME, without a running server. */
enum xos_status vops_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);

#endif
