#include "json/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed(void)
{
	size_t s;
	xos_random(&s, sizeof(s));
	json_object_seed(s ? s : 1);
}

void xos_json_seed_once(void)
{
	pthread_once(&seed_once, seed);
}

static bool box_make(struct xos_json *v)
{
	if (!json_is_object(v->v) && !json_is_array(v->v))
		return true;
	v->box = calloc(1, sizeof(*v->box));
	return v->box != NULL;
}

struct xos_json *xos_json_wrap(json_t *v)
{
	struct xos_json *w = v ? calloc(1, sizeof(*w)) : NULL;
	if (!w) {
		json_decref(v);
		return NULL;
	}
	w->v = v;
	if (!box_make(w)) {
		json_decref(v);
		free(w);
		return NULL;
	}
	return w;
}

void xos_json_drop_kids(struct xos_json_box *box)
{
	if (!box)
		return;
	for (size_t i = 0; i < box->count; i++) {
		xos_json_drop_kids(box->kids[i].box);
		free(box->kids[i].box);
	}
	free(box->kids);
	box->kids = NULL;
	box->count = 0;
}

void xos_json_free(struct xos_json *root)
{
	if (!root)
		return;
	xos_json_drop_kids(root->box);
	free(root->box);
	json_decref(root->v);
	free(root);
}

struct xos_json *xos_json_copy(const struct xos_json *v)
{
	return v ? xos_json_wrap(json_deep_copy(v->v)) : NULL;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct xos_json *)a)->key, ((const struct xos_json *)b)->key);
}

static void kids_fill(const struct xos_json *v, struct xos_json *kids)
{
	size_t i = 0;
	if (json_is_array(v->v)) {
		for (; i < json_array_size(v->v); i++)
			kids[i] = (struct xos_json){
			    .v = json_array_get(v->v, i), .parent = v, .index = i};
		return;
	}
	for (void *it = json_object_iter(v->v); it; it = json_object_iter_next(v->v, it))
		kids[i++] = (struct xos_json){
		    .v = json_object_iter_value(it), .parent = v, .key = json_object_iter_key(it)};
	qsort(kids, i, sizeof(*kids), by_key);
}

/* All kids or none, so that a search never meets half of them. */
static bool kids_make(const struct xos_json *v)
{
	struct xos_json_box made = {NULL, 0};
	size_t n = xos_json_count(v);
	if (!v || !v->box || n == 0)
		return false;
	if (v->box->kids)
		return true;
	made.kids = calloc(n, sizeof(*made.kids));
	if (!made.kids)
		return false;
	made.count = n;
	kids_fill(v, made.kids);
	for (size_t i = 0; i < n; i++) {
		if (!box_make(&made.kids[i])) {
			xos_json_drop_kids(&made);
			return false;
		}
	}
	*v->box = made;
	return true;
}

const struct xos_json *xos_json_member(const struct xos_json *obj, const char *key)
{
	struct xos_json want = {.key = key};
	if (!obj || !json_is_object(obj->v) || !kids_make(obj))
		return NULL;
	return bsearch(&want, obj->box->kids, obj->box->count, sizeof(want), by_key);
}

const struct xos_json *xos_json_at(const struct xos_json *arr, size_t i)
{
	if (!arr || !json_is_array(arr->v) || i >= json_array_size(arr->v) || !kids_make(arr))
		return NULL;
	return &arr->box->kids[i];
}

bool xos_json_next(
    const struct xos_json *obj, void **it, const char **key, const struct xos_json **value)
{
	if (!obj || !json_is_object(obj->v) || !kids_make(obj))
		return false;
	struct xos_json *kid = *it ? (struct xos_json *)*it + 1 : obj->box->kids;
	if (kid == obj->box->kids + obj->box->count)
		return false;
	*it = kid;
	*key = kid->key;
	*value = kid;
	return true;
}

size_t xos_json_count(const struct xos_json *v)
{
	if (!v)
		return 0;
	return json_is_array(v->v) ? json_array_size(v->v) : json_object_size(v->v);
}

bool xos_json_has(const struct xos_json *obj, const char *key)
{
	return obj && json_object_get(obj->v, key) != NULL;
}

enum xos_json_type xos_json_type(const struct xos_json *v)
{
	if (!v)
		return XOS_JSON_NULL;
	switch (json_typeof(v->v)) {
	case JSON_OBJECT:
		return XOS_JSON_OBJECT;
	case JSON_ARRAY:
		return XOS_JSON_ARRAY;
	case JSON_STRING:
		return XOS_JSON_STRING;
	case JSON_INTEGER:
		return XOS_JSON_INTEGER;
	case JSON_REAL:
		return XOS_JSON_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return XOS_JSON_BOOL;
	case JSON_NULL:
		break;
	}
	return XOS_JSON_NULL;
}
