#ifndef XOS_TEST_CREDD_PROGRAM_H
#define XOS_TEST_CREDD_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "fixture.h"
#include "json/json.h"
#include "local/client.h"

#define DAEMON_UID 1899999001
#define OTHER_UID 1899999002

/* The real program over the fixture's node. One at a time. */
extern struct node *n;
extern char *conf_path;
extern pid_t daemon_pid;

void program_conf(bool root, const char *more);
/* Starts it and waits until it serves; gives what it reported, malloc'd: "" when ready. */
char *program_start(uid_t as);
void program_must_start(uid_t as);
int program_stop(void);
void program_prepare(const struct xos_test_bundle *b);
void program_begin(const struct xos_test_bundle *b);
void program_teardown(void);
struct xos_local *program_client(void);
struct xos_json *program_status(struct xos_local *l);
void program_check_state(struct xos_local *l, const char *want, const char *in_message);
enum xos_local_decision program_decide(
    struct xos_local *l, const struct xos_chain *chain, const char *request);

#endif
