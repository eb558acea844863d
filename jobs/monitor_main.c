/* xos-job-monitor: started by xos-jobd's starter, which writes one launch (launch.h) to its standard
 * input. Its argument is the job's id, for whoever looks at ps(1). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/event.h"
#include "jobs/monitor.h"

#define NOTIFY_FD 3

int main(int argc, char **argv)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_launch l;
	enum xos_status st;
	int null, notify;

	if (argc != 2 || strspn(argv[1], "0123456789abcdef") != XOS_JOB_ID_LEN ||
	    isatty(STDIN_FILENO)) {
		fprintf(stderr, "xos-job-monitor is started by xos-jobd, one for each job; "
		                "see xos-jobd(8)\n");
		return 2;
	}
	xos_event_setup("jobs/monitor", XOS_INFO);
	/* Modes are said where files are made; the job itself gets 077 (child.c). */
	umask(022);
	st = xos_launch_receive(STDIN_FILENO, &l, &err);
	if (st == XOS_OK && strcmp(l.id, argv[1]) != 0)
		st = xos_err_set(&err, XOS_MALFORMED, "launch", "the order is for another job");
	null = open("/dev/null", O_RDWR);
	if (null > 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	notify = fcntl(NOTIFY_FD, F_SETFD, FD_CLOEXEC) == 0 ? NOTIFY_FD : -1;
	if (st == XOS_OK)
		st = xos_monitor_run(&l, notify, &err);
	if (st != XOS_OK)
		xos_event_err(st == XOS_CONFLICT ? XOS_INFO : XOS_ERROR, "job.monitor", &err, "job",
		    argv[1], NULL);
	xos_launch_free(&l);
	return xos_status_exit(st);
}
