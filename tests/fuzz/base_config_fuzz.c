#include <stddef.h>
#include <stdlib.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conf {
	char *name, *path;
	int64_t number, duration;
	bool flag;
};

static const struct xos_config_key keys[] = {
    {"", "name", XOS_CONFIG_STRING, offsetof(struct conf, name), true, NULL, 0, 0},
    {"s", "path", XOS_CONFIG_PATH, offsetof(struct conf, path), false, "p", 0, 0},
    {"s", "number", XOS_CONFIG_NUMBER, offsetof(struct conf, number), false, "5", -10, 10},
    {"t", "duration", XOS_CONFIG_DURATION, offsetof(struct conf, duration), false, "1h", 60, 7200},
    {"t", "flag", XOS_CONFIG_BOOL, offsetof(struct conf, flag), false, NULL, 0, 0},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c = {0};
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes text = {data, size};
	if (xos_config_parse("/etc/x", text, keys, NKEYS, &c, &err) != XOS_OK) {
		if (c.name || c.path || err.status != XOS_MALFORMED || !err.code[0])
			abort();
		return 0;
	}
	if (!c.name || !c.path || c.path[0] != '/' || c.number < -10 || c.number > 10 ||
	    c.duration < 60 || c.duration > 7200)
		abort();
	xos_config_free(keys, NKEYS, &c);
	return 0;
}
