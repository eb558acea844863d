#ifndef XOS_RCA_INIT_H
#define XOS_RCA_INIT_H

#include "service/main.h"

/* The verbs that work without a running server; see rca/main.c for their arguments. */
enum xos_status rca_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status rca_verb_issue(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);

#endif
