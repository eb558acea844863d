#ifndef XOS_JOBS_REPORT_H
#define XOS_JOBS_REPORT_H

#include <stdint.h>

#include "base/status.h"

/*
 * What the monitor and the process that holds a job together (reaper.h) tell each other, one packet
 * a message over a SOCK_SEQPACKET pair: u8 kind, u32 value, lp text.
 */
enum xos_report_kind {
	XOS_REPORT_STARTED = 1, /* the program runs; text: isolation */
	XOS_REPORT_FAILED,      /* it never ran; text: why */
	XOS_REPORT_ENDED,       /* value: as from wait(2) */
	XOS_REPORT_CPU,         /* the CPU time is used up */
	XOS_REPORT_TERM,        /* to the reaper: SIGTERM to the whole job */
	XOS_REPORT_KILL         /* to the reaper: SIGKILL to the whole job */
};

#define XOS_REPORT_TEXT 256
struct xos_report {
	enum xos_report_kind kind;
	uint32_t value;
	char text[XOS_REPORT_TEXT];
};

/* Longer texts are cut. */
void xos_report_send(int fd, enum xos_report_kind kind, uint32_t value, const char *text);
/* Waits for one. NOT_FOUND: the other side has closed. */
XOS_MUST_USE enum xos_status xos_report_receive(int fd, struct xos_report *r);

#endif
