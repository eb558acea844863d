#ifndef XOS_TOKEN_TRUST_INTERNAL_H
#define XOS_TOKEN_TRUST_INTERNAL_H

/* Shared between trust.c, follow.c and verify.c only; not a public header. */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "token/trust.h"

/* A list that was taken, with its own words. Those before it stay until the trust goes: what was borrowed
 * from them is still in use, and lists come a few times in a year. */
struct trust_taken {
	struct trust_taken *before;
	struct xos_trust_list *list;
	struct xos_buf compact;
};

/* A file that is looked at again whenever somebody asks. */
struct trust_file {
	char *path;
	struct timespec changed; /* as it was when it was read last */
	ino_t inode;
	off_t size;
};
#define TRUST_FILES_MAX 2
#define TRUST_FROM_MAX 80

struct xos_trust {
	atomic_uint refs;
	const struct xos_cert **roots;
	size_t nroots;
	const struct xos_cert **issuers;
	size_t nissuers;
	struct xos_trust *from[TRUST_FROM_MAX]; /* whose lists count here too (xos_trust_join) */
	size_t nfrom;
	bool (*ask)(void *arg, const char *vo); /* for a newer list; NULL: nobody is asked */
	void *ask_arg;
	pthread_mutex_t lock; /* of what follows, which changes while others read */
	struct trust_taken *taken[TRUST_FROM_MAX]; /* newest first; one for each root at most */
	size_t ntaken;
	struct trust_file file[TRUST_FILES_MAX];
	size_t nfiles;
	bool paced;             /* the files are looked at by xos_trust_look alone */
	struct xos_err refused; /* why the newest file was not taken; status OK: it was */
};

void trust_lists_free(struct xos_trust *t);
/* What is known of issuers, those of lists included unless they are revoked: at most max. */
size_t trust_known_issuers(const struct xos_trust *t, const struct xos_cert **out, size_t max);

/* The VO whose root this certificate is by its subject; NULL if it is none. Borrowed. */
const char *trust_root_vo(const struct xos_cert *c);

#endif
