/* What a job runs as: groups and homes by xos-credd's word, and that nothing is left of a uid. */
#include <check.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/clean.h"
#include "jobs/home.h"
#include "jobs/lease.h"
#include "jobs/remove.h"

#define UID 1950007777u

static char dir[64], path[160], shared_dir[128];
static struct xos_err err;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/xos-account-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(shared_dir, sizeof(shared_dir), "%s/shared", dir);
	ck_assert_int_eq(mkdir(shared_dir, 0755), 0);
	err = (struct xos_err)XOS_ERR_INIT;
}

static void teardown(void)
{
	xos_remove_below(dir);
	rmdir(dir);
}

static bool root(void)
{
	return geteuid() == 0;
}

START_TEST(places_that_are_told)
{
	struct xos_lease l = {.isolated = false};
	ck_assert_int_eq(xos_lease_decode(xos_bytes_str("{\"isolated\":true,\"groups\":[1960000001,"
	                                                "1960000002],\"home\":\"/srv/demo.a\"}"),
	                     &l, &err),
	    XOS_OK);
	ck_assert(l.isolated);
	ck_assert_uint_eq(l.ngroups, 2);
	ck_assert_uint_eq(l.groups[1], 1960000002);
	ck_assert_str_eq(l.home, "/srv/demo.a");
	xos_lease_free(&l);
	static const char *const bad[] = {"", "{}", "[]", "{\"isolated\":true}",
	    "{\"isolated\":1,\"groups\":[]}", "{\"isolated\":true,\"groups\":[0]}",
	    "{\"isolated\":true,\"groups\":[27]}", "{\"isolated\":true,\"groups\":[-1]}",
	    "{\"isolated\":true,\"groups\":[4294967296]}", "{\"isolated\":true,\"groups\":[\"x\"]}",
	    "{\"isolated\":true,\"groups\":[],\"home\":\"srv\"}",
	    "{\"isolated\":true,\"groups\":[],\"home\":\"/\"}",
	    "{\"isolated\":true,\"groups\":[],\"home\":\"/srv/../etc/x\"}",
	    "{\"isolated\":true,\"groups\":[],\"home\":7}",
	    "{\"isolated\":true,\"groups\":[]} {\"isolated\":true}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
		    xos_lease_decode(xos_bytes_str(bad[i]), &l, &err) != XOS_OK, "%s", bad[i]);
	/* One group more than a job can have. */
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_buf_put_str(&b, "{\"isolated\":false,\"groups\":[");
	for (int i = 0; i <= XOS_LAUNCH_GROUPS; i++)
		xos_buf_printf(&b, "%s%d", i ? "," : "", 1960000000 + i);
	xos_buf_put_str(&b, "]}");
	ck_assert_int_ne(xos_lease_decode(xos_buf_bytes(&b), &l, &err), XOS_OK);
	xos_buf_free(&b);
}
END_TEST

static void home_is(enum xos_status want, const char *why)
{
	err = (struct xos_err)XOS_ERR_INIT;
	enum xos_status st = xos_home_make(path, UID, UID, &err);
	ck_assert_msg(st == want, "%s: %s", xos_status_name(st), err.text);
	if (why)
		ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

START_TEST(homes_are_made_once)
{
	struct stat sb;
	char file[200];
	if (!root())
		return;
	snprintf(path, sizeof(path), "%s/homes", dir);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/homes/demo.alice", dir);
	home_is(XOS_OK, NULL);
	ck_assert_int_eq(lstat(path, &sb), 0);
	ck_assert_uint_eq(sb.st_uid, UID);
	ck_assert_uint_eq(sb.st_mode & 07777, 0700);
	/* What the member made of it stays. */
	snprintf(file, sizeof(file), "%s/mine", path);
	ck_assert_int_eq(xos_file_write(file, 0600, XOS_BYTES_NONE, &err), XOS_OK);
	ck_assert_int_eq(chmod(path, 0755), 0);
	home_is(XOS_OK, NULL);
	ck_assert_int_eq(lstat(path, &sb), 0);
	ck_assert_uint_eq(sb.st_mode & 07777, 0755);
	ck_assert_int_eq(access(file, F_OK), 0);
}
END_TEST

START_TEST(homes_that_are_refused)
{
	struct stat sb;
	char other[200], parent[160];
	if (!root())
		return;
	snprintf(parent, sizeof(parent), "%s/homes", dir);
	snprintf(path, sizeof(path), "%s/homes/demo.alice", dir);
	home_is(XOS_NOT_FOUND, "folder above");
	ck_assert_int_eq(mkdir(parent, 0755), 0);
	/* A folder, a file, a link that somebody else made there: none becomes alice's. */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	home_is(XOS_DENIED, "another account");
	ck_assert_int_eq(chown(path, UID + 1, UID + 1), 0);
	home_is(XOS_DENIED, "another account");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(xos_file_write(path, 0600, XOS_BYTES_NONE, &err), XOS_OK);
	ck_assert_int_eq(chown(path, UID, UID), 0);
	home_is(XOS_DENIED, "no folder");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/etc", path), 0);
	ck_assert_int_eq(lchown(path, UID, UID), 0);
	home_is(XOS_DENIED, "no folder");
	ck_assert_int_eq(lstat("/etc", &sb), 0);
	ck_assert_uint_eq(sb.st_uid, 0);
	ck_assert_int_eq(unlink(path), 0);
	/* Above it: a link, a folder of somebody's, one that others can write. */
	snprintf(other, sizeof(other), "%s/link", dir);
	ck_assert_int_eq(symlink(parent, other), 0);
	snprintf(path, sizeof(path), "%s/link/demo.alice", dir);
	home_is(XOS_DENIED, "a link");
	snprintf(path, sizeof(path), "%s/homes/demo.alice", dir);
	ck_assert_int_eq(chmod(parent, 01777), 0);
	home_is(XOS_DENIED, "others can write");
	ck_assert_int_eq(chmod(parent, 0775), 0);
	home_is(XOS_DENIED, "others can write");
	ck_assert_int_eq(chmod(parent, 0755), 0);
	ck_assert_int_eq(chown(parent, UID, UID), 0);
	home_is(XOS_DENIED, "not root's");
	ck_assert_int_eq(chown(parent, 0, 0), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	/* A crash left this; it stands in nobody's way. */
	snprintf(other, sizeof(other), "%s/.xos-new-demo.alice", parent);
	ck_assert_int_eq(mkdir(other, 0700), 0);
	home_is(XOS_OK, NULL);
}
END_TEST

/* The kernel's own tables; one shared folder of ours. */
static const char *folders[2];

static bool clean(char why[XOS_CLEAN_WHY])
{
	folders[0] = shared_dir;
	const struct xos_clean_places at = {"/proc", folders};
	why[0] = '\0';
	return xos_clean_is(&at, UID, NULL, why);
}

static pid_t as_uid(void (*act)(void))
{
	int p[2];
	char c;
	ck_assert_int_eq(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(p[0]);
		if (setresgid(UID, UID, UID) != 0 || setresuid(UID, UID, UID) != 0)
			_exit(1);
		act();
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(p[1]);
	ck_assert_int_eq(read(p[0], &c, 1), 1);
	close(p[0]);
	return pid;
}

static void nothing(void)
{
}

START_TEST(what_is_left_is_told)
{
	char why[XOS_CLEAN_WHY], file[200];
	if (!root())
		return;
	ck_assert_msg(clean(why), "%s", why);
	/* A process; a look does not end it, cleaning does. */
	pid_t pid = as_uid(nothing);
	ck_assert(!clean(why));
	ck_assert_msg(strstr(why, "a process runs") != NULL, "%s", why);
	ck_assert_int_eq(kill(pid, 0), 0);
	const struct xos_clean_places at = {"/proc", folders};
	xos_clean_up(&at, UID);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_msg(clean(why), "%s", why);
	/* A file in a shared folder, and a folder. */
	snprintf(file, sizeof(file), "%s/left", shared_dir);
	ck_assert_int_eq(xos_file_write(file, 0600, XOS_BYTES_NONE, &err), XOS_OK);
	ck_assert(clean(why));
	ck_assert_int_eq(chown(file, UID, 0), 0);
	ck_assert(!clean(why));
	ck_assert_msg(strstr(why, "files remain in") && strstr(why, shared_dir), "%s", why);
	xos_clean_up(&at, UID);
	ck_assert(!clean(why));
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink("/etc", file), 0);
	ck_assert_int_eq(lchown(file, UID, 0), 0);
	ck_assert(!clean(why));
	ck_assert_int_eq(unlink(file), 0);
	ck_assert(clean(why));
}
END_TEST

static int shm = -1, shm_pipe[2];

static void make_shm(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (write(shm_pipe[1], &id, sizeof(id)) != sizeof(id))
		_exit(1);
}

START_TEST(system_v_objects_are_told)
{
	char why[XOS_CLEAN_WHY];
	if (!root())
		return;
	ck_assert_int_eq(pipe(shm_pipe), 0);
	pid_t pid = as_uid(make_shm);
	ck_assert_int_eq(read(shm_pipe[0], &shm, sizeof(shm)), (ssize_t)sizeof(shm));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	bool is = clean(why);
	shmctl(shm, IPC_RMID, NULL);
	ck_assert(!is);
	ck_assert_msg(strstr(why, "System V objects remain: shm") != NULL, "%s", why);
	ck_assert_msg(clean(why), "%s", why);
}
END_TEST

static void make_keys(void)
{
	for (int i = 0; i < 3; i++) {
		char name[8];
		snprintf(name, sizeof(name), "k%d", i);
		if (syscall(SYS_add_key, "user", name, "x", (size_t)1, KEY_SPEC_USER_KEYRING) < 0)
			_exit(2);
	}
}

START_TEST(keys_are_told_and_emptied)
{
	char why[XOS_CLEAN_WHY];
	/* A container may have no keyrings at all. */
	if (!root() || (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0) < 0 &&
	                   (errno == EPERM || errno == ENOSYS)))
		return;
	pid_t pid = as_uid(make_keys);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!clean(why));
	ck_assert_msg(strstr(why, "keys remain") != NULL, "%s", why);
	const struct xos_clean_places at = {"/proc", folders};
	/* The kernel lets go of them a little later. */
	for (int i = 0; i < 200 && !clean(why); i++) {
		xos_clean_up(&at, UID);
		usleep(10000);
	}
	ck_assert_msg(clean(why), "%s", why);
}
END_TEST

START_TEST(a_work_folder_that_is_there)
{
	char why[XOS_CLEAN_WHY];
	folders[0] = shared_dir;
	const struct xos_clean_places at = {"/proc", folders};
	ck_assert(!xos_clean_is(&at, UID, shared_dir, why));
	ck_assert_ptr_nonnull(strstr(why, "files remain in"));
	snprintf(path, sizeof(path), "%s/none", dir);
	ck_assert(xos_clean_is(&at, UID, path, why));
	/* What cannot be looked at is not clean. */
	const struct xos_clean_places blind = {path, folders};
	ck_assert(!xos_clean_is(&blind, UID, NULL, why));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jobs-account");
	TCase *t = tcase_create("account");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, places_that_are_told);
	tcase_add_test(t, homes_are_made_once);
	tcase_add_test(t, homes_that_are_refused);
	tcase_add_test(t, what_is_left_is_told);
	tcase_add_test(t, system_v_objects_are_told);
	tcase_add_test(t, keys_are_told_and_emptied);
	tcase_add_test(t, a_work_folder_that_is_there);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
