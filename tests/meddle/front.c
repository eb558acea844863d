/*
 * xos-lying-front: a front end of xos-jobd that was taken over. It starts the real starter
 * (xos-jobd run --role starter), holds its channel as the front does, and sends what no honest front would.
 *
 *   xos-lying-front JOBD CONFIG ALICE ADMIN   (token files of two members of the VO demo; node n1)
 *
 * One line a case on standard output: the case, and "ok" or the code of the refusal.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "jobs/order.h"
#include "pki/csr.h"
#include "proc/channel.h"
#include "proc/supervisor.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"
#include "token/delegation.h"
#include "token/tokenfile.h"

#define CALL_MS 20000

static struct xos_err err = XOS_ERR_INIT;
static struct xos_channel *starter;
static struct xos_chain alice, admin;

static enum xos_status send(uint16_t type, struct xos_bytes payload, struct xos_buf *reply)
{
	struct xos_buf own;

	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_channel_call(
	    starter, type, payload, xos_clock_mono_ms() + CALL_MS, reply ? reply : &own, &err);
	if (!reply)
		xos_buf_free(&own);
	return st;
}

static void say(const char *what, enum xos_status st)
{
	printf("%s: %s\n", what, st == XOS_OK ? "ok" : err.code);
	fflush(stdout);
}

/* A job of one argument, as canonical bytes, and its id. */
static void make_spec(const char *arg, struct xos_buf *spec, char id[XOS_JOB_ID_TEXT])
{
	struct xos_job_spec *s = NULL;

	MUST(xos_job_spec_new("demo", "n1", &s, &err), &err);
	MUST(xos_job_spec_arg(s, "true", &err), &err);
	MUST(xos_job_spec_arg(s, arg, &err), &err);
	xos_buf_init(spec, XOS_JOB_SPEC_MAX);
	MUST(xos_job_spec_encode(s, spec, &err), &err);
	MUST(xos_job_id(xos_buf_bytes(spec), id), &err);
	xos_job_spec_free(s);
}

static enum xos_status order(
    uint16_t type, const struct xos_buf *spec, const struct xos_chain *chain, struct xos_buf *reply)
{
	struct xos_order o = {
	    .spec = xos_buf_bytes(spec), .submitted = xos_clock_now(), .source = "127.0.0.1"};
	struct xos_buf b;

	o.n = xos_test_ders(chain, o.chain);
	xos_buf_init(&b, XOS_ORDER_MAX);
	MUST(xos_order_encode(&o, &b, &err), &err);
	enum xos_status st = send(type, xos_buf_bytes(&b), reply);
	xos_buf_free(&b);
	return st;
}

/* What the member's side would sign for that key. */
static void delegate(const struct xos_chain *by, struct xos_bytes spki, const char *id,
    const char *node, struct xos_chain *out)
{
	struct xos_delegation d = {.not_after = xos_clock_now() + 600, .depth = 0};
	struct xos_cert *leaf = NULL;

	strcpy(d.actor, "job");
	snprintf(d.node, sizeof(d.node), "%s", node);
	snprintf(d.id, sizeof(d.id), "%s", id);
	MUST(xos_delegation_sign(by, spki, &d, xos_clock_now(), &leaf, &err), &err);
	MUST(xos_chain_add(out, leaf), &err);
	for (size_t i = 0; i < by->n; i++)
		MUST(xos_chain_add(out, by->cert[i]), &err);
	xos_cert_free(leaf);
}

static void start_with(const char *what, const struct xos_buf *spec, const struct xos_chain *by,
    struct xos_bytes spki, const char *id, const char *node)
{
	struct xos_chain chain = {.n = 0};

	delegate(by, spki, id, node, &chain);
	say(what, order(XOS_ORDER_START, spec, &chain, NULL));
	xos_chain_clear(&chain);
}

static void lie(void)
{
	struct xos_buf spec, other, reply;
	char id[XOS_JOB_ID_TEXT], other_id[XOS_JOB_ID_TEXT];
	struct xos_order_offer offer;
	struct xos_key *mine = NULL;
	struct xos_csr csr;
	int64_t now = xos_clock_now();
	struct xos_test_vo *twin = xos_test_vo_new("demo", "lab", now);
	const struct xos_test_who who = {.name = "alice", .number = 2};
	struct xos_chain impostor = {.n = 0};

	make_spec("honest", &spec, id);
	make_spec("other", &other, other_id);
	xos_test_member(twin, &who, &impostor);
	MUST(xos_key_generate(&mine, &err), &err);
	say("prepare for an impostor", order(XOS_ORDER_PREPARE, &spec, &impostor, NULL));
	say("start what nobody prepared", order(XOS_ORDER_START, &spec, &alice, NULL));
	say("prepare", order(XOS_ORDER_PREPARE, &spec, &alice, &reply));
	MUST(xos_order_offer_decode(xos_buf_bytes(&reply), &offer, &err), &err);
	xos_buf_free(&reply);
	MUST(xos_csr_parse((struct xos_bytes){offer.csr, offer.ncsr}, &csr, &err), &err);
	say("start by the token", order(XOS_ORDER_START, &spec, &alice, NULL));
	start_with("start something else", &other, &alice, csr.spki, id, "n1");
	start_with("start for another job's id", &spec, &alice, csr.spki, other_id, "n1");
	start_with("start for another node", &spec, &alice, csr.spki, id, "n9");
	start_with("start with a key of its own", &spec, &alice, xos_key_spki(mine), id, "n1");
	start_with("start as another member", &spec, &admin, csr.spki, id, "n1");
	start_with("start as an impostor", &spec, &impostor, csr.spki, id, "n1");
	say("half an order", send(XOS_ORDER_START, xos_bytes_str("x"), NULL));
	say("an unknown order", send(77, xos_bytes_str("x"), NULL));
	say("cancel a path", send(XOS_ORDER_CANCEL, xos_bytes_str("../../../../etc/passwd"), NULL));
	start_with("start", &spec, &alice, csr.spki, id, "n1");
	printf("id: %s\n", id);
	fflush(stdout);
	xos_chain_clear(&impostor);
	xos_key_free(mine);
	xos_test_vo_free(twin);
	xos_buf_free(&other);
	xos_buf_free(&spec);
}

static int front(char **argv)
{
	int fd = -1;

	MUST(xos_tokenfile_read(argv[3], &alice, &err), &err);
	MUST(xos_tokenfile_read(argv[4], &admin, &err), &err);
	MUST(xos_child_fd_take("starter", &fd, &err), &err);
	MUST(xos_channel_new(fd, &starter, &err), &err);
	xos_child_ready();
	lie();
	kill(getppid(), SIGTERM);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *const jobd[] = {
	    "xos-jobd", "run", "--config", argc > 2 ? argv[2] : "", "--role", "starter", NULL};

	if (argc == 6 && strcmp(argv[5], "front") == 0)
		return front(argv);
	if (argc != 5) {
		fprintf(stderr, "usage: see the head of tests/meddle/front.c\n");
		return 2;
	}
	const char *const self[] = {
	    "xos-lying-front", argv[1], argv[2], argv[3], argv[4], "front", NULL};
	const struct xos_child children[] = {
	    {.role = "starter", .exe = argv[1], .argv = jobd}, {.role = "front", .argv = self}};
	const struct xos_child_link links[] = {
	    {.a = 0, .b = 1, .name_a = "front", .name_b = "starter"}};
	const struct xos_supervisor s = {.children = children,
	    .nchildren = 2,
	    .links = links,
	    .nlinks = 1,
	    .ready_fd = -1,
	    .no_restart = true};

	return xos_supervise(&s, &err) == XOS_OK ? 0 : 1;
}
