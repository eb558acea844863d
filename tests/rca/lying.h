/*
 * A network process that was taken over: a test that includes this holds its channel, and the auth and key
 * processes run as they do in xos-rcad. Each test of lying_case() has a VO of its own.
 */
#ifndef XOS_TESTS_RCA_LYING_H
#define XOS_TESTS_RCA_LYING_H

#include <check.h>

#include "api/rca.h"
#include "base/status.h"
#include "rca/messages.h"
#include "service/bulk.h"
#include "testparts/parts.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

extern char *dir;                     /* the state of the authority */
extern struct xos_test_vo *vo, *twin; /* twin: another VO of the same name */
extern struct xos_trust *trust;
extern struct rca_conf conf;
extern struct xos_err err;          /* of the last call */
extern struct xos_test_parts parts; /* to_auth: the channel that was taken over */
extern struct xos_chain admin, alice;
extern struct xos_key *node_key, *jobs_key; /* of what application() applies for */

void start(void); /* with a list of administrators: admin */
void start_ignorant(void);
/* Hands auth a list that names admin, or nobody; age in seconds. locked: as in testparts/parts.h. */
enum xos_status administrators(
    const struct xos_key *signer, int64_t age, uint64_t act, bool there, const char *locked);
/* sig: 0 for an orderly end, by closing the channel, which must end well. */
void stop(int sig);

void member(struct xos_chain *out, const struct xos_test_vo *v, const char *name, bool role,
    int64_t not_after);

/* What the network process can send. ask_json takes in over. */
enum xos_status ask(uint16_t type, struct xos_bytes in, struct xos_json **out);
enum xos_status ask_json(uint16_t type, struct xos_json *in, struct xos_json **out);
struct xos_rca_application *application(const char *name, const char *service);
/* Takes a over; id: of the application. */
enum xos_status apply(struct xos_rca_application *a, char id[XOS_RCA_ID_LEN + 1]);
/* A command, to be freed; takes args over. offset: seconds from now to the time it names. */
struct xos_json *sign_at(const struct xos_chain *by, const char *aud, const char *verb,
    struct xos_json *args, int64_t offset);
struct xos_json *with(const char *key, const char *value);
enum xos_status approve_as(
    const struct xos_chain *by, const char *aud, const char *id, int64_t offset);
enum xos_status approve(const struct xos_chain *by, const char *id);
/* n1, with its job service, as it holds its certificates. */
void admitted(struct xos_chain *node, struct xos_chain *jobs);

void expect_identity(const struct xos_chain *chain, enum xos_kind kind, const char *service);
void expect(enum xos_status got, enum xos_status want, const char *code);

TCase *lying_case(const char *name);
int run_case(TCase *tc); /* the result of main */

#endif
