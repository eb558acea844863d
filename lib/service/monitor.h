#ifndef XOS_SERVICE_MONITOR_H
#define XOS_SERVICE_MONITOR_H

#include <stdint.h>

#include "base/status.h"
#include "service/bulk.h"
#include "service/health.h"

/*
 * In the network process: a thread that asks the other processes for their reports (report.h) about once
 * a second, so that /health/ready and /metrics answer at once, whatever those are doing, and say when one
 * of them does not answer any more.
 */
struct xos_monitor;

XOS_MUST_USE enum xos_status xos_monitor_new(struct xos_monitor **out, struct xos_err *err);
/* name: "auth", literal. type: the message without payload that is answered with a report. Registers
 * its part of health and metrics. Before serving; bulk and health are borrowed. */
XOS_MUST_USE enum xos_status xos_monitor_watch(struct xos_monitor *m, struct xos_health *health,
    const char *name, struct xos_bulk *bulk, uint16_t type, struct xos_err *err);
/* The same without metrics: of several processes of one kind only one can have them. name outlives m. */
XOS_MUST_USE enum xos_status xos_monitor_watch_quietly(struct xos_monitor *m,
    struct xos_health *health, const char *name, struct xos_bulk *bulk, uint16_t type,
    struct xos_err *err);
/* Asks each once, then starts the thread: call it after the sandbox closed, before serving. */
XOS_MUST_USE enum xos_status xos_monitor_start(struct xos_monitor *m, struct xos_err *err);
void xos_monitor_free(struct xos_monitor *m); /* waits for the thread; NULL-safe */

#endif
