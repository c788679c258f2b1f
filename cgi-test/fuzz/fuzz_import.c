/* fuzz_import.c: exports of other programs: the first byte says which kind and how the bytes are cut. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/chat/import.h"
#include "lib/chat/import_items.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct arena *mem;
    enum import_kind kind;
};

/* Every parent that is named is there, and nobody is his own ancestor. */
static void check_history(struct arena *mem, struct str document)
{
    json_object *o = json_parse_or_null(mem, document), *messages = json_path(o, "history.messages");
    size_t most = json_is(messages, json_type_object) ? (size_t)json_object_object_length(messages) : 0;

    if (!o)
        abort();
    if (!most)
        return;
    json_object_object_foreach(messages, key, m)
    {
        size_t steps = 0;

        (void)key;
        for (struct str at = json_str(m, "parentId"); at.n; at = json_str(json_get(messages, at.p), "parentId")) {
            if (!json_has(messages, at.p) || ++steps > most)
                abort();
        }
    }
}

static bool take(struct str text, void *arg)
{
    struct run *run = arg;
    struct imported made;
    json_object *item;
    const char *why = NULL;

    if (!text.p || json_parse(run->mem, text, &item, NULL) != OK)
        return true;
    if (import_convert(run->mem, run->kind, item, &made, &why) == OK) {
        if (!made.messages || str_find_c(made.title, '\0') != STR_NPOS)
            abort();
        if (run->kind != IMPORT_OPENWEBUI)
            check_history(run->mem, made.document);
    } else if (!why) {
        abort();
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_items in = IMPORT_ITEMS(64 * 1024);
    struct run run = { .mem = arena_new(4096) };
    struct str text = str_from(str_n((const char *)data, size), 1);
    size_t piece = size ? 1 + data[0] / 4 : 1;
    struct error err = { "" };
    enum status st = OK;

    run.kind = size ? data[0] % IMPORT_KINDS : IMPORT_CHATGPT;
    for (size_t at = 0; st == OK && at < text.n; at += piece)
        st = import_items_feed(&in, str_sub(text, at, piece), take, &run, &err);
    if (st == OK)
        st = import_items_end(&in, &err);
    if (st != OK && !err.text[0])
        abort();
    import_items_free(&in);
    arena_free(run.mem);
    return 0;
}
