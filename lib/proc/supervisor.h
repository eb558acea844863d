#ifndef XOS_PROC_SUPERVISOR_H
#define XOS_PROC_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/*
 * A service as a fixed set of processes: the supervisor forks each and executes it anew, so that no
 * child has the memory of another, hands out descriptors by name and closes everything else.
 * Children die with the supervisor (PR_SET_PDEATHSIG). Because they share socket pairs, the death
 * of one restarts all, with growing pauses and an event "child.died".
 */
struct xos_child_fd {
	const char *name; /* the child asks for it by xos_child_fd_take */
	int fd;           /* the supervisor's descriptor, kept open across restarts */
};

struct xos_child {
	const char *role;        /* shown in events */
	const char *exe;         /* NULL: this same program (/proc/self/exe) */
	const char *const *argv; /* NULL-terminated; by custom {program, "--role", role, ...} */
	const struct xos_child_fd *fds;
	size_t nfds;
};

/* A channel between two children: child a finds its end under the name name_a, b under name_b. */
struct xos_child_link {
	size_t a, b;
	const char *name_a, *name_b;
};

/* A channel between a child and somebody outside of the set, who outlives it. */
struct xos_child_outlet {
	size_t child;
	const char *name; /* under which the child finds its end */
};

struct xos_supervisor {
	const struct xos_child *children; /* in the order of starting; stopped in reverse */
	size_t nchildren;
	const struct xos_child_link *links;
	size_t nlinks;
	const struct xos_child_outlet *outlets;
	size_t noutlets; /* at most 8 */
	/* Gets the other ends, in their order, each time that the set was started; they are closed when it
	 * returns. Needed if there are outlets. */
	void (*hand_over)(void *ctx, const int *fds);
	const char *pid_file;     /* NULL for none; removed at the end */
	int ready_fd;             /* see xos_ready_report; -1 for none */
	int64_t ready_timeout_ms; /* until every child is ready; 0: 30 s */
	int64_t stop_timeout_ms;  /* between SIGTERM and SIGKILL, for each child; 0: 10 s */
	int64_t backoff_ms;       /* first pause before a restart, doubled up to 30 s; 0: 1 s */
	bool no_restart;          /* the death of a child ends the service */
	/* Called on SIGHUP before the children are told, which does not happen if it says false; may be
	 * NULL. The service manager learns of both ends of it (RELOADING=1, READY=1). */
	bool (*on_hup)(void *ctx);
	void *ctx;
};

/*
 * Runs the service in the calling process, which must have one thread only. Reports overall
 * readiness once. SIGTERM and SIGINT stop the children and give OK; SIGHUP is forwarded to all. If
 * the first start fails nothing is retried: the result is the failing child's own error. Later
 * deaths are repaired for ever. err says why it ended.
 */
XOS_MUST_USE enum xos_status xos_supervise(const struct xos_supervisor *s, struct xos_err *err);

/* In a child: the descriptor of that name, close-on-exec from now on; NOT_FOUND if there is none.
 */
XOS_MUST_USE enum xos_status xos_child_fd_take(const char *name, int *fd, struct xos_err *err);
/* In a child: it serves now. No-op when not started by a supervisor. */
void xos_child_ready(void);
/* In a child that cannot start: hands the reason to the supervisor. The child then exits. */
void xos_child_failed(const struct xos_err *err);

#endif
