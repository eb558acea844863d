/* xos-cad init: the state folder of a new authority, with its first administrator. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/membership/acts.h"
#include "ca/conf.h"
#include "ca/offline/offline.h"
#include "ca/auth/verifiers.h"
#include "json/json.h"
#include "pki/csr.h"
#include "service/init.h"

struct init {
	const char *dir, *vo, *admin;
	int64_t iterations;
	struct xos_secret *password;
	struct ca_paths paths;
};

static enum xos_status check_free(const struct init *i, struct xos_err *err)
{
	const char *const files[] = {i->paths.key, i->paths.csr, i->paths.cert,
	    i->paths.delegation_key, i->paths.delegation_cert, i->paths.membership,
	    i->paths.verifiers, i->paths.log};

	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++)
		if (access(files[f], F_OK) == 0)
			return xos_err_set(err, XOS_CONFLICT, "state-exists",
			    "%s exists: an authority is set up once; nothing was changed",
			    files[f]);
	return XOS_OK;
}

static enum xos_status make_key(const struct init *i, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_buf csr, pem;
	enum xos_status st = xos_key_generate(&key, err);

	xos_buf_init(&csr, XOS_CSR_MAX);
	xos_buf_init(&pem, 2 * XOS_CSR_MAX);
	if (st == XOS_OK)
		st = xos_csr_make(key, &csr, err);
	if (st == XOS_OK)
		st = xos_csr_to_pem(xos_buf_bytes(&csr), &pem);
	if (st == XOS_OK)
		st = xos_key_save(key, i->paths.key, NULL, err);
	if (st == XOS_OK)
		st = xos_file_create(i->paths.csr, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&csr);
	xos_buf_free(&pem);
	xos_key_free(key);
	return st;
}

static enum xos_status first_act(
    const struct init *i, struct ca_membership *m, const char *jti, struct xos_err *err)
{
	struct ca_act act = {
	    .at = xos_clock_now(), .actor = "xos-cad", .verb = "vo.init", .jti = jti};
	struct xos_json *args = xos_json_object();
	struct xos_buf text;
	enum xos_status st;

	xos_buf_init(&text, 1024);
	xos_json_set_string(args, "vo", i->vo);
	xos_json_set_string(args, "admin", i->admin);
	st = xos_json_dump(args, &text, err);
	if (st == XOS_OK) {
		act.args = xos_buf_str(&text);
		st = ca_act_add(m, &act, err);
	}
	xos_json_free(args);
	xos_buf_free(&text);
	return st;
}

static enum xos_status add_admin(
    const struct init *i, struct ca_membership *m, const char *jti, struct xos_err *err)
{
	char role[XOS_FQAN_MAX + 1];
	int64_t now = xos_clock_now();
	uint64_t number = 0;
	enum xos_status st = xos_store_begin(m->store, err);

	xos_str_printf(role, sizeof(role), "/%s/Role=admin", i->vo);
	if (st == XOS_OK)
		st = ca_member_add(m, i->admin, now, &number, err);
	if (st == XOS_OK)
		st = ca_role_grant(m, i->admin, role, now, err);
	if (st == XOS_OK)
		st = first_act(i, m, jti, err);
	if (st == XOS_OK)
		st = xos_store_commit(m->store, err);
	xos_store_rollback(m->store);
	return st;
}

static enum xos_status make_databases(
    const struct init *i, const struct xos_scram_verifier *verifier, struct xos_err *err)
{
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	struct ca_verifier_change change = {.verifier = *verifier};
	char jti[33];
	enum xos_status st = ca_membership_open(i->paths.membership, i->vo, true, false, &m, err);

	xos_random_id(jti, 16);
	if (st == XOS_OK && !xos_str_copy(change.member, sizeof(change.member), i->admin))
		st = xos_err_set(err, XOS_MALFORMED, "member-name", "no member name");
	if (st == XOS_OK)
		st = ca_verifiers_open(i->paths.verifiers, true, &v, err);
	if (st == XOS_OK)
		st = ca_verifiers_prepare(v, jti, &change, err);
	if (st == XOS_OK)
		st = add_admin(i, m, jti, err);
	if (st == XOS_OK)
		st = ca_verifiers_settle(v, jti, true, xos_clock_now(), err);
	xos_wipe(&change, sizeof(change));
	ca_verifiers_close(v);
	ca_membership_close(m);
	return st;
}

static enum xos_status make_state(struct init *i, struct xos_err *err)
{
	struct xos_scram_verifier verifier;
	enum xos_status st =
	    xos_scram_verifier_make(i->password, (uint32_t)i->iterations, &verifier, err);

	if (st == XOS_OK)
		st = xos_dir_make(i->dir, 0755, err);
	if (st == XOS_OK)
		st = xos_dir_make(i->paths.auth_dir, 0700, err);
	if (st == XOS_OK)
		st = xos_dir_make(i->paths.key_dir, 0700, err);
	if (st == XOS_OK)
		st = make_databases(i, &verifier, err);
	if (st == XOS_OK)
		st = xos_service_init_key(i->dir, "delegation", err);
	/* Last: a folder with a key is complete. */
	if (st == XOS_OK)
		st = make_key(i, err);
	xos_wipe(&verifier, sizeof(verifier));
	return st;
}

static enum xos_status read_args(struct init *i, int argc, char **argv, struct xos_err *err)
{
	bool from_stdin = xos_service_flag(&argc, argv, "--password-stdin");
	const char *iterations = NULL;
	uint64_t n = XOS_SCRAM_ITERATIONS;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &i->dir, err);

	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--vo", true, &i->vo, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--admin", true, &i->admin, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--iterations", false, &iterations, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && iterations && !xos_parse_u64(iterations, XOS_SCRAM_ITERATIONS_MAX, &n))
		st = xos_err_set(err, XOS_MALFORMED, "usage", "--iterations needs a number");
	i->iterations = (int64_t)n;
	if (st == XOS_OK && !xos_name_is_vo(i->vo))
		st = xos_err_set(err, XOS_MALFORMED, "vo-name",
		    "\"%s\" is no VO name: lower-case letters, digits and '-', at most %d, a "
		    "letter "
		    "first",
		    i->vo, XOS_VO_MAX);
	if (st == XOS_OK && !xos_name_is_member(i->vo, i->admin))
		st = xos_err_set(err, XOS_MALFORMED, "member-name",
		    "\"%s\" is no member name: lower-case letters, digits, '.', '_' and '-', a "
		    "letter first",
		    i->admin);
	if (st == XOS_OK)
		st = ca_paths_fill(i->dir, &i->paths, err);
	/* Nobody types a password for what cannot be done. */
	if (st == XOS_OK)
		st = check_free(i, err);
	if (st == XOS_OK && from_stdin)
		st = xos_secret_read_line(STDIN_FILENO, XOS_PASSWORD_MAX, &i->password, err);
	else if (st == XOS_OK)
		st = xos_secret_prompt(
		    "Password of the administrator: ", XOS_PASSWORD_MAX, &i->password, err);
	return st;
}

enum xos_status ca_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	struct init i = {.password = NULL};
	enum xos_status st = read_args(&i, argc, argv, err);

	(void)run;
	if (st == XOS_OK)
		st = make_state(&i, err);
	if (st == XOS_OK)
		printf("%s\n%s\n", i.paths.csr, i.paths.delegation_csr);
	xos_secret_free(i.password);
	return st;
}
