#include "node/vos.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/remove.h"
#include "node/verbs.h"

#define FOLDER "vos"
#define APPLIED "applied" /* to which VO, until vo.conf says which one was joined */
#define CONF_MAX 65536

static bool has(const struct xos_node *n, const char *file)
{
	char path[PATH_MAX];
	return xos_node_path(n, file, path, NULL) == XOS_OK && access(path, F_OK) == 0;
}

/* The VO whose files lie in n's own folder; "" if there is none. */
static enum xos_status vo_of(const struct xos_node *n, char vo[XOS_VO_MAX + 1], struct xos_err *err)
{
	struct xos_node_joined j = {.vo = NULL};
	char path[PATH_MAX];
	struct xos_buf b;
	enum xos_status st = XOS_OK;
	vo[0] = '\0';
	if (has(n, "vo.conf")) {
		st = xos_node_joined_load(n, &j, err);
		if (!st && !xos_str_copy(vo, XOS_VO_MAX + 1, j.vo))
			st = xos_err_set(
			    err, XOS_MALFORMED, "vo-name", "%s/vo.conf does not name a VO", n->dir);
		xos_node_joined_free(&j);
	} else if (has(n, APPLIED)) {
		xos_buf_init(&b, 0);
		st = xos_node_path(n, APPLIED, path, err);
		if (!st)
			st = xos_file_read(path, XOS_VO_MAX, &b, err);
		if (!st && (!xos_buf_str(&b) || !xos_name_is_vo(xos_buf_str(&b)) ||
		               !xos_str_copy(vo, XOS_VO_MAX + 1, xos_buf_str(&b))))
			st = xos_err_set(err, XOS_MALFORMED, "vo-name",
			    "%s is damaged; remove it and join again", path);
		xos_buf_free(&b);
	}
	return st;
}

static enum xos_status add_part(
    struct xos_node_parts *p, const char *dir, bool first, struct xos_err *err)
{
	if (p->n == XOS_NODE_VOS_MAX)
		return xos_err_set(err, XOS_LIMIT, "vos-many", "a node belongs to %d VOs at most",
		    XOS_NODE_VOS_MAX);
	struct xos_node_part *part = &p->part[p->n];
	enum xos_status st = xos_node_load(&part->n, dir, err);
	if (st)
		return st;
	p->n++;
	part->first = first;
	part->joined = has(&part->n, "credd.conf") && has(&part->n, "vo.conf");
	st = vo_of(&part->n, part->vo, err);
	if (!st && first && !part->vo[0]) { /* nothing joined, nothing applied for */
		p->n--;
		xos_node_free(&part->n);
	}
	return st;
}

static int is_vo(const struct dirent *e)
{
	return xos_name_is_vo(e->d_name);
}

static enum xos_status add_further(
    const struct xos_node *top, struct xos_node_parts *p, struct xos_err *err)
{
	char folder[PATH_MAX], dir[PATH_MAX], conf[PATH_MAX];
	struct dirent **list = NULL;
	enum xos_status st = xos_node_path(top, FOLDER, folder, err);
	int n = st ? 0 : scandir(folder, &list, is_vo, alphasort);
	if (n < 0 && errno != ENOENT)
		st = xos_err_errno(err, errno, "vos", "cannot list %s", folder);
	for (int i = 0; i < n; i++) {
		if (!st && (!xos_path_join(dir, sizeof(dir), folder, list[i]->d_name) ||
		               !xos_path_join(conf, sizeof(conf), dir, "node.conf")))
			st = xos_err_set(
			    err, XOS_LIMIT, "path", "a path below %s is too long", folder);
		/* Without node.conf its making was cut off; joining again makes it whole. */
		if (!st && access(conf, F_OK) == 0) {
			st = add_part(p, dir, false, err);
			if (!st)
				(void)!xos_str_copy(
				    p->part[p->n - 1].vo, XOS_VO_MAX + 1, list[i]->d_name);
		}
		free(list[i]);
	}
	free(list);
	return st;
}

enum xos_status xos_node_parts_load(
    const struct xos_node *top, struct xos_node_parts **out, struct xos_err *err)
{
	struct xos_node_parts *p = calloc(1, sizeof(*p));
	*out = NULL;
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = add_part(p, top->dir, true, err);
	if (!st)
		st = add_further(top, p, err);
	if (st)
		xos_node_parts_free(p);
	else
		*out = p;
	return st;
}

void xos_node_parts_free(struct xos_node_parts *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		xos_node_free(&p->part[i].n);
	free(p);
}

enum xos_status xos_node_parts_select(
    struct xos_node_parts *p, const struct xos_node *top, const char *vo, struct xos_err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (p->part[i].joined && (!vo || strcmp(vo, p->part[i].vo) == 0)) {
			struct xos_node_part keep = p->part[i];
			p->part[i] = p->part[kept];
			p->part[kept++] = keep;
		}
	}
	for (size_t i = kept; i < p->n; i++)
		xos_node_free(&p->part[i].n);
	p->n = kept;
	if (kept)
		return XOS_OK;
	if (vo)
		return xos_err_set(err, XOS_NOT_FOUND, "vo-not-joined",
		    "node %s does not belong to VO %s; join it with: xos-node join URL "
		    "--fingerprint sha256:... --vo %s --dir %s",
		    top->name, vo, vo, top->dir);
	return xos_err_set(err, XOS_NOT_FOUND, "node-unjoined",
	    "node %s belongs to no VO yet; join one with: xos-node join URL --fingerprint "
	    "sha256:... --dir %s",
	    top->name, top->dir);
}

const char *xos_node_top(const struct xos_node *n)
{
	return n->top ? n->top : n->dir;
}

/* A user for one more xos-credd: the first number above xos-jobd's that no other has. */
static int64_t free_uid(const struct xos_node *top, const struct xos_node_parts *p)
{
	int64_t uid = top->uid_base + 2;
	for (size_t i = 0; i < p->n; i++) {
		if (p->part[i].n.uid_base == uid) {
			uid++;
			i = (size_t)-1; /* from the beginning */
		}
	}
	return uid;
}

static enum xos_status make_part(const struct xos_node *top, const struct xos_node_parts *p,
    const char *dir, const char *member, struct xos_err *err)
{
	static const char *const folders[] = {"", "credd", "tls", "jobd"};
	struct xos_node part;
	char path[PATH_MAX];
	union {
		const char *in;
		char *out;
	} up = {top->dir}, who = {member ? member : top->member};
	if (p->n == XOS_NODE_VOS_MAX)
		return xos_err_set(err, XOS_LIMIT, "vos-many",
		    "node %s belongs to %d VOs, or has applied; more is not possible", top->name,
		    XOS_NODE_VOS_MAX);
	enum xos_status st = xos_node_at(&part, dir, err);
	part.name = top->name;
	part.site = top->site;
	part.address = top->address;
	part.data_url = top->data_url;
	part.top = up.out;
	part.member = who.out;
	part.jobs_port = top->jobs_port;
	if (top->uid_base) {
		part.uid_base = free_uid(top, p);
		part.network_uid = top->network_uid;
	}
	for (size_t i = 0; !st && i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (!(st = xos_node_path(&part, folders[i], path, err)))
			st = xos_dir_make(path, 0755, err);
	}
	return st ? st : xos_node_save(&part, err);
}

enum xos_status xos_node_enter(
    struct xos_node *n, const char *vo, const char *member, struct xos_err *err)
{
	struct xos_node_parts *p = NULL;
	struct xos_node part = {.name = NULL};
	char dir[PATH_MAX], folder[PATH_MAX];
	enum xos_status st = xos_node_parts_load(n, &p, err);
	if (st)
		return st;
	/* The first one stays where it is; so does an application of an earlier version, which names no VO. */
	bool first = p->n == 0 || (p->part[0].first && strcmp(p->part[0].vo, vo) == 0);
	if (member && (first || n->uid_base))
		st = xos_cli_usage(err, "--member is for a further VO of a node without root");
	if (!st && !first) {
		st = xos_node_path(n, FOLDER, folder, err);
		if (!st && !xos_path_join(dir, sizeof(dir), folder, vo))
			st = xos_err_set(
			    err, XOS_LIMIT, "path", "a path below %s is too long", folder);
		bool known = false;
		for (size_t i = 0; i < p->n; i++)
			known |= !p->part[i].first && strcmp(p->part[i].vo, vo) == 0;
		if (!st && !known)
			st = make_part(n, p, dir, member, err);
		if (!st)
			st = xos_node_load(&part, dir, err);
		if (!st) {
			xos_node_free(n);
			*n = part;
		}
	}
	xos_node_parts_free(p);
	return st;
}

enum xos_status xos_node_applied(const struct xos_node *n, const char *vo, struct xos_err *err)
{
	return n->top ? XOS_OK : xos_node_write(n, APPLIED, 0644, xos_bytes_str(vo), err);
}

/* Is there a line that begins with this key? */
static bool has_key(const char *text, const char *key)
{
	size_t n = strlen(key);
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && (line[n] == ' ' || line[n] == '='))
			return true;
	}
	return false;
}

/* Puts "key = value" before the rest, where no section has begun yet, unless it is there. */
static enum xos_status add_line(
    const char *path, const char *key, const char *value, bool *added, struct xos_err *err)
{
	struct xos_buf old, fresh;
	xos_buf_init(&fresh, CONF_MAX + 256);
	enum xos_status st = xos_file_read(path, CONF_MAX, &old, err);
	*added = false;
	if (!st && !has_key(xos_buf_str(&old), key)) {
		xos_buf_printf(&fresh, "%s = %s\n", key, value);
		xos_buf_put(&fresh, old.p, old.n);
		st = xos_buf_status(&fresh);
		if (st)
			st = xos_err_set(err, st, "memory", "%s is too long", path);
		if (!st)
			st = xos_file_write(path, 0644, xos_buf_bytes(&fresh), err);
		*added = !st;
	}
	xos_buf_free(&fresh);
	xos_buf_free(&old);
	return st;
}

enum xos_status xos_node_ready_for_vos(const struct xos_node *top, bool *credd, struct xos_err *err)
{
	char path[PATH_MAX];
	bool jobd = false;
	enum xos_status st = XOS_OK;
	*credd = false;
	if (top->uid_base && has(top, "credd.conf") &&
	    !(st = xos_node_path(top, "credd.conf", path, err)))
		st = add_line(path, "slices", "slices", credd, err);
	if (!st && has(top, "jobd.conf") && !(st = xos_node_path(top, "jobd.conf", path, err)))
		st = add_line(path, "vos", FOLDER, &jobd, err);
	return st;
}

enum xos_status xos_node_jobd_conf(
    const struct xos_node *top, char out[PATH_MAX], struct xos_err *err)
{
	struct xos_node_parts *p = NULL;
	bool added = false;
	enum xos_status st = xos_node_parts_load(top, &p, err);
	if (!st)
		st = xos_node_parts_select(p, top, NULL, err);
	if (!st)
		st = xos_node_path(&p->part[0].n, "jobd.conf", out, err);
	/* The first VO was left: the next one's names the others. */
	if (!st && !p->part[0].first)
		st = add_line(out, "vos", "..", &added, err);
	xos_node_parts_free(p);
	return st;
}

enum xos_status xos_node_part_remove(
    const struct xos_node *top, const struct xos_node_part *p, struct xos_err *err)
{
	static const char *const files[] = {
	    "vo.conf", APPLIED, "application", "credd.conf", "jobd.conf", XOS_NODE_LEFT_CONF};
	static const char *const folders[] = {"trust", "credd", "tls", "jobd"};
	char path[PATH_MAX], slice[XOS_VO_MAX + 16];
	enum xos_status st = XOS_OK;
	/* Its numbers are free when nothing of it is left to use them. */
	if (!p->first)
		st = xos_cli_remove_tree(p->n.dir, err);
	for (size_t i = 0; p->first && !st && i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (!(st = xos_node_path(top, folders[i], path, err)))
			st = xos_cli_remove_tree(path, err);
		/* Empty ones stay, for another VO. */
		if (!st && strcmp(folders[i], "trust") != 0)
			st = xos_dir_make(path, 0755, err);
	}
	for (size_t i = 0; p->first && !st && i < sizeof(files) / sizeof(files[0]); i++) {
		if (!(st = xos_node_path(top, files[i], path, err)) && unlink(path) != 0 &&
		    errno != ENOENT)
			st = xos_err_errno(err, errno, "vo-remove", "cannot remove %s", path);
	}
	if (!st && xos_str_printf(slice, sizeof(slice), "slices/%s", p->vo) &&
	    !(st = xos_node_path(top, slice, path, err)) && unlink(path) != 0 && errno != ENOENT)
		st = xos_err_errno(err, errno, "vo-remove", "cannot remove %s", path);
	return st;
}
