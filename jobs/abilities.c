#include "jobs/abilities.h"

#include <unistd.h>

#include "jobs/ask.h"
#include "json/json.h"

static struct xos_json *describe(unsigned can)
{
	struct xos_json *doc = xos_json_object(), *actions = xos_json_array();
	struct xos_json *attributes = xos_json_array(), *caps = xos_json_array();
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	xos_json_set_string(doc, "service", "jobd");
	xos_json_add_string(actions, "job.submit");
	for (size_t i = 0; xos_ask_attribute(i); i++)
		xos_json_add_string(attributes, xos_ask_attribute(i));
	for (int cap = 0; cap < XOS_CAP_COUNT; cap++) {
		int64_t least = xos_limits_least((enum xos_policy_cap)cap, processors, can);

		if (least < 0)
			continue;
		struct xos_json *o = xos_json_object();
		xos_json_set_string(o, "name", xos_policy_cap_info((enum xos_policy_cap)cap)->name);
		if (least)
			xos_json_set_int(o, "least", least);
		xos_json_add(caps, o);
	}
	xos_json_set(doc, "actions", actions);
	xos_json_set(doc, "attributes", attributes);
	xos_json_set(doc, "caps", caps);
	xos_json_set(doc, "duties", xos_json_array()); /* it knows none: see check_duties */
	return doc;
}

enum xos_status xos_abilities_tell(struct xos_local *credd, unsigned can, struct xos_err *err)
{
	struct xos_json *doc = describe(can);
	struct xos_buf text;

	xos_buf_init(&text, XOS_LOCAL_TEXT_MAX);
	enum xos_status st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = xos_local_abilities(credd, xos_buf_bytes(&text), err);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}
