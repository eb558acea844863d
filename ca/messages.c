#include "ca/messages.h"

#include <string.h>

#include "auth/scram.h"
#include "pki/crl.h"

static enum xos_status finish(struct xos_reader *r, const char *what, struct xos_err *err)
{
	if (xos_reader_end(r) == XOS_OK)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_MALFORMED, "message", "a message between processes is malformed: %s", what);
}

static bool take_digest(struct xos_reader *r, uint8_t digest[XOS_SHA256_LEN])
{
	struct xos_bytes b;

	if (!xos_reader_take(r, XOS_SHA256_LEN, &b))
		return false;
	memcpy(digest, b.p, XOS_SHA256_LEN);
	return true;
}

static bool take_i64(struct xos_reader *r, int64_t *v)
{
	uint64_t u = 0;

	if (!xos_reader_u64(r, &u))
		return false;
	if (u > INT64_MAX)
		r->failed = true;
	*v = (int64_t)u;
	return !r->failed;
}

void ca_login_begin_put(struct xos_buf *b, const struct ca_login_begin *m)
{
	xos_buf_lp_str(b, m->address);
	xos_buf_put(b, m->digest, sizeof(m->digest));
	xos_buf_lp_str(b, m->totp);
	xos_buf_lp(b, m->message);
}

enum xos_status ca_login_begin_get(
    struct xos_bytes in, struct ca_login_begin *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->address, sizeof(m->address));
	take_digest(&r, m->digest);
	xos_reader_lp_str(&r, m->totp, sizeof(m->totp));
	if (!r.failed && m->totp[0] && !xos_totp_is_code(m->totp))
		r.failed = true;
	xos_reader_lp(&r, XOS_SCRAM_MESSAGE_MAX, &m->message);
	return finish(&r, "login begin", err);
}

void ca_login_challenge_put(struct xos_buf *b, const struct ca_login_challenge *m)
{
	xos_buf_lp_str(b, m->sid);
	xos_buf_lp(b, m->message);
}

enum xos_status ca_login_challenge_get(
    struct xos_bytes in, struct ca_login_challenge *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->sid, sizeof(m->sid));
	xos_reader_lp(&r, XOS_SCRAM_MESSAGE_MAX, &m->message);
	return finish(&r, "login challenge", err);
}

void ca_login_finish_put(struct xos_buf *b, const struct ca_login_finish *m)
{
	xos_buf_lp_str(b, m->address);
	xos_buf_lp_str(b, m->sid);
	xos_buf_lp(b, m->message);
}

enum xos_status ca_login_finish_get(
    struct xos_bytes in, struct ca_login_finish *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->address, sizeof(m->address));
	xos_reader_lp_str(&r, m->sid, sizeof(m->sid));
	xos_reader_lp(&r, XOS_SCRAM_MESSAGE_MAX, &m->message);
	return finish(&r, "login finish", err);
}

void ca_login_done_put(struct xos_buf *b, const struct ca_login_done *m)
{
	xos_buf_lp_str(b, m->grant);
	xos_buf_lp(b, m->message);
}

enum xos_status ca_login_done_get(struct xos_bytes in, struct ca_login_done *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->grant, sizeof(m->grant));
	xos_reader_lp(&r, XOS_SCRAM_MESSAGE_MAX, &m->message);
	return finish(&r, "login done", err);
}

void ca_grant_put(struct xos_buf *b, const struct ca_grant *m)
{
	xos_buf_lp_str(b, m->id);
	xos_buf_lp_str(b, m->vo);
	xos_buf_lp_str(b, m->member);
	xos_buf_lp_str(b, m->method);
	xos_buf_u8(b, m->mfa);
	xos_buf_u64(b, (uint64_t)m->time);
	xos_buf_u64(b, (uint64_t)m->ends);
	xos_buf_u64(b, (uint64_t)m->expires);
	xos_buf_lp_str(b, m->renews);
	xos_buf_put(b, m->digest, sizeof(m->digest));
}

enum xos_status ca_grant_get(struct xos_bytes in, struct ca_grant *m, struct xos_err *err)
{
	uint8_t mfa = 0;
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->id, sizeof(m->id));
	xos_reader_lp_str(&r, m->vo, sizeof(m->vo));
	xos_reader_lp_str(&r, m->member, sizeof(m->member));
	xos_reader_lp_str(&r, m->method, sizeof(m->method));
	if (xos_reader_u8(&r, &mfa) && mfa > 1)
		r.failed = true;
	m->mfa = mfa == 1;
	take_i64(&r, &m->time);
	take_i64(&r, &m->ends);
	take_i64(&r, &m->expires);
	xos_reader_lp_str(&r, m->renews, sizeof(m->renews));
	take_digest(&r, m->digest);
	if (!r.failed && strlen(m->id) != CA_GRANT_LEN)
		r.failed = true;
	return finish(&r, "grant", err);
}

void ca_issue_put(struct xos_buf *b, const struct ca_issue *m)
{
	xos_buf_lp_str(b, m->grant);
	xos_buf_lp(b, xos_buf_bytes(&m->request.csr));
	xos_buf_u32(b, (uint32_t)m->request.nroles);
	for (size_t i = 0; i < m->request.nroles; i++)
		xos_buf_lp_str(b, m->request.roles[i]);
	xos_buf_u64(b, (uint64_t)m->request.lifetime);
	xos_buf_lp_str(b, m->request.totp);
}

enum xos_status ca_issue_get(struct xos_bytes in, struct ca_issue *m, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	enum xos_status st = XOS_OK;
	struct xos_bytes csr = XOS_BYTES_NONE;
	struct xos_reader r;
	uint32_t n = 0;

	xos_cad_request_init(&m->request);
	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->grant, sizeof(m->grant));
	xos_reader_lp(&r, XOS_CSR_MAX, &csr);
	xos_buf_put(&m->request.csr, csr.p, csr.n);
	if (xos_reader_u32(&r, &n) && n > XOS_CLAIMS_ROLES_MAX)
		r.failed = true;
	for (uint32_t i = 0; st == XOS_OK && !r.failed && i < n; i++)
		if (xos_reader_lp_str(&r, role, sizeof(role)))
			st = xos_cad_request_add_role(&m->request, role, err);
	take_i64(&r, &m->request.lifetime);
	xos_reader_lp_str(&r, m->request.totp, sizeof(m->request.totp));
	if (st == XOS_OK)
		st = finish(&r, "issue", err);
	if (st == XOS_OK && xos_buf_status(&m->request.csr) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st != XOS_OK)
		xos_cad_request_clear(&m->request);
	return st;
}

enum xos_status ca_u64_get(struct xos_bytes in, uint64_t *v, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_u64(&r, v);
	return finish(&r, "number", err);
}

enum xos_status ca_command_get(
    struct xos_bytes in, char address[CA_PEER_MAX + 1], struct xos_bytes *body, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, address, CA_PEER_MAX + 1);
	xos_reader_lp(&r, XOS_COMMAND_BODY_MAX, body);
	return finish(&r, "command", err);
}

void ca_status_answer_put(struct xos_buf *b, const struct ca_status_answer *m)
{
	xos_buf_u64(b, m->version);
	xos_buf_u64(b, (uint64_t)m->this_update);
	xos_buf_u64(b, (uint64_t)m->next_update);
	xos_buf_lp(b, m->der);
}

enum xos_status ca_status_answer_get(
    struct xos_bytes in, struct ca_status_answer *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_u64(&r, &m->version);
	take_i64(&r, &m->this_update);
	take_i64(&r, &m->next_update);
	xos_reader_lp(&r, XOS_CRL_MAX, &m->der);
	return finish(&r, "status", err);
}

void ca_accept_put(struct xos_buf *b, const struct ca_accept *m)
{
	xos_buf_lp_str(b, m->proof.address);
	xos_buf_lp_str(b, m->proof.sid);
	xos_buf_lp(b, m->proof.message);
	xos_buf_u64(b, m->version);
	xos_buf_put(b, m->digest, sizeof(m->digest));
}

enum xos_status ca_accept_get(struct xos_bytes in, struct ca_accept *m, struct xos_err *err)
{
	struct xos_bytes digest = XOS_BYTES_NONE;
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->proof.address, sizeof(m->proof.address));
	xos_reader_lp_str(&r, m->proof.sid, sizeof(m->proof.sid));
	xos_reader_lp(&r, XOS_SCRAM_MESSAGE_MAX, &m->proof.message);
	xos_reader_u64(&r, &m->version);
	if (xos_reader_take(&r, XOS_SHA256_LEN, &digest))
		memcpy(m->digest, digest.p, XOS_SHA256_LEN);
	if (xos_reader_end(&r) == XOS_OK)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_MALFORMED, "message", "a message between processes is malformed: accept");
}
