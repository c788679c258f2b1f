/* test_import.c: exports of other programs as chats; the items of a long JSON array. */
#include "lib/chat/import.h"
#include "lib/chat/import_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- items */

struct taken {
    struct buf all;
    size_t too_big;
};

static bool take(struct str text, void *arg)
{
    struct taken *t = arg;

    if (!text.p)
        t->too_big++;
    else
        buf_add_str(&t->all, text);
    buf_add_char(&t->all, ';');
    return true;
}

static void items(void **state)
{
    static const struct {
        const char *label, *in, *want; /* want NULL: refused */
    } cases[] = {
        { "array", "[{\"a\":1}, {\"b\":[1,{}]}]", "{\"a\":1};{\"b\":[1,{}]};" },
        { "one object", " {\"a\":1}\n", "{\"a\":1};" },
        { "lines", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1};{\"b\":2};" },
        { "brackets in strings", "[{\"a\":\"]}\\\"{\\\\\"}]", "{\"a\":\"]}\\\"{\\\\\"};" },
        { "byte order mark", "\xef\xbb\xbf[{}]", "{};" },
        { "empty array", "[]", "" },
        { "nothing", "  ", NULL },
        { "cut off", "[{\"a\":1}, {\"b\"", NULL },
        { "array is open", "[{\"a\":1}", NULL },
        { "text", "<html>", NULL },
        { "numbers", "[1,2]", NULL },
        { "after the end", "[{}] {}", NULL },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 8; piece += 3) { /* however the bytes are cut */
            struct import_items in = IMPORT_ITEMS(1000);
            struct taken t = { .all = BUF(mem, 4096) };
            struct str text = str_of(cases[i].in);
            struct error err = { "" };
            enum status st = OK;

            for (size_t at = 0; st == OK && at < text.n; at += piece)
                st = import_items_feed(&in, str_sub(text, at, piece), take, &t, &err);
            if (st == OK)
                st = import_items_end(&in, &err);
            import_items_free(&in);
            if ((st == OK) != (cases[i].want != NULL) || (st == OK && !str_is(buf_str(&t.all), cases[i].want)))
                fail_msg("%s in pieces of %zu: %d %s %s", cases[i].label, piece, st, err.text, t.all.p ? t.all.p : "");
        }
    }
    arena_free(mem);
}

static void large_items(void **state)
{
    struct arena *mem = arena_new(4096);
    struct import_items in = IMPORT_ITEMS(20);
    struct taken t = { .all = BUF(mem, 4096) };
    struct error err;

    (void)state;
    assert_int_equal(import_items_feed(&in, S("[{\"a\":\"xxxxxxxxxxxxxxxxxxxxxxxx\"},{\"b\":1}"), take, &t, &err), OK);
    assert_int_equal(import_items_feed(&in, S("]"), take, &t, &err), OK);
    assert_int_equal(import_items_end(&in, &err), OK);
    import_items_free(&in);
    assert_int_equal(t.too_big, 1);
    assert_true(str_is(buf_str(&t.all), ";{\"b\":1};"));
    arena_free(mem);
}

/* ---- conversations */

static const char chatgpt[] =
    "{\"title\":\"Tides\",\"create_time\":1700000000.5,\"update_time\":1700000100.25,\"conversation_id\":\"c-1\","
    "\"current_node\":\"a2\",\"mapping\":{"
    "\"root\":{\"id\":\"root\",\"message\":null,\"parent\":null,\"children\":[\"sys\"]},"
    "\"sys\":{\"message\":{\"author\":{\"role\":\"system\"},\"content\":{\"content_type\":\"text\",\"parts\":[\"\"]},"
    "\"metadata\":{\"is_visually_hidden_from_conversation\":true}},\"parent\":\"root\"},"
    "\"u1\":{\"message\":{\"author\":{\"role\":\"user\"},\"create_time\":1700000001,\"content\":{\"content_type\":"
    "\"multimodal_text\",\"parts\":[{\"content_type\":\"image_asset_pointer\"},\"Why\\u0000 tides?\"]},\"metadata\":{"
    "\"attachments\":[{\"id\":\"f\"}]}},\"parent\":\"sys\"},"
    "\"t1\":{\"message\":{\"author\":{\"role\":\"assistant\"},\"recipient\":\"python\",\"content\":{\"content_type\":"
    "\"code\",\"text\":\"1+1\"}},\"parent\":\"u1\"},"
    "\"t2\":{\"message\":{\"author\":{\"role\":\"tool\"},\"content\":{\"content_type\":\"execution_output\",\"text\":"
    "\"2\"}},\"parent\":\"t1\"},"
    "\"a1\":{\"message\":{\"author\":{\"role\":\"assistant\"},\"recipient\":\"all\",\"content\":{\"content_type\":"
    "\"text\",\"parts\":[\"The moon.\"]},\"metadata\":{\"model_slug\":\"gpt-4o\"}},\"parent\":\"t2\"},"
    "\"a2\":{\"message\":{\"author\":{\"role\":\"assistant\"},\"recipient\":\"all\",\"content\":{\"content_type\":"
    "\"text\",\"parts\":[\"The sun, too.\"]},\"metadata\":{}},\"parent\":\"t2\"}}}";

static void of_chatgpt(void **state)
{
    struct arena *mem = arena_new(4096);
    struct imported made;
    const char *why = "";
    json_object *o, *u1;

    (void)state;
    assert_int_equal(import_convert(mem, IMPORT_CHATGPT, json_parse_or_null(mem, str_of(chatgpt)), &made, &why), OK);
    assert_true(str_is(made.title, "Tides") && str_is(made.source_id, "c-1"));
    assert_int_equal(made.created_s, 1700000000);
    assert_int_equal(made.updated_s, 1700000100);
    assert_int_equal(made.messages, 3);
    assert_int_equal(made.lost[LOST_TOOLS], 2);
    assert_int_equal(made.lost[LOST_HIDDEN], 1);
    assert_int_equal(made.lost[LOST_PICTURES], 1);
    assert_int_equal(made.lost[LOST_ATTACHMENTS], 1);
    o = json_parse_or_null(mem, made.document);
    u1 = json_path(o, "history.messages.u1");
    assert_string_equal(json_text(mem, json_get(u1, "childrenIds")).p, "[\"a1\",\"a2\"]");
    assert_true(json_has(u1, "parentId") && !json_get(u1, "parentId"));
    assert_true(str_is(json_str(u1, "content"), "Why tides?"));
    assert_true(str_is(json_str(json_path(o, "history.messages.a1"), "parentId"), "u1"));
    assert_true(str_is(json_str(json_path(o, "history.messages.a1"), "model"), "gpt-4o"));
    assert_true(str_is(json_str(json_path(o, "history.messages.a2"), "model"), "chatgpt"));
    assert_true(str_is(json_str(json_get(o, "history"), "currentId"), "a2"));
    assert_int_equal(json_length(json_get(o, "messages")), 2);
    arena_free(mem);
}

static void of_claude(void **state)
{
    static const char branches[] =
        "{\"uuid\":\"k\",\"name\":\"\",\"created_at\":\"2025-01-02T03:04:05.678901Z\",\"updated_at\":\"2025-01-02T03:"
        "05:05Z\","
        "\"chat_messages\":[{\"uuid\":\"1\",\"sender\":\"human\",\"text\":\"Hi\",\"created_at\":\"2025-01-02T03:04:"
        "06Z\","
        "\"parent_message_uuid\":\"00000000-0000-4000-8000-000000000000\",\"attachments\":[{}],\"files\":[{}]},"
        "{\"uuid\":\"2\",\"sender\":\"assistant\",\"text\":\"\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
        "\"hm\"},"
        "{\"type\":\"text\",\"text\":\"Hello.\"},{\"type\":\"tool_use\"},{\"type\":\"text\",\"text\":\"Bye.\"}],"
        "\"parent_message_uuid\":\"1\"},"
        "{\"uuid\":\"3\",\"sender\":\"assistant\",\"text\":\"Other\",\"parent_message_uuid\":\"1\"}]}",
                      chain[] =
                          "{\"uuid\":\"k\",\"name\":\"Chain\",\"chat_messages\":[{\"sender\":\"human\",\"text\":\"a\"},"
                          "{\"sender\":\"assistant\",\"text\":\"\"},{\"sender\":\"human\",\"text\":\"c\"}]}";
    struct arena *mem = arena_new(4096);
    struct imported made;
    const char *why = "";
    json_object *o;

    (void)state;
    assert_int_equal(import_convert(mem, IMPORT_CLAUDE, json_parse_or_null(mem, str_of(branches)), &made, &why), OK);
    assert_int_equal(made.created_s, 1735787045);
    assert_true(str_is(made.title, "New Chat"));
    assert_int_equal(made.lost[LOST_ATTACHMENTS], 2);
    assert_int_equal(made.lost[LOST_THOUGHTS], 1);
    assert_int_equal(made.lost[LOST_TOOLS], 1);
    o = json_parse_or_null(mem, made.document);
    assert_true(str_is(json_str(json_path(o, "history.messages.2"), "content"), "Hello.\n\nBye."));
    assert_string_equal(json_text(mem, json_path(o, "history.messages.1.childrenIds")).p, "[\"2\",\"3\"]");
    assert_true(str_is(json_str(json_get(o, "history"), "currentId"), "3"));
    assert_int_equal(import_convert(mem, IMPORT_CLAUDE, json_parse_or_null(mem, str_of(chain)), &made, &why), OK);
    o = json_parse_or_null(mem, made.document);
    assert_int_equal(made.messages, 2);
    assert_true(str_is(json_str(json_path(o, "history.messages.message-2"), "parentId"), "message-0"));
    arena_free(mem);
}

static void of_openwebui(void **state)
{
    static const char chat[] =
        "{\"id\":\"x\",\"user_id\":\"other\",\"title\":\"T\",\"chat\":{\"title\":\"T\",\"history\":{\"messages\":{"
        "\"m\":{\"id\":"
        "\"m\",\"content\":\"a\\u0000b\\\\u0000\"}},\"currentId\":\"m\"}},\"meta\":{\"tags\":[\"deep_sea\"],\"x\":1},"
        "\"pinned\":true,"
        "\"archived\":true,\"folder_id\":\"f\",\"created_at\":1700000000,\"updated_at\":1700000001000}";
    struct arena *mem = arena_new(4096);
    struct imported made;
    const char *why = "";

    (void)state;
    assert_int_equal(import_convert(mem, IMPORT_OPENWEBUI, json_parse_or_null(mem, str_of(chat)), &made, &why), OK);
    assert_string_equal(made.document.p,
                        "{\"title\":\"T\",\"history\":{\"messages\":{\"m\":{\"id\":\"m\",\"content\":\"ab\\\\"
                        "u0000\"}},\"currentId\":\"m\"}}");
    assert_string_equal(made.meta.p, "{\"tags\":[\"deep_sea\"]}");
    assert_true(made.pinned && made.archived);
    assert_int_equal(made.updated_s, 1700000001);
    assert_int_equal(made.lost[LOST_FOLDER], 1);
    arena_free(mem);
}

static void left_out(void **state)
{
    static const struct {
        enum import_kind kind;
        const char *in, *why;
    } cases[] = {
        { IMPORT_CHATGPT, "{}", "not a conversation of ChatGPT" },
        { IMPORT_CHATGPT, "{\"mapping\":{}}", "without messages" },
        { IMPORT_CHATGPT, "{\"mapping\":{\"a\":null,\"b\":{\"message\":5},\"c\":{\"message\":{\"author\":[]}}}}",
          "without messages" },
        { IMPORT_CLAUDE, "{\"mapping\":{}}", "not a conversation of Claude" },
        { IMPORT_CLAUDE, "{\"chat_messages\":[]}", "without messages" },
        { IMPORT_CLAUDE, "{\"chat_messages\":[1,null,[]]}", "without messages" },
        { IMPORT_OPENWEBUI, "{}", "not a chat of Open WebUI" },
        { IMPORT_OPENWEBUI, "{\"chat\":{}}", "without messages" },
        { IMPORT_OPENWEBUI, "{\"chat\":{\"title\":5,\"messages\":[1]}}", "without messages" },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct imported made;
        const char *why = "";

        if (import_convert(mem, cases[i].kind, json_parse_or_null(mem, str_of(cases[i].in)), &made, &why) != INVALID ||
            strcmp(why, cases[i].why))
            fail_msg("%s: %s", cases[i].in, why);
    }
    arena_free(mem);
}

/* Parents that go round in circles, through messages that are left out too, hide nothing and end. */
static void loops(void **state)
{
    static const char text[] =
        "{\"chat_messages\":[{\"uuid\":\"a\",\"sender\":\"human\",\"text\":\"1\",\"parent_message_uuid\":\"x\"},"
        "{\"uuid\":\"x\",\"sender\":\"assistant\",\"text\":\"\",\"parent_message_uuid\":\"b\"},"
        "{\"uuid\":\"b\",\"sender\":\"human\",\"text\":\"2\",\"parent_message_uuid\":\"y\"},"
        "{\"uuid\":\"y\",\"sender\":\"assistant\",\"text\":\"\",\"parent_message_uuid\":\"a\"},"
        "{\"uuid\":\"s\",\"sender\":\"human\",\"text\":\"3\",\"parent_message_uuid\":\"s\"},"
        "{\"uuid\":\"p\",\"sender\":\"human\",\"text\":\"\",\"parent_message_uuid\":\"q\"},"
        "{\"uuid\":\"q\",\"sender\":\"human\",\"text\":\"\",\"parent_message_uuid\":\"p\"},"
        "{\"uuid\":\"r\",\"sender\":\"human\",\"text\":\"4\",\"parent_message_uuid\":\"p\"}]}";
    struct arena *mem = arena_new(4096);
    struct imported made;
    const char *why = "";
    json_object *o;
    int roots = 0;

    (void)state;
    assert_int_equal(import_convert(mem, IMPORT_CLAUDE, json_parse_or_null(mem, str_of(text)), &made, &why), OK);
    assert_int_equal(made.messages, 4);
    o = json_path(json_parse_or_null(mem, made.document), "history.messages");
    json_object_object_foreach(o, key, m)
    {
        (void)key;
        roots += !json_get(m, "parentId");
    }
    assert_int_equal(roots, 3); /* of a and b one, s, r */
    arena_free(mem);
}

static void ids(void **state)
{
    struct arena *mem = arena_new(4096);
    struct str a = import_chat_id(mem, S("u1"), IMPORT_CHATGPT, S("c"), S("text"));

    (void)state;
    assert_int_equal(a.n, 36);
    assert_true(str_eq(a, import_chat_id(mem, S("u1"), IMPORT_CHATGPT, S("c"), S("other text"))));
    assert_false(str_eq(a, import_chat_id(mem, S("u2"), IMPORT_CHATGPT, S("c"), S("text"))));
    assert_false(str_eq(a, import_chat_id(mem, S("u1"), IMPORT_CLAUDE, S("c"), S("text"))));
    assert_false(str_eq(import_chat_id(mem, S("u1"), IMPORT_CLAUDE, STR_NONE, S("text")),
                        import_chat_id(mem, S("u1"), IMPORT_CLAUDE, STR_NONE, S("other text"))));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items),     cmocka_unit_test(large_items),  cmocka_unit_test(of_chatgpt),
        cmocka_unit_test(of_claude), cmocka_unit_test(of_openwebui), cmocka_unit_test(left_out),
        cmocka_unit_test(loops),     cmocka_unit_test(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
