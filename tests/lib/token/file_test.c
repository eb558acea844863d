/* Token files, trust folders, the profile's refusals, and stock openssl's view of our chains. */

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "fixture.h"
#include "token/tokenfile.h"

static struct vo *demo;
static struct xos_err err;
static char dir[64];

static void setup(void)
{
	demo = vo_new("demo");
	strcpy(dir, "/tmp/xos-token-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
	vo_free(demo);
}

static const char *in_dir(const char *name)
{
	static char path[4][160];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void write_file(const char *path, mode_t mode, const char *text)
{
	must(xos_file_write(path, mode, xos_bytes_str(text), &err), &err, path);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void write_certs(const char *path, const struct xos_cert *const *certs, size_t n)
{
	struct xos_buf pem;

	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < n; i++)
		xos_cert_to_pem(certs[i], &pem);
	must(xos_file_write(path, 0644, xos_buf_bytes(&pem), &err), &err, path);
	xos_buf_free(&pem);
}

START_TEST(path_rules)
{
	char path[PATH_MAX], want[64], longer[PATH_MAX + 10];

	unsetenv("XOS_TOKEN");
	unsetenv("X509_USER_PROXY");
	snprintf(want, sizeof(want), "/tmp/x509up_u%u", (unsigned)geteuid());
	ck_assert_int_eq(xos_tokenfile_path(path, &err), XOS_OK);
	ck_assert_str_eq(path, want);
	setenv("X509_USER_PROXY", "/a/proxy", 1);
	ck_assert_int_eq(xos_tokenfile_path(path, &err), XOS_OK);
	ck_assert_str_eq(path, "/a/proxy");
	setenv("XOS_TOKEN", "", 1);
	ck_assert_int_eq(xos_tokenfile_path(path, &err), XOS_OK);
	ck_assert_str_eq(path, "/a/proxy");
	setenv("XOS_TOKEN", "/a/token", 1);
	ck_assert_int_eq(xos_tokenfile_path(path, &err), XOS_OK);
	ck_assert_str_eq(path, "/a/token");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	setenv("XOS_TOKEN", longer, 1);
	ck_assert_int_eq(xos_tokenfile_path(path, &err), XOS_LIMIT);
}
END_TEST

START_TEST(written_and_read_back)
{
	const char *path = in_dir("token");
	struct xos_chain ch = {0}, back = {0};
	struct stat s;

	user_chain(demo, "alice", &ch);
	must(xos_chain_add(&ch, demo->root), NULL, "chain"); /* to be left out */
	must(xos_tokenfile_write(path, &ch, &err), &err, "write");
	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_uint_eq(s.st_mode & 07777, 0600);
	must(xos_tokenfile_read(path, &back, &err), &err, "read");
	ck_assert_uint_eq(back.n, 2);
	ck_assert(xos_bytes_eq(xos_cert_der(back.cert[0]), xos_cert_der(ch.cert[0])));
	ck_assert(xos_key_is_private(back.key));
	xos_chain_clear(&back);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "file-mode");
	ck_assert_uint_eq(back.n, 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	must(xos_tokenfile_remove(path, &err), &err, "remove");
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "xos-login"));
	ck_assert_int_eq(xos_tokenfile_remove(path, &err), XOS_NOT_FOUND);
	xos_chain_clear(&ch);
}
END_TEST

START_TEST(files_that_are_no_tokens)
{
	const char *path = in_dir("token");
	struct xos_chain alice = {0}, bob = {0}, back = {0};
	struct xos_secret *key = NULL;
	struct xos_buf pem;

	user_chain(demo, "alice", &alice);
	user_chain(demo, "bob", &bob);
	write_file(path, 0600, "my thesis\n");
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_tokenfile_remove(path, &err), XOS_MALFORMED);
	ck_assert_int_eq(access(path, F_OK), 0);
	/* No key; the key of somebody else; a file cut off. */
	xos_buf_init(&pem, XOS_TOKENFILE_MAX);
	xos_cert_to_pem(alice.cert[0], &pem);
	write_file(path, 0600, xos_buf_str(&pem));
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_MALFORMED);
	must(xos_key_to_pem(bob.key, &key, &err), &err, "pem");
	xos_buf_put(&pem, xos_secret_data(key), xos_secret_len(key));
	write_file(path, 0600, xos_buf_str(&pem));
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, "key-mismatch");
	pem.n -= 40;
	write_file(path, 0600, xos_buf_str(&pem));
	ck_assert_int_eq(xos_tokenfile_read(path, &back, &err), XOS_MALFORMED);
	/* A chain whose key is not the leaf's is not written either. */
	xos_key_free(alice.key);
	alice.key = xos_key_ref(bob.key);
	ck_assert_int_eq(xos_tokenfile_write(path, &alice, &err), XOS_MALFORMED);
	ck_assert_int_eq(symlink("/etc/passwd", in_dir("link")), 0);
	ck_assert_int_eq(xos_tokenfile_remove(in_dir("link"), &err), XOS_DENIED);
	ck_assert_uint_eq(back.n, 0);
	xos_buf_free(&pem);
	xos_secret_free(key);
	xos_chain_clear(&alice);
	xos_chain_clear(&bob);
}
END_TEST

START_TEST(described)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain ch = {0}, job = {0};
	struct xos_token_info *info = NULL;

	user_chain(demo, "alice", &ch);
	must(xos_token_describe(&ch, T0, &info, &err), &err, "describe");
	ck_assert_str_eq(info->claims->name, "alice");
	ck_assert_str_eq(info->uri, "spiffe://demo/user/alice");
	ck_assert_int_eq(info->seconds_left, 12 * HOUR);
	ck_assert_uint_eq(info->nsteps, 0);
	ck_assert(!xos_token_needs_renewal(info, T0));
	ck_assert(!xos_token_needs_renewal(info, T0 + 5 * HOUR));
	ck_assert(xos_token_needs_renewal(info, T0 + 6 * HOUR));
	ck_assert(xos_token_needs_renewal(info, T0 + 100 * HOUR));
	xos_token_info_free(info);
	must(xos_token_describe(&ch, T0 + 13 * HOUR, &info, &err), &err, "describe");
	ck_assert_int_eq(info->seconds_left, 0);
	xos_token_info_free(info);
	delegate_chain(&ch, &d, &job);
	must(xos_token_describe(&job, T0, &info, &err), &err, "describe");
	ck_assert_uint_eq(info->nsteps, 1);
	ck_assert_str_eq(info->steps[0]->member, "alice");
	ck_assert_int_eq(info->seconds_left, HOUR);
	xos_token_info_free(info);
	xos_chain_clear(&ch);
	ck_assert_int_eq(xos_token_describe(&ch, T0, &info, &err), XOS_MALFORMED);
	ck_assert_ptr_null(info);
	xos_chain_clear(&job);
}
END_TEST

START_TEST(trust_from_a_folder)
{
	const struct xos_cert *root[] = {demo->root}, *issuers[] = {demo->user_ca, demo->node_ca};
	struct vo *twin = vo_new("demo");
	const struct xos_cert *second[] = {twin->root};
	struct xos_trust *t = xos_trust_new();
	char folder[80];

	snprintf(folder, sizeof(folder), "%s/trust", dir);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_int_eq(xos_trust_load(t, folder, &err), XOS_NOT_FOUND);
	write_certs(in_dir("trust/root.pem"), root, 1);
	write_certs(in_dir("trust/issuers.pem"), issuers, 2);
	write_file(in_dir("trust/README"), 0644, "not read\n");
	must(xos_trust_load(t, folder, &err), &err, "trust");
	ck_assert_uint_eq(xos_trust_vo_count(t), 1);
	ck_assert_str_eq(xos_trust_vo(t, 0), "demo");
	ck_assert_ptr_null(xos_trust_vo(t, 1));
	ck_assert_uint_eq(xos_trust_issuer_count(t), 2);
	ck_assert_ptr_nonnull(xos_trust_root(t, "demo"));
	ck_assert_ptr_null(xos_trust_root(t, "dem"));
	write_certs(in_dir("trust/zz.pem"), second, 1);
	xos_trust_free(t);
	t = xos_trust_new();
	ck_assert_int_eq(xos_trust_load(t, folder, &err), XOS_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "zz.pem"));
	ck_assert_int_eq(unlink(in_dir("trust/zz.pem")), 0);
	ck_assert_int_eq(chmod(in_dir("trust/root.pem"), 0666), 0);
	ck_assert_int_eq(xos_trust_load(t, folder, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "file-mode");
	ck_assert_int_eq(chmod(in_dir("trust/root.pem"), 0644), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(xos_trust_load(t, folder, &err), XOS_DENIED);
	xos_trust_free(t);
	vo_free(twin);
}
END_TEST

START_TEST(trust_takes_only_roots_and_issuers)
{
	struct xos_trust *t = xos_trust_new();
	struct xos_key *key = new_key();
	struct xos_chain ch = {0};
	struct xos_cert *odd = NULL;
	struct xos_buf der;
	const struct xos_rdn names[][2] = {
	    {{XOS_RDN_O, "demo"}, {XOS_RDN_CN, "other root"}},
	    {{XOS_RDN_O, "DEMO"}, {XOS_RDN_CN, "DEMO root"}},
	    {{XOS_RDN_OU, "demo"}, {XOS_RDN_CN, "demo root"}},
	};

	user_chain(demo, "alice", &ch);
	ck_assert_int_eq(xos_trust_add_root(t, ch.cert[0], &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_trust_add_root(t, demo->user_ca, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_trust_add_issuer(t, ch.cert[0], &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_trust_add_issuer(t, demo->root, &err), XOS_MALFORMED);
	for (size_t i = 0; i < 3; i++) {
		const struct xos_issue what = {
		    .subject = names[i], .nsubject = 2, .not_before = T0, .not_after = T0 + DAY};

		xos_buf_init(&der, XOS_CERT_MAX);
		must(xos_issue_root(key, &what, &der, &err), &err, "root");
		must(xos_cert_parse(xos_buf_bytes(&der), &odd, &err), &err, "root");
		ck_assert_int_eq(xos_trust_add_root(t, odd, &err), XOS_MALFORMED);
		xos_cert_free(odd);
		xos_buf_free(&der);
	}
	/* A root whose self-signature does not verify. */
	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_put(&der, xos_cert_der(demo->root).p, xos_cert_der(demo->root).n);
	der.p[der.n - 1] ^= 1;
	must(xos_cert_parse(xos_buf_bytes(&der), &odd, &err), &err, "root");
	ck_assert_int_eq(xos_trust_add_root(t, odd, &err), XOS_DENIED);
	ck_assert_uint_eq(xos_trust_vo_count(t), 0);
	xos_cert_free(odd);
	xos_buf_free(&der);
	xos_key_free(key);
	xos_trust_free(t);
	xos_chain_clear(&ch);
}
END_TEST

/* Asks the profile for one certificate; expects this status, and nothing written on refusal. */
static void ask(struct xos_issuer *by, const struct xos_claims *c, int64_t to, size_t ndns,
    enum xos_status want, const char *code)
{
	static const char *const dns[] = {"n1.demo.example"};
	struct xos_key *key = new_key();
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	struct xos_token_request req = {.claims = c,
	    .spki = xos_key_spki(key),
	    .not_before = T0 - 300,
	    .not_after = to,
	    .dns = dns,
	    .ndns = ndns};
	struct xos_buf der;
	enum xos_status st;

	xos_buf_init(&der, XOS_CERT_MAX);
	st = xos_token_issue(by, &req, serial, &der, &err);
	ck_assert_msg(st == want && (st == XOS_OK || strcmp(err.code, code) == 0), "got %s %s (%s)",
	    xos_status_name(st), err.code, err.text);
	ck_assert_int_eq(der.n > 0, st == XOS_OK);
	xos_buf_free(&der);
	xos_key_free(key);
}

START_TEST(profile_refuses)
{
	struct xos_claims *alice = user_claims("demo", "alice");
	struct xos_claims *foreign = user_claims("other", "alice");
	struct xos_claims *node = machine_claims(XOS_KIND_NODE, "demo", "n1.demo.example", NULL);
	struct xos_claims *longer = machine_claims(XOS_KIND_NODE, "demo",
	    "a-host-name-that-is-much-longer-than-a-common-name-may-be.demo.example", NULL);

	ask(demo->user_issuer, alice, T0 + HOUR, 0, XOS_OK, "");
	ask(demo->user_issuer, alice, T0 + 366 * DAY, 0, XOS_DENIED, "issuer-lifetime");
	ask(demo->user_issuer, alice, T0 - 600, 0, XOS_MALFORMED, "issue");
	ask(demo->user_issuer, alice, T0 + HOUR, 1, XOS_MALFORMED, "token-hosts");
	ask(demo->user_issuer, foreign, T0 + HOUR, 0, XOS_DENIED, "token-issuer");
	ask(demo->user_issuer, node, T0 + HOUR, 1, XOS_DENIED, "token-issuer");
	ask(demo->node_issuer, alice, T0 + HOUR, 0, XOS_DENIED, "token-issuer");
	ask(demo->root_issuer, alice, T0 + HOUR, 0, XOS_DENIED, "token-issuer");
	ask(demo->node_issuer, node, T0 + HOUR, 1, XOS_OK, "");
	ask(demo->node_issuer, longer, T0 + HOUR, 0, XOS_MALFORMED, "token-name");
	alice->number = 0;
	ask(demo->user_issuer, alice, T0 + HOUR, 0, XOS_MALFORMED, "claims");
	xos_claims_free(alice);
	xos_claims_free(foreign);
	xos_claims_free(node);
	xos_claims_free(longer);
}
END_TEST

START_TEST(authorities_are_for_one_sort)
{
	struct xos_key *key = new_key();
	struct xos_cert *c = NULL;
	static const unsigned bad[] = {0, XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE),
	    XOS_KIND_BIT(XOS_KIND_POLICY), XOS_KINDS_ALL};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(xos_authority_issuer(demo->root_issuer, "demo", bad[i],
		                     xos_key_spki(key), T0, T0 + DAY, &c, &err),
		    XOS_DENIED);
	/* Beyond the root's life. */
	ck_assert_int_eq(
	    xos_authority_issuer(demo->root_issuer, "demo", XOS_KIND_BIT(XOS_KIND_USER),
	        xos_key_spki(key), T0, T0 + 4000LL * DAY, &c, &err),
	    XOS_DENIED);
	ck_assert_int_eq(
	    xos_authority_root(key, "not a vo", T0, T0 + DAY, &c, &err), XOS_MALFORMED);
	ck_assert_ptr_null(c);
	xos_key_free(key);
}
END_TEST

/* Runs the real openssl; its exit status, and its output in a file of dir. */
static int openssl_verify(const char *more, const char *cert)
{
	char cmd[512];
	int st;

	snprintf(cmd, sizeof(cmd),
	    "openssl verify -x509_strict -attime %lld -CAfile %s/root.pem -untrusted "
	    "%s/issuers.pem %s "
	    "%s/%s >%s/out 2>&1",
	    (long long)T0, dir, dir, more, dir, cert, dir);
	st = system(cmd);
	ck_assert(WIFEXITED(st));
	return WEXITSTATUS(st);
}

START_TEST(stock_openssl_agrees)
{
	const struct xos_cert *root[] = {demo->root}, *leaf[1];
	const struct xos_cert *issuers[] = {demo->user_ca, demo->node_ca, NULL};
	struct xos_delegation d = job_delegation();
	struct xos_chain user = {0}, node = {0}, service = {0}, job = {0};
	struct xos_buf out;

	user_chain(demo, "alice", &user);
	node_chain(demo, "n1.demo.example", &node);
	service_chain(demo, "jobs", "n1.demo.example", &service);
	delegate_chain(&user, &d, &job);
	issuers[2] = user.cert[0];
	write_certs(in_dir("root.pem"), root, 1);
	write_certs(in_dir("issuers.pem"), issuers, 3);
	leaf[0] = user.cert[0];
	write_certs(in_dir("user.pem"), leaf, 1);
	leaf[0] = node.cert[0];
	write_certs(in_dir("node.pem"), leaf, 1);
	leaf[0] = service.cert[0];
	write_certs(in_dir("service.pem"), leaf, 1);
	leaf[0] = job.cert[0];
	write_certs(in_dir("job.pem"), leaf, 1);
	ck_assert_int_eq(openssl_verify("-purpose sslclient", "user.pem"), 0);
	ck_assert_int_eq(openssl_verify("-purpose sslserver", "node.pem"), 0);
	ck_assert_int_eq(openssl_verify("-purpose sslclient", "node.pem"), 0);
	ck_assert_int_eq(openssl_verify("-purpose sslserver", "service.pem"), 0);
	ck_assert_int_ne(openssl_verify("-purpose sslserver", "user.pem"), 0);
	/* The restriction is never dropped silently, proxies allowed or not. */
	ck_assert_int_ne(openssl_verify("", "job.pem"), 0);
	ck_assert_int_ne(openssl_verify("-allow_proxy_certs", "job.pem"), 0);
	must(xos_file_read(in_dir("out"), 4096, &out, &err), &err, "output");
	ck_assert_msg(strstr(xos_buf_str(&out), "error 34") != NULL, "%s", xos_buf_str(&out));
	xos_buf_free(&out);
	xos_chain_clear(&user);
	xos_chain_clear(&node);
	xos_chain_clear(&service);
	xos_chain_clear(&job);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("token files");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, path_rules);
	tcase_add_test(t, written_and_read_back);
	tcase_add_test(t, files_that_are_no_tokens);
	tcase_add_test(t, described);
	tcase_add_test(t, trust_from_a_folder);
	tcase_add_test(t, trust_takes_only_roots_and_issuers);
	tcase_add_test(t, profile_refuses);
	tcase_add_test(t, authorities_are_for_one_sort);
	tcase_add_test(t, stock_openssl_agrees);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
