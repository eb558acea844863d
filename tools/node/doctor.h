#ifndef XOS_NODE_DOCTOR_H
#define XOS_NODE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

/* What xos-node doctor found, a line each. */
struct xos_finding {
	const char *what;  /* stable, for programs: "limit-memory" */
	const char *means; /* for people: what depends on it */
	bool can;
	char why[160]; /* if it cannot */
};
#define XOS_FINDINGS_MAX 24

struct xos_findings {
	struct xos_finding list[XOS_FINDINGS_MAX];
	size_t n;
};

void xos_finding_add(
    struct xos_findings *r, const char *what, const char *means, bool can, const char *why);
/* In a child, which the try changes: 0 it works, else an errno. */
int xos_finding_tried(int (*attempt)(void));

/* What the box of a job is made of (doctor_box.c). dir: of the node whose jobd.conf counts; NULL: none. */
void xos_findings_of_box(struct xos_findings *r, const char *dir);

#endif
