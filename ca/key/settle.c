/*
 * One sync of the log for many tokens. A request stages its record and its answer waits; whoever serves the channels
 * commits for all that wait, on a thread of its own, while further requests are taken (proc/channel.h). What does not
 * wait commits by itself (ca_key_commit), and takes along what was staged before.
 */
#include "ca/key/key.h"

void ca_key_group(struct ca_key *k)
{
	k->grouped = true;
}

enum xos_status ca_key_settle(struct ca_key *k, uint64_t last, struct xos_err *err)
{
	/* With a log that failed nothing waits, so that it can be opened anew. */
	if (!k->grouped || k->watch.log_failed)
		return ca_key_commit(k, last, err);
	k->staged = last;
	k->waits = true;
	return XOS_OK;
}

enum xos_status ca_key_group_commit(void *key, struct xos_err *err)
{
	struct ca_key *k = key;

	return xos_log_commit(k->log, err);
}

bool ca_key_group_staged(void *key)
{
	struct ca_key *k = key;
	bool waits = k->waits;

	k->waits = false;
	return waits;
}

/* Acts count as logged once their records are durable; some of a later group may be staged by now. */
void ca_key_group_committed(void *key, enum xos_status status, const struct xos_err *err)
{
	struct ca_key *k = key;
	struct xos_log_head head;

	if (status != XOS_OK)
		ca_key_log_failed(k, err);
	else
		ca_key_log_written(k);
	if (status == XOS_OK && xos_log_head_get(k->log, &head, NULL, NULL) == XOS_OK &&
	    head.sequence >= k->staged_sequence)
		k->acts = k->staged;
}
