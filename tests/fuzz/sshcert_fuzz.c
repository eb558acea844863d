/* A line with a host certificate or public key of ssh: what is taken is written again as it stood. */
#include <stdlib.h>
#include <string.h>

#include "pki/sshcert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void key_again(const struct xos_ssh_key *k)
{
	struct xos_ssh_key again;
	struct xos_buf line;

	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	xos_ssh_line(&line, (struct xos_bytes){k->blob, k->n});
	if (xos_ssh_key_from_line(xos_buf_bytes(&line), &again, NULL) != XOS_OK ||
	    again.n != k->n || memcmp(again.blob, k->blob, k->n) != 0)
		abort();
	xos_buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_ssh_key key;
	struct xos_sshcert cert;

	if (xos_ssh_key_from_line(in, &key, &err) == XOS_OK)
		key_again(&key);
	else if (!err.code[0])
		abort();
	if (xos_sshcert_from_line(in, &cert, &err) == XOS_OK) {
		if (cert.nprincipals == 0 || cert.after >= cert.before || !cert.id[0])
			abort();
		key_again(&cert.key);
		key_again(&cert.authority);
	}
	if (xos_sshcert_read(in, &cert, &err) == XOS_OK)
		key_again(&cert.key);
	return 0;
}
