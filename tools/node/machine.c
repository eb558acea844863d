/* What a machine says of itself when it applies. It is shown to whoever approves, and believed by nobody. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/verbs.h"
#include "pki/digest.h"

#define VALUE_MAX 200 /* as api/rca.h takes it */

static void describe_system(struct xos_json *about)
{
	struct utsname u;

	if (uname(&u) != 0)
		return;
	xos_json_set_text(about, "host", u.nodename);
	xos_json_set_text(about, "system", u.sysname);
	xos_json_set_text(about, "kernel", u.release);
	xos_json_set_text(about, "machine", u.machine);
}

/* PRETTY_NAME of os-release(5). */
static void describe_distribution(struct xos_json *about)
{
	static const char name[] = "PRETTY_NAME=";
	char value[VALUE_MAX + 1];
	struct xos_buf b;

	xos_buf_init(&b, 0);
	if (xos_file_read("/etc/os-release", 16384, &b, NULL) == XOS_OK) {
		const char *text = xos_buf_str(&b), *at = text ? strstr(text, name) : NULL;

		if (at && (at == text || at[-1] == '\n')) {
			at += sizeof(name) - 1;
			at += *at == '"' || *at == '\'';
			xos_str_printf(value, sizeof(value), "%.*s", (int)strcspn(at, "\"'\n"), at);
			xos_json_set_text(about, "distribution", value);
		}
	}
	xos_buf_free(&b);
}

static void describe_size(struct xos_json *about)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES),
	     page = sysconf(_SC_PAGESIZE);
	char text[64];

	if (cpus > 0 && xos_str_printf(text, sizeof(text), "%ld", cpus))
		xos_json_set_string(about, "cpus", text);
	if (pages > 0 && page > 0 &&
	    xos_str_printf(text, sizeof(text), "%lld MiB",
	        (long long)pages / (1024 * 1024 / page > 0 ? 1024 * 1024 / page : 1)))
		xos_json_set_string(about, "memory", text);
	xos_json_set_string(about, "cgroup",
	    access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "v2" : "not v2");
}

static bool address_text(const struct sockaddr *a, char out[INET6_ADDRSTRLEN])
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (a->sa_family == AF_INET) {
		memcpy(&four, a, sizeof(four));
		return inet_ntop(AF_INET, &four.sin_addr, out, INET6_ADDRSTRLEN) != NULL;
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(&six, a, sizeof(six));
	return !IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) &&
	       inet_ntop(AF_INET6, &six.sin6_addr, out, INET6_ADDRSTRLEN) != NULL;
}

/* As many as fit into one value; loopback and link-local say nothing about where a machine is. */
static void describe_addresses(struct xos_json *about)
{
	char all[VALUE_MAX + 1] = "", text[INET6_ADDRSTRLEN];
	struct ifaddrs *list = NULL;
	size_t len = 0;

	if (getifaddrs(&list) != 0)
		return;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) ||
		    !address_text(i->ifa_addr, text) || len + strlen(text) + 2 > sizeof(all))
			continue;
		xos_str_printf(all + len, sizeof(all) - len, "%s%s", len ? " " : "", text);
		len = strlen(all);
	}
	freeifaddrs(list);
	if (len)
		xos_json_set_string(about, "addresses", all);
}

/* "ssh-ed25519 AAAA... comment" to what ssh-keygen -l shows: SHA256: and base64 without padding. */
static void describe_host_key(struct xos_json *about, const char *name, const char *path)
{
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_buf b, blob, text;
	const char *line = NULL, *at = NULL;

	xos_buf_init(&b, 0);
	xos_buf_init(&blob, 4096);
	xos_buf_init(&text, 128);
	if (xos_file_read(path, 8192, &b, NULL) == XOS_OK && (line = xos_buf_str(&b)) &&
	    (at = strchr(line, ' ')) &&
	    xos_base64_decode(&blob, at + 1, strcspn(at + 1, " \n")) == XOS_OK &&
	    xos_sha256(xos_buf_bytes(&blob), digest) == XOS_OK) {
		xos_buf_put_str(&text, "SHA256:");
		xos_base64_encode(&text, (struct xos_bytes){digest, sizeof(digest)});
		while (text.n && text.p[text.n - 1] == '=')
			text.n--;
		xos_json_set_string(about, name, xos_buf_str(&text));
	}
	xos_buf_free(&text);
	xos_buf_free(&blob);
	xos_buf_free(&b);
}

void xos_node_describe_machine(struct xos_json *about)
{
	describe_system(about);
	describe_distribution(about);
	describe_size(about);
	describe_addresses(about);
	describe_host_key(about, "ssh-ed25519", "/etc/ssh/ssh_host_ed25519_key.pub");
	describe_host_key(about, "ssh-ecdsa", "/etc/ssh/ssh_host_ecdsa_key.pub");
	describe_host_key(about, "ssh-rsa", "/etc/ssh/ssh_host_rsa_key.pub");
}
