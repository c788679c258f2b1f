/* test_multipart.c: form bodies: parts, their names, and what is no such body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fcgi/multipart.h"

#define NAME "Content-Disposition: form-data; name=\"a\"\r\n\r\n"

/* want: "name|filename|content type|body" of each part, one a line; "-" for what is absent. NULL: refused with the reason in error. */
static const struct {
    const char *label, *type, *body, *want, *error;
} cases[] = {
    { "one field", "multipart/form-data; boundary=x", "--x\r\n" NAME "hello\r\n--x--\r\n", "a|-|-|hello\n", NULL },
    { "no line end behind", "multipart/form-data; boundary=x", "--x\r\n" NAME "hello\r\n--x--", "a|-|-|hello\n", NULL },
    { "preamble and epilogue", "multipart/form-data; boundary=x", "pre\r\n--x\r\n" NAME "hello\r\n--x--\r\nmore",
      "a|-|-|hello\n", NULL },
    { "quoted boundary", "multipart/form-data; charset=utf-8; boundary=\"a b\"", "--a b\r\n" NAME "1\r\n--a b--",
      "a|-|-|1\n", NULL },
    { "a file", "multipart/form-data; boundary=x",
      "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"q \\\"u\\\".txt\"\r\nContent-Type: "
      "text/plain\r\n\r\nA\r\nB\r\n--x--",
      "f|q \"u\".txt|text/plain|A\r\nB\n", NULL },
    { "an empty filename is one", "multipart/form-data; boundary=x",
      "--x\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\n\r\n--x--", "f||-|\n", NULL },
    { "extended filename", "multipart/form-data; boundary=x",
      "--x\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''%C3%A9.txt\r\n\r\nz\r\n--x--",
      "f|\xc3\xa9.txt|-|z\n", NULL },
    { "empty body", "multipart/form-data; boundary=x", "--x\r\n" NAME "\r\n--x--", "a|-|-|\n", NULL },
    { "two, spaces behind the boundary", "multipart/form-data; boundary=x",
      "--x \t\r\n" NAME "1\r\n--x\r\n" NAME "2\r\n--x--", "a|-|-|1\na|-|-|2\n", NULL },
    { "none", "multipart/form-data; boundary=x", "--x--\r\n", "", NULL },
    { "something like the boundary in a body", "multipart/form-data; boundary=x", "--x\r\n" NAME "z--x\r\n-x\r\n--x--",
      "a|-|-|z--x\r\n-x\n", NULL },
    { "bare line ends in a body", "multipart/form-data; boundary=x", "--x\r\n" NAME "a\n--x\nb\r\n--x--",
      "a|-|-|a\n--x\nb\n", NULL },
    { "no boundary", "multipart/form-data", "--x--", NULL, "Missing boundary in multipart." },
    { "empty boundary", "multipart/form-data; boundary=", "--x--", NULL, "Missing boundary in multipart." },
    { "garbage", "multipart/form-data; boundary=x", "garbage", NULL, "There was an error parsing the body" },
    { "nothing", "multipart/form-data; boundary=x", "", NULL, "There was an error parsing the body" },
    { "cut off", "multipart/form-data; boundary=x", "--x\r\n" NAME "hello", NULL,
      "There was an error parsing the body" },
    { "cut off in the header", "multipart/form-data; boundary=x", "--x\r\nContent-Dispo", NULL,
      "There was an error parsing the body" },
    { "header line without a colon", "multipart/form-data; boundary=x", "--x\r\nnonsense\r\n\r\n1\r\n--x--", NULL,
      "There was an error parsing the body" },
    { "no name", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; nme=x\r\n\r\n1\r\n--x--",
      NULL, "The Content-Disposition header field \"name\" must be provided." },
    { "no disposition", "multipart/form-data; boundary=x", "--x\r\nA: b\r\n\r\n1\r\n--x--", NULL,
      "The Content-Disposition header field \"name\" must be provided." },
    { "name is no UTF-8", "multipart/form-data; boundary=x",
      "--x\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n1\r\n--x--", NULL,
      "There was an error parsing the body" },
};

static void add(struct buf *b, struct str s)
{
    buf_add_str(b, s.p ? s : S("-"));
}

static void test_multipart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1024);
        struct buf got = BUF(mem, 4096);
        struct part *parts = NULL;
        struct error err = { "" };
        size_t n = 0;
        enum status st = multipart_read(mem, str_of(cases[i].type), str_of(cases[i].body), &parts, &n, &err);

        if ((st == OK) != (cases[i].want != NULL))
            fail_msg("%s: status %d (%s)", cases[i].label, st, err.text);
        if (cases[i].error && strcmp(err.text, cases[i].error) != 0)
            fail_msg("%s: %s", cases[i].label, err.text);
        for (size_t k = 0; k < n; k++) {
            add(&got, parts[k].name);
            buf_add_char(&got, '|');
            add(&got, parts[k].filename);
            buf_add_char(&got, '|');
            add(&got, parts[k].content_type);
            buf_add_char(&got, '|');
            add(&got, parts[k].body);
            buf_add_char(&got, '\n');
        }
        if (st == OK && !str_is(buf_str(&got), cases[i].want))
            fail_msg("%s: got %.*s", cases[i].label, STR(buf_str(&got)));
        arena_free(mem);
    }
}

static void test_limits(void **state)
{
    struct arena *mem = arena_new(1024);
    struct buf body = BUF(mem, 1 << 20);
    struct part *parts = NULL;
    struct error err = { "" };
    size_t n = 0;

    (void)state;
    for (int i = 0; i < MULTIPART_MAX_PARTS; i++)
        buf_add_c(&body, "--x\r\n" NAME "1\r\n");
    buf_add_c(&body, "--x--");
    assert_int_equal(multipart_read(mem, S("multipart/form-data; boundary=x"), buf_str(&body), &parts, &n, &err), OK);
    assert_int_equal(n, MULTIPART_MAX_PARTS);
    body.n -= 2;
    buf_add_c(&body, "\r\n" NAME "1\r\n--x--");
    assert_int_equal(multipart_read(mem, S("multipart/form-data; boundary=x"), buf_str(&body), &parts, &n, &err),
                     TOO_BIG);
    assert_string_equal(err.text, "Too many fields. Maximum number of fields is 1000.");

    buf_reset(&body);
    buf_add_c(&body, "--x\r\nA: ");
    for (int i = 0; i < MULTIPART_MAX_HEADER; i++)
        buf_add_char(&body, 'a');
    buf_add_c(&body, "\r\n" NAME "1\r\n--x--");
    assert_int_equal(multipart_read(mem, S("multipart/form-data; boundary=x"), buf_str(&body), &parts, &n, &err),
                     INVALID);
    arena_free(mem);
}

static void test_urlencoded(void **state)
{
    struct arena *mem = arena_new(1024);
    struct part *parts = NULL;
    struct error err = { "" };
    size_t n = 0;

    (void)state;
    assert_int_equal(urlencoded_read(mem, S("a=1+2&b=%C3%A9&&c&a=%zz"), &parts, &n, &err), OK);
    assert_int_equal(n, 4);
    assert_true(str_is(parts[0].body, "1 2"));
    assert_true(str_is(parts[1].body, "\xc3\xa9"));
    assert_true(str_is(parts[2].name, "c") && parts[2].body.n == 0);
    assert_true(str_is(parts[3].body, "%zz"));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_multipart), cmocka_unit_test(test_limits),
                                        cmocka_unit_test(test_urlencoded) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
