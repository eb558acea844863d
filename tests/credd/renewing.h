#ifndef XOS_TEST_CREDD_RENEWING_H
#define XOS_TEST_CREDD_RENEWING_H

#include "api/grant.h"
#include "credd/grants.h"
#include "credd/renewals.h"
#include "fixture.h"
#include "pki/csr.h"

/*
 * The fixture's node with one accepted job of alice's, and an authority that says what the test wants: calls that are given out
 * land in `sent`, and one of the answers gives them back. Time is the test's.
 */
#define JOB "00112233445566778899aabbccddeeff"
#define OTHER "ff112233445566778899aabbccddeeff"
#define DAY 86400
#define RESTRICTION "delegation by user \"alice\" { check action in {file.read}; }"

extern struct node *n;
extern struct xos_credd_work *sent;
extern struct xos_credd_now now;

void renewing_setup(void);
void renewing_teardown(void);
void restart(void); /* xos-credd */
const struct xos_credd_job *job(void);
struct xos_csr request(void);
void tick(void);
void pass(int64_t seconds);

enum xos_status op(enum xos_local_op which, const char *job, const struct xos_chain *chain,
    const char *text, bool service, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_err *err);
/* What alice grants unless a test changes it. */
void fields(struct xos_grant *g);
enum xos_status give(
    const struct xos_grant *g, const struct xos_chain *who, const char *job, struct xos_err *err);
void give_ok(int64_t ends);
/* A grant is registered, and the time at which the credential is renewed has passed. */
void come_to_renewal(void);

void answer(enum xos_status status, const char *code, const char *text);
struct made {
	const char *name, *node, *id, *restriction;
	uint64_t number;
	struct xos_bytes spki;
	int64_t not_after, ends;
	unsigned depth;
};
struct made proper(void);
void answer_with(const struct made *m);

#endif
