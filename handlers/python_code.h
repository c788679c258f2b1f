/* python_code.h: what tools and functions have in common: both are Python source with valves. */
#ifndef HANDLERS_PYTHON_CODE_H
#define HANDLERS_PYTHON_CODE_H

#include "fcgi/route.h"
#include "lib/tools/python.h"

#define ID_TAKEN "Uh-oh! This id is already registered. Please choose another id string."
#define BAD_ID "Only alphanumeric characters and underscores are allowed in the id"

/* 400 "[ERROR: …]", as the Python backend words what went wrong with code. */
int fail_code(struct response *out, const char *text);

/* A Python identifier of ASCII letters, in small letters; absent: it is none. */
struct str code_id(struct request *r, struct str id);

/* The manifest that the source begins with is put into the meta of the form; JSON text. */
struct str code_meta(struct request *r, json_object *meta, struct str content);

/* GET: the schema of valves, or null. */
int reply_valves_schema(struct request *r, struct response *out, enum python_kind kind, struct str content,
                        enum python_valves which);

/* The values of the body against the schema: true and *values; else the answer is made: *status (401 when there is no such class). */
bool valves_of_form(struct request *r, struct response *out, enum python_kind kind, struct str content,
                    enum python_valves which, json_object **values, int *status);

/* The caller's own values, which are in his settings. */
int reply_user_valves(struct request *r, struct response *out, enum python_kind kind, struct str id);
int save_user_valves(struct request *r, struct response *out, enum python_kind kind, struct str id, struct str content);

#endif
