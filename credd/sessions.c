#include "credd/sessions.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "credd/vault.h"
#include "pki/csr.h"
#include "pki/key.h"

#define BUCKETS 4096
#define ID_BYTES 16
#define LEFT_OVER                                                                                  \
	".xos-" /* of a record whose writing was cut short: a key that nobody was told of */

struct xos_credd_sessions {
	char dir[PATH_MAX];
	char boot[XOS_CREDD_BOOT_ID + 1];
	size_t max, per_user, count;
	bool on_tmpfs;
	struct xos_credd_vault *vault;
	struct xos_credd_session *bucket[BUCKETS];
};

static size_t hash(const char *id)
{
	uint32_t h = 2166136261u;
	for (; *id; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return h % BUCKETS;
}

static struct xos_credd_session *find(const struct xos_credd_sessions *s, const char *id)
{
	struct xos_credd_session *c = s->bucket[hash(id)];
	while (c && strcmp(c->id, id) != 0)
		c = c->next;
	return c;
}

static void insert(struct xos_credd_sessions *s, struct xos_credd_session *c)
{
	c->since_ms = xos_clock_mono_ms();
	struct xos_credd_session **at = &s->bucket[hash(c->id)];
	c->next = *at;
	*at = c;
	s->count++;
}

/* Also off the table, if it is there. */
static void drop(struct xos_credd_sessions *s, struct xos_credd_session *c)
{
	struct xos_credd_session **at = &s->bucket[hash(c->id)];
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		s->count--;
	}
	xos_credd_vault_drop(s->vault, c->slot);
	xos_credd_session_free(c);
}

static enum xos_status remove_file(
    const struct xos_credd_sessions *s, const char *id, struct xos_err *err)
{
	char path[PATH_MAX];
	if (!xos_path_join(path, sizeof(path), s->dir, id))
		return xos_err_set(
		    err, XOS_LIMIT, "session-file", "the path of credential %s is too long", id);
	if (unlink(path) && errno != ENOENT)
		return xos_err_errno(err, errno, "session-file", "cannot remove %s", path);
	return XOS_OK;
}

/* The key goes first: a file that cannot be removed must not keep the credential usable. */
static enum xos_status end(
    struct xos_credd_sessions *s, struct xos_credd_session *c, const char *why, struct xos_err *err)
{
	char id[XOS_LOCAL_JOB_MAX + 1], uid[16];
	memcpy(id, c->id, sizeof(id));
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)c->uid);
	XOS_EVENT(XOS_INFO, "credential.ended", "credential", id, "uid", uid, "member",
	    c->member[0] ? c->member : NULL, "why", why);
	drop(s, c);
	return remove_file(s, id, err);
}

static void end_quietly(struct xos_credd_sessions *s, struct xos_credd_session *c, const char *why)
{
	struct xos_err err = XOS_ERR_INIT;
	if (end(s, c, why, &err))
		xos_event_err(XOS_WARN, "credential.end-failed", &err, (const char *)NULL);
}

static void set_aside(const struct xos_credd_sessions *s, const char *id, const struct xos_err *why)
{
	char from[PATH_MAX], to[PATH_MAX];
	xos_event_err(XOS_ERROR, "credential.damaged", why, "credential", id, (const char *)NULL);
	if (!xos_path_join(from, sizeof(from), s->dir, id) ||
	    !xos_str_printf(to, sizeof(to), "%s/.damaged-%s", s->dir, id) || rename(from, to))
		XOS_EVENT(XOS_ERROR, "credential.set-aside-failed", "credential", id);
}

static bool gone(const struct xos_credd_session *c)
{
	return c->leader.pid && xos_credd_leader_state(&c->leader) == XOS_CREDD_LEADER_GONE;
}

static void load_one(struct xos_credd_sessions *s, const char *id)
{
	struct xos_credd_session *c = NULL;
	struct xos_secret *key = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_credd_session_read(s->dir, s->boot, id, &c, &key, &why);
	if (st == XOS_EXPIRED) {
		XOS_EVENT(XOS_INFO, "credential.ended", "credential", id, "why", "boot");
		(void)!remove_file(s, id, NULL);
		return;
	}
	if (st == XOS_MALFORMED || st == XOS_DENIED || st == XOS_LIMIT) {
		set_aside(s, id, &why);
		return;
	}
	if (st) { /* cannot be read now (memory, a failing disk): it stays for the next start */
		xos_event_err(
		    XOS_ERROR, "credential.unreadable", &why, "credential", id, (const char *)NULL);
		return;
	}
	struct xos_bytes pem = {xos_secret_data(key), xos_secret_len(key)};
	c->slot = xos_credd_vault_put(s->vault, pem);
	xos_secret_free(key);
	if (!c->slot) {
		(void)xos_err_set(&why, XOS_LIMIT, "session-file", "no room for its key");
		xos_event_err(
		    XOS_ERROR, "credential.unreadable", &why, "credential", id, (const char *)NULL);
		xos_credd_session_free(c);
		return;
	}
	insert(s, c);
	if (gone(c))
		end_quietly(s, c, "session-over");
}

static enum xos_status load_all(struct xos_credd_sessions *s, struct xos_err *err)
{
	struct statfs fs;
	DIR *d = opendir(s->dir);
	if (!d)
		return xos_err_errno(err, errno, "session-folder", "cannot read %s", s->dir);
	for (struct dirent *e; (e = readdir(d));)
		if (xos_local_job_valid(e->d_name)) /* what begins with a dot is no record */
			load_one(s, e->d_name);
		else if (strncmp(e->d_name, LEFT_OVER, strlen(LEFT_OVER)) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	s->on_tmpfs =
	    statfs(s->dir, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
	return XOS_OK;
}

enum xos_status xos_credd_sessions_open(const struct xos_credd_sessions_options *o,
    struct xos_credd_sessions **out, struct xos_err *err)
{
	struct xos_credd_sessions *s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->max = o->max;
	s->per_user = o->per_user;
	s->vault = xos_credd_vault_new();
	enum xos_status st = XOS_OK;
	if (!s->vault)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	else if (!xos_str_copy(s->dir, sizeof(s->dir), o->dir) ||
	         !xos_str_copy(s->boot, sizeof(s->boot), o->boot))
		st = xos_err_set(
		    err, XOS_LIMIT, "session-folder", "the path %s is too long", o->dir);
	if (!st)
		st = xos_dir_make(s->dir, 0700, err);
	if (!st)
		st = load_all(s, err);
	if (st)
		xos_credd_sessions_free(s);
	else
		*out = s;
	return st;
}

void xos_credd_sessions_free(struct xos_credd_sessions *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct xos_credd_session *c = s->bucket[i], *next; c; c = next) {
			next = c->next;
			xos_credd_session_free(c);
		}
	}
	xos_credd_vault_free(s->vault);
	free(s);
}

size_t xos_credd_sessions_count(const struct xos_credd_sessions *s)
{
	return s->count;
}

bool xos_credd_sessions_locked(const struct xos_credd_sessions *s)
{
	return xos_credd_vault_locked(s->vault);
}

bool xos_credd_sessions_on_tmpfs(const struct xos_credd_sessions *s)
{
	return s->on_tmpfs;
}

/* Whatever it is that keeps the record from being written, whoever asked may try again later. */
static enum xos_status keep(struct xos_credd_sessions *s, const struct xos_credd_session *c,
    struct xos_bytes key, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_credd_session_write(s->dir, s->boot, c, key, &why);
	if (!st)
		return XOS_OK;
	return xos_err_set(err, st == XOS_LIMIT || st == XOS_INTERNAL ? st : XOS_UNAVAILABLE,
	    "session-file", "the credential cannot be kept: %.400s", why.text);
}

static enum xos_status room_for(
    const struct xos_credd_sessions *s, uint32_t uid, struct xos_err *err)
{
	size_t own = 0;
	if (s->count >= s->max)
		return xos_err_set(err, XOS_LIMIT, "sessions-max",
		    "xos-credd keeps %zu credentials of sessions already (sessions_max in "
		    "credd.conf)",
		    s->count);
	for (const struct xos_credd_session *c = NULL; (c = xos_credd_sessions_next(s, c));)
		own += c->uid == uid;
	if (own >= s->per_user)
		return xos_err_set(err, XOS_LIMIT, "too-many",
		    "xos-credd keeps %zu credentials of sessions of uid %u already "
		    "(sessions_per_user in credd.conf): see `xos-token list --credd`, destroy what "
		    "is not needed",
		    own, (unsigned)uid);
	return XOS_OK;
}

/* The key leaves OpenSSL's memory at once; what stays is PEM in the vault. */
static enum xos_status make_key(struct xos_credd_sessions *s, struct xos_credd_session *c,
    struct xos_buf *csr, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_secret *pem = NULL;
	enum xos_status st = xos_key_generate(&key, err);
	if (!st)
		st = xos_csr_make(key, csr, err);
	if (!st)
		st = xos_key_to_pem(key, &pem, err);
	if (!st) {
		memcpy(c->spki, xos_key_spki_sha256(key), XOS_SHA256_LEN);
		c->slot = xos_credd_vault_put(
		    s->vault, (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)});
		if (!c->slot)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory for a key");
	}
	xos_secret_free(pem);
	xos_key_free(key);
	return st;
}

enum xos_status xos_credd_sessions_create(struct xos_credd_sessions *s, uint32_t uid,
    bool exportable, const struct xos_credd_leader *leader, int64_t now, const char **id,
    struct xos_buf *csr, struct xos_err *err)
{
	enum xos_status st = room_for(s, uid, err);
	if (st)
		return st;
	struct xos_credd_session *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	memcpy(c->id, XOS_CREDD_SESSION_PREFIX, sizeof(XOS_CREDD_SESSION_PREFIX));
	xos_random_id(c->id + strlen(c->id), ID_BYTES);
	c->uid = uid;
	c->exportable = exportable;
	c->created = now;
	if (leader)
		c->leader = *leader;
	st = make_key(s, c, csr, err);
	if (!st)
		st = keep(s, c, xos_credd_sessions_key(s, c), err);
	if (st) {
		drop(s, c);
		return st;
	}
	insert(s, c);
	*id = c->id;
	return XOS_OK;
}

static enum xos_status not_here(struct xos_err *err, const char *id, uint32_t uid)
{
	return xos_err_set(err, XOS_NOT_FOUND, "no-credential",
	    "xos-credd keeps no credential %s for uid %u, or no longer: see `xos-token list "
	    "--credd`",
	    id, (unsigned)uid);
}

/* The table's own, for changes. */
static enum xos_status find_own(struct xos_credd_sessions *s, uint32_t uid, const char *id,
    struct xos_credd_session **out, struct xos_err *err)
{
	struct xos_credd_session *c = find(s, id);
	if (!c || c->uid != uid)
		return not_here(err, id, uid);
	if (gone(c)) {
		end_quietly(s, c, "session-over");
		return xos_err_set(err, XOS_EXPIRED, "session-over",
		    "the session that credential %s was kept for has ended, and the credential "
		    "with it: log in again",
		    id);
	}
	if (c->leader.pid && xos_credd_leader_state(&c->leader) != XOS_CREDD_LEADER_THERE)
		return xos_err_set(err, XOS_UNAVAILABLE, "session-unknown",
		    "whether the session of credential %s is still there cannot be told just now",
		    id);
	*out = c;
	return XOS_OK;
}

enum xos_status xos_credd_sessions_find(struct xos_credd_sessions *s, uint32_t uid, const char *id,
    const struct xos_credd_session **out, struct xos_err *err)
{
	struct xos_credd_session *c = NULL;
	enum xos_status st = find_own(s, uid, id, &c, err);
	if (!st)
		*out = c;
	return st;
}

/* What is written is put together beside what counts, which only changes once the file is there. */
static enum xos_status exchange_chain(struct xos_credd_sessions *s, struct xos_credd_session *c,
    const struct xos_known *known, const struct xos_bytes *chain, size_t n, struct xos_err *err)
{
	struct xos_credd_session fresh = *c;
	fresh.chain = NULL;
	if (!xos_str_copy(fresh.member, sizeof(fresh.member), known->id->claims->name))
		return xos_err_set(err, XOS_MALFORMED, "credential", "a name that is too long");
	enum xos_status st =
	    xos_credd_session_set_chain(&fresh, chain, n, known->id->not_after, err);
	if (!st)
		st = keep(s, &fresh, xos_credd_sessions_key(s, c), err);
	if (st) {
		free(fresh.chain);
		return st;
	}
	free(c->chain);
	*c = fresh;
	c->since_ms = xos_clock_mono_ms();
	return XOS_OK;
}

enum xos_status xos_credd_sessions_put(struct xos_credd_sessions *s, uint32_t uid, const char *id,
    const struct xos_known *known, const struct xos_bytes *chain, size_t n, struct xos_err *err)
{
	struct xos_credd_session *c = NULL;
	enum xos_status st = find_own(s, uid, id, &c, err);
	if (st)
		return st;
	if (memcmp(known->id->spki_sha256, c->spki, XOS_SHA256_LEN) != 0)
		return xos_err_set(err, XOS_DENIED, "credential-key",
		    "the certificate is for another key than the one made for credential %s", id);
	if (c->member[0] && strcmp(c->member, known->id->claims->name) != 0)
		return xos_err_set(err, XOS_CONFLICT, "credential-member",
		    "credential %s is one of %s, and this chain is of %s: create another one", id,
		    c->member, known->subject);
	return exchange_chain(s, c, known, chain, n, err);
}

const struct xos_credd_session *xos_credd_sessions_next(
    const struct xos_credd_sessions *s, const struct xos_credd_session *at)
{
	if (at && at->next)
		return at->next;
	for (size_t i = at ? hash(at->id) + 1 : 0; i < BUCKETS; i++)
		if (s->bucket[i])
			return s->bucket[i];
	return NULL;
}

struct xos_bytes xos_credd_sessions_key(
    const struct xos_credd_sessions *s, const struct xos_credd_session *session)
{
	return xos_credd_vault_get(s->vault, session->slot);
}

enum xos_status xos_credd_sessions_destroy(
    struct xos_credd_sessions *s, uint32_t uid, bool any, const char *id, struct xos_err *err)
{
	struct xos_credd_session *c = find(s, id);
	if (!c || (!any && c->uid != uid))
		return not_here(err, id, uid);
	return end(s, c, "destroyed", err);
}

enum xos_status xos_credd_sessions_end_uid(
    struct xos_credd_sessions *s, uint32_t uid, const char *why, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct xos_credd_session *c = s->bucket[i], *next; c; c = next) {
			next = c->next;
			if (c->uid != uid)
				continue;
			enum xos_status one = remove_file(s, c->id, err);
			if (one)
				st = one;
			else
				end_quietly(s, c, why);
		}
	}
	return st;
}

/*
 * By a clock that nobody steps: one that jumped ahead and is put right again must cost no credential. since_ms is when
 * the key was made, or read; with a chain, when its end was seen first.
 */
static const char *over(struct xos_credd_session *c, int64_t now, int64_t mono_ms)
{
	if (c->nchain && now <= c->not_after)
		c->since_ms = mono_ms;
	int64_t keep = c->nchain ? XOS_CREDD_ENDED_KEEP : XOS_CREDD_AWAITED_KEEP;
	if (mono_ms - c->since_ms <= keep * 1000)
		return NULL;
	return c->nchain ? "expired" : "no-chain";
}

void xos_credd_sessions_sweep(struct xos_credd_sessions *s, int64_t now, int64_t mono_ms)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct xos_credd_session *c = s->bucket[i], *next; c; c = next) {
			next = c->next;
			const char *why = over(c, now, mono_ms);
			if (!why && gone(c))
				why = "session-over";
			if (why)
				end_quietly(s, c, why);
		}
	}
}
