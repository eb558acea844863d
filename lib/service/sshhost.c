#include "service/sshhost.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/sshhost.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "service/client.h"
#include "service/keep.h"

#define SKEW 300
#define CALL_MS 15000
#define LOOK_MS 60000 /* between looks at the folders */
#define LIFE_MIN 60

struct xos_sshhost {
	char *keys, *out, *url, *vo;
	struct xos_rca_ssh_keys key;
	char name[XOS_RCA_SSH_KEYS_MAX][NAME_MAX + 1]; /* "ssh_host_rsa_key-cert.pub" */
	struct xos_ssh_key authority;                  /* n 0: not heard yet */
	uint64_t
	    share; /* of a tenth of a life that is waited past its half: chance, once a process */
	int64_t life; /* of the last certificate seen */
	int64_t wait_until;
	unsigned failures;
};

enum xos_status xos_sshhost_new(
    const struct xos_sshhost_options *o, struct xos_sshhost **out, struct xos_err *err)
{
	struct xos_sshhost *h = calloc(1, sizeof(*h));

	if (!h)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	h->keys = strdup(o->keys);
	h->out = strdup(o->out);
	h->url = strdup(o->url);
	h->vo = strdup(o->vo);
	h->share = xos_random_below(1000);
	if (!h->keys || !h->out || !h->url || !h->vo) {
		xos_sshhost_free(h);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	*out = h;
	return XOS_OK;
}

void xos_sshhost_free(struct xos_sshhost *h)
{
	if (!h)
		return;
	free(h->keys);
	free(h->out);
	free(h->url);
	free(h->vo);
	free(h);
}

const char *xos_sshhost_name(const struct xos_sshhost *h, size_t i)
{
	return i < h->key.n ? h->name[i] : NULL;
}

/* --- the machine's keys --- */

static bool is_host_key(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".pub") == 0 &&
	       !(n > 9 && strcmp(name + n - 9, "-cert.pub") == 0);
}

/* One that we do not take (DSA, say) is passed over: sshd has others. */
static enum xos_status read_key(struct xos_sshhost *h, const char *name, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf line;
	struct xos_err why = XOS_ERR_INIT;

	if (h->key.n == XOS_RCA_SSH_KEYS_MAX)
		return xos_err_set(err, XOS_LIMIT, "ssh-host-keys", "%s has more than %d host keys",
		    h->keys, XOS_RCA_SSH_KEYS_MAX);
	if (!xos_path_join(path, sizeof(path), h->keys, name) ||
	    !xos_str_printf(h->name[h->key.n], sizeof(h->name[0]), "%.*s-cert.pub",
	        (int)(strlen(name) - 4), name))
		return xos_err_set(err, XOS_LIMIT, "path", "%s/%s is too long", h->keys, name);
	enum xos_status st = xos_file_read(path, XOS_SSH_LINE_MAX, &line, err);
	if (st == XOS_OK) {
		st = xos_ssh_key_from_line(xos_buf_bytes(&line), &h->key.key[h->key.n], &why);
		if (st == XOS_OK)
			h->key.n++;
		else if (st == XOS_DENIED)
			st = XOS_OK;
		else
			st = xos_err_set(err, st, why.code, "%s: %s", path, why.text);
	}
	xos_buf_free(&line);
	return st;
}

static enum xos_status read_keys(struct xos_sshhost *h, struct xos_err *err)
{
	struct dirent *e = NULL;
	DIR *d = opendir(h->keys);
	enum xos_status st = XOS_OK;

	if (!d)
		return xos_err_errno(err, errno, "ssh-host-keys", "cannot read %s", h->keys);
	h->key.n = 0;
	while (st == XOS_OK && (e = readdir(d)) != NULL)
		if (is_host_key(e->d_name))
			st = read_key(h, e->d_name, err);
	closedir(d);
	if (st == XOS_OK && h->key.n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "ssh-host-keys",
		    "%s has no host keys (NAME.pub): make them with ssh-keygen -A", h->keys);
	return st;
}

/* --- their certificates --- */

static bool same(const struct xos_ssh_key *a, const struct xos_ssh_key *b)
{
	return xos_bytes_eq((struct xos_bytes){a->blob, a->n}, (struct xos_bytes){b->blob, b->n});
}

static bool is_due(struct xos_sshhost *h, size_t i)
{
	char path[PATH_MAX];
	struct xos_buf line;
	struct xos_sshcert c;

	if (!xos_path_join(path, sizeof(path), h->out, h->name[i]) ||
	    xos_file_read(path, XOS_SSH_LINE_MAX, &line, NULL) != XOS_OK)
		return true;
	enum xos_status st = xos_sshcert_from_line(xos_buf_bytes(&line), &c, NULL);
	xos_buf_free(&line);
	if (st != XOS_OK || !same(&c.key, &h->key.key[i]) ||
	    (h->authority.n && !same(&c.authority, &h->authority)))
		return true;
	h->life = c.before - c.after;
	return xos_clock_now() >= c.after + h->life / 2 + h->life / 10 * (int64_t)h->share / 1000;
}

static enum xos_status save(struct xos_sshhost *h, struct xos_buf lines[], struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_dir_make(h->out, 0755, err);

	for (size_t i = 0; st == XOS_OK && i < h->key.n; i++) {
		xos_buf_put_str(&lines[i], "\n");
		if (!xos_path_join(path, sizeof(path), h->out, h->name[i]))
			st = xos_err_set(err, XOS_LIMIT, "path", "%s is too long", h->out);
		else
			st = xos_file_write(path, 0644, xos_buf_bytes(&lines[i]), err);
	}
	return st;
}

static enum xos_status obtain(struct xos_sshhost *h, const struct xos_trust *trust,
    const struct xos_chain *own, struct xos_err *err)
{
	const struct xos_service_client_options o = {.url = h->url,
	    .vo = h->vo,
	    .service = "rca",
	    .trust = trust,
	    .own = own,
	    .skew = SKEW,
	    .total_ms = CALL_MS};
	struct xos_service_client *c = NULL;
	struct xos_buf lines[XOS_RCA_SSH_KEYS_MAX];

	for (size_t i = 0; i < XOS_RCA_SSH_KEYS_MAX; i++)
		xos_buf_init(&lines[i], XOS_SSH_LINE_MAX);
	enum xos_status st = xos_service_client_new(&o, &c, err);
	if (st == XOS_OK)
		st = xos_rca_ssh_authority(xos_service_client(c), h->vo, trust, &h->authority, err);
	if (st == XOS_OK)
		st = xos_rca_ssh_host(
		    xos_service_client(c), h->vo, own, &h->key, &h->authority, lines, err);
	if (st == XOS_OK)
		st = save(h, lines, err);
	for (size_t i = 0; i < XOS_RCA_SSH_KEYS_MAX; i++)
		xos_buf_free(&lines[i]);
	xos_service_client_free(c);
	return st;
}

enum xos_status xos_sshhost_round(struct xos_sshhost *h, const struct xos_trust *trust,
    const struct xos_chain *own, bool force, size_t *renewed, struct xos_err *err)
{
	bool due = force;

	*renewed = 0;
	if (!force && xos_clock_mono_ms() < h->wait_until)
		return XOS_OK;
	h->wait_until = xos_clock_mono_ms() + LOOK_MS;
	enum xos_status st = read_keys(h, err);
	for (size_t i = 0; st == XOS_OK && i < h->key.n; i++)
		due = is_due(h, i) || due;
	if (st == XOS_OK && due) {
		st = obtain(h, trust, own, err);
		if (st == XOS_OK)
			*renewed = h->key.n;
	}
	h->failures = st == XOS_OK ? 0 : h->failures + 1;
	if (st != XOS_OK)
		h->wait_until =
		    xos_clock_mono_ms() +
		    1000 * xos_keep_pause(h->life > LIFE_MIN ? h->life : LIFE_MIN, h->failures);
	return st;
}
