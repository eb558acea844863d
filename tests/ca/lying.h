/*
 * A network process that was taken over: a test that includes this holds its two channels, and the auth and
 * key processes run as they do in xos-cad. Members: ada (1, administrator) and alice (2).
 */
#ifndef XOS_TESTS_CA_LYING_H
#define XOS_TESTS_CA_LYING_H

#include <sys/types.h>

#include "api/cad.h"
#include "auth/scram.h"
#include "base/status.h"
#include "ca/messages.h"
#include "service/bulk.h"
#include "testsupport/vo.h"

#define PASSWORD "correct horse battery"

extern struct xos_err err; /* of the last call */
extern struct xos_test_vo *vo;
extern struct xos_bulk *auth, *key;
extern char *p_verifiers; /* path of the database that nobody but auth opens */
extern char *p_log;       /* and of key's log */
extern pid_t key_pid;
size_t lying_queued(void); /* bytes of requests that key has not taken yet */

void lying_setup(void);
void lying_teardown(void);
int64_t soon(void);

/* The side of an honest member. */
struct member_side {
	struct xos_key *key;
	struct xos_cad_request request;
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_scram_client *scram;
	struct xos_secret *password;
};
void member_new(struct member_side *s, const char *name, const char *pw, const char *role);
void member_free(struct member_side *s);

/* The whole log-in with auth; digest: what network claims the request is. */
enum xos_status prove(
    struct member_side *s, const uint8_t digest[XOS_SHA256_LEN], char grant[CA_GRANT_LEN + 1]);
enum xos_status issue(
    const char *grant, const struct xos_cad_request *request, struct xos_buf *answer);
/* st is a refusal with this code and nothing in answer, which is freed. */
void refused(enum xos_status st, struct xos_buf *answer, const char *code);

#endif
