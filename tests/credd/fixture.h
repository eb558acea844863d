#ifndef XOS_TEST_CREDD_FIXTURE_H
#define XOS_TEST_CREDD_FIXTURE_H

#include "credd/decide.h"
#include "credd/jobs.h"
#include "credd/ops.h"
#include "credd/source.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

/*
 * One node of the VO demo at the site lab: alice (1) in /demo/physics, bob (2) in /demo/students, carol
 * (3) in both. As if started as root, whoever runs the test: only numbers are computed.
 */
#define NODE_BOOT "00000000-0000-0000-0000-000000000001"
#define SLICE_FIRST 1900000000u
#define ALICE_UID (SLICE_FIRST + 1)
#define VO_TEXT                                                                                    \
	"vo \"demo\" serial 1 {\n"                                                                 \
	"  permit group /demo/physics action job.submit, job.show on any;\n"                       \
	"  limit group /demo/physics action job.submit on any { wall <= 24h; cpu <= 8; }\n"        \
	"  forbid @no-students group /demo/students action job.submit on any\n"                    \
	"         because \"Students use the batch queue.\" contact \"ops@demo.example\";\n"       \
	"}\n"
#define SITE_TEXT                                                                                  \
	"site \"lab\" serial 1 {\n"                                                                \
	"  accounts vo demo uid 1900000000-1900999999;\n"                                          \
	"  permit vo demo action job.submit, job.show on site:lab;\n"                              \
	"}\n"
#define SUBMIT(who)                                                                                \
	"{\"subject\":{\"type\":\"user\",\"id\":\"demo:" who "\"},\"action\":{\"name\":"           \
	"\"job.submit\"},\"resource\":{\"type\":\"node\",\"id\":\"lab/n1\"}}"

struct node {
	struct xos_test_vo *vo;
	char *dir;
	struct xos_credd_conf conf;
	struct xos_credd_self self;
	struct xos_credd_source *source;
	struct xos_credd_decider *decider;
	struct xos_credd_jobs *jobs;
	struct xos_credd_leases *leases;
	struct xos_credd_sessions *sessions;
	struct xos_credd_ops ops;
	struct xos_chain alice, bob, carol;
};

/* b NULL: no bundle; else with defaults filled in for texts and members. */
struct node *node_new(const struct xos_test_bundle *b);
void node_free(struct node *n);
/* The same bundle as node_new makes, signed, for other uses. */
void node_bundle(struct node *n, struct xos_test_bundle b, struct xos_buf *out);
/* Offers a bundle as if it had been fetched. */
enum xos_status node_offer(struct node *n, const struct xos_test_bundle *b, struct xos_err *err);
/* Starts again from what is on disk. */
void node_restart(struct node *n);

enum xos_status node_ask(struct node *n, const struct xos_chain *chain, const char *request,
    uid_t peer, bool service, struct xos_credd_verdict *out, struct xos_err *err);
/* A delegation of signer for spki, on this node, of job `job`, for an hour, depth 2, with this restriction. */
void node_delegate(struct node *n, const struct xos_chain *signer, struct xos_bytes spki,
    const char *node, const char *job, const char *restriction, const struct xos_key *key,
    struct xos_chain *out);

#endif
