/* test_webhook.c: what the servers that people name as webhooks are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/net/webhook.h"

static void test_bodies(void **state)
{
    static const struct {
        const char *url, *want;
    } cases[] = {
        { "https://example.test/hook", "{\"action\":\"signup\"}" },
        { "https://hooks.slack.com/services/x", "{\"text\":\"New \\\"user\\\"\"}" },
        { "https://chat.googleapis.com/v1/x", "{\"text\":\"New \\\"user\\\"\"}" },
        { "https://discord.com/api/webhooks/1", "{\"content\":\"New \\\"user\\\"\"}" },
        { "https://x.webhook.office.com/y",
          "{\"@type\":\"MessageCard\",\"@context\":\"http://schema.org/"
          "extensions\",\"themeColor\":\"0076D7\",\"summary\":\"New \\\"user\\\"\","
          "\"sections\":[{\"activityTitle\":\"New \\\"user\\\"\",\"activitySubtitle\":\"UI (1.2) - signup\","
          "\"activityImage\":\"https://openwebui.com/favicon.png\",\"facts\":[{\"name\":\"id\",\"value\":\"u\"}]}]}" },
    };
    struct arena *mem = arena_new(4096);
    struct webhook_event e = { .action = "signup", .message = S("New \"user\""), .name = S("UI"), .version = "1.2" };
    struct buf big = BUF(mem, 4096);

    (void)state;
    e.data = json_new_object(mem);
    json_set_c(e.data, "action", "signup");
    e.facts = json_new_object(mem);
    json_set_c(e.facts, "id", "u");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str got = json_text(mem, webhook_body(mem, str_of(cases[i].url), &e));

        if (!str_is(got, cases[i].want))
            fail_msg("%s: %.*s", cases[i].url, STR(got));
    }
    for (int i = 0; i < 2000; i++)
        buf_add_char(&big, 'x');
    e.message = buf_str(&big);
    e.message = json_str(webhook_body(mem, S("https://discord.com/api/webhooks/1"), &e), "content");
    assert_int_equal(e.message.n, 1980 + 15);
    assert_true(str_ends(e.message, "x... (truncated)"));
    arena_free(mem);
}

static void test_addresses_that_are_none(void **state)
{
    struct arena *mem = arena_new(4096);
    struct webhook_event e = { .action = "signup", .message = S("x"), .data = json_new_object(mem) };

    (void)state;
    assert_int_not_equal(webhook_post(mem, S("file:///etc/passwd"), &e, NULL), OK);
    assert_int_not_equal(webhook_post(mem, S("http://127.0.0.1:1/"), &e, NULL), OK);
    assert_int_not_equal(webhook_post(mem, S("nonsense"), &e, NULL), OK);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bodies), cmocka_unit_test(test_addresses_that_are_none) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
