/* The key process: verifies the parts of a bundle once more, counts, signs. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "proc/supervisor.h"
#include "service/bulk.h"
#include "vops/parts.h"

struct key_state {
	const struct vops_conf *conf;
	struct xos_trust *trust;
	struct xos_key *key;
	struct xos_chain chain; /* the policy signing certificate first */
	uint64_t serial;        /* of the last bundle, as on disk */
	uint64_t vo_serial;     /* highest VO set signed by this process */
};

size_t vops_issuers(const struct xos_trust *trust, const struct xos_cert *out[VOPS_ISSUERS_MAX])
{
	return xos_trust_issuers(trust, NULL, out, VOPS_ISSUERS_MAX);
}

static enum xos_status load(struct key_state *k, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = vops_conf_path(k->conf, "vops.key", path, sizeof(path), err);

	if (st == XOS_OK)
		st = xos_key_load(path, NULL, NULL, &k->key, err);
	if (st == XOS_OK)
		st = vops_conf_path(k->conf, "vops.pem", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_chain_load(path, &k->chain, err);
	if (st == XOS_OK && !xos_key_same(xos_cert_key(k->chain.cert[0]), k->key))
		st = xos_err_set(err, XOS_MALFORMED, "policy-key",
		    "%s is not the certificate of vops.key: have the root sign vops.csr again",
		    path);
	if (st == XOS_OK)
		st = xos_trust_load(k->trust, k->conf->common.trust, err);
	if (st == XOS_OK)
		st = xos_api_signer(k->trust, XOS_SIGNER_POLICY, k->conf->common.vo,
		    k->chain.cert[0], xos_clock_now(), err);
	return st;
}

enum xos_status vops_key_open(struct xos_part_self *self, struct xos_err *err)
{
	struct key_state *k = calloc(1, sizeof(*k));

	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	k->conf = self->run->conf;
	self->state = k;
	k->trust = xos_trust_new();
	if (!k->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	return load(k, err);
}

void vops_key_close(struct xos_part_self *self)
{
	struct key_state *k = self->state;

	if (!k)
		return;
	xos_chain_clear(&k->chain);
	xos_key_free(k->key);
	xos_trust_free(k->trust);
	free(k);
	self->state = NULL;
}

/* key/bundle.serial: the last serial given, in decimal. Written before each signature: a serial may be
 * lost in a crash, never given twice. */
static enum xos_status serial_read(struct key_state *k, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf text;

	xos_buf_init(&text, 64);
	enum xos_status st = vops_conf_path(k->conf, "key/bundle.serial", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_file_read(path, 32, &text, err);
	if (st == XOS_NOT_FOUND)
		st = XOS_OK;
	else if (st == XOS_OK && (!xos_buf_str(&text) ||
	                             !xos_parse_u64(xos_buf_str(&text), INT64_MAX - 1, &k->serial)))
		st = xos_err_set(err, XOS_MALFORMED, "bundle-serial",
		    "%s is damaged: put a number into it that is higher than any bundle's serial "
		    "(xos-node "
		    "status shows the nodes')",
		    path);
	xos_buf_free(&text);
	return st;
}

static enum xos_status serial_next(struct key_state *k, struct xos_err *err)
{
	char path[PATH_MAX], text[32];

	xos_str_printf(text, sizeof(text), "%llu", (unsigned long long)k->serial + 1);
	enum xos_status st = vops_conf_path(k->conf, "key/bundle.serial", path, sizeof(path), err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_bytes_str(text), err);
	if (st == XOS_OK)
		k->serial++;
	return st;
}

/* What auth hands over is what nodes will verify: refuse here what they would refuse there. */
static enum xos_status check_objects(
    struct key_state *k, const struct vops_parts *p, int64_t now, struct xos_err *err)
{
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(k->trust, cert)};
	const struct xos_bundle_trust trust = {.vo = k->conf->common.vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = k->trust,
	    .now = now,
	    .skew = XOS_BUNDLE_SKEW};
	struct xos_roster *roster = NULL;
	struct xos_locks *ca = NULL, *rca = NULL;
	enum xos_status st =
	    xos_roster_verify(p->object[VOPS_ROSTER], &certs, &trust, &roster, err);

	if (st == XOS_OK)
		st = xos_locks_verify(
		    p->object[VOPS_LOCKS_CA], XOS_SIGNER_CA, &certs, &trust, &ca, err);
	if (st == XOS_OK)
		st = xos_locks_verify(
		    p->object[VOPS_LOCKS_RCA], XOS_SIGNER_RCA, &certs, &trust, &rca, err);
	xos_locks_free(rca);
	xos_locks_free(ca);
	xos_roster_free(roster);
	return st;
}

static enum xos_status check_vo_set(
    struct key_state *k, const struct vops_parts *p, uint64_t *serial, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	enum xos_status st =
	    xos_policy_set_load((const char *)p->vo_text.p, p->vo_text.n, "VO set", &set, err);

	if (st != XOS_OK)
		return st;
	*serial = xos_policy_set_serial(set);
	if (xos_policy_set_level(set) != XOS_POLICY_VO ||
	    strcmp(xos_policy_set_name(set), k->conf->common.vo) != 0)
		st = xos_err_set(
		    err, XOS_DENIED, "wrong-vo", "not a set of the VO %s", k->conf->common.vo);
	else if (*serial < k->vo_serial)
		st = xos_err_set(err, XOS_DENIED, "lower-serial",
		    "a VO set with the serial %llu was signed before",
		    (unsigned long long)k->vo_serial);
	else
		k->vo_serial = *serial;
	xos_policy_set_unref(set);
	return st;
}

static size_t heads_of(const struct vops_parts *p, struct xos_bytes out[XOS_BUNDLE_HEADS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < XOS_BUNDLE_HEADS_MAX; i++)
		if (p->head[i].n)
			out[n++] = p->head[i];
	return n;
}

static enum xos_status sign(struct key_state *k, const struct vops_parts *p, uint64_t vo_serial,
    int64_t now, struct xos_buf *reply, struct xos_err *err)
{
	const struct xos_cert *issuers[VOPS_ISSUERS_MAX];
	struct xos_bytes heads[XOS_BUNDLE_HEADS_MAX];
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_BUNDLE_MAX);
	enum xos_status st = serial_next(k, err);
	const struct xos_bundle_fields f = {
	    .vo = k->conf->common.vo,
	    .serial = k->serial,
	    .issued = now,
	    .expires = now + k->conf->bundle_life,
	    .signer = k->chain.cert[0],
	    .root = xos_trust_root(k->trust, k->conf->common.vo),
	    .issuers = issuers,
	    .nissuers = vops_issuers(k->trust, issuers),
	    .vo_serial = vo_serial,
	    .vo_text = p->vo_text,
	    .site = p->site,
	    .site_set = p->site_set,
	    .roster = p->object[VOPS_ROSTER],
	    .locks_ca = p->object[VOPS_LOCKS_CA],
	    .locks_rca = p->object[VOPS_LOCKS_RCA],
	    .trust = xos_trust_list_compact(k->trust, k->conf->common.vo),
	    .groups = p->groups.list,
	    .ngroups = p->groups.n,
	    .owners = p->owners.list,
	    .nowners = p->owners.n,
	    .nodes = p->nodes.list,
	    .nnodes = p->nodes.n,
	    .heads = heads,
	    .nheads = heads_of(p, heads),
	};
	if (st == XOS_OK)
		st = xos_bundle_sign(k->key, &f, &compact, err);
	if (st == XOS_OK) {
		xos_buf_u64(reply, f.serial);
		xos_buf_lp(reply, xos_buf_bytes(&compact));
		XOS_EVENT(XOS_INFO, "bundle.signed", "site", p->site);
	}
	xos_buf_free(&compact);
	return st;
}

static enum xos_status on_sign(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	struct vops_parts p = {.vo_text = XOS_BYTES_NONE};
	uint64_t vo_serial = 0;
	int64_t now = xos_clock_now();

	(void)from;
	enum xos_status st = vops_parts_decode(payload, &p, err);
	if (st == XOS_OK)
		st = check_vo_set(k, &p, &vo_serial, err);
	if (st == XOS_OK)
		st = check_objects(k, &p, now, err);
	if (st == XOS_OK)
		st = sign(k, &p, vo_serial, now, reply, err);
	vops_parts_free(&p);
	return st;
}

static enum xos_status on_trust(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct key_state *k = ctx;
	enum xos_status st = xos_trust_take_list(k->trust, payload, NULL, err);

	(void)from;
	(void)reply;
	/* The folder was faster. */
	return st == XOS_CONFLICT ? XOS_OK : st;
}

enum xos_status vops_key_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {VOPS_SIGN, "sign", 1, XOS_BULK_MAX, on_sign},
	    {VOPS_KEY_TRUST, "trust", 1, XOS_TRUST_LIST_MAX, on_trust}};
	struct xos_channel *channels[XOS_PARTS];
	struct xos_channel_server server = {.signal_fd = -1};
	struct xos_bulk_server *bulk = NULL;
	struct key_state *k = self->state;

	xos_part_channels(self, channels, &server);
	enum xos_status st = serial_read(k, err);
	if (st == XOS_OK)
		st = xos_bulk_server_new(table, sizeof(table) / sizeof(table[0]), k, &bulk, err);
	if (st == XOS_OK) {
		xos_child_ready();
		st = xos_bulk_serve(bulk, &server, err);
	}
	xos_bulk_server_free(bulk);
	return st;
}
