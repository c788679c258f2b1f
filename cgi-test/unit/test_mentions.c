/* test_mentions.c: mentions in messages of channels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/chat/mentions.h"

static const struct {
    const char *label, *in, *text, *ids;
} cases[] = {
    { "a label", "Hi <@M:gpt|GPT 4>, well?", "Hi GPT 4, well?", "M:gpt;" },
    { "no label", "<@U:1234> said", "1234 said", "U:1234;" },
    { "several", "<@M:a|A><@M:b|B> <@C:c|c>", "AB c", "M:a;M:b;C:c;" },
    { "an empty label is no mention, but an id", "<@M:a|>x>", "<@M:a|>x>", "M:a;" },
    { "no id", "<@M:|b> <@M:>", "<@M:|b> <@M:>", "" },
    { "a bar in the label", "<@M:a|b|c>", "b|c", "M:a;" },
    { "one inside of another", "<@M:<@M:a>", "<@M:a", "M:<@M:a;" },
    { "ids do not end at a new mention", "<@M:a<@U:b|c>", "c", "M:a<@U:b;" },
    { "never closed", "<@M:a and more", "<@M:a and more", "M:a and more;" },
    { "small letter", "<@m:a|A>", "<@m:a|A>", "" },
    { "cut off", "<@M:", "<@M:", "" },
    { "nothing", "", "", "" },
    { "behind an empty label", "<@M:a|> <@M:b|B>", "<@M:a|> B", "M:a;M:b;" },
};

static void test_cases(void **state)
{
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str rest = str_of(cases[i].in);
        struct buf ids = BUF(mem, 1024);
        struct mention m;

        while (mention_next(&rest, &m))
            buf_addf(&ids, "%c:%.*s;", m.type, STR(m.id));
        if (!str_is(mentions_as_text(mem, str_of(cases[i].in)), cases[i].text) || !str_is(buf_str(&ids), cases[i].ids))
            fail_msg("%s: \"%.*s\", %.*s", cases[i].label, STR(mentions_as_text(mem, str_of(cases[i].in))),
                     STR(buf_str(&ids)));
    }
    arena_free(mem);
}

/* A megabyte that only looks like mentions takes no longer than one that does not. */
static void test_hostile(void **state)
{
    static const char *const pieces[] = { "<@M:", "<@M:a", "<@M:|", "<@M:a|>", "<@M:a|" };
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (int closed = 0; closed < 3; closed++) {
            struct buf b = BUF(mem, 4 << 20);
            int64_t begin_ms = mono_ms();
            struct mention m;
            struct str rest;

            while (b.n < 1 << 20)
                buf_add_c(&b, pieces[i]);
            buf_add_c(&b, closed == 2 ? "|>" : closed == 1 ? ">" : "");
            rest = buf_str(&b);
            while (mention_next(&rest, &m))
                ;
            mentions_as_text(mem, buf_str(&b));
            if (mono_ms() - begin_ms > 1000)
                fail_msg("\"%s\" took %lld ms", pieces[i], (long long)(mono_ms() - begin_ms));
        }
    }
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_hostile) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
