/* test_engineio.c: packets of Engine.IO and Socket.IO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/net/socketio.h"

static void test_payload(void **state)
{
    struct str payload = S("2probe\x1e"
                           "4hello\x1e"
                           "bAAEC\x1e"
                           "3");
    static const struct {
        char type;
        const char *data;
    } want[] = { { '2', "probe" }, { '4', "hello" }, { 'b', "AAEC" }, { '3', "" } };
    struct eio_packet p;
    bool broken;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(eio_next(&payload, &p, &broken));
        assert_int_equal(p.type, want[i].type);
        assert_true(str_is(p.data, want[i].data));
    }
    assert_false(eio_next(&payload, &p, &broken));
    assert_false(broken);
    payload = S("4a\x1e"
                "9b");
    assert_true(eio_next(&payload, &p, &broken));
    assert_false(eio_next(&payload, &p, &broken));
    assert_true(broken);
    payload = S("");
    assert_false(eio_next(&payload, &p, &broken));
    assert_true(broken);
}

static void test_packets(void **state)
{
    static const struct {
        const char *in;
        enum status want;
        int type, attachments;
        const char *namespace;
        int64_t id;
        const char *data;
    } cases[] = {
        { "0", OK, SIO_CONNECT, 0, "/", -1, "null" },
        { "0{\"token\":\"x\"}", OK, SIO_CONNECT, 0, "/", -1, "{\"token\":\"x\"}" },
        { "0/admin?a=b,{}", OK, SIO_CONNECT, 0, "/admin", -1, "{}" },
        { "1", OK, SIO_DISCONNECT, 0, "/", -1, "null" },
        { "2[\"e\",1]", OK, SIO_EVENT, 0, "/", -1, "[\"e\",1]" },
        { "213[\"e\"]", OK, SIO_EVENT, 0, "/", 13, "[\"e\"]" },
        { "2/n,13[\"e\"]", OK, SIO_EVENT, 0, "/n", 13, "[\"e\"]" },
        { "37[1]", OK, SIO_ACK, 0, "/", 7, "[1]" },
        { "51-[\"e\",{\"_placeholder\":true,\"num\":0}]", OK, SIO_BINARY_EVENT, 1, "/", -1,
          "[\"e\",{\"_placeholder\":true,\"num\":0}]" },
        { "510-[\"e\"]", OK, SIO_BINARY_EVENT, 10, "/", -1, "[\"e\"]" },
        { "511-[\"e\"]", INVALID, 0, 0, "", 0, "" }, /* more attachments than anybody needs */
        { "51[\"e\"]", INVALID, 0, 0, "", 0, "" },
        { "4\"error\"", INVALID, 0, 0, "", 0, "" }, /* for servers only */
        { "7", INVALID, 0, 0, "", 0, "" },
        { "", INVALID, 0, 0, "", 0, "" },
        { "2", INVALID, 0, 0, "", 0, "" },
        { "2{}", INVALID, 0, 0, "", 0, "" },
        { "2[1]", INVALID, 0, 0, "", 0, "" }, /* an event has a name */
        { "2[]", INVALID, 0, 0, "", 0, "" },
        { "3[1]", INVALID, 0, 0, "", 0, "" }, /* an answer to nothing */
        { "31{}", INVALID, 0, 0, "", 0, "" },
        { "21234567890123456789[\"e\"]", INVALID, 0, 0, "", 0, "" },
        { "2[\"e\"", INVALID, 0, 0, "", 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1000);
        struct sio_packet p;
        struct error err;
        enum status st = sio_parse(mem, str_of(cases[i].in), &p, &err);

        if (st != cases[i].want)
            fail_msg("%s: %d", cases[i].in, st);
        if (st == OK && ((int)p.type != cases[i].type || p.attachments != cases[i].attachments ||
                         !str_is(p.namespace, cases[i].namespace) || p.id != cases[i].id ||
                         !str_is(json_text(mem, p.data), cases[i].data)))
            fail_msg("%s: read as %d %d %.*s %lld", cases[i].in, p.type, p.attachments, STR(p.namespace),
                     (long long)p.id);
        arena_free(mem);
    }
}

static void test_attachments(void **state)
{
    struct arena *mem = arena_new(1000);
    struct str attachments[] = { { "\0\1\2", 3 }, S("x") };
    json_object *data = json_parse_or_null(
        mem, S("[\"e\",{\"a\":[{\"_placeholder\":true,\"num\":1}]},{\"_placeholder\":true,\"num\":0}]"));
    struct error err;

    (void)state;
    assert_int_equal(sio_attach(mem, &data, attachments, 2, &err), OK);
    assert_string_equal(json_text(mem, data).p, "[\"e\",{\"a\":[{\"_binary\":\"eA==\"}]},{\"_binary\":\"AAEC\"}]");
    data = json_parse_or_null(mem, S("[\"e\",{\"_placeholder\":true,\"num\":2}]"));
    assert_int_equal(sio_attach(mem, &data, attachments, 2, &err), INVALID);
    data = json_parse_or_null(mem, S("[\"e\",{\"_placeholder\":true,\"num\":-1}]"));
    assert_int_equal(sio_attach(mem, &data, attachments, 2, &err), INVALID);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_payload), cmocka_unit_test(test_packets),
                                        cmocka_unit_test(test_attachments) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
