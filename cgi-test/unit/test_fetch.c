/* test_fetch.c: which addresses may be fetched, and what pages and films say. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/fetch.h"
#include "lib/rag/load_page.h"
#include "lib/rag/youtube.h"

#include <cmocka.h>

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        bool valid;
    } cases[] = {
        { "http://example.org", true },
        { "https://example.org:8443/a?b=c#d", true },
        { "HTTP://EXAMPLE.ORG/", true },
        { "http://user:pass@example.org/", true },
        { "http://127.0.0.1:9900/page.html", true },
        { "http://[2606:4700::1111]/", true },
        { "http://[2606:4700::1111]:80/", true },
        { "http://localhost/", true },
        { "not a url", false },
        { "example.org", false },
        { "ftp://127.0.0.1/x", false },
        { "file:///etc/passwd", false },
        { "gopher://example.org/", false },
        { "http://", false },
        { "http:///path", false },
        { "http://example.org:0/", false },
        { "http://example.org:99999/", false },
        { "http://example.org:80:80/", false },
        { "http://exa mple.org/", false },
        { "http://example.org/a b", false },
        { "http://example.org/\r\nHost: x", false },
        { "http://a@b@example.org/", false },
        { "http://[::1/", false },
        { "http://intranet/", false },
        { "http://a..b/", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (fetch_url_valid(str_of(cases[i].url)) != cases[i].valid)
            fail_msg("%s", cases[i].url);
}

/* The guard looks at the address that is connected to. */
static void test_guard(void **state)
{
    struct arena *mem = arena_new(4096);
    struct fetch v[] = { { .url = S("http://127.0.0.1:1/") }, { .url = S("http://2130706433.nip.invalid/") },
                         { .url = S("http://0.0.0.0:1/") },   { .url = S("http://localhost:1/") },
                         { .url = S("http://[::1]:1/") },     { .url = S("http://[::ffff:127.0.0.1]:1/") },
                         { .url = S("file:///etc/passwd") } };
    struct fetch_rules rules = { .timeout_ms = 2000 }, all = { .allow_private = true, .timeout_ms = 2000 };
    struct fetch one = { .url = S("http://127.0.0.1:1/") };

    (void)state;
    fetch_run(mem, &rules, v, sizeof(v) / sizeof(v[0]));
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        if (v[i].result != (i == 1 ? UNAVAILABLE : INVALID))
            fail_msg("%.*s: %d %s", STR(v[i].url), v[i].result, v[i].err.text);
    fetch_run(mem, &all, &one, 1);
    assert_int_equal(one.result, UNAVAILABLE); /* nobody listens there: but it was tried */
    assert_false(fetch_host_public(mem, S("http://127.0.0.1/")));
    assert_false(fetch_host_public(mem, S("http://localhost/")));
    assert_false(fetch_host_public(mem, S("nonsense")));
    arena_free(mem);
}

static void test_pages(void **state)
{
    static const struct {
        const char *label, *page, *charset, *text, *title, *description, *language;
    } cases[] = {
        { "as the Python backend reads it",
          "<html><head><title>Stub page</title></head><body><nav>Menu</nav><h1>Lighthouse</h1><p>The "
          "keeper.</p></body></html>",
          NULL, "Stub pageMenuLighthouseThe keeper.", "Stub page", NULL, NULL },
        { "white space stays", "<html lang=\"de\"><body>\n <p>a  b</p>\n<p>c</p></body></html>", NULL, "\n a  b\nc",
          NULL, NULL, "de" },
        { "scripts and styles go",
          "<html><head><script>var x = '<p>no</p>';</script><style>p{}</style></head><body>a<script>1</script>b<!-- no "
          "--></body></html>",
          NULL, "ab", NULL, NULL, NULL },
        { "templates and ruby go", "<body>a<template><p>no</p></template>b<ruby>c<rt>no</rt></ruby></body>", NULL,
          "abc", NULL, NULL, NULL },
        { "entities", "<p>&lt;b&gt; &amp; &eacute; &#8364; &nope;</p>", NULL, "<b> & \xC3\xA9 \xE2\x82\xAC &nope;",
          NULL, NULL, NULL },
        { "description", "<head><meta name=\"description\" content=\"About it\"><title>T</title></head>x", NULL, "Tx",
          "T", "About it", NULL },
        { "latin-1 by the server", "<p>caf\xE9</p>", "iso-8859-1", "caf\xC3\xA9", NULL, NULL, NULL },
        { "latin-1 by the page", "<head><meta charset=\"iso-8859-1\"></head><p>caf\xE9</p>", NULL, "caf\xC3\xA9", NULL,
          NULL, NULL },
        { "broken UTF-8",
          "<p>a\xFF\xFE"
          "b</p>",
          "utf-8", NULL, NULL, NULL, NULL },
        { "never closed", "<p>one<p>two<b>three", NULL, "onetwothree", NULL, NULL, NULL },
        { "nothing", "", NULL, "", NULL, NULL, NULL },
        { "plain", "only words", NULL, "only words", NULL, NULL, NULL },
        { "the first title counts", "<title>a</title><svg><title>b</title></svg>", NULL, "ab", "a", NULL, NULL },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct html_page page;
        struct error err = { "" };

        if (html_read(mem, str_of(cases[i].page), str_of(cases[i].charset), mono_ms() + 5000, &page, &err) != OK)
            fail_msg("%s: %s", cases[i].label, err.text);
        assert_true(str_utf8_valid(page.text));
        if ((cases[i].text && !str_is(page.text, cases[i].text)) || !str_eq(page.title, str_of(cases[i].title)) ||
            !str_eq(page.description, str_of(cases[i].description)) ||
            !str_eq(page.language, str_of(cases[i].language)))
            fail_msg("%s: \"%.*s\" \"%.*s\" \"%.*s\" \"%.*s\"", cases[i].label, STR(page.text), STR(page.title),
                     STR(page.description), STR(page.language));
    }
    arena_free(mem);
}

/* Deep nesting must not take more than its time. */
static void test_deep_page(void **state)
{
    struct arena *mem = arena_new(4096);
    struct buf b = BUF(mem, STR_NPOS);
    struct html_page page;
    int64_t start = mono_ms();

    (void)state;
    for (int i = 0; i < 300000; i++)
        buf_add_c(&b, "<div>");
    html_read(mem, buf_str(&b), S("utf-8"), mono_ms() + 2000, &page, NULL);
    assert_true(mono_ms() - start < 8000);
    arena_free(mem);
}

static void test_films(void **state)
{
    static const struct {
        const char *url, *id;
    } cases[] = {
        { "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "dQw4w9WgXcQ" },
        { "https://www.youtube.com/watch?list=x&v=dQw4w9WgXcQ&t=1", "dQw4w9WgXcQ" },
        { "https://youtu.be/dQw4w9WgXcQ?t=3", "dQw4w9WgXcQ" },
        { "http://m.youtube.com/shorts/dQw4w9WgXcQ", "dQw4w9WgXcQ" },
        { "https://www.youtube.com/watch?v=short", NULL },
        { "https://www.youtube.com/watch?v=../../../x", NULL },
        { "https://evil.example/watch?v=dQw4w9WgXcQ", NULL },
        { "https://www.youtube.com.evil.example/watch?v=dQw4w9WgXcQ", NULL },
        { "https://www.youtube.com@evil.example/watch?v=dQw4w9WgXcQ", NULL },
        { "http://127.0.0.1:9900/page.html", NULL },
        { "dQw4w9WgXcQ", NULL },
    };
    struct arena *mem = arena_new(4096);
    json_object *player = json_parse_or_null(
        mem, S("{\"captions\":{\"playerCaptionsTracklistRenderer\":{\"captionTracks\":["
               "{\"baseUrl\":\"https://www.youtube.com/t?a\",\"languageCode\":\"en\",\"kind\":\"asr\"},"
               "{\"baseUrl\":\"https://www.youtube.com/t?b&fmt=srv3\",\"languageCode\":\"en\"},"
               "{\"baseUrl\":\"https://evil.example/\",\"languageCode\":\"fr\"},"
               "{\"baseUrl\":\"https://www.youtube.com/t?c\",\"languageCode\":\"de\",\"kind\":\"asr\"}]}}}"));

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str id = STR_NONE;
        bool is = youtube_video_id(str_of(cases[i].url), &id);

        if (is != (cases[i].id != NULL) || (is && !str_is(id, cases[i].id)))
            fail_msg("%s", cases[i].url);
    }
    assert_true(str_is(youtube_track(mem, player, json_parse_or_null(mem, S("[\"xx\",\"en\"]"))),
                       "https://www.youtube.com/t?b"));
    assert_true(str_is(youtube_track(mem, player, json_parse_or_null(mem, S("[\"de\",\"en\"]"))),
                       "https://www.youtube.com/t?c"));
    assert_null(youtube_track(mem, player, json_parse_or_null(mem, S("[\"fr\"]"))).p);
    assert_null(youtube_track(mem, NULL, json_parse_or_null(mem, S("[\"fr\"]"))).p);
    assert_true(
        str_is(youtube_text(mem, S("<?xml version=\"1.0\"?><transcript><text start=\"0\" dur=\"1\">Hey &amp;amp; "
                                   "there</text><text start=\"1\" dur=\"1\"> it&amp;#39;s &lt;i&gt;me&lt;/i&gt; "
                                   "</text><text start=\"2\"/></transcript>")),
               "Hey & there it's me"));
    assert_int_equal(youtube_text(mem, S("<text")).n, 0);
    assert_int_equal(youtube_text(mem, S("<text></text><text>")).n, 0);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_guard), cmocka_unit_test(test_pages),
        cmocka_unit_test(test_deep_page), cmocka_unit_test(test_films),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
