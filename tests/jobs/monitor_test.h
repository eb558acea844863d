#ifndef XOS_TESTS_JOBS_MONITOR_TEST_H
#define XOS_TESTS_JOBS_MONITOR_TEST_H

#include <stdbool.h>
#include <sys/types.h>

#include "jobs/launch.h"
#include "jobs/outcome.h"
#include "run_test.h"

#define JOB_UID 234567 /* of an isolated job */

/* One job under a monitor of its own, in a folder of its own: monitor_test.c. */
extern char id[XOS_JOB_ID_LEN + 1], top[64], run_dir[128], work_dir[128], cred_dir[128];

/* A folder below top. */
void make(char *path, size_t cap, const char *name, mode_t mode);
void setup(void);
void teardown(void);
/* i: 0 without isolation, 1 with. False: not possible here. */
bool sample(int i, const char *script, struct xos_launch *l);
pid_t spawn(struct xos_launch *l);
/* Waits for the monitor; its status, as from wait(2). */
int finish(pid_t pid, struct xos_job_outcome *o);
void run(struct xos_launch *l, struct xos_job_outcome *o);
/* A file of the run folder; good until the next call. */
const char *text_of(const char *name);
/* Waits until a file in the job's folder has this many bytes; gives up after many looks. */
void wait_size(const char *name, size_t n);

#endif
