#ifndef XOS_JOBS_LAUNCH_H
#define XOS_JOBS_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "proc/network.h"

/*
 * What the starter tells a job's monitor: everything is decided, checked and computed; the monitor
 * only carries it out. It travels once, through a pipe, never through a file or a command line,
 * since the job's key goes with it.
 */
#define XOS_LAUNCH_MAX (1u << 20)      /* bytes of one encoded launch */
#define XOS_LAUNCH_CRED_MAX (1u << 18) /* bytes of one credential file */
#define XOS_LAUNCH_STRINGS 4096        /* arguments, variables */
#define XOS_LAUNCH_GROUPS 64
#define XOS_LAUNCH_KEEP 32
#define XOS_JOB_ID_LEN 32
#define XOS_LIMIT_NONE UINT64_MAX

struct xos_launch_limits {
	uint64_t wall; /* seconds; always set */
	uint64_t cpu;  /* seconds of CPU time, the job's processes together */
	uint64_t
	    memory; /* bytes of the whole job, or without a group of each process's address space */
	uint64_t files;     /* open descriptors of each process */
	uint64_t file_size; /* bytes of a file */
	uint64_t
	    processes; /* of the job, or without a group of the account, all its jobs together */
	uint64_t processors; /* as many as busy all the time; only with a group */
	struct xos_net_rules
	    networks; /* limited to nothing: a network namespace of its own; else only with a group */
};

struct xos_strings {
	char **v; /* NULL-terminated, each malloc'd */
	size_t n;
};

struct xos_launch {
	char id[XOS_JOB_ID_LEN + 1];
	char *run;      /* folder of the job's files: lock, started, status, stdout, stderr */
	char *work;     /* the job's HOME */
	char *cred;     /* folder for cred.pem; as root a mount point */
	bool isolate;   /* as root: namespaces, private mounts and the account below */
	bool all_calls; /* no system call rules (proc/workload.h): the node's owner wants it so */
	uid_t uid;
	gid_t gid, groups[XOS_LAUNCH_GROUPS];
	size_t ngroups;
	bool alone; /* the uid is this job's: it writes only where nothing of it outlives it */
	struct xos_launch_limits limits;
	uint8_t group_can, group_unified; /* what its control group can do: proc/cgroup.h */
	uint64_t grace;                   /* seconds from SIGTERM to SIGKILL */
	uint64_t output_max;              /* bytes of each stream */
	uint64_t tmp_size;                /* bytes of each private temporary folder */
	struct xos_strings argv, env,
	    keep;                      /* keep: folders that stay visible below a private /tmp */
	struct xos_secret *credential; /* PEM; NULL: none */
};

/* How the networks of a job are limited. */
bool xos_launch_without_network(const struct xos_launch_limits *m);
bool xos_launch_needs_net_rules(const struct xos_launch_limits *m);

void xos_strings_free(struct xos_strings *s);
/* Appends a copy; false if out of memory. */
XOS_MUST_USE bool xos_strings_add(struct xos_strings *s, const char *v);

void xos_launch_free(struct xos_launch *l); /* NULL-safe; frees what l owns, not l */
/* Writes l to fd, the credential last and straight from its secret memory. */
XOS_MUST_USE enum xos_status xos_launch_send(
    int fd, const struct xos_launch *l, struct xos_err *err);
/* Reads one launch and the end of file after it. On failure *l is zeroed. */
XOS_MUST_USE enum xos_status xos_launch_receive(int fd, struct xos_launch *l, struct xos_err *err);
/* The codec without the credential; for tests and fuzzing. */
void xos_launch_encode(struct xos_buf *b, const struct xos_launch *l);
XOS_MUST_USE enum xos_status xos_launch_decode(
    struct xos_bytes in, struct xos_launch *l, struct xos_err *err);

#endif
