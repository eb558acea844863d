#ifndef XOS_STATUS_H
#define XOS_STATUS_H

/*
 * How calls of XOS end: the classes of failure that a caller can act on, and an error for people and programs, in memory
 * of the caller's. Everything that does not answer XOS_OK has refused; XOS_DENIED means that it was decided so,
 * XOS_UNAVAILABLE, XOS_LIMIT and XOS_INTERNAL that it could not be.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum xos_status {
	XOS_OK = 0,
	XOS_MALFORMED,     /* the bytes or arguments given are not what they must be */
	XOS_DENIED,        /* decided: no */
	XOS_EXPIRED,       /* was valid once */
	XOS_NOT_YET_VALID, /* will be valid later, or a clock is wrong */
	XOS_NOT_FOUND,
	XOS_CONFLICT,    /* exists already, or changed meanwhile */
	XOS_UNAVAILABLE, /* a server, file or device could not be reached; trying again may help */
	XOS_LIMIT,       /* a stated bound was reached */
	XOS_INTERNAL     /* memory, a failed library call, a bug of ours */
};

#define XOS_ERR_CODE_MAX 64
#define XOS_ERR_TEXT_MAX 512

struct xos_err {
	enum xos_status status;
	char code[XOS_ERR_CODE_MAX]; /* stable, for programs: "token-expired" */
	char text[XOS_ERR_TEXT_MAX]; /* for a person: what, where, what to do next */
};

#ifdef __cplusplus
}
#endif

#endif
