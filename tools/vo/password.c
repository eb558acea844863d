/* New passwords, and what the authority keeps of them. */
#include "vo/verbs.h"

enum xos_status vo_verifier_make(const struct xos_cli_password *how, uint32_t iterations,
    struct xos_scram_verifier *out, struct xos_err *err)
{
	struct xos_cli_password ask = *how;
	struct xos_secret *password = NULL;
	ask.prompt = "New password: ";
	ask.twice = true;
	ask.max = XOS_PASSWORD_MAX;
	enum xos_status st = xos_cli_password_get(&ask, &password, err);
	if (!st)
		st = xos_scram_verifier_make(password, iterations, out, err);
	xos_secret_free(password);
	return st;
}
