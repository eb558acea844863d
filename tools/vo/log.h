#ifndef XOS_VO_LOG_H
#define XOS_VO_LOG_H

#include "api/logheads.h"
#include "api/logproof.h"
#include "cli/cli.h"
#include "cli/vo.h"

/*
 * The authority's log as a member or administrator sees it: its newest head, verified, and compared with the newest one
 * that this machine verified before (kept in ca-log.seen of the VO's folder; rca-log.seen, accounting-log.seen). The server is not believed about any of it.
 */
struct vo_log {
	const struct xos_cli *cli;
	enum xos_vo_log of;
	struct xos_cli_vo *vo;
	struct xos_cli_client *client;
	struct xos_log_head head;
	struct xos_json *doc; /* {"head", "chain"} as it came */
	bool seen;            /* a head was remembered: */
	struct xos_log_head before;
};

/* Options, as they were given; NULL: not. */
struct vo_log_opts {
	const char *since, *until, *from, *to, *out, *act, *proof, *root, *head, *of;
};

/* Fetches, verifies, compares and remembers. *l is zeroed by the caller, who closes it also after a failure. Two heads that
 * contradict each other are both kept, in ca-log.conflict: together they prove it to anybody. l->of: whose log. */
XOS_MUST_USE enum xos_status vo_log_open(
    const struct xos_cli *cli, struct vo_log *l, struct xos_err *err);
void vo_log_close(struct vo_log *l);
/* A head that somebody else saw ({"head", "chain"}, as log verify --json gives it): is it one of the same log? */
XOS_MUST_USE enum xos_status vo_log_compare_file(
    struct vo_log *l, const char *file, struct xos_log_head *theirs, struct xos_err *err);
/* What a head must be, for a document from the server or from a file. name: room for the log's name. */
struct xos_logproof_want vo_log_want(enum xos_vo_log of, const struct xos_cert *root,
    const char *vo, int64_t now, char name[XOS_LOG_NAME_MAX + 1]);

/* {"vo", "log", "head", "chain"}: by which records can be verified later, off line. */
struct xos_json *vo_log_head_doc(const struct vo_log *l);
/* From {"entry", "path"}, after verifying it: the same with "sequence", "time", "type" and "record" to read. */
XOS_MUST_USE enum xos_status vo_log_record(const struct xos_json *raw,
    const struct xos_log_head *head, struct xos_json **out, struct xos_err *err);

/* Says of such a record what it is and what proves it. */
XOS_MUST_USE enum xos_status vo_log_say(
    const struct xos_log_head *head, const struct xos_json *doc, struct xos_err *err);

/* Asks page after page, and gives each record, verified, to each (which takes it). args is taken. limit: how many at
 * most; 0: all. */
XOS_MUST_USE enum xos_status vo_log_records(struct vo_log *l, const char *verb,
    struct xos_json *args, uint64_t limit,
    enum xos_status (*each)(void *ctx, struct xos_json *record, struct xos_err *err), void *ctx,
    struct xos_err *err);

/* A decimal option of at least 1. */
XOS_MUST_USE enum xos_status vo_log_number(
    const char *option, const char *text, uint64_t *out, struct xos_err *err);

/* The words after `log`. */
enum xos_status vo_log_prove(
    struct xos_cli *cli, const struct vo_log_opts *o, const char *given, struct xos_err *err);
enum xos_status vo_log_verify_file(
    struct xos_cli *cli, const struct vo_log_opts *o, struct xos_err *err);
enum xos_status vo_log_show(
    struct xos_cli *cli, const struct vo_log_opts *o, const char *member, struct xos_err *err);
enum xos_status vo_log_export(
    struct xos_cli *cli, const struct vo_log_opts *o, struct xos_err *err);

#endif
