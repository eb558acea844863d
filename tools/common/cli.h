#ifndef XOS_CLI_CLI_H
#define XOS_CLI_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "json/json.h"

/*
 * What every tool's main does. A tool is a table of verbs (`xos-vo add ...`), or one verb without a
 * name (`xos-login`). Options may stand before and after operands; "--" ends them. Common to all:
 *
 *   --json         answers and errors as JSON on standard output
 *   --vo NAME      another VO than the last one joined
 *   --config DIR   another folder for joined VOs (both not with no_joined)
 *   --no-input      no questions, also on a terminal
 *   --help, --version
 *
 * Errors: "xos-login: text" on standard error; with --json instead one object on standard output,
 * {"error": {"code": ..., "status": ..., "text": ...}}, and nothing on standard error.
 * Exit status: 0 done, 1 refused or negative answer, 2 usage, 3 not decided or reached.
 */
struct xos_cli {
	const char *program; /* "xos-login" */
	bool json;
	bool no_input;      /* --no-input: no questions, also on a terminal */
	const char *vo;     /* --vo; NULL: the default */
	const char *config; /* --config; NULL: the default */
	/* A verb may set this and return XOS_OK: for answers that are no errors, such as "no" (1) or a
	 * job's own status. */
	int exit_status;
};

/* An option of a verb: exactly one of flag, value, list is set. Targets are static variables of the
 * tool, unset at first. */
struct xos_cli_option {
	const char *name; /* "wait" for --wait */
	const char *arg;  /* "SECONDS": what --help calls the value; NULL for flags */
	const char *about;
	bool *flag;
	const char **value;        /* given twice is a usage error */
	struct xos_cli_list *list; /* may be given again and again */
};

#define XOS_CLI_LIST_MAX 64
struct xos_cli_list {
	const char *item[XOS_CLI_LIST_MAX];
	size_t n;
};

struct xos_cli_verb {
	const char *name; /* NULL: the tool's only verb */
	const char
	    *operands;     /* for --help: "MEMBER [GROUP...]"; "" for none; " | " between forms */
	const char *about; /* one line */
	int min, max;      /* number of operands; max -1: any */
	bool stop;         /* the first operand ends the options: for commands to run */
	const struct xos_cli_option *options; /* ends with a NULL name; NULL: none */
	/* argv: the operands alone, argv[argc] is NULL. */
	enum xos_status (*run)(struct xos_cli *cli, int argc, char **argv, struct xos_err *err);
};

/* A heading of --help before a verb. */
struct xos_cli_section {
	const char *verb, *title;
};

struct xos_cli_program {
	const char *name;  /* "xos-vo" */
	const char *about; /* one line */
	bool no_joined;    /* has to do with no joined VO: there is no --vo and no --config */
	const struct xos_cli_verb *verbs;
	size_t nverbs;
	const struct xos_cli_section *sections; /* ends with a NULL verb; NULL: no headings */
	const char
	    *examples; /* for --help: lines that start with two spaces, then the program's name
	                         and the verb; a line that does not goes with the one before. The
	                         --help of a verb shows its own, or all if it has none. */
};

/* Parses, runs, prints the error, gives the exit status. */
int xos_cli_main(const struct xos_cli_program *program, int argc, char **argv);
/* A usage error: exit status 2, and a pointer to --help. */
enum xos_status xos_cli_usage(struct xos_err *err, const char *fmt, ...) XOS_PRINTF(2, 3);

/* A point of time in the past for --option: "7d" ago, or "2026-11-22T00:00:00Z". */
XOS_MUST_USE enum xos_status xos_cli_since(
    const char *option, const char *text, int64_t *out, struct xos_err *err);

/* Output. Prints doc (taken) as JSON with a line end, indented. */
XOS_MUST_USE enum xos_status xos_cli_print_json(struct xos_json *doc, struct xos_err *err);
/* A line for people; control characters are replaced, as in all that follows. */
void xos_cli_say(const char *fmt, ...) XOS_PRINTF(1, 2);
void xos_cli_say_list(const char *fmt, va_list ap) XOS_PRINTF(1, 0);
/* Text of several lines as somebody wrote it: line ends stay, other control characters are replaced. */
void xos_cli_print_text(FILE *out, const char *text);
/* "key:  value" lines, values aligned; a key of "" goes on with the value above. */
void xos_cli_print_pair(const char *key, const char *fmt, ...) XOS_PRINTF(2, 3);

/* Tables: columns as wide as their widest cell, nothing after the last one. Cells are copied and
 * control characters replaced. */
struct xos_cli_table;
#define XOS_CLI_COLUMNS_MAX 12
struct xos_cli_table *xos_cli_table_new(const char *const *heads, size_t n); /* n columns */
void xos_cli_table_row(struct xos_cli_table *t, const char *const *cells);   /* no text: "-" */
/* Prints and frees; INTERNAL if memory ran out on the way. */
XOS_MUST_USE enum xos_status xos_cli_table_print(struct xos_cli_table *t, struct xos_err *err);
/* Progress for people: on a terminal, one line of standard error that the next replaces and "" clears;
 * otherwise, and with --json, nothing. */
void xos_cli_progress(const struct xos_cli *cli, const char *fmt, ...) XOS_PRINTF(2, 3);

#endif
