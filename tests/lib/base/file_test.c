/* file, dir, secret, event, config */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/config.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"

static char dir[64];

static const char *at(const char *name)
{
	static char path[8][256];
	static unsigned next;
	char *out = path[next++ % 8];
	ck_assert(xos_path_join(out, 256, dir, name));
	return out;
}

static void setup(void)
{
	strcpy(dir, "/tmp/xos-base-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	umask(022);
}

static void teardown(void)
{
	char command[128];
	ck_assert(
	    xos_str_printf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", dir, dir));
	ck_assert_int_eq(system(command), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static int files(void)
{
	int n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

START_TEST(write_and_read)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_bytes in = xos_bytes_str("hello");
	umask(0777);
	ck_assert_int_eq(xos_file_write(at("f"), 0644, in, &err), XOS_OK);
	umask(022);
	ck_assert_uint_eq(mode_of(at("f")), 0644);
	ck_assert_int_eq(xos_file_write(at("f"), 0600, xos_bytes_str("bye"), &err), XOS_OK);
	ck_assert_uint_eq(mode_of(at("f")), 0600);
	ck_assert_int_eq(xos_file_read(at("f"), 3, &b, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&b), "bye");
	xos_buf_free(&b);
	ck_assert_int_eq(
	    xos_file_write_fleeting(at("f"), 0640, xos_bytes_str("see"), &err), XOS_OK);
	ck_assert_uint_eq(mode_of(at("f")), 0640);
	ck_assert_int_eq(xos_file_read(at("f"), 3, &b, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&b), "see");
	xos_buf_free(&b);
	ck_assert_int_eq(xos_file_read(at("f"), 2, &b, &err), XOS_LIMIT);
	ck_assert_int_eq(xos_file_read(at("g"), 9, &b, &err), XOS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, at("g")));
	ck_assert_int_eq(xos_file_read(dir, 9999, &b, &err), XOS_MALFORMED);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(xos_file_read(at("fifo"), 9, &b, &err), XOS_MALFORMED); /* and no hang */
	ck_assert_int_eq(xos_file_write(at("no/f"), 0600, in, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_file_write_fleeting(at("no/f"), 0600, in, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_file_write(at(""), 0600, in, &err), XOS_MALFORMED);
	ck_assert_int_eq(files(), 2); /* nothing temporary left */
}
END_TEST

START_TEST(links_are_replaced_not_followed)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	ck_assert_int_eq(xos_file_write(at("victim"), 0600, xos_bytes_str("v"), &err), XOS_OK);
	ck_assert_int_eq(symlink("victim", at("link")), 0);
	ck_assert_int_eq(xos_file_create(at("link"), 0600, xos_bytes_str("x"), &err), XOS_CONFLICT);
	ck_assert_int_eq(xos_file_write(at("link"), 0600, xos_bytes_str("x"), &err), XOS_OK);
	ck_assert_int_eq(xos_file_read(at("victim"), 9, &b, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&b), "v");
	xos_buf_free(&b);
	int fd;
	unlink(at("link"));
	ck_assert_int_eq(symlink("victim", at("link")), 0);
	ck_assert_int_ne(xos_file_lock(at("link"), &fd, &err), XOS_OK);
}
END_TEST

START_TEST(no_file_in_the_place_of_a_pipe)
{
	struct xos_err err = XOS_ERR_INIT;
	struct stat sb;
	char place[PATH_MAX];

	snprintf(place, sizeof(place), "%s/pipe", dir);
	ck_assert_int_eq(mkfifo(place, 0600), 0);
	ck_assert_int_eq(xos_file_write(place, 0600, xos_bytes_str("x"), &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "file-kind");
	ck_assert_int_eq(lstat(place, &sb), 0);
	ck_assert(S_ISFIFO(sb.st_mode));
}
END_TEST

START_TEST(create_only_once)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	ck_assert_int_eq(xos_file_create(at("f"), 0640, xos_bytes_str("1"), &err), XOS_OK);
	ck_assert_uint_eq(mode_of(at("f")), 0640);
	ck_assert_int_eq(xos_file_create(at("f"), 0640, xos_bytes_str("2"), &err), XOS_CONFLICT);
	ck_assert_int_eq(xos_file_read(at("f"), 9, &b, &err), XOS_OK);
	ck_assert_str_eq(xos_buf_str(&b), "1");
	xos_buf_free(&b);
	ck_assert_int_eq(files(), 1);
}
END_TEST

START_TEST(secrets_from_files)
{
	static const mode_t open_modes[] = {0640, 0604, 0660, 0620, 0610, 0601};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_secret *s = NULL;
	ck_assert_int_eq(xos_file_write(at("k"), 0600, xos_bytes_str("key"), &err), XOS_OK);
	ck_assert_int_eq(xos_file_read_secret(at("k"), 3, &s, &err), XOS_OK);
	ck_assert_uint_eq(xos_secret_len(s), 3);
	ck_assert_int_eq(memcmp(xos_secret_data(s), "key", 3), 0);
	xos_secret_free(s);
	s = NULL;
	ck_assert_int_eq(xos_file_read_secret(at("k"), 2, &s, &err), XOS_LIMIT);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		ck_assert_int_eq(chmod(at("k"), open_modes[i]), 0);
		ck_assert_int_eq(xos_file_read_secret(at("k"), 3, &s, &err), XOS_DENIED);
		ck_assert_str_eq(err.code, "file-mode");
		ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
	}
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(at("k"), 0600), 0);
		ck_assert_int_eq(chown(at("k"), 4242, 4242), 0);
		ck_assert_int_eq(xos_file_read_secret(at("k"), 3, &s, &err), XOS_DENIED);
	}
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(folders)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_dir_make(at("a/b/c/"), 0750, &err), XOS_OK);
	ck_assert_uint_eq(mode_of(at("a/b/c")), 0750);
	ck_assert_uint_eq(mode_of(at("a")), 0750);
	ck_assert_int_eq(xos_dir_make(at("a/b/c"), 0700, &err), XOS_OK);
	ck_assert_int_eq(chmod(at("a/b/c"), 0770), 0);
	ck_assert_int_eq(xos_dir_make(at("a/b/c"), 0700, &err), XOS_DENIED);
	ck_assert_ptr_nonnull(strstr(err.text, "chmod"));
	ck_assert_int_eq(xos_dir_make(at("a/b/c"), 0770, &err), XOS_OK);
	ck_assert_int_eq(chmod(at("a/b"), 0777), 0);
	ck_assert_int_eq(xos_dir_make(at("a/b/d"), 0700, &err), XOS_DENIED);
	ck_assert_int_eq(chmod(at("a/b"), 01777), 0);
	ck_assert_int_eq(xos_dir_make(at("a/b/d"), 0700, &err), XOS_OK);
	ck_assert_int_eq(xos_file_write(at("f"), 0600, XOS_BYTES_NONE, &err), XOS_OK);
	ck_assert_int_eq(xos_dir_make(at("f"), 0700, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_dir_make(at("f/g"), 0700, &err), XOS_MALFORMED);
	ck_assert_int_eq(symlink("a", at("l")), 0);
	ck_assert_int_eq(xos_dir_make(at("l"), 0700, &err), XOS_MALFORMED);
	ck_assert_int_eq(xos_dir_make("", 0700, &err), XOS_MALFORMED);
}
END_TEST

START_TEST(who_can_enter)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(chmod(dir, 0711), 0);
	ck_assert_int_eq(xos_dir_make(at("a/b"), 0755, &err), XOS_OK);
	ck_assert_int_eq(xos_dir_searchable(at("a/b"), &err), XOS_OK);
	ck_assert_int_eq(xos_dir_searchable(at("a/b/not/yet"), &err), XOS_OK);
	ck_assert_int_eq(chmod(at("a"), 0700), 0);
	ck_assert_int_eq(symlink("a/b", at("l")), 0);
	ck_assert_int_eq(xos_dir_searchable(at("a/b"), &err), XOS_DENIED);
	ck_assert_ptr_nonnull(strstr(err.text, at("a")));
	ck_assert_ptr_null(strstr(err.text, at("a/b")));
	ck_assert_int_eq(xos_dir_searchable(at("l"), &err), XOS_DENIED); /* through the link */
}
END_TEST

START_TEST(locks)
{
	struct xos_err err = XOS_ERR_INIT;
	int fd = -1, other = -1;
	char pid[32];
	ck_assert_int_eq(xos_file_lock(at("lock"), &fd, &err), XOS_OK);
	ck_assert_uint_eq(mode_of(at("lock")), 0600);
	ck_assert_int_eq(xos_file_lock(at("lock"), &other, &err), XOS_CONFLICT);
	ck_assert(xos_str_printf(pid, sizeof(pid), "process %ld", (long)getpid()));
	ck_assert_ptr_nonnull(strstr(err.text, pid));
	ck_assert_int_eq(other, -1);
	close(fd);
	ck_assert_int_eq(xos_file_lock(at("lock"), &fd, &err), XOS_OK);
	close(fd);
}
END_TEST

static enum xos_status read_line(
    const char *text, size_t n, size_t max, struct xos_secret **s, int *rest)
{
	int p[2];
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], text, n), (ssize_t)n);
	close(p[1]);
	*s = NULL;
	enum xos_status rc = xos_secret_read_line(p[0], max, s, NULL);
	*rest = p[0];
	return rc;
}

START_TEST(secret_lines)
{
	static const struct {
		const char *in;
		size_t n, max;
		enum xos_status rc;
		const char *out;
	} cases[] = {
	    {"pass\nnext", 9, 10, XOS_OK, "pass"},
	    {"pass\r\n", 6, 10, XOS_OK, "pass"},
	    {"pass", 4, 4, XOS_OK, "pass"},
	    {"pass\r\n", 6, 4, XOS_OK, "pass"},
	    {"pässé", 7, 10, XOS_OK, "pässé"},
	    {"pass\n", 5, 3, XOS_LIMIT, NULL},
	    {"passs", 5, 4, XOS_LIMIT, NULL},
	    {"", 0, 10, XOS_MALFORMED, NULL},
	    {"\n", 1, 10, XOS_MALFORMED, NULL},
	    {"a\0b\n", 4, 10, XOS_MALFORMED, NULL},
	};
	struct xos_secret *s;
	int rest;
	char next[8] = "";
	ck_assert_int_eq(
	    read_line(cases[_i].in, cases[_i].n, cases[_i].max, &s, &rest), cases[_i].rc);
	if (cases[_i].out) {
		ck_assert_uint_eq(xos_secret_len(s), strlen(cases[_i].out));
		ck_assert_int_eq(memcmp(xos_secret_data(s), cases[_i].out, xos_secret_len(s)), 0);
	} else {
		ck_assert_ptr_null(s);
	}
	if (_i == 0) {
		ck_assert_int_eq(read(rest, next, 7), 4); /* what follows is left for others */
		ck_assert_str_eq(next, "next");
	}
	xos_secret_free(s);
	close(rest);
}
END_TEST

START_TEST(secrets)
{
	struct xos_secret *s = xos_secret_from("0123456789", 10);
	xos_secret_shrink(s, 4);
	ck_assert_uint_eq(xos_secret_len(s), 4);
	ck_assert_int_eq(memcmp(xos_secret_data(s), "0123\0\0\0\0\0\0", 10), 0);
	xos_secret_shrink(s, 8); /* does not grow */
	ck_assert_uint_eq(xos_secret_len(s), 4);
	xos_secret_free(s);
	s = xos_secret_new(0);
	ck_assert_ptr_nonnull(s);
	xos_secret_free(s);
	ck_assert_ptr_null(xos_secret_new(SIZE_MAX));
	xos_secret_free(NULL);
	ck_assert(xos_ct_equal("abc", "abc", 3) && !xos_ct_equal("abc", "abd", 3));
	ck_assert(xos_ct_equal("a", "b", 0));
}
END_TEST

START_TEST(no_terminal)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct xos_secret *s = NULL;
		struct xos_err err = XOS_ERR_INIT;
		setsid(); /* leaves the terminal, if there was one */
		enum xos_status rc = xos_secret_prompt("password: ", 10, &s, &err);
		_exit(rc == XOS_UNAVAILABLE && strcmp(err.code, "no-terminal") == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Runs one event with standard error in a file, and gives the line without its time. */
static const char *event_line(const char *key, const char *value, const struct xos_err *err)
{
	static struct xos_buf b;
	int saved = dup(2), fd = open(at("err"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 2);
	if (err)
		xos_event_err(XOS_WARN, "it.failed", err, key, value, (const char *)NULL);
	else
		XOS_EVENT(XOS_INFO, "it.happened", key, value);
	dup2(saved, 2);
	close(saved);
	close(fd);
	xos_buf_free(&b);
	ck_assert_int_eq(xos_file_read(at("err"), 1 << 20, &b, NULL), XOS_OK);
	const char *line = xos_buf_str(&b);
	ck_assert_ptr_nonnull(line);
	return b.n > 21 ? line + 21 : line;
}

START_TEST(events)
{
	struct xos_err err = {XOS_DENIED, "bad-name", "no \"such\" name"};
	xos_event_setup("cad/key", XOS_INFO);
	ck_assert_str_eq(event_line("member", "alice", NULL),
	    "level=info proc=cad/key event=it.happened member=alice\n");
	ck_assert_str_eq(
	    event_line("member", NULL, NULL), "level=info proc=cad/key event=it.happened\n");
	/* Nothing that a peer says can end the line or forge a pair. */
	ck_assert_str_eq(event_line("m", "a b=c\"\\\n\r\x1b\xff\xc2\x85é", NULL),
	    "level=info proc=cad/key event=it.happened "
	    "m=\"a b=c\\\"\\\\\\n\\x0d\\x1b\\xff\\xc2\\x85é\"\n");
	ck_assert_str_eq(
	    event_line("m", "", NULL), "level=info proc=cad/key event=it.happened m=\"\"\n");
	ck_assert_str_eq(event_line("m", "x", &err),
	    "level=warn proc=cad/key event=it.failed status=denied code=bad-name "
	    "error=\"no \\\"such\\\" name\" m=x\n");
	char big[6000];
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	ck_assert_str_eq(
	    event_line("m", big, NULL), "level=info proc=cad/key event=it.happened cut=yes\n");
	xos_event_setup("x", XOS_WARN);
	ck_assert_str_eq(event_line("m", "x", NULL), "");
}
END_TEST

struct conf {
	char *name, *key, *note;
	int64_t port, life;
	bool strict;
};

static const struct xos_config_key keys[] = {
    {"", "name", XOS_CONFIG_STRING, offsetof(struct conf, name), true, NULL, 0, 0},
    {"tls", "key", XOS_CONFIG_PATH, offsetof(struct conf, key), false, "key.pem", 0, 0},
    {"tls", "port", XOS_CONFIG_NUMBER, offsetof(struct conf, port), false, "443", 0, 65535},
    {"limits", "life", XOS_CONFIG_DURATION, offsetof(struct conf, life), false, "12h", 60, 86400},
    {"limits", "strict", XOS_CONFIG_BOOL, offsetof(struct conf, strict), false, "yes", 0, 0},
    {"limits", "note", XOS_CONFIG_STRING, offsetof(struct conf, note), false, NULL, 0, 0},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static enum xos_status parse(const char *text, struct conf *c, struct xos_err *err)
{
	memset(c, 0, sizeof(*c));
	return xos_config_parse("/etc/xos/x.conf", xos_bytes_str(text), keys, NKEYS, c, err);
}

START_TEST(configuration)
{
	struct xos_err err = XOS_ERR_INIT;
	struct conf c;
	ck_assert_msg(parse("# hello\n\n  name =  a = b ; c  \r\n[tls]\nkey=/k\n\tport = 0\n"
	                    "[limits]\nlife = 15m\nstrict = no\nnote = é",
	                  &c, &err) == XOS_OK,
	    "%s", err.text);
	ck_assert_str_eq(c.name, "a = b ; c");
	ck_assert_str_eq(c.key, "/k");
	ck_assert_str_eq(c.note, "é");
	ck_assert(c.port == 0 && c.life == 900 && !c.strict);
	xos_config_free(keys, NKEYS, &c);
	ck_assert_ptr_null(c.name);
	ck_assert_int_eq(parse("name = x", &c, &err), XOS_OK);
	ck_assert_str_eq(c.key, "/etc/xos/key.pem");
	ck_assert(c.port == 443 && c.life == 43200 && c.strict && !c.note);
	xos_config_free(keys, NKEYS, &c);
}
END_TEST

static const struct {
	const char *text, *code, *says;
} wrong[] = {
    {"", "config-missing", "'name' is missing"},
    {"name = x\nnames = y\n", "config-unknown", ":2: unknown key 'names'"},
    {"name = x\n[tsl]\n", "config-unknown", ":2: unknown section 'tsl'"},
    {"name = x\nport = 1\n", "config-unknown", ":2: unknown key 'port'"},
    {"name = x\nname = y\n", "config-duplicate", ":2:"},
    {"name = x\n[tls]\n[limits]\n[tls]\n", "config-duplicate", ":4:"},
    {"name =\n", "config-value", ":1: there is no value for 'name'"},
    {"name\n", "config-syntax", ":1:"},
    {"name = x # y\n", "config-syntax", ":1: a comment needs a line of its own"},
    {"name = x\n[tls\n", "config-syntax", ":2:"},
    {"name = x\n[tls]\nport = 65536\n", "config-value", ":3: 'port' must be from 0 to 65535"},
    {"name = x\n[tls]\nport = x\n", "config-value", ":3: 'port' must be a whole number"},
    {"name = x\n[tls]\nport = -1\n", "config-value", ":3:"},
    {"name = x\n[limits]\nlife = 30\n", "config-value", ":3: 'life' must be a duration"},
    {"name = x\n[limits]\nlife = 30s\n", "config-value", ":3: 'life' must be from 1m00s to 1d"},
    {"name = x\n[limits]\nstrict = true\n", "config-value", ":3: 'strict' must be yes or no"},
    {"name = x\n[]\n", "config-unknown", ":2:"},
    {"name = x\n\xff\n", "config-syntax", ":2:"},
    {"name = x\ny\x01\n", "config-syntax", ":2:"},
    {"name = x\ny\rz\n", "config-syntax", ":2:"},
};

START_TEST(wrong_configuration)
{
	struct xos_err err = XOS_ERR_INIT;
	struct conf c;
	ck_assert_int_eq(parse(wrong[_i].text, &c, &err), XOS_MALFORMED);
	ck_assert_str_eq(err.code, wrong[_i].code);
	ck_assert_msg(strstr(err.text, wrong[_i].says) != NULL, "%s", err.text);
	ck_assert_int_eq(strncmp(err.text, "/etc/xos/x.conf:", 16), 0);
	ck_assert(!c.name && !c.key && !c.note); /* nothing left to free */
}
END_TEST

START_TEST(configuration_files)
{
	struct xos_err err = XOS_ERR_INIT;
	struct conf c = {0};
	struct xos_bytes text = {(const uint8_t *)"name = x\n\0", 10};
	ck_assert_int_eq(xos_config_load(at("c"), keys, NKEYS, &c, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_file_write(at("c"), 0600, text, &err), XOS_OK);
	ck_assert_int_eq(
	    xos_config_load(at("c"), keys, NKEYS, &c, &err), XOS_MALFORMED); /* the NUL */
	text.n--;
	ck_assert_int_eq(xos_file_write(at("c"), 0600, text, &err), XOS_OK);
	ck_assert_int_eq(xos_config_load(at("c"), keys, NKEYS, &c, &err), XOS_OK);
	ck_assert_str_eq(c.key, at("key.pem"));
	xos_config_free(keys, NKEYS, &c);
	static char big[300 * 1024];
	memset(big, '#', sizeof(big));
	text = (struct xos_bytes){(const uint8_t *)big, sizeof(big)};
	ck_assert_int_eq(xos_file_write(at("c"), 0600, text, &err), XOS_OK);
	ck_assert_int_eq(xos_config_load(at("c"), keys, NKEYS, &c, &err), XOS_LIMIT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base-file");
	TCase *tc = tcase_create("file");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, write_and_read);
	tcase_add_test(tc, links_are_replaced_not_followed);
	tcase_add_test(tc, create_only_once);
	tcase_add_test(tc, no_file_in_the_place_of_a_pipe);
	tcase_add_test(tc, secrets_from_files);
	tcase_add_test(tc, folders);
	tcase_add_test(tc, who_can_enter);
	tcase_add_test(tc, locks);
	tcase_add_loop_test(tc, secret_lines, 0, 10);
	tcase_add_test(tc, secrets);
	tcase_add_test(tc, no_terminal);
	tcase_add_test(tc, events);
	tcase_add_test(tc, configuration);
	tcase_add_loop_test(tc, wrong_configuration, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tc, configuration_files);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
