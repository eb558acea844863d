#include "service/keep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/keep.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "net/pair.h"
#include "service/client.h"

#define SKEW 300
#define CALL_MS 15000
#define BUSY_MS 20000
#define TAINT_SPREAD_MS 20000
#define HINT "is xos-server running there? What is valid goes on until it ends"

struct xos_keep {
	struct xos_tls_pair pair;
	char *url, *vo;
	struct xos_chain own; /* with its key */
	struct stat seen;     /* the certificate's file as it was read */
	struct xos_keep_state state;
	int64_t wait_until; /* monotonic milliseconds */
	unsigned failures;  /* in a row */
	bool tainted;       /* the trust list says so of the issuer */
};

static int64_t between(int64_t v, int64_t least, int64_t most)
{
	return v < least ? least : v > most ? most : v;
}

int64_t xos_keep_pause(int64_t life, unsigned failures)
{
	int64_t base = between(life / 40, 2, 300), most = between(life / 20, base, 3600);

	for (unsigned i = 1; i < failures && base < most; i++)
		base *= 2;
	base = base < most ? base : most;
	return base / 2 + (int64_t)xos_random_below((uint64_t)(base - base / 2) + 1);
}

int64_t xos_keep_start(int64_t life, int64_t left)
{
	int64_t most = left > 0 ? between(left / 10, 0, 600) : between(life / 40, 1, 120);

	return (int64_t)xos_random_below((uint64_t)most + 1);
}

enum xos_status xos_keep_new(
    const struct xos_keep_options *o, struct xos_keep **out, struct xos_err *err)
{
	struct xos_keep *k = calloc(1, sizeof(*k));

	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = xos_tls_pair_init(&k->pair, o->certificate, o->key, err);
	k->url = o->url ? strdup(o->url) : NULL;
	k->vo = strdup(o->vo);
	if (st == XOS_OK && (!k->vo || (o->url && !k->url)))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st != XOS_OK) {
		xos_keep_free(k);
		return st;
	}
	*out = k;
	return XOS_OK;
}

void xos_keep_free(struct xos_keep *k)
{
	if (!k)
		return;
	xos_chain_clear(&k->own);
	xos_tls_pair_clear(&k->pair);
	free(k->url);
	free(k->vo);
	free(k);
}

const struct xos_keep_state *xos_keep_state(const struct xos_keep *k)
{
	return &k->state;
}

enum xos_status xos_keep_chain(const struct xos_keep *k, struct xos_chain *out, struct xos_err *err)
{
	enum xos_status st = k->own.n ? XOS_OK
	                              : xos_err_set(err, XOS_NOT_FOUND, "no-certificate",
	                                    "no certificate was read yet");

	for (size_t i = 0; st == XOS_OK && i < k->own.n; i++)
		st = xos_chain_add(out, k->own.cert[i]);
	if (st == XOS_OK)
		out->key = xos_key_ref(k->own.key);
	return st;
}

/* --- reading --- */

static bool changed(const struct xos_keep *k)
{
	struct stat sb;

	return !k->own.n || stat(k->pair.certificate, &sb) != 0 || sb.st_ino != k->seen.st_ino ||
	       sb.st_size != k->seen.st_size ||
	       memcmp(&sb.st_mtim, &k->seen.st_mtim, sizeof(sb.st_mtim)) != 0;
}

/* Under the lock. */
static enum xos_status read_files(struct xos_keep *k, bool *other, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	bool first = k->own.n == 0;
	enum xos_status st = xos_tls_pair_load(&k->pair, &fresh, err);

	if (st != XOS_OK)
		return st;
	if (stat(k->pair.certificate, &k->seen) != 0)
		memset(&k->seen, 0, sizeof(k->seen));
	*other =
	    first || !xos_key_same(fresh.key, k->own.key) ||
	    strcmp(xos_cert_serial_text(fresh.cert[0]), xos_cert_serial_text(k->own.cert[0])) != 0;
	xos_chain_clear(&k->own);
	k->own = fresh;
	k->state.not_before = k->pair.not_before;
	k->state.not_after = k->pair.not_after;
	k->state.renew_after = k->pair.renew_after;
	memcpy(k->state.spki, xos_key_spki_sha256(fresh.key), XOS_SHA256_LEN);
	if (!*other)
		return XOS_OK;
	k->state.confirmed = k->state.refused = k->tainted = false;
	k->failures = 0;
	int64_t now = xos_clock_now(), wait = 0;
	int64_t life = k->pair.not_after - k->pair.not_before;
	/* Due at once, and new: so short a life is not renewed in a circle. */
	if (now >= k->pair.renew_after)
		wait =
		    first ? xos_keep_start(life, k->pair.not_after - now) : xos_keep_pause(life, 1);
	k->wait_until = xos_clock_mono_ms() + wait * 1000;
	return XOS_OK;
}

/* --- asking --- */

/* own NULL: without client certificate. */
static enum xos_status connect_to(const struct xos_keep *k, const struct xos_trust *trust,
    const struct xos_chain *own, struct xos_service_client **out, struct xos_err *err)
{
	const struct xos_service_client_options o = {.url = k->url,
	    .vo = k->vo,
	    .service = "rca",
	    .trust = trust,
	    .own = own,
	    .skew = SKEW,
	    .total_ms = CALL_MS,
	    .hint = HINT};

	return xos_service_client_new(&o, out, err);
}

/* An authority from before there were confirmations does not miss them. */
static enum xos_status confirm(
    struct xos_keep *k, const struct xos_trust *trust, struct xos_err *err)
{
	struct xos_service_client *c = NULL;
	enum xos_status st = connect_to(k, trust, &k->own, &c, err);

	if (st == XOS_OK)
		st = xos_rca_confirm(xos_service_client(c), k->vo, &k->own, err);
	if (st == XOS_NOT_FOUND && err && strcmp(err->code, "no-node") != 0)
		st = XOS_OK;
	k->state.confirmed = st == XOS_OK;
	xos_service_client_free(c);
	return st;
}

static enum xos_status ask(struct xos_keep *k, const struct xos_trust *trust, bool rescue,
    const struct xos_key *key, struct xos_chain *fresh, struct xos_err *err)
{
	struct xos_service_client *c = NULL;
	enum xos_status st = connect_to(k, trust, rescue ? NULL : &k->own, &c, err);

	if (st == XOS_OK)
		st = rescue ? xos_rca_rescue(xos_service_client(c), k->vo, &k->own, key, fresh, err)
		            : xos_rca_renew(xos_service_client(c), k->vo, &k->own, key, fresh, err);
	xos_service_client_free(c);
	return st;
}

/* Whether the certificate has ended is the authority's to say: this machine's clock may be wrong. */
static enum xos_status ask_either(struct xos_keep *k, const struct xos_trust *trust, bool *rescue,
    const struct xos_key *key, struct xos_chain *fresh, struct xos_err *err)
{
	struct xos_err other = XOS_ERR_INIT;

	*rescue = xos_clock_now() >= k->state.not_after;
	enum xos_status st = ask(k, trust, *rescue, key, fresh, &other);
	if ((*rescue && strcmp(other.code, "rescue-early") == 0) ||
	    (!*rescue && st == XOS_EXPIRED && strcmp(other.code, "renewal-time") != 0)) {
		*rescue = !*rescue;
		other = (struct xos_err)XOS_ERR_INIT;
		st = ask(k, trust, *rescue, key, fresh, &other);
	}
	if (st != XOS_OK && err)
		*err = other;
	return st;
}

static enum xos_status renew(
    struct xos_keep *k, const struct xos_trust *trust, enum xos_kept *did, struct xos_err *err)
{
	struct xos_chain fresh = {.n = 0};
	struct xos_key *key = NULL;
	bool rescue = false, other = false;
	enum xos_status st = xos_key_generate(&key, err);

	if (st == XOS_OK)
		st = ask_either(k, trust, &rescue, key, &fresh, err);
	if (st == XOS_OK) {
		fresh.key = xos_key_ref(key);
		st = xos_tls_pair_save(&k->pair, &fresh, err);
	}
	if (st == XOS_OK)
		st = read_files(k, &other, err);
	if (st == XOS_OK)
		*did = rescue ? XOS_KEPT_RESCUED : XOS_KEPT_RENEWED;
	xos_chain_clear(&fresh);
	xos_key_free(key);
	return st;
}

/* --- one round --- */

static enum xos_status read_if(
    struct xos_keep *k, bool force, enum xos_kept *did, struct xos_err *err)
{
	bool other = false;
	enum xos_status st = XOS_OK;

	if (changed(k) || force)
		st = read_files(k, &other, err);
	if (st == XOS_OK && other)
		*did = XOS_KEPT_READ;
	return st;
}

static enum xos_status work(struct xos_keep *k, const struct xos_trust *trust, bool force,
    enum xos_kept *did, struct xos_err *err)
{
	enum xos_status st = read_if(k, force, did, err);

	if (st != XOS_OK || !k->url || (!force && xos_clock_mono_ms() < k->wait_until))
		return st;
	if (force || xos_clock_now() >= k->state.renew_after)
		st = renew(k, trust, did, err);
	/* Told at once: until then the old key could still renew in somebody else's hands, unseen. */
	if (st == XOS_OK && !k->state.confirmed)
		st = confirm(k, trust, err);
	return st;
}

/* A request that was only late is made again. */
static bool is_refusal(enum xos_status st, const struct xos_err *err)
{
	return (st == XOS_DENIED || st == XOS_EXPIRED || st == XOS_NOT_FOUND) &&
	       strcmp(err->code, "renewal-late") != 0;
}

/* What a person reads in xos-node status. */
static void explain(struct xos_keep *k, enum xos_status st, struct xos_err *err)
{
	const struct xos_err was = *err;

	if (!is_refusal(st, err) || !k->own.n)
		return;
	xos_err_set(err, st, "renewal-refused",
	    "renewal refused: %.380s; ask the administrators of the VO %s", was.text, k->vo);
	memcpy(err->code, was.code, sizeof(err->code));
}

static enum xos_status lock(struct xos_keep *k, bool force, int *fd, struct xos_err *err)
{
	int64_t until = xos_clock_mono_ms() + (force ? BUSY_MS : 0);

	return xos_tls_pair_lock(&k->pair, until, fd, err);
}

/* The rca has a new key, and what the old one signed will end. All nodes hear of it at once: each takes its time. */
static void note_taint(struct xos_keep *k, const struct xos_trust *trust)
{
	if (k->tainted || !k->own.n || !xos_trust_tainted(trust, k->vo, &k->own))
		return;
	k->tainted = true;
	k->state.renew_after = xos_clock_now();
	k->wait_until = xos_clock_mono_ms() + (int64_t)xos_random_below(TAINT_SPREAD_MS);
}

enum xos_status xos_keep_round(struct xos_keep *k, const struct xos_trust *trust, bool force,
    enum xos_kept *did, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	int fd = -1;
	note_taint(k, trust);
	bool idle =
	    !changed(k) && (!k->url || xos_clock_mono_ms() < k->wait_until ||
	                       (k->state.confirmed && xos_clock_now() < k->state.renew_after));

	*did = XOS_KEPT_NOTHING;
	if (idle && !force)
		return XOS_OK;
	enum xos_status st = lock(k, force, &fd, &why);
	if (!force && strcmp(why.code, "renew-busy") == 0)
		return XOS_OK;
	if (st == XOS_OK)
		st = work(k, trust, force, did, &why);
	xos_tls_pair_unlock(fd);
	if (st == XOS_OK) {
		k->failures = 0;
		k->state.refused = false;
	} else {
		int64_t life = k->state.not_after - k->state.not_before;

		k->failures++;
		k->state.refused = k->own.n && is_refusal(st, &why);
		k->wait_until = xos_clock_mono_ms() + 1000 * xos_keep_pause(life, k->failures);
		explain(k, st, &why);
		if (err)
			*err = why;
	}
	k->state.last = why;
	return st;
}

enum xos_status xos_keep_read(struct xos_keep *k, enum xos_kept *did, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	int fd = -1;

	*did = XOS_KEPT_NOTHING;
	enum xos_status st = lock(k, true, &fd, &why);
	if (st == XOS_OK)
		st = read_if(k, false, did, &why);
	xos_tls_pair_unlock(fd);
	k->state.last = why;
	if (st != XOS_OK && err)
		*err = why;
	return st;
}
