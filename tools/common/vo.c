#include "cli/vo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/trust.h"

#define DEFAULT_MAX 64 /* bytes of the file "default" */

/* vo.conf as it stands. */
struct addresses {
	char *vo, *ca, *rca, *vops, *accounting, *jobs;
};

#define KEY(field, need)                                                                           \
	{                                                                                          \
		.section = "", .name = #field, .type = XOS_CONFIG_STRING,                          \
		.offset = offsetof(struct addresses, field), .required = (need)                    \
	}
static const struct xos_config_key keys[] = {KEY(vo, true), KEY(ca, false), KEY(rca, false),
    KEY(vops, false), KEY(accounting, false), KEY(jobs, false)};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static enum xos_status no_room(struct xos_err *err)
{
	return xos_err_set(err, XOS_LIMIT, "path-too-long", "a path is too long");
}

enum xos_status xos_cli_config_dir(
    const struct xos_cli *cli, char out[PATH_MAX], struct xos_err *err)
{
	const char *given = cli->config ? cli->config : getenv("XOS_CONFIG");
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool fits = false;
	if (given && *given)
		fits = xos_str_copy(out, PATH_MAX, given);
	else if (xdg && xdg[0] == '/')
		fits = xos_str_printf(out, PATH_MAX, "%s/xos", xdg);
	else if (home && home[0] == '/')
		fits = xos_str_printf(out, PATH_MAX, "%s/.config/xos", home);
	else
		return xos_err_set(err, XOS_NOT_FOUND, "no-home",
		    "HOME is not set; say with --config DIR where joined VOs are kept");
	return fits ? XOS_OK : no_room(err);
}

static enum xos_status not_joined(struct xos_err *err, const char *vo, const char *dir)
{
	return xos_err_set(err, XOS_NOT_FOUND, "not-joined",
	    "no VO %s%shas been joined (looked in %s). Join with: xos-login --join URL "
	    "--fingerprint "
	    "sha256:...",
	    vo, *vo ? " " : "", dir);
}

static enum xos_status default_read(const char *dir, char vo[XOS_VO_MAX + 1], struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf b;
	if (!xos_path_join(path, sizeof(path), dir, "default"))
		return no_room(err);
	xos_buf_init(&b, DEFAULT_MAX);
	enum xos_status st = xos_file_read(path, DEFAULT_MAX, &b, err);
	if (st == XOS_NOT_FOUND)
		st = not_joined(err, "", dir);
	const char *text = st == XOS_OK ? xos_buf_str(&b) : NULL;
	if (st == XOS_OK &&
	    (!text || !xos_str_printf(vo, XOS_VO_MAX + 1, "%.*s", (int)strcspn(text, "\n"), text) ||
	        !xos_name_is_vo(vo)))
		st = xos_err_set(err, XOS_MALFORMED, "default-vo",
		    "%s does not name a VO; join again or give --vo NAME", path);
	xos_buf_free(&b);
	return st;
}

static enum xos_status trust_read(struct xos_cli_vo *vo, struct xos_err *err)
{
	char path[PATH_MAX];
	vo->trust = xos_trust_new();
	if (!vo->trust)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!xos_path_join(path, sizeof(path), vo->dir, "root.pem"))
		return no_room(err);
	enum xos_status st = xos_trust_load(vo->trust, path, err);
	if (st == XOS_OK && !xos_trust_root(vo->trust, vo->name))
		st = xos_err_set(err, XOS_DENIED, "trust-root",
		    "%s is not the root of VO %s; join again", path, vo->name);
	if (st != XOS_OK)
		return st;
	if (!xos_path_join(path, sizeof(path), vo->dir, "issuers.pem"))
		return no_room(err);
	if (access(path, F_OK) == 0)
		st = xos_trust_load(vo->trust, path, err);
	if (st == XOS_OK && !xos_path_join(path, sizeof(path), vo->dir, XOS_TRUST_FILE))
		return no_room(err);
	xos_trust_ask(vo->trust, xos_cli_trust_newer, vo);
	return st == XOS_OK ? xos_trust_follow(vo->trust, path, err) : st;
}

static enum xos_status addresses_read(
    const char *dir, const char *vo, struct addresses *a, struct xos_err *err)
{
	char path[PATH_MAX];
	if (!xos_path_join(path, sizeof(path), dir, "vo.conf"))
		return no_room(err);
	enum xos_status st = xos_config_load(path, keys, NKEYS, a, err);
	if (st == XOS_OK && strcmp(a->vo, vo) != 0) {
		st = xos_err_set(
		    err, XOS_MALFORMED, "vo-conf", "%s is about VO %s, not %s", path, a->vo, vo);
		xos_config_free(keys, NKEYS, a);
	}
	return st;
}

static enum xos_status vo_read(
    const struct xos_cli *cli, struct xos_cli_vo *vo, struct xos_err *err)
{
	char dir[PATH_MAX];
	struct addresses a = {.vo = NULL};
	struct stat sb;
	enum xos_status st = xos_cli_config_dir(cli, dir, err);
	if (st == XOS_OK && !cli->vo)
		st = default_read(dir, vo->name, err);
	else if (st == XOS_OK &&
	         (!xos_name_is_vo(cli->vo) || !xos_str_copy(vo->name, sizeof(vo->name), cli->vo)))
		st = xos_cli_usage(err, "\"%s\" is no name of a VO", cli->vo);
	if (st != XOS_OK)
		return st;
	if (!xos_path_join(vo->dir, sizeof(vo->dir), dir, vo->name))
		return no_room(err);
	if (stat(vo->dir, &sb) != 0)
		return not_joined(err, vo->name, dir);
	st = addresses_read(vo->dir, vo->name, &a, err);
	if (st != XOS_OK)
		return st;
	vo->ca = a.ca;
	vo->rca = a.rca;
	vo->vops = a.vops;
	vo->accounting = a.accounting;
	vo->jobs = a.jobs;
	free(a.vo);
	return trust_read(vo, err);
}

static enum xos_status manners_take(
    const struct xos_cli *cli, struct xos_cli_vo *vo, struct xos_err *err)
{
	vo->manners = calloc(1, sizeof(*vo->manners));
	if (!vo->manners)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_str_printf(vo->manners->program, sizeof(vo->manners->program), "%s",
	    cli->program ? cli->program : "xos");
	vo->manners->may_warn = !cli->json;
	vo->manners->may_ask = !cli->json && !cli->no_input;
	return XOS_OK;
}

enum xos_status xos_cli_vo_load(
    const struct xos_cli *cli, struct xos_cli_vo **out, struct xos_err *err)
{
	struct xos_cli_vo *vo = calloc(1, sizeof(*vo));
	if (!vo)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = manners_take(cli, vo, err);
	if (st == XOS_OK)
		st = vo_read(cli, vo, err);
	if (st != XOS_OK) {
		xos_cli_vo_free(vo);
		return st;
	}
	*out = vo;
	return XOS_OK;
}

void xos_cli_vo_free(struct xos_cli_vo *vo)
{
	if (!vo)
		return;
	xos_trust_free(vo->trust);
	free(vo->ca);
	free(vo->rca);
	free(vo->vops);
	free(vo->accounting);
	free(vo->jobs);
	free(vo->manners);
	free(vo);
}

enum xos_status xos_cli_vo_url(
    const struct xos_cli_vo *vo, const char *service, const char **url, struct xos_err *err)
{
	const struct {
		const char *name, *url;
	} all[] = {{"ca", vo->ca}, {"rca", vo->rca}, {"vops", vo->vops},
	    {"accounting", vo->accounting}, {"jobs", vo->jobs}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].name, service) == 0 && all[i].url && *all[i].url) {
			*url = all[i].url;
			return XOS_OK;
		}
	}
	return xos_err_set(err, XOS_NOT_FOUND, "no-address",
	    "the address of service %s of VO %s is not known; put \"%s = https://...\" into "
	    "%s/vo.conf",
	    service, vo->name, service, vo->dir);
}

/* A second root for a name that is known would be another VO under the same name. */
static enum xos_status root_write(
    const char *dir, const struct xos_cli_join *join, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain known = {.n = 0};
	struct xos_buf pem;
	if (!xos_path_join(path, sizeof(path), dir, "root.pem"))
		return no_room(err);
	if (access(path, F_OK) == 0) {
		enum xos_status st = xos_chain_load(path, &known, err);
		if (st == XOS_OK &&
		    !xos_bytes_eq(xos_cert_der(known.cert[0]), xos_cert_der(join->root)))
			st = xos_err_set(err, XOS_CONFLICT, "second-root",
			    "VO %s is known with another root. If it was founded anew, remove %s "
			    "and join again",
			    join->vo, dir);
		xos_chain_clear(&known);
		return st;
	}
	xos_buf_init(&pem, 2 * XOS_CERT_MAX);
	xos_cert_to_pem(join->root, &pem);
	enum xos_status st = xos_buf_status(&pem);
	if (st != XOS_OK)
		st = xos_err_set(err, st, "memory", "the root cannot be written");
	else
		st = xos_file_write(path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	return st;
}

static enum xos_status issuers_write(
    const char *dir, const struct xos_chain *issuers, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf pem;
	if (!issuers || issuers->n == 0)
		return XOS_OK;
	if (!xos_path_join(path, sizeof(path), dir, "issuers.pem"))
		return no_room(err);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < issuers->n; i++)
		xos_cert_to_pem(issuers->cert[i], &pem);
	enum xos_status st = xos_buf_status(&pem);
	if (st != XOS_OK)
		st = xos_err_set(err, st, "memory", "the issuers cannot be written");
	else
		st = xos_file_write(path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	return st;
}

static bool url_ok(const char *url)
{
	return strncmp(url, "https://", 8) == 0 && strlen(url) < 300 &&
	       !strpbrk(url, " \t\r\n;#\"");
}

static enum xos_status addresses_write(
    const char *dir, const struct xos_cli_join *join, struct xos_err *err)
{
	char path[PATH_MAX];
	struct addresses old = {.vo = NULL};
	struct xos_buf b;
	if (!xos_path_join(path, sizeof(path), dir, "vo.conf"))
		return no_room(err);
	enum xos_status st =
	    access(path, F_OK) == 0 ? addresses_read(dir, join->vo, &old, err) : XOS_OK;
	if (st != XOS_OK)
		return st;
	const char *const names[] = {"ca", "rca", "vops", "accounting", "jobs"};
	const char *const fresh[] = {join->ca, join->rca, join->vops, join->accounting, join->jobs};
	const char *const before[] = {old.ca, old.rca, old.vops, old.accounting, old.jobs};
	xos_buf_init(&b, 16384);
	xos_buf_printf(&b, "# Written when VO %s was joined.\nvo = %s\n", join->vo, join->vo);
	for (size_t i = 0; i < 5 && st == XOS_OK; i++) {
		const char *url = fresh[i] ? fresh[i] : before[i];
		if (url && !url_ok(url))
			st = xos_err_set(err, XOS_MALFORMED, "server-address",
			    "\"%s\" is no address of a service", url);
		else if (url)
			xos_buf_printf(&b, "%s = %s\n", names[i], url);
	}
	if (st == XOS_OK && xos_buf_status(&b) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = xos_file_write(path, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	xos_config_free(keys, NKEYS, &old);
	return st;
}

static enum xos_status default_write(const char *dir, const char *vo, struct xos_err *err)
{
	char path[PATH_MAX], text[XOS_VO_MAX + 2];
	if (!xos_path_join(path, sizeof(path), dir, "default") ||
	    !xos_str_printf(text, sizeof(text), "%s\n", vo))
		return no_room(err);
	return xos_file_write(path, 0644, xos_bytes_str(text), err);
}

enum xos_status xos_cli_vo_join(
    const struct xos_cli *cli, const struct xos_cli_join *join, struct xos_err *err)
{
	char dir[PATH_MAX], vo_dir[PATH_MAX];
	if (!xos_name_is_vo(join->vo))
		return xos_err_set(
		    err, XOS_MALFORMED, "vo-name", "\"%s\" is no name of a VO", join->vo);
	enum xos_status st = xos_cli_config_dir(cli, dir, err);
	if (st == XOS_OK && !xos_path_join(vo_dir, sizeof(vo_dir), dir, join->vo))
		st = no_room(err);
	if (st == XOS_OK)
		st = xos_dir_make(vo_dir, 0700, err);
	if (st == XOS_OK)
		st = root_write(vo_dir, join, err);
	if (st == XOS_OK)
		st = issuers_write(vo_dir, join->issuers, err);
	if (st == XOS_OK)
		st = xos_cli_trust_join(vo_dir, join, err);
	if (st == XOS_OK)
		st = addresses_write(vo_dir, join, err);
	if (st == XOS_OK)
		st = default_write(dir, join->vo, err);
	return st;
}
