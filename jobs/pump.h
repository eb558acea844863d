#ifndef XOS_JOBS_PUMP_H
#define XOS_JOBS_PUMP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Copies a job's output from its pipe to its file, up to a cap; what comes after, or what the disk
 * does not take, is read and counted, so that a job never blocks on its own output.
 */
struct xos_pump {
	int in, out; /* in is non-blocking; -1 when at its end */
	uint64_t left, dropped;
};

/* Reads what is there now, at most about max bytes. False: at the end (in is closed). */
bool xos_pump_run(struct xos_pump *p, uint64_t max);

#endif
