#include "credd/witness.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/logproof.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#define FILE_MAX 32768
#define AGAIN_MS                                                                                   \
	2000 /* before the same is asked again, and as much as four times that more at random */

struct kept {
	struct xos_log_head head;
	struct xos_json *doc; /* xos_loghead_doc; NULL: there is none */
};

struct slot {
	struct kept seen, waiting;
	int64_t since;    /* when the first head that nobody has proven came */
	int64_t again_ms; /* the proof is not asked for before */
	bool damaged, contradicted;
	char trouble[XOS_ERR_TEXT_MAX];
};

struct xos_credd_witness {
	char dir[PATH_MAX], vo[XOS_VO_MAX + 1];
	const struct xos_trust *trust;
	struct slot slot[XOS_VO_LOGS];
	char refused[XOS_ERR_TEXT_MAX];
};

static void drop(struct kept *k)
{
	xos_json_free(k->doc);
	*k = (struct kept){.doc = NULL};
}

static bool file_of(
    const struct xos_credd_witness *w, enum xos_vo_log log, const char *end, char path[PATH_MAX])
{
	char name[64];

	return xos_str_printf(name, sizeof(name), "%s.%s", xos_vo_log_service(log), end) &&
	       xos_path_join(path, PATH_MAX, w->dir, name);
}

/* --- on disk --- */

static enum xos_status read_kept(const char *path, struct kept *k, struct xos_err *err)
{
	struct xos_bytes signature;
	struct xos_buf text, encoded;

	xos_buf_init(&encoded, XOS_LOGPROOF_HEAD_MAX);
	enum xos_status st = xos_file_read(path, FILE_MAX, &text, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&text), FILE_MAX, &k->doc, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(k->doc, "head", XOS_LOGPROOF_HEAD_MAX, &encoded, err);
	if (st == XOS_OK)
		st = xos_log_head_decode(xos_buf_bytes(&encoded), &k->head, &signature, err);
	if (st != XOS_OK)
		drop(k);
	xos_buf_free(&encoded);
	xos_buf_free(&text);
	return st;
}

/* It was verified when it came; the signer's certificate may have ended since, and what was seen was seen. */
static void load(struct xos_credd_witness *w, enum xos_vo_log log)
{
	struct slot *s = &w->slot[log];
	struct xos_err err = XOS_ERR_INIT;
	char path[PATH_MAX];

	if (!file_of(w, log, "head", path))
		return;
	enum xos_status st = read_kept(path, &s->seen, &err);
	if (st == XOS_OK || st == XOS_NOT_FOUND)
		return;
	s->damaged = true;
	xos_str_printf(s->trouble, sizeof(s->trouble),
	    "%s is damaged (%.200s): remove it, and this node begins anew as a witness", path,
	    err.text);
	xos_event_err(XOS_ERROR, "log.head-damaged", &err, "file", path, (const char *)NULL);
}

/* What cannot be kept is remembered until the daemon ends. */
static bool write_doc(const char *path, const char *dir, const struct xos_json *doc)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf text;

	xos_buf_init(&text, FILE_MAX);
	enum xos_status st = xos_json_dump_pretty(doc, &text, &err);
	if (st == XOS_OK)
		st = xos_dir_make(dir, 0700, &err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600, xos_buf_bytes(&text), &err);
	if (st != XOS_OK)
		xos_event_err(XOS_ERROR, "log.head-not-kept", &err, (const char *)NULL);
	xos_buf_free(&text);
	return st == XOS_OK;
}

static void accept(struct xos_credd_witness *w, enum xos_vo_log log, struct kept *k)
{
	struct slot *s = &w->slot[log];
	char path[PATH_MAX];

	drop(&s->seen);
	s->seen = *k;
	*k = (struct kept){.doc = NULL};
	s->trouble[0] = '\0';
	if (file_of(w, log, "head", path))
		write_doc(path, w->dir, s->seen.doc);
}

/* --- contradictions --- */

static void copy_member(
    struct xos_json *to, const char *as, const struct xos_json *from, const char *key)
{
	const struct xos_json *value = NULL;
	const char *name = NULL;
	void *it = NULL;

	while (xos_json_next(from, &it, &name, &value))
		if (strcmp(name, key) == 0)
			xos_json_set(to, as, xos_json_copy(value));
}

static void add_certificates(struct xos_json *list, const struct xos_json *from)
{
	const struct xos_json *chain = NULL;
	const char *text = NULL, *other = NULL;

	if (xos_json_get_array(from, "chain", XOS_CHAIN_MAX, &chain, NULL) != XOS_OK)
		return;
	for (size_t i = 0; i < xos_json_count(chain); i++) {
		bool there = false;

		if (xos_json_as_string(xos_json_at(chain, i), FILE_MAX, &text, NULL) != XOS_OK)
			continue;
		for (size_t k = 0; k < xos_json_count(list); k++)
			there |= xos_json_as_string(xos_json_at(list, k), FILE_MAX, &other, NULL) ==
			             XOS_OK &&
			         strcmp(text, other) == 0;
		if (!there)
			xos_json_add_string(list, text);
	}
}

/* Both signed heads: together they prove it to anybody. The first evidence is kept. */
static void contradiction(struct xos_credd_witness *w, enum xos_vo_log log,
    const struct kept *before, const struct kept *now, const struct xos_err *why)
{
	struct slot *s = &w->slot[log];
	struct xos_json *doc, *chain;
	char path[PATH_MAX];

	if (strcmp(s->trouble, why->text) != 0)
		xos_event_err(XOS_ERROR, "log.contradicted", why, "log", before->head.name,
		    (const char *)NULL);
	xos_str_printf(s->trouble, sizeof(s->trouble), "%s", why->text);
	s->contradicted = true;
	if (!file_of(w, log, "conflict", path) || access(path, F_OK) == 0)
		return;
	doc = xos_json_object();
	chain = xos_json_array();
	xos_json_set_string(doc, "vo", w->vo);
	xos_json_set_string(doc, "log", before->head.name);
	copy_member(doc, "before", before->doc, "head");
	copy_member(doc, "head", now->doc, "head");
	add_certificates(chain, before->doc);
	add_certificates(chain, now->doc);
	xos_json_set(doc, "chain", chain);
	xos_json_set_text(doc, "why", why->text);
	write_doc(path, w->dir, doc);
	xos_json_free(doc);
}

/* Until a person has looked at it. */
static void look_for_evidence(struct xos_credd_witness *w, enum xos_vo_log log)
{
	struct slot *s = &w->slot[log];
	char path[PATH_MAX];
	bool there = file_of(w, log, "conflict", path) && access(path, F_OK) == 0;

	if (s->contradicted && !there)
		s->trouble[0] = '\0';
	if (there && !s->trouble[0])
		xos_str_printf(s->trouble, sizeof(s->trouble),
		    "two heads that contradict each other are in %s; remove it when that is dealt "
		    "with",
		    path);
	s->contradicted = there;
}

/* --- heads that come --- */

static enum xos_status same_or_smaller(
    const struct xos_log_head *before, const struct xos_log_head *now, struct xos_err *err)
{
	enum xos_status st = xos_logproof_growth(NULL, before, now, err);

	/* The tree is over the records; the chain says the same of the file that holds them. */
	if (st == XOS_OK && memcmp(before->hash, now->hash, XOS_LOG_HASH) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "log-rewritten",
		    "two heads of %s for its first %llu records differ", now->name,
		    (unsigned long long)now->sequence);
	return st;
}

static void consider(struct xos_credd_witness *w, const struct xos_carried_head *came, int64_t now)
{
	struct slot *s = &w->slot[came->log];
	struct kept fresh = {.head = came->head, .doc = xos_loghead_doc(came)};
	struct kept *newest = s->waiting.doc ? &s->waiting : &s->seen;
	struct xos_err why = XOS_ERR_INIT;

	if (s->damaged || !fresh.doc) {
		drop(&fresh);
		return;
	}
	/* A log without records proves itself. */
	if (!s->seen.doc || (s->seen.head.sequence == 0 && fresh.head.sequence > 0)) {
		accept(w, came->log, &fresh);
		return;
	}
	if (fresh.head.sequence <= newest->head.sequence) {
		if (same_or_smaller(&newest->head, &fresh.head, &why) != XOS_OK)
			contradiction(w, came->log, newest, &fresh, &why);
		drop(&fresh);
		return;
	}
	if (!s->waiting.doc) {
		s->since = now;
		s->again_ms = 0;
	}
	drop(&s->waiting);
	s->waiting = fresh;
}

void xos_credd_witness_see(struct xos_credd_witness *w, const struct xos_bundle *b, int64_t now)
{
	const struct xos_cert *known[XOS_BUNDLE_ISSUERS_MAX];
	struct xos_carried_want want = {
	    .trust = w->trust, .vo = w->vo, .known = known, .now = now, .skew = XOS_BUNDLE_SKEW};
	struct xos_err err = XOS_ERR_INIT;

	for (; want.nknown < xos_bundle_issuer_count(b); want.nknown++)
		known[want.nknown] = xos_bundle_issuer(b, want.nknown);
	for (size_t i = 0; i < xos_bundle_head_count(b); i++) {
		struct xos_carried_head came = {.signer = NULL};
		struct xos_err why = XOS_ERR_INIT;

		if (xos_loghead_arrive(xos_bundle_head(b, i), &want, &came, &why) == XOS_OK)
			consider(w, &came, now);
		else
			err = why;
		xos_carried_head_clear(&came);
	}
	if (err.status != XOS_OK && strcmp(err.text, w->refused) != 0)
		xos_event_err(XOS_WARN, "log.head-refused", &err, (const char *)NULL);
	memcpy(w->refused, err.text, sizeof(w->refused));
	for (unsigned i = 0; i < XOS_VO_LOGS; i++)
		look_for_evidence(w, (enum xos_vo_log)i);
}

/* --- proofs --- */

bool xos_credd_witness_next(
    struct xos_credd_witness *w, int64_t now_ms, struct xos_credd_witness_question *q)
{
	for (unsigned i = 0; i < XOS_VO_LOGS; i++) {
		const struct slot *s = &w->slot[i];

		if (!s->waiting.doc || s->again_ms > now_ms)
			continue;
		*q = (struct xos_credd_witness_question){.log = (enum xos_vo_log)i,
		    .from = s->seen.head.sequence,
		    .to = s->waiting.head.sequence};
		return true;
	}
	return false;
}

void xos_credd_witness_answer(struct xos_credd_witness *w,
    const struct xos_credd_witness_question *q, const struct xos_json *doc, enum xos_status st,
    const struct xos_err *why, int64_t now_ms)
{
	struct slot *s = &w->slot[q->log];
	struct xos_err err = XOS_ERR_INIT;

	if (!s->waiting.doc)
		return;
	s->again_ms = now_ms + AGAIN_MS + (int64_t)xos_random_below(4 * AGAIN_MS);
	if (st != XOS_OK) {
		/* Whoever keeps proofs back proves nothing; how long it lasts is told. */
		if (!s->contradicted)
			xos_str_printf(s->trouble, sizeof(s->trouble),
			    "that the %llu records of %s are among its %llu is not proven yet: "
			    "%.300s",
			    (unsigned long long)q->from, s->seen.head.name,
			    (unsigned long long)q->to, why->text);
		return;
	}
	if (xos_logproof_growth(doc, &s->seen.head, &s->waiting.head, &err) == XOS_OK) {
		accept(w, q->log, &s->waiting);
		look_for_evidence(w, q->log);
		return;
	}
	contradiction(w, q->log, &s->seen, &s->waiting, &err);
	drop(&s->waiting);
}

/* --- */

enum xos_status xos_credd_witness_new(const char *state, const char *vo,
    const struct xos_trust *trust, struct xos_credd_witness **out, struct xos_err *err)
{
	struct xos_credd_witness *w = calloc(1, sizeof(*w));

	if (!w)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	w->trust = trust;
	if (!xos_path_join(w->dir, sizeof(w->dir), state, "witness") ||
	    !xos_str_copy(w->vo, sizeof(w->vo), vo)) {
		free(w);
		return xos_err_set(err, XOS_LIMIT, "path", "%s: the path is too long", state);
	}
	for (unsigned i = 0; i < XOS_VO_LOGS; i++) {
		load(w, (enum xos_vo_log)i);
		look_for_evidence(w, (enum xos_vo_log)i);
	}
	*out = w;
	return XOS_OK;
}

void xos_credd_witness_free(struct xos_credd_witness *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < XOS_VO_LOGS; i++) {
		drop(&w->slot[i].seen);
		drop(&w->slot[i].waiting);
	}
	free(w);
}

void xos_credd_witness_state(const struct xos_credd_witness *w, struct xos_credd_witness_state *out)
{
	*out = (struct xos_credd_witness_state){.refused = ""};
	memcpy(out->refused, w->refused, sizeof(out->refused));
	for (unsigned i = 0; i < XOS_VO_LOGS; i++) {
		const struct slot *s = &w->slot[i];
		struct xos_credd_witnessed *o = &out->log[i];

		o->known = s->seen.doc || s->trouble[0];
		xos_vo_log_name((enum xos_vo_log)i, w->vo, o->name);
		o->records = s->seen.head.sequence;
		o->signed_at = s->seen.head.time;
		o->waiting = s->waiting.doc ? s->waiting.head.sequence : 0;
		o->waiting_since = s->waiting.doc ? s->since : 0;
		o->contradicted = s->contradicted;
		memcpy(o->trouble, s->trouble, sizeof(o->trouble));
	}
}

static void set_time(struct xos_json *o, const char *key, int64_t t)
{
	if (t)
		xos_json_set_time(o, key, t);
	else
		xos_json_set_null(o, key);
}

static void set_text(struct xos_json *o, const char *key, const char *s)
{
	if (s[0])
		xos_json_set_text(o, key, s);
	else
		xos_json_set_null(o, key);
}

void xos_credd_witness_json(const struct xos_credd_witness_state *s, struct xos_json *root)
{
	struct xos_json *list = xos_json_array();

	for (unsigned i = 0; i < XOS_VO_LOGS; i++) {
		const struct xos_credd_witnessed *l = &s->log[i];

		if (!l->known)
			continue;
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "log", l->name);
		xos_json_set_int(o, "records", (int64_t)l->records);
		set_time(o, "signed", l->signed_at);
		xos_json_set_int(o, "unproven", (int64_t)l->waiting);
		set_time(o, "unproven_since", l->waiting_since);
		xos_json_set_bool(o, "contradicted", l->contradicted);
		set_text(o, "trouble", l->trouble);
		xos_json_add(list, o);
	}
	xos_json_set(root, "logs", list);
	set_text(root, "log_refused", s->refused);
}
