#include "testparts/parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "testsupport/must.h"

#define LIFE 300

static struct xos_err err = XOS_ERR_INIT;

static void put_cert(const char *path, const struct xos_cert *cert)
{
	struct xos_buf pem;

	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(cert, &pem);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&pem), &err), &err);
	xos_buf_free(&pem);
}

void xos_test_parts_state(
    const char *dir, const char *kind, const struct xos_key *key, const struct xos_cert *cert)
{
	static const char *const folders[] = {"auth", "key"};
	char name[64];
	char *path;

	MUST_TRUE(xos_str_printf(name, sizeof(name), "%s.key", kind));
	path = xos_test_path(dir, name);
	MUST(xos_key_save(key, path, NULL, &err), &err);
	free(path);
	MUST_TRUE(xos_str_printf(name, sizeof(name), "%s.pem", kind));
	path = xos_test_path(dir, name);
	put_cert(path, cert);
	free(path);
	for (size_t i = 0; i < 2; i++) {
		path = xos_test_path(dir, folders[i]);
		MUST(xos_dir_make(path, 0700, &err), &err);
		free(path);
	}
}

/* In a child: a link to one neighbour, another one perhaps. Does not return. */
static void run(const struct xos_test_parts *p, enum xos_part part, const int fd[XOS_PARTS])
{
	const struct xos_test_part *h = part == XOS_PART_AUTH ? &p->auth : &p->key;
	const struct xos_service_run service = {.conf = (void *)(uintptr_t)p->conf};
	struct xos_part_self self = {
	    .part = part, .run = &service, .signal_fd = -1, .listen_fd = -1};

	for (int i = 0; i < XOS_PARTS; i++) {
		if (fd[i] >= 0)
			MUST(xos_channel_new(fd[i], &self.to[i], &err), &err);
	}
	MUST(h->open(&self, &err), &err);
	MUST(h->serve(&self, &err), &err);
	h->close(&self);
	for (int i = 0; i < XOS_PARTS; i++)
		xos_channel_free(self.to[i]);
	_exit(0);
}

void xos_test_parts_start(struct xos_test_parts *p)
{
	int na[2], ak[2];

	MUST(xos_channel_pair(na, &err), &err);
	MUST(xos_channel_pair(ak, &err), &err);
	p->pid[1] = fork();
	if (p->pid[1] == 0) {
		close(na[0]);
		close(na[1]);
		close(ak[0]);
		run(p, XOS_PART_KEY, (const int[XOS_PARTS]){-1, ak[1], -1});
	}
	p->pid[0] = fork();
	if (p->pid[0] == 0) {
		close(na[0]);
		close(ak[1]);
		run(p, XOS_PART_AUTH, (const int[XOS_PARTS]){na[1], -1, ak[0]});
	}
	close(na[1]);
	close(ak[0]);
	close(ak[1]);
	MUST(xos_channel_new(na[0], &p->channel, &err), &err);
	MUST(xos_bulk_new(p->channel, &p->to_auth, &err), &err);
}

bool xos_test_parts_stop(struct xos_test_parts *p, int sig)
{
	bool well = true;

	for (size_t i = 0; sig && i < 2; i++)
		kill(p->pid[i], sig);
	xos_bulk_free(p->to_auth);
	xos_channel_free(p->channel);
	for (size_t i = 0; i < 2; i++) {
		int status = 0;

		waitpid(p->pid[i], &status, 0);
		well = well && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return well;
}

void xos_test_administrators(const struct xos_key *signer, int64_t issued, uint64_t act,
    const struct xos_test_admin *list, size_t n, const char *locked, struct xos_buf *out)
{
	struct xos_administrators a = {
	    .act = act, .issued = issued, .expires = issued + LIFE, .n = n};

	a.list = calloc(n + 1, sizeof(*a.list));
	MUST_TRUE(a.list);
	for (size_t i = 0; i < n; i++) {
		MUST_TRUE(xos_str_copy(a.list[i].name, sizeof(a.list[i].name), list[i].name));
		a.list[i].number = list[i].number;
		if (locked && strcmp(locked, list[i].name) == 0)
			strcpy(a.list[i].locked, "the member is locked: call us");
	}
	MUST(xos_administrators_sign(signer, "demo", &a, out, &err), &err);
	free(a.list);
}
