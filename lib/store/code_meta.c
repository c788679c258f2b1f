/* code_meta.c: description, manifest and the rest. */
#include "lib/store/code_meta.h"

void member_code_meta(struct arena *mem, struct buf *b, const char *name, struct str text, bool with_others)
{
    json_object *from = json_parse_or_null(mem, text), *meta = json_new_object(mem);

    json_set(meta, "description", json_get(from, "description"));
    if (json_has(from, "manifest"))
        json_set(meta, "manifest", json_get(from, "manifest"));
    else
        json_set_object(meta, "manifest");
    if (with_others && json_is(from, json_type_object))
        json_merge(meta, from);
    buf_add_c(b, name);
    json_add_to_buf(b, meta);
}
