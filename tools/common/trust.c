#include "cli/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/trustdoc.h"
#include "api/trustkeep.h"
#include "base/clock.h"
#include "base/file.h"

#define ASK_AFTER 3600 /* seconds */

static bool asked_lately(const char *path)
{
	struct stat s;
	int64_t now = xos_clock_now();
	return stat(path, &s) == 0 && s.st_mtime <= now && now - s.st_mtime < ASK_AFTER;
}

void xos_cli_trust_keep(const struct xos_cli_vo *vo)
{
	char path[PATH_MAX];
	/* Another user's folder, a full disk: it is asked for again. */
	if (xos_path_join(path, sizeof(path), vo->dir, XOS_TRUST_FILE) &&
	    xos_trust_keep_store(vo->trust, vo->name, path, NULL) != XOS_OK)
		return;
}

bool xos_cli_trust_newer(void *of, const char *name)
{
	struct xos_cli_vo *vo = of;
	bool news = false;
	if (vo->list_asked || !vo->ca)
		return false;
	vo->list_asked = true;
	if (xos_trust_doc_refresh(vo->trust, vo->ca, name, &news, NULL) != XOS_OK || !news)
		return false;
	xos_cli_trust_keep(vo);
	return true;
}

void xos_cli_trust_ask(const struct xos_cli_vo *vo, const char *url)
{
	char path[PATH_MAX];
	bool news = false;
	if (!xos_path_join(path, sizeof(path), vo->dir, "trust.asked") || asked_lately(path))
		return;
	if (xos_trust_doc_refresh(vo->trust, url, vo->name, &news, NULL) != XOS_OK)
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0) {
		(void)futimens(fd, NULL);
		close(fd);
	}
	if (news)
		xos_cli_trust_keep(vo);
}

enum xos_status xos_cli_trust_join(
    const char *dir, const struct xos_cli_join *join, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	char path[PATH_MAX];
	enum xos_status st = XOS_OK;
	if (!t || !xos_path_join(path, sizeof(path), dir, XOS_TRUST_FILE))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "no room for the trust list");
	if (st == XOS_OK)
		st = xos_trust_add_root(t, join->root, err);
	if (st == XOS_OK)
		st = xos_trust_follow(t, path, err);
	if (st == XOS_OK && join->list.n) {
		st = xos_trust_take_list(t, join->list, NULL, err);
		if (st == XOS_CONFLICT)
			st = XOS_OK; /* what is there is newer */
	}
	if (st == XOS_OK)
		st = xos_trust_keep_store(t, join->vo, path, err);
	xos_trust_free(t);
	return st;
}
