/* test_media.c: WebSocket frames, form data, other programs, origins, Markdown's nesting, how engines are called that no test can reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/audio/speech.h"
#include "lib/base/child.h"
#include "lib/images/images.h"
#include "lib/net/form_data.h"
#include "lib/net/url.h"
#include "lib/net/ws_frame.h"
#include "lib/text/markdown.h"

#include <cmocka.h>

static void test_frames(void **state)
{
    static const struct {
        const char *label, *in;
        size_t n;
        const char *want; /* opcode and data of each message, then the status at the end */
    } cases[] = {
        { "a text", "\x81\x02hi", 4, "1hi NOT_FOUND" },
        { "two", "\x81\x01\x61\x82\x01\x62", 6, "1a 2b NOT_FOUND" },
        { "an empty one", "\x81\x00", 2, "1 NOT_FOUND" },
        { "in pieces, with a ping between", "\x01\x01\x61\x89\x01p\x80\x01\x62", 9, "9p 1ab NOT_FOUND" },
        { "half a frame", "\x81\x05hi", 4, "NOT_FOUND" },
        { "half a length", "\x81\x7e\x01", 3, "NOT_FOUND" },
        { "a length in two bytes", "\x81\x7e\x00\x02hi", 6, "1hi NOT_FOUND" },
        { "a length in eight bytes", "\x81\x7f\0\0\0\0\0\0\0\x02hi", 12, "1hi NOT_FOUND" },
        { "too long", "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, "TOO_BIG" },
        { "longer than allowed, in pieces", "\x01\x7e\x03\xe8", 4, "NOT_FOUND" },
        { "masked", "\x81\x82\0\0\0\0hi", 8, "INVALID" },
        { "reserved bits", "\xc1\x02hi", 4, "INVALID" },
        { "an unknown kind", "\x83\x02hi", 4, "INVALID" },
        { "a ping in pieces", "\x09\x01p", 3, "INVALID" },
        { "a long ping", "\x89\x7e\x00\x7e", 4, "INVALID" },
        { "a piece of nothing", "\x80\x01p", 3, "INVALID" },
        { "a message within another", "\x01\x01\x61\x81\x01\x62", 6, "INVALID" },
        { "no UTF-8", "\x81\x01\xff", 3, "INVALID" },
        { "bytes need not be UTF-8", "\x82\x01\xff", 3, "2\xff NOT_FOUND" },
    };
    static const char *const names[] = { [NOT_FOUND] = "NOT_FOUND", [INVALID] = "INVALID", [TOO_BIG] = "TOO_BIG" };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece <= cases[i].n; piece += 2) {
            struct buf got = BUF(NULL, 10000);
            struct ws_reader r;
            struct str data, in = str_n(cases[i].in, cases[i].n);
            enum ws_opcode opcode;
            enum status st = NOT_FOUND;

            ws_reader_init(&r, 1000);
            for (; in.n && st == NOT_FOUND; in = str_from(in, piece)) {
                ws_reader_add(&r, str_sub(in, 0, piece));
                while ((st = ws_reader_next(&r, &opcode, &data, NULL)) == OK)
                    buf_addf(&got, "%d%.*s ", opcode, STR(data));
            }
            buf_add_c(&got, names[st]);
            if (!str_is(buf_str(&got), cases[i].want))
                fail_msg("%s, in pieces of %zu: %s", cases[i].label, piece, got.p);
            ws_reader_free(&r);
            buf_free(&got);
        }
    }
}

static void test_own_frames(void **state)
{
    static const unsigned char mask[4] = { 1, 2, 3, 4 };
    struct arena *mem = arena_new(1024);
    struct buf b = BUF(mem, 1 << 20), text = BUF(mem, 1 << 20);

    (void)state;
    ws_frame_add(&b, WS_TEXT, S("hello"), mask);
    assert_int_equal(b.n, 2 + 4 + 5);
    assert_memory_equal(b.p, "\x81\x85\1\2\3\4\x69\x67\x6f\x68\x6e", b.n);
    for (int i = 0; i < 70000; i++)
        buf_add_char(&text, 'x');
    buf_reset(&b);
    ws_frame_add(&b, WS_TEXT, str_sub(buf_str(&text), 0, 126), mask);
    assert_memory_equal(b.p, "\x81\xfe\x00\x7e\1\2\3\4", 8);
    buf_reset(&b);
    ws_frame_add(&b, WS_TEXT, buf_str(&text), mask);
    assert_memory_equal(b.p, "\x81\xff\0\0\0\0\0\x01\x11\x70\1\2\3\4", 14);
    assert_int_equal(b.n, 14 + 70000);
    arena_free(mem);
}

static void test_form_data(void **state)
{
    struct arena *mem = arena_new(1024);
    struct form_data f = form_data_start(mem, 10000), small = form_data_start(mem, 20);
    struct str body;

    (void)state;
    f.boundary = S("B");
    form_data_field(&f, "model", S("a\r\nb"));
    form_data_file(&f, "file", S("a\"\r\nX: y"), S("audio/wav\r\nX: y"), S("\0bytes"));
    body = form_data_end(&f);
    assert_true(str_eq(body, S("--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\nb\r\n"
                               "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22%0D%0AX: y\"\r\n"
                               "Content-Type: application/octet-stream\r\n\r\n\0bytes\r\n--B--\r\n")));
    form_data_field(&small, "a", S("b"));
    assert_true(buf_failed(&small.body));
    arena_free(mem);
}

static void test_origins(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = { { "http://a/x", "http://a/y?z", true },
                  { "http://a:80/", "http://A", true },
                  { "https://a:443/", "https://a", true },
                  { "http://a", "https://a", false },
                  { "http://a", "http://a:8080", false },
                  { "http://a", "http://a.b", false },
                  { "http://a@b/", "http://a/", false },
                  { "http://a\\@b/", "http://a/", false },
                  { "http://a#@b/", "http://a/", true },
                  { "file:///a", "file:///a", false },
                  { "", "", false },
                  { "nonsense", "nonsense", false },
                  { "http://[::1]/", "http://[::1]", true } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (url_same_origin(str_of(cases[i].a), str_of(cases[i].b)) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    assert_false(url_same_origin(STR_NONE, STR_NONE));
}

static enum status run(struct arena *mem, struct child *c, char *script, struct error *err)
{
    static char *argv[4] = { "sh", "-c", NULL, NULL };

    argv[2] = script;
    c->program = "sh";
    c->argv = argv;
    if (!c->timeout_ms)
        c->timeout_ms = 20000;
    if (!c->max_output)
        c->max_output = 1 << 20;
    if (c->input_fd == 0)
        c->input_fd = -1;
    return child_run(mem, c, err);
}

static void test_children(void **state)
{
    static const char *const env[] = { "MINE=1", NULL };
    struct arena *mem = arena_new(1024);
    struct error err = { "" };
    struct buf long_input = BUF(mem, 4 << 20);

    (void)state;
    setenv("SECRET", "not for children", 1);
    for (int i = 0; i < 300000; i++)
        buf_add_c(&long_input, "line\n");
    {
        struct child c = { .input = S("in\0put"), .env = env };

        assert_int_equal(run(mem, &c, "cat; echo oops >&2; echo $MINE$SECRET; exit 3", &err), OK);
        assert_true(str_eq(c.output, S("in\0put1\n")) && str_is(c.complaint, "oops\n") && c.exit_status == 3);
    }
    {
        struct child c = { .input = buf_str(&long_input), .max_output = 2 << 20 };

        assert_int_equal(run(mem, &c, "cat; cat", &err), OK);
        assert_int_equal(c.output.n, long_input.n);
    }
    {
        struct child c = { .input = S("") }, big = { .max_output = 1000 }, slow = { .timeout_ms = 300 },
                     busy = { .cpu_s = 1 }, file = { .input = S("") }, none = { .timeout_ms = 1 };

        assert_int_equal(run(mem, &c, "wc -c; ls /proc/self/fd | wc -l", &err), OK);
        assert_true(str_has(c.output, "0\n"));
        assert_int_equal(run(mem, &big, "yes", &err), TOO_BIG);
        assert_int_equal(run(mem, &slow, "sleep 60 & sleep 60", &err), TIMED_OUT);
        assert_int_equal(run(mem, &busy, "while :; do :; done", &err), TIMED_OUT);
        assert_int_equal(
            run(mem, &file, "echo x > /tmp/webui-child-$$ && cat /tmp/webui-child-$$; rm -f /tmp/webui-child-$$", &err),
            OK);
        assert_int_equal(file.output.n, 0); /* it cannot write */
        none.program = "no-such-program-anywhere";
        none.argv = (char *[]){ "x", NULL };
        none.input_fd = -1;
        assert_int_equal(child_run(mem, &none, &err), NOT_FOUND);
        none.program = "/etc/passwd";
        assert_int_equal(child_run(mem, &none, &err), NOT_FOUND);
    }
    unsetenv("SECRET");
    arena_free(mem);
}

static void test_pictures(void **state)
{
    struct image i;

    (void)state;
    assert_true(image_recognise(S("\x89PNG\r\n\x1a\nrest"), &i) && strcmp(i.ending, ".png") == 0);
    assert_true(image_recognise(S("RIFF\0\0\0\0WEBPVP8 "), &i) && strcmp(i.content_type, "image/webp") == 0);
    assert_false(image_recognise(S("RIFF\0\0\0\0WAVEfmt "), &i));
    assert_false(image_recognise(S("<svg onload=alert(1)>"), &i));
    assert_false(image_recognise(S("\x89PNG"), &i));
    assert_false(image_recognise(STR_NONE, &i));
}

static void test_markdown_depth(void **state)
{
    struct arena *mem = arena_new(1024);
    struct buf text = BUF(mem, 4 << 20);
    struct str html;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add_char(&text, '>');
    assert_int_equal(markdown_html(mem, buf_str(&text), &html), OK);
    assert_int_equal(markdown_html(mem, STR_NONE, &html), OK);
    assert_int_equal(html.n, 0);
    assert_int_equal(markdown_html(mem, S("a\0b <b>"), &html), OK);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),         cmocka_unit_test(test_own_frames), cmocka_unit_test(test_form_data),
        cmocka_unit_test(test_origins),        cmocka_unit_test(test_children),   cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_markdown_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
