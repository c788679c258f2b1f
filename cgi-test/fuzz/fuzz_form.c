/* fuzz_form.c: a JSON body against a form of every type, and the complaint about what is no JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/complaint.h"
#include "fcgi/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field inner[] = { FIELD(INTEGER, "a", REQUIRED), FIELD(BOOLEAN, "b", OPTIONAL), END };
static const struct field form[] = {
    FIELD(STRING, "s", REQUIRED),
    FIELD(INTEGER, "i", OPTIONAL),
    FIELD(NUMBER, "f", NOT_NULL, NULL, "1.5"),
    FIELD(BOOLEAN, "b", NULLABLE),
    FIELD(OBJECT, "o", OPTIONAL),
    FIELD(LIST, "l", OPTIONAL),
    FIELD(FORM, "m", OPTIONAL, inner),
    FIELD(LIST_OF_FORMS, "lm", OPTIONAL, inner),
    FIELD(LIST_OF_STRINGS, "ls", OPTIONAL),
    FIELD(LIST_OF_INTEGERS, "li", OPTIONAL),
    FIELD(ANY, "any", OPTIONAL),
    END,
};
static const struct route routes[] = {
    { POST, "/", PUBLIC, .form = form },
    { POST, "/", PUBLIC, .form = form, .keep_unknown = true },
    { POST, "/", PUBLIC, .form = inner, .body = BODY_JSON_LIST },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        struct arena *mem = arena_new(1024);
        struct request r = { .mem = mem,
                             .route = &routes[i],
                             .content_type = S("application/json"),
                             .body = str_n((const char *)data, size) };
        struct response out;
        struct complaint why = { "", 0 };
        bool is_text = str_utf8_valid(r.body);

        response_init(&out, mem);
        switch (form_validate(&r, &out)) {
        case 0:
            if (!json_is(r.form, i == 2 ? json_type_array : json_type_object))
                abort();
            break;
        case 422: /* the answer is JSON itself */
            if (!json_parse_or_null(mem, out.pieces[0]))
                abort();
            break;
        case 400: break;
        default: abort();
        }
        if (is_text && json_complaint(r.body, &why) && why.position > size)
            abort();
        arena_free(mem);
    }
    return 0;
}
