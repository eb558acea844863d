#include "program.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

struct node *n;
char *conf_path;
pid_t daemon_pid;

void program_conf(bool root, const char *more)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	xos_buf_init(&b, 8192);
	xos_buf_printf(&b,
	    "vo = demo\nnode = n1\nsite = lab\nsite_key = %s\ntrust = %s\nstate = %s\nsocket = "
	    "%s\n",
	    n->conf.site_key, n->conf.trust, n->conf.state, n->conf.socket);
	if (root)
		xos_buf_printf(&b, "user = %d\n", DAEMON_UID);
	else
		xos_buf_put_str(&b, "member = alice\n");
	xos_buf_put_str(&b, more ? more : "");
	MUST(xos_file_write(conf_path, 0644, xos_buf_bytes(&b), &err), &err);
	xos_buf_free(&b);
}

/* Starts it and waits until it serves; gives what it reported: "" when ready. */
char *program_start(uid_t as)
{
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0) {
		char fd[16];
		snprintf(fd, sizeof(fd), "%d", ready[1]);
		close(ready[0]);
		if (as && (setgroups(0, NULL) || setgid(as) || setuid(as)))
			_exit(98);
		execl(XOS_CREDD, "xos-credd", "run", "--config", conf_path, "--ready-fd", fd,
		    (char *)NULL);
		_exit(99);
	}
	close(ready[1]);
	char line[1024];
	size_t got = 0;
	for (ssize_t r; got < sizeof(line) - 1 &&
	                (r = read(ready[0], line + got, sizeof(line) - 1 - got)) != 0;) {
		if (r < 0 && errno != EINTR)
			break;
		got += r > 0 ? (size_t)r : 0;
	}
	line[got] = '\0';
	close(ready[0]);
	return strdup(strncmp(line, "ready", 5) == 0 ? "" : line);
}

int program_stop(void)
{
	int status = -1;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGTERM);
		waitpid(daemon_pid, &status, 0);
	}
	daemon_pid = 0;
	return status;
}

void program_must_start(uid_t as)
{
	char *said = program_start(as);
	ck_assert_msg(!said[0], "not ready: \"%s\"", said);
	free(said);
}

/* Puts a bundle into the state folder, as an earlier run would have left it. */
void program_prepare(const struct xos_test_bundle *b)
{
	n = node_new(b);
	conf_path = xos_test_path(n->dir, "credd.conf");
	ck_assert_int_eq(chmod(n->dir, 0755), 0);
}

void program_teardown(void)
{
	program_stop();
	free(conf_path);
	node_free(n);
}

struct xos_local *program_client(void)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_local *l = NULL;
	struct xos_local_options o = {
	    .path = n->conf.socket, .other_user = true, .user = DAEMON_UID};
	ck_assert_int_eq(xos_local_new(&o, &l, &err), XOS_OK);
	return l;
}

struct xos_json *program_status(struct xos_local *l)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_json *doc = NULL;
	char *text = NULL;
	ck_assert_msg(xos_local_status(l, &text, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_json_parse(xos_bytes_str(text), 65536, &doc, &err), XOS_OK);
	free(text);
	return doc;
}

void program_check_state(struct xos_local *l, const char *want, const char *in_message)
{
	struct xos_err err = XOS_ERR_INIT;
	const char *state, *message;
	struct xos_json *doc = program_status(l);
	ck_assert_int_eq(xos_json_get_string(doc, "state", 64, &state, &err), XOS_OK);
	ck_assert_int_eq(xos_json_get_string(doc, "message", 4096, &message, &err), XOS_OK);
	ck_assert_str_eq(state, want);
	ck_assert_msg(strstr(message, in_message) != NULL, "%s", message);
	xos_json_free(doc);
}

enum xos_local_decision program_decide(
    struct xos_local *l, const struct xos_chain *chain, const char *request)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_local_verdict v;
	size_t count = xos_test_ders(chain, der);
	ck_assert_msg(
	    xos_local_authorise(l, der, count, request, &v, &err) == XOS_OK, "%s", err.text);
	enum xos_local_decision d = v.decision;
	xos_local_verdict_free(&v);
	return d;
}

void program_begin(const struct xos_test_bundle *b)
{
	program_prepare(b);
	program_conf(geteuid() == 0, NULL);
	program_must_start(0);
}
