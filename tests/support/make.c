/*
 * xos-make-vo: a VO's keys on disk, for system tests that need an authority but no xos-cad.
 *
 *   xos-make-vo DIR VO SITE
 *
 * DIR/trust, DIR/rca/rca.{key,pem}, DIR/vops/vops.{key,pem} and their trust folders; token files
 * admin.pem (role admin), alice.pem (no role), late.pem (expired admin), node.pem (node n9),
 * foreign.pem (admin of another VO of the same name); DIR/site.key, site.pub, other.key; ca.key, ca.pem.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

static struct xos_err err = XOS_ERR_INIT;

static void put_cert(const char *dir, const char *name, const struct xos_cert *c)
{
	struct xos_buf b;
	char *path = xos_test_path(dir, name);

	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(c, &b);
	MUST(xos_file_write(path, 0644, xos_buf_bytes(&b), &err), &err);
	xos_buf_free(&b);
	free(path);
}

static void put_key(const char *dir, const char *name, const struct xos_key *key)
{
	char *path = xos_test_path(dir, name);

	MUST(xos_key_save(key, path, NULL, &err), &err);
	free(path);
}

static void authority(const struct xos_test_vo *v, const char *dir, const char *kind,
    const struct xos_key *key, const struct xos_cert *cert)
{
	char *folder = xos_test_path(dir, kind), *trust = xos_test_path(folder, "trust"), name[32];

	MUST(xos_dir_make(folder, 0755, &err), &err);
	xos_test_vo_trust_dir(v, trust);
	snprintf(name, sizeof(name), "%s.key", kind);
	put_key(folder, name, key);
	snprintf(name, sizeof(name), "%s.pem", kind);
	put_cert(folder, name, cert);
	free(trust);
	free(folder);
}

static void member(
    const struct xos_test_vo *v, const char *dir, const char *file, const struct xos_test_who *who)
{
	struct xos_chain chain = {.n = 0};
	char *path = xos_test_path(dir, file);

	xos_test_member(v, who, &chain);
	xos_test_chain_save(&chain, path);
	xos_chain_clear(&chain);
	free(path);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: xos-make-vo DIR VO SITE\n");
		return 2;
	}
	const char *dir = argv[1];
	char role[64], group[64];
	int64_t now = xos_clock_now();
	struct xos_test_vo *v = xos_test_vo_new(argv[2], argv[3], now);
	struct xos_test_vo *twin = xos_test_vo_new(argv[2], argv[3], now);

	snprintf(role, sizeof(role), "/%s/Role=admin", argv[2]);
	snprintf(group, sizeof(group), "/%s", argv[2]);
	const char *const roles[] = {role, NULL}, *const groups[] = {group, NULL};
	const struct xos_test_who admin = {
	    .name = "admin", .number = 1, .groups = groups, .roles = roles};
	const struct xos_test_who alice = {.name = "alice", .number = 2, .groups = groups};
	struct xos_test_who late = admin;
	late.not_before = now - 7200;
	late.not_after = now - 3600;

	MUST(xos_dir_make(dir, 0755, &err), &err);
	char *trust = xos_test_path(dir, "trust");
	xos_test_vo_trust_dir(v, trust);
	authority(v, dir, "rca", v->rca_key, v->rca);
	authority(v, dir, "vops", v->policy_key, v->policy);
	put_key(dir, "ca.key", v->ca_key);
	put_cert(dir, "ca.pem", v->ca);
	member(v, dir, "admin.pem", &admin);
	member(v, dir, "alice.pem", &alice);
	member(v, dir, "late.pem", &late);
	member(twin, dir, "foreign.pem", &admin);
	const struct xos_test_who n9 = {.name = "n9"};
	struct xos_chain node = {.n = 0};
	char *path = xos_test_path(dir, "node.pem");
	xos_test_node(v, &n9, &node);
	xos_test_chain_save(&node, path);
	xos_chain_clear(&node);
	free(path);
	put_key(dir, "site.key", v->site_key);
	put_key(dir, "other.key", twin->site_key);
	path = xos_test_path(dir, "site.pub");
	xos_test_vo_site_key(v, path);
	free(path);
	free(trust);
	xos_test_vo_free(twin);
	xos_test_vo_free(v);
	return 0;
}
