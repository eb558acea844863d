#ifndef XOS_TESTS_VOPS_CAPTURED_H
#define XOS_TESTS_VOPS_CAPTURED_H

#include "api/command.h"
#include "bundle/bundle.h"
#include "testparts/parts.h"
#include "testsupport/vo.h"
#include "vops/parts.h"

/*
 * A network process that was taken over: a test holds its channel, while auth and key run as they do in xos-vopsd.
 * What it can send, and what a node does with a bundle that it was given.
 */
#define DAY 86400
#define VO1 "vo \"demo\" serial 1 { permit group /demo action job.submit on any; }\n"
#define VO2 "vo \"demo\" serial 2 { }\n"
#define SITE5 "site \"lab\" serial 5 { permit vo demo action job.submit on site:lab; }\n"
#define SITE6 "site \"lab\" serial 6 { }\n"

extern struct xos_test_vo *vo, *twin;
extern struct xos_test_parts parts; /* auth and key, and the channel */
extern struct xos_err err;
extern struct xos_chain admin, alice;
extern struct xos_bundle_seen seen;
extern size_t heads_seen; /* in the last bundle */

/* Hands auth a list that names admin, or nobody. */
enum xos_status administrators(
    const struct xos_key *signer, int64_t age, uint64_t act, bool there, const char *locked);
void start(void);
void stop(int sig);
void member(struct xos_chain *out, const char *name, uint64_t number, bool role);
void captured_setup(void);
void captured_teardown(void);
enum xos_status ask(uint16_t type, const struct xos_buf *in, struct xos_buf *reply);
enum xos_status send_body(struct xos_json *body);
struct xos_json *sign_for(const struct xos_chain *by, const char *aud, const char *verb,
    const char *key, const char *value);
enum xos_status push(const struct xos_chain *by, const char *text);
enum xos_status register_site(const struct xos_chain *by, const struct xos_key *key);
enum xos_status put_set(const struct xos_key *key, const char *site, const char *text);
enum xos_status put_object(enum vops_object o, const struct xos_buf *compact);
enum xos_status roster(
    const struct xos_key *key, uint64_t serial, enum xos_member_state admin_state, int64_t age);
enum xos_status locks(enum vops_object as, enum xos_signer by, uint64_t serial,
    const struct xos_lock *list, size_t n);
/* Asks with this ETag, which is replaced. *changed: a bundle came, which a node then accepts. */
enum xos_status fetch(char etag[XOS_VOPS_ETAG_MAX], bool *changed, uint64_t *serial);
void expect(enum xos_status got, enum xos_status want, const char *code);
/* All that a bundle needs. */
void complete(void);
/* A command with a text and one more argument, by a member. */
enum xos_status send_two(const struct xos_chain *by, const char *verb, const char *k1,
    const char *v1, const char *k2, const char *v2, const char *text);

#endif
