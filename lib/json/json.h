/* json.h: json-c with this project's rules: bounded depth, valid UTF-8, objects tied to an arena, missing members harmless.
 *
 * Who owns what: json_parse() and the json_new_… functions tie the object to the arena. Adding it to a parent takes another
 * reference, so an object may be added to any number of parents. What json_get() returns is borrowed from its parent.
 * Names stay clear of jansson (json_equal, json_copy, json_true …), which libjwt brings into the same process. */
#ifndef LIB_JSON_JSON_H
#define LIB_JSON_JSON_H

#include <json-c/json.h>

#include "lib/base/error.h"

#define JSON_MAX_DEPTH 512

/* INVALID: not JSON as RFC 8259 has it, trailing text, NaN or Infinity, deeper than JSON_MAX_DEPTH, or invalid UTF-8; *out is untouched.
 * Lone surrogates become U+FFFD; numbers beyond int64 become doubles. The JSON value null gives OK with *out NULL. */
enum status json_parse(struct arena *mem, struct str text, json_object **out, struct error *err);
/* As json_parse, but broken or absent text gives NULL (for columns that Python wrote). */
json_object *json_parse_or_null(struct arena *mem, struct str text);

struct str json_text(struct arena *mem,
                     json_object *o); /* compact; UTF-8 as it is; "/" unescaped; NULL is null. NUL-terminated */
void json_add_to_buf(struct buf *b, json_object *o);

json_object *json_new_object(struct arena *mem);
json_object *json_new_array(struct arena *mem);
json_object *json_new_str(struct arena *mem, struct str s); /* absent: NULL, which is null */
json_object *json_new_int(struct arena *mem, int64_t v);
json_object *json_new_bool(struct arena *mem, bool v);
json_object *json_new_double(struct arena *mem, double v); /* printed as Python's repr prints it */
/* A value that prints as the given JSON text (from a database column): neither parsed nor checked. Absent or empty text: null. The text must live as long. */
json_object *json_new_raw(struct arena *mem, struct str text);
json_object *json_clone(struct arena *mem, json_object *o); /* deep */

/* Members of an object, in the order in which they were added; the same key again replaces the value in place. */
void json_set(json_object *o, const char *key, json_object *v);     /* takes its own reference of v; NULL: null */
void json_set_str(json_object *o, const char *key, struct str s);   /* absent: null */
void json_set_c(json_object *o, const char *key, const char *text); /* NULL: null */
void json_set_int(json_object *o, const char *key, int64_t v);
void json_set_bool(json_object *o, const char *key, bool v);
void json_set_double(json_object *o, const char *key, double v);
void json_set_null(json_object *o, const char *key);
void json_set_raw(json_object *o, const char *key, struct str text); /* see json_new_raw; absent or empty: null */
json_object *json_set_object(json_object *o, const char *key);       /* a new empty one, borrowed from o */
json_object *json_set_array(json_object *o, const char *key);
void json_del(json_object *o, const char *key);
void json_merge(json_object *into, json_object *from); /* {**into, **from}: top level only */

void json_push(json_object *array, json_object *v); /* takes its own reference; NULL: null */
void json_push_str(json_object *array, struct str s);
void json_push_front(json_object *array, json_object *v); /* the others move up */

/* Reading: a missing member, another type, or o == NULL or no object gives the empty answer. */
json_object *json_get(json_object *o, const char *key);
json_object *json_path(json_object *o, const char *dotted); /* "chat.history.messages" */
json_object *json_at(json_object *array, size_t i);
size_t json_length(json_object *array);               /* 0 for what is no array */
bool json_has(json_object *o, const char *key);       /* also when its value is null */
struct str json_str(json_object *o, const char *key); /* absent unless a string; borrowed, NUL-terminated */
struct str json_str_value(json_object *string);       /* the same of a value */
int64_t json_int(json_object *o, const char *key, int64_t otherwise);
double json_double(json_object *o, const char *key, double otherwise);
bool json_flag(json_object *o, const char *key, bool otherwise);
bool json_is(json_object *o, json_type type);
bool json_truthy(json_object *v); /* Python's bool(v) */
bool json_same(json_object *a, json_object *b);

/* for each item of an array (evaluated once; what is no array has none); break and continue work. */
#define JSON_EACH(array, index, item)                                                                               \
    for (json_object *index##_a = (array), *index##_x = index##_a; index##_x; index##_x = NULL)                     \
        for (size_t index = 0, index##_n = json_length(index##_a), index##_on = 1; index < index##_n && index##_on; \
             index++)                                                                                               \
            for (json_object *item = (index##_on = 0, json_at(index##_a, index)); !index##_on; index##_on = 1)

/* The text of one member of a JSON object without parsing it all: for documents of megabytes that only pass through.
 * OK: *value is the member's text (a view into text). NOT_FOUND; INVALID: text is not an object. Only scans, so text must be valid JSON. */
enum status json_scan_member(struct str text, const char *key, struct str *value);

/* The text of the object with one member set: replaced where it stands, or added at the end. An absent or broken object counts as {}. */
struct str json_text_with(struct arena *mem, struct str object, const char *key, struct str value);
/* {**object, **changes} as text: members of changes replace those of the object in place, new ones follow. */
struct str json_text_merged(struct arena *mem, struct str object, json_object *changes);

#endif
