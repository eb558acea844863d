#ifndef XOS_CA_STATUS_H
#define XOS_CA_STATUS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ca/key/record.h"
#include "pki/points.h"

/*
 * The status of tokens for verifiers that know no lock lists: revocation lists and OCSP answers, made in the
 * key process (docs/decisions/status.md). Lists are signed anew when what they say changed or half their life is
 * over. OCSP answers are signed by a key that is made at the start, lives in memory only and has a
 * certificate of days, which the log has before it is used.
 */
#define CA_STATUS_LIFE 3600 /* of a list or answer, seconds */
#define CA_STATUS_REFRESH (CA_STATUS_LIFE / 2)
#define CA_CRL_BACKDATE 60            /* stock verifiers tolerate no clock that is behind */
#define CA_RESPONDER_LIFE (2 * 86400) /* renewed at half of it */

struct ca_key;
struct ca_status;

/* Fills k->status. http_url NULL: tokens do not say where their status stands, and there is one list of all. */
XOS_MUST_USE enum xos_status ca_status_new(
    struct ca_key *k, const char *http_url, struct xos_err *err);
void ca_status_free(struct ca_status *s);
const struct xos_points *ca_status_points(const struct ca_status *s); /* NULL without a URL */
/* Every token that is issued, before it is. */
XOS_MUST_USE enum xos_status ca_status_add(
    struct ca_key *k, const struct ca_token_entry *e, int64_t now, struct xos_err *err);
/* Has the member fewer than `most` unexpired tokens that are not held? In a snapshot of the caller's. */
XOS_MUST_USE enum xos_status ca_status_room(
    struct ca_key *k, uint64_t number, size_t most, int64_t now, bool *room, struct xos_err *err);

/* Where things stand below http_url. MALFORMED as xos_points_new. */
XOS_MUST_USE enum xos_status ca_status_urls(
    const char *http_url, const char *vo, struct xos_points **out, struct xos_err *err);

enum xos_status ca_handle_tokens(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_token_end(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_held(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_status(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_crl(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);
enum xos_status ca_handle_ocsp(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err);

#endif
