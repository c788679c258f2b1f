/* test_changelog.c: CHANGELOG.md as /api/changelog shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/root.h" /* before cmocka.h, whose macro fail() is in the way */

#include <cmocka.h>

static void items_are_read(void **state)
{
    static const struct {
        const char *label, *item, *title, *content, *raw;
    } cases[] = {
        { "plain", "Faster lists", "", "Faster lists", "<li>Faster lists</li>" },
        { "title", "Lists: faster: much", "Lists", "faster: much", "<li>Lists: faster: much</li>" },
        { "strong title", "**Lists**: faster", "Lists", "faster", "<li><strong>Lists</strong>: faster</li>" },
        { "link", "See [#1](http://x/?a&b), too", "", "See #1 , too",
          "<li>See <a href=\"http://x/?a&amp;b\">#1</a>, too</li>" },
        { "code keeps its marks", "`a * b` & *c*", "", "a * b & c", "<li><code>a * b</code> &amp; <em>c</em></li>" },
        { "strong with a link in it", "**a [b](c)**", "", "a b", "<li><strong>a <a href=\"c\">b</a></strong></li>" },
        { "open marks are text", "a * b ** c ` d [e]", "", "a * b ** c ` d [e]", "<li>a * b ** c ` d [e]</li>" },
        { "HTML is text", "<b>x</b>", "", "<b>x</b>", "<li>&lt;b&gt;x&lt;/b&gt;</li>" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *mem = arena_new(4096);
        struct str text = str_f(mem, "## [1.0] - 2030-01-02\n\n### Added\n\n- %s\n", cases[i].item);
        json_object *item = json_at(json_get(json_get(changelog_parse(mem, text, 5), "1.0"), "added"), 0);

        if (!str_is(json_str(item, "title"), cases[i].title) || !str_is(json_str(item, "content"), cases[i].content) ||
            !str_is(json_str(item, "raw"), cases[i].raw))
            fail_msg("%s: got %s", cases[i].label, json_text(mem, item).p);
        arena_free(mem);
    }
}

static void versions_are_read(void **state)
{
    static const char text[] =
        "# Changelog\n\nWords.\n\n## [3.0] - 2030-03-03\n\n### Added\n\n- a\n- b\n\n### Fixed\n\n* c\n\n"
        "## [2.0] - 2030-02-02\r\n\r\n### Fixed\r\n\r\n- d\r\n\n## [1.0] - 2030-01-01\n";
    struct arena *mem = arena_new(4096);
    json_object *v = changelog_parse(mem, str_of(text), 2), *three = json_get(v, "3.0"), *two = json_get(v, "2.0");

    (void)state;
    assert_int_equal(json_object_object_length(v), 2);
    assert_true(str_is(json_str(three, "date"), "2030-03-03"));
    assert_int_equal(json_length(json_get(three, "added")), 2);
    assert_int_equal(json_length(json_get(three, "fixed")), 1);
    assert_true(str_is(json_str(two, "date"), "2030-02-02"));
    assert_true(str_is(json_str(json_at(json_get(two, "fixed"), 0), "content"), "d"));
    assert_int_equal(json_object_object_length(changelog_parse(mem, S(""), 5)), 0);
    assert_int_equal(json_object_object_length(changelog_parse(mem, S("## \n- x\n### y\n## []\n"), 5)), 0);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(items_are_read), cmocka_unit_test(versions_are_read) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
