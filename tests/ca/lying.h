/*
 * A network process that was taken over: a test that includes this holds its two channels, and the auth and
 * key processes run as they do in xos-cad. Members: ada (1, administrator) and alice (2).
 */
#ifndef XOS_TESTS_CA_LYING_H
#define XOS_TESTS_CA_LYING_H

#include <stdbool.h>
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
extern bool lying_without_delegations; /* set before the set-up: a VO of an older version */
size_t lying_queued(void);             /* bytes of requests that key has not taken yet */

void lying_setup(void);
void lying_teardown(void);
void lying_kill_key(void); /* the key process dies, and says nothing any more */
int64_t soon(void);

/* The side of an honest member. */
struct member_side {
	struct xos_key *key;
	struct xos_cad_request request;
	uint8_t digest[XOS_SHA256_LEN]; /* without the totp; with it: */
	uint8_t bound[XOS_SHA256_LEN];
	struct xos_scram_client *scram;
	struct xos_secret *password;
	char sid[CA_SID_LEN + 1]; /* between begin and finish */
	struct xos_buf final;
};
void member_new(struct member_side *s, const char *name, const char *pw, const char *role);
/* With the password, and a code of a second factor in the request. */
void member_new_totp(struct member_side *s, const char *name, const char *totp);
void member_new_code(struct member_side *s, const char *name, const char *code);
void member_free(struct member_side *s);

/* The two halves of a log-in with auth, */
void begin(struct member_side *s, const uint8_t digest[XOS_SHA256_LEN]);
enum xos_status begin_status(struct member_side *s, const uint8_t digest[XOS_SHA256_LEN]);
enum xos_status finish(struct member_side *s, char grant[CA_GRANT_LEN + 1]);
/* and the whole; digest: what network claims the request is. */
enum xos_status prove(
    struct member_side *s, const uint8_t digest[XOS_SHA256_LEN], char grant[CA_GRANT_LEN + 1]);
enum xos_status issue(
    const char *grant, const struct xos_cad_request *request, struct xos_buf *answer);
/* A token that the authority could have given; role NULL: none. */
void token_of(const char *name, uint64_t number, const char *role, struct xos_chain *out);
/* A command signed with it, sent to auth; body is what was sent, and may be sent again. */
enum xos_status command(
    const struct xos_chain *token, const char *verb, struct xos_json *args, struct xos_buf *body);
/* The same with its result; takes args. */
enum xos_status command_result(const struct xos_chain *token, const char *verb,
    struct xos_json *args, struct xos_json **result);
enum xos_status again(const struct xos_buf *body);
/* st is a refusal with this code and nothing in answer, which is freed. */
void refused(enum xos_status st, struct xos_buf *answer, const char *code);

#endif
