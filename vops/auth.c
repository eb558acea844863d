/* The auth process: keeps sets.db and verifies everything that comes in. */
#include "vops/auth.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/abilities.h"
#include "api/once.h"
#include "api/signer.h"
#include "api/trustkeep.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "bundle/administrators.h"
#include "bundle/membership.h"
#include "proc/supervisor.h"
#include "vops/abilities.h"
#include "vops/incoming.h"
#include "vops/standing.h"
#include "vops/versions.h"
#include "vops/scoped.h"
#include "vops/handover.h"
#include "vops/heads.h"

#define KEY_MS 30000

enum xos_status vops_auth_open(struct xos_part_self *self, struct xos_err *err)
{
	struct vops_auth *a = calloc(1, sizeof(*a));

	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	a->conf = self->run->conf;
	a->generation = 1;
	self->state = a;
	a->trust = xos_trust_new();
	if (!a->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	const struct xos_gate_options o = {
	    .vo = a->conf->common.vo, .aud = XOS_VOPS_AUD, .trust = a->trust};
	enum xos_status st = xos_trust_load(a->trust, a->conf->common.trust, err);
	if (st == XOS_OK)
		st = vops_conf_path(a->conf, "auth/" XOS_TRUST_FILE, a->list, sizeof(a->list), err);
	if (st == XOS_OK)
		st = xos_trust_follow(a->trust, a->list, err);
	return st == XOS_OK ? xos_gate_new(&o, &a->gate, err) : st;
}

void vops_auth_close(struct xos_part_self *self)
{
	struct vops_auth *a = self->state;

	if (!a)
		return;
	for (size_t i = 0; i < a->ncurrent; i++) {
		xos_buf_free(&a->current[i]->compact);
		free(a->current[i]);
	}
	vops_standing_forget(a);
	xos_gate_free(a->gate);
	xos_bulk_free(a->key);
	xos_store_close(a->db);
	xos_trust_free(a->trust);
	free(a);
	self->state = NULL;
}

struct xos_bundle_trust vops_auth_trust(const struct vops_auth *a, int64_t now)
{
	return (struct xos_bundle_trust){.vo = a->conf->common.vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = a->trust,
	    .now = now,
	    .skew = XOS_BUNDLE_SKEW};
}

/* --- what was fetched --- */

static enum xos_status object_serial(struct vops_auth *a, enum vops_object o,
    struct xos_bytes compact, uint64_t *serial, struct xos_err *err)
{
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(a->trust, cert)};
	const struct xos_bundle_trust trust = vops_auth_trust(a, xos_clock_now());
	struct xos_roster *roster = NULL;
	struct xos_locks *locks = NULL;
	enum xos_status st = XOS_INTERNAL;

	if (o == VOPS_ROSTER) {
		st = xos_roster_verify(compact, &certs, &trust, &roster, err);
		*serial = st == XOS_OK ? xos_roster_serial(roster) : 0;
	} else {
		enum xos_signer by = o == VOPS_LOCKS_CA ? XOS_SIGNER_CA : XOS_SIGNER_RCA;

		st = xos_locks_verify(compact, by, &certs, &trust, &locks, err);
		*serial = st == XOS_OK ? xos_locks_serial(locks) : 0;
	}
	xos_locks_free(locks);
	xos_roster_free(roster);
	return st;
}

/* A serial that a key gave which counts no more holds nothing back: its thief may have signed with the highest there is. */
static bool by_nobody(struct vops_auth *a, enum vops_object o)
{
	struct xos_buf kept;
	struct xos_err why = XOS_ERR_INIT;
	uint64_t serial = 0;

	xos_buf_init(&kept, XOS_ROSTER_MAX);
	bool yes = vops_object_get(a->db, o, &kept, &why) == XOS_OK && kept.n &&
	           object_serial(a, o, xos_buf_bytes(&kept), &serial, &why) == XOS_DENIED;
	xos_buf_free(&kept);
	return yes;
}

static enum xos_status put_object(struct vops_auth *a, enum vops_object o, uint64_t serial,
    struct xos_bytes compact, bool *changed, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	int64_t now = xos_clock_now();
	enum xos_status st = vops_object_put(a->db, o, serial, compact, now, changed, &why);

	if (st == XOS_CONFLICT && by_nobody(a, o)) {
		st = vops_object_forget(a->db, o, err);
		return st == XOS_OK ? vops_object_put(a->db, o, serial, compact, now, changed, err)
		                    : st;
	}
	return st == XOS_OK ? st : xos_err_set(err, st, why.code, "%s", why.text);
}

static enum xos_status on_object(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	uint8_t which = 0;
	uint64_t serial = 0;
	bool changed = false;

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_u8(&r, &which);
	xos_reader_lp(&r, XOS_ROSTER_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK || which >= VOPS_OBJECTS)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad object");
	enum xos_status st = object_serial(a, (enum vops_object)which, compact, &serial, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = put_object(a, (enum vops_object)which, serial, compact, &changed, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK && changed) {
		a->generation++;
		vops_standing_forget(a);
		XOS_EVENT(XOS_INFO, "object.changed", "object",
		    vops_object_name((enum vops_object)which));
	}
	return st;
}

static enum xos_status on_head(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_bytes doc = XOS_BYTES_NONE;
	struct xos_reader r;
	uint8_t log = 0;
	bool changed = false;

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_u8(&r, &log);
	xos_reader_lp(&r, payload.n, &doc);
	if (xos_reader_end(&r) != XOS_OK || log >= XOS_VO_LOGS)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad head");
	enum xos_status st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = vops_head_take(a->db, a->trust, a->conf->common.vo, (enum xos_vo_log)log, doc,
		    xos_clock_now(), &changed, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK && changed)
		a->heads++;
	return st;
}

static enum xos_status on_administrators(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_reader r;

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp(&r, XOS_ADMINISTRATORS_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad list");
	return xos_gate_list(a->gate, compact, xos_clock_now(), err);
}

static uint64_t list_serial(const struct vops_auth *a)
{
	const struct xos_trust_list *l = xos_trust_list(a->trust, a->conf->common.vo);

	return l ? l->serial : 0;
}

/* Key believes it for the root's sake as we do, and puts it into bundles. */
static enum xos_status list_to_key(struct vops_auth *a, struct xos_err *err)
{
	struct xos_buf reply;

	xos_buf_init(&reply, 0);
	enum xos_status st = xos_bulk_call(a->key, VOPS_KEY_TRUST,
	    xos_trust_list_compact(a->trust, a->conf->common.vo), xos_clock_mono_ms() + KEY_MS,
	    &reply, err);
	xos_buf_free(&reply);
	return st;
}

static enum xos_status on_trust(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	bool news = false;

	(void)from;
	(void)reply;
	return xos_trust_keep_take(a->trust, payload, a->list, &news, err);
}

/* --- bundles --- */

static struct vops_current *current_of(struct vops_auth *a, const char *site)
{
	for (size_t i = 0; i < a->ncurrent; i++) {
		if (strcmp(a->current[i]->site, site) == 0)
			return a->current[i];
	}
	if (a->ncurrent == VOPS_SITES_MAX)
		return NULL;
	struct vops_current *c = calloc(1, sizeof(*c));
	if (!c || !xos_str_copy(c->site, sizeof(c->site), site)) {
		free(c);
		return NULL;
	}
	xos_buf_init(&c->compact, XOS_BUNDLE_MAX);
	a->current[a->ncurrent++] = c;
	return c;
}

static enum xos_status add_scoped(void *ctx, const struct vops_scoped *s, struct xos_err *err)
{
	struct vops_parts *p = ctx;

	return vops_named_add(s->kind == VOPS_SCOPE_GROUP ? &p->groups : &p->owners, s->name,
	    s->serial, s->text, err);
}

static enum xos_status add_node_set(void *ctx, const struct vops_node_set *s, struct xos_err *err)
{
	struct vops_parts *p = ctx;

	return vops_named_add(&p->nodes, s->node, s->serial, s->compact, err);
}

static enum xos_status gather_heads(struct vops_auth *a, struct xos_buf heads[XOS_VO_LOGS],
    struct vops_parts *p, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (unsigned i = 0; st == XOS_OK && i < XOS_VO_LOGS; i++) {
		st = vops_head_get(a->db, (enum xos_vo_log)i, &heads[i], err);
		p->head[i] = xos_buf_bytes(&heads[i]);
	}
	return st;
}

static enum xos_status gather(
    struct vops_auth *a, const char *site, struct xos_buf *out, struct xos_err *err)
{
	struct vops_parts p = {.vo_text = XOS_BYTES_NONE};
	struct xos_buf text, set, object[VOPS_OBJECTS], heads[XOS_VO_LOGS];

	xos_buf_init(&text, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&set, XOS_SITESET_MAX);
	for (size_t i = 0; i < VOPS_OBJECTS; i++)
		xos_buf_init(&object[i], XOS_ROSTER_MAX);
	for (size_t i = 0; i < XOS_VO_LOGS; i++)
		xos_buf_init(&heads[i], XOS_BUNDLE_HEAD_MAX);
	enum xos_status st = vops_vo_set_get(a->db, 0, &text, NULL, err);
	if (st == XOS_OK)
		st = gather_heads(a, heads, &p, err);
	if (st == XOS_OK)
		st = vops_site_set_get(a->db, site, &set, err);
	for (size_t i = 0; st == XOS_OK && i < VOPS_OBJECTS; i++)
		st = vops_object_get(a->db, (enum vops_object)i, &object[i], err);
	if (st == XOS_OK)
		st = vops_scoped_each(a->db, xos_clock_now(), add_scoped, &p, err);
	if (st == XOS_OK)
		st = vops_node_sets_each(a->db, site, add_node_set, &p, err);
	if (st == XOS_OK && xos_str_copy(p.site, sizeof(p.site), site)) {
		p.vo_text = xos_buf_bytes(&text);
		p.site_set = xos_buf_bytes(&set);
		for (size_t i = 0; i < VOPS_OBJECTS; i++)
			p.object[i] = xos_buf_bytes(&object[i]);
		vops_parts_encode(out, &p);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "bundle-size", "the parts of the bundle do not fit");
	}
	for (size_t i = 0; i < VOPS_OBJECTS; i++)
		xos_buf_free(&object[i]);
	for (size_t i = 0; i < XOS_VO_LOGS; i++)
		xos_buf_free(&heads[i]);
	vops_parts_free(&p);
	xos_buf_free(&set);
	xos_buf_free(&text);
	return st;
}

static enum xos_status renew(
    struct vops_auth *a, struct vops_current *c, int64_t now, struct xos_err *err)
{
	struct xos_buf parts, reply;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	uint64_t serial = 0, generation = a->generation, heads = a->heads;

	xos_buf_init(&parts, XOS_BULK_MAX);
	xos_buf_init(&reply, 0);
	uint64_t list = list_serial(a);
	enum xos_status st = gather(a, c->site, &parts, err);
	if (st == XOS_OK && list)
		st = list_to_key(a, err);
	if (st == XOS_OK)
		st = xos_bulk_call(a->key, VOPS_SIGN, xos_buf_bytes(&parts),
		    xos_clock_mono_ms() + KEY_MS, &reply, err);
	if (st != XOS_OK)
		goto out;
	xos_reader_init(&r, xos_buf_bytes(&reply));
	xos_reader_u64(&r, &serial);
	xos_reader_lp(&r, XOS_BUNDLE_MAX, &compact);
	st = xos_reader_end(&r);
	if (st != XOS_OK) {
		xos_err_set(err, st, "channel-frame", "bad answer of the key process");
		goto out;
	}
	xos_buf_free(&c->compact);
	xos_buf_init(&c->compact, XOS_BUNDLE_MAX);
	xos_buf_put(&c->compact, compact.p, compact.n);
	c->serial = serial;
	c->generation = generation;
	c->list = list;
	c->heads = heads;
	c->issued = now;
	st = xos_buf_status(&c->compact);
out:
	xos_buf_free(&reply);
	xos_buf_free(&parts);
	return st;
}

/* Heads change with every token: they come along, and make a bundle of their own only now and then. */
static bool is_old(const struct vops_auth *a, const struct vops_current *c, int64_t now)
{
	int64_t age = now - c->issued;

	return c->compact.n == 0 || c->generation != a->generation || c->list != list_serial(a) ||
	       age >= a->conf->bundle_refresh ||
	       (c->heads != a->heads && age >= a->conf->heads_refresh);
}

/* The bundle in force; an older one that is still good, if no new one can be made just now. */
static enum xos_status current_bundle(
    struct vops_auth *a, const char *site, const struct vops_current **out, struct xos_err *err)
{
	struct xos_key *key = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = vops_site_key(a->db, site, &key, err);

	xos_key_free(key);
	if (st != XOS_OK)
		return st;
	struct vops_current *c = current_of(a, site);
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (is_old(a, c, now)) {
		st = renew(a, c, now, err);
		if (st != XOS_OK)
			xos_event_err(
			    XOS_ERROR, "bundle.failed", err, "site", site, (const char *)NULL);
		if (st != XOS_OK && c->compact.n && now - c->issued < a->conf->bundle_life)
			st = XOS_OK;
	}
	*out = c;
	return st;
}

static enum xos_status on_bundle(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	const struct vops_current *c = NULL;
	struct xos_reader r;
	char site[XOS_SITE_MAX + 1] = "", etag[XOS_VOPS_ETAG_MAX] = "", mine[XOS_VOPS_ETAG_MAX];

	(void)from;
	vops_incoming_time(a); /* what was planned for now is in the bundle that is asked for now */
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, site, sizeof(site));
	xos_reader_lp_str(&r, etag, sizeof(etag));
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(site))
		return xos_err_set(err, XOS_MALFORMED, "site-name", "no site name");
	enum xos_status st = current_bundle(a, site, &c, err);
	if (st != XOS_OK)
		return st;
	xos_str_printf(mine, sizeof(mine), "\"%llu\"", (unsigned long long)c->serial);
	bool changed = strcmp(mine, etag) != 0;
	xos_buf_u8(reply, changed);
	xos_buf_lp_str(reply, mine);
	xos_buf_lp(reply, changed ? xos_buf_bytes(&c->compact) : XOS_BYTES_NONE);
	return XOS_OK;
}

/* --- sets --- */

static enum xos_status put_site_set(
    struct vops_auth *a, const char *site, struct xos_bytes compact, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_siteset *set = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = vops_site_key(a->db, site, &key, err);

	if (st == XOS_OK)
		st = xos_siteset_verify(key, site, compact, now, XOS_BUNDLE_SKEW, &set, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = vops_site_set_put(a->db, site, set->serial, set->expires, compact, now, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK) {
		a->generation++;
		XOS_EVENT(XOS_INFO, "site.set", "site", site);
	}
	xos_siteset_free(set);
	xos_key_free(key);
	return st;
}

static enum xos_status on_site_set(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	char site[XOS_SITE_MAX + 1] = "";

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, site, sizeof(site));
	xos_reader_lp(&r, XOS_SITESET_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(site))
		return xos_err_set(err, XOS_MALFORMED, "site-name", "no site name");
	enum xos_status st = put_site_set(a, site, compact, err);
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "site.set.refused", err, "site", site, (const char *)NULL);
	return st;
}

static enum xos_status on_command(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = ctx;
	struct xos_command *c = NULL;
	struct xos_json *result = NULL;
	struct xos_err why; /* who may give which command is asked anew for each */
	int64_t now = xos_clock_now();

	(void)from;
	enum xos_status st = xos_gate_open_any(a->gate, payload, now, &c, &why, err);
	/* The identifier is used up together with what the command did, or not at all. */
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = xos_once(a->db, c->jti, c->exp, now, err);
	if (st == XOS_OK)
		st = vops_auth_command(a, c, &result, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	return xos_gate_answer(st, c, result, reply, err);
}

enum xos_status vops_auth_serve(struct xos_part_self *self, struct xos_err *err)
{
	static const struct xos_bulk_handler table[] = {
	    {VOPS_COMMAND, "command", 1, XOS_COMMAND_BODY_MAX, on_command},
	    {VOPS_SITE_SET, "site-set", 1, XOS_SITESET_MAX + 64, on_site_set},
	    {VOPS_BUNDLE, "bundle", 1, 256, on_bundle},
	    {VOPS_OBJECT, "object", 1, XOS_ROSTER_MAX + 64, on_object},
	    {VOPS_TRUST, "trust", 1, XOS_TRUST_LIST_MAX, on_trust},
	    {VOPS_HEAD, "head", 1, 65536, on_head},
	    {VOPS_ADMINISTRATORS, "administrators", 1, XOS_ADMINISTRATORS_MAX + 64,
	        on_administrators},
	    {VOPS_NODE_SET, "node-set", 1, XOS_SITESET_MAX + 1024, vops_incoming_node_set},
	    {VOPS_ABILITIES, "abilities", 1, XOS_ABILITIES_MAX + 1024, vops_abilities_take},
	    {VOPS_VIEW, "view", 1, 8, vops_handover_view},
	    {VOPS_VIEW_PART, "view-part", 1, VOPS_PART_NAME_MAX + 16, vops_handover_part},
	    {VOPS_MEMBERSHIP, "membership", 1, XOS_MEMBERSHIP_MAX + 64, vops_handover_membership},
	};
	struct vops_auth *a = self->state;
	struct xos_channel *channels[1] = {self->to[XOS_PART_NETWORK]};
	struct xos_channel_server server = {.channels = channels,
	    .nchannels = 1,
	    .signal_fd = self->signal_fd,
	    .on_tick = vops_incoming_time,
	    .tick_ms = VOPS_TICK_MS};
	struct xos_bulk_server *bulk = NULL;
	char path[PATH_MAX];

	/* Opened here: as the part's own user, so that every file of the database is its own. */
	enum xos_status st = vops_conf_path(a->conf, "auth/sets.db", path, sizeof(path), err);
	if (st == XOS_OK)
		st = vops_sets_open(path, &a->db, err);
	if (st == XOS_OK)
		vops_incoming_time(a);
	if (st == XOS_OK)
		st = xos_bulk_new(self->to[XOS_PART_KEY], &a->key, err);
	if (st == XOS_OK)
		st = xos_bulk_server_new(table, sizeof(table) / sizeof(table[0]), a, &bulk, err);
	if (st == XOS_OK) {
		xos_bulk_server_disk(bulk, path);
		xos_child_ready();
		st = xos_bulk_serve(bulk, &server, err);
	}
	xos_bulk_server_free(bulk);
	return st;
}
