/* test_request.c: headers, cookies, queries and numbers of a request; headers, cookies, bodies, ranges and policies of an answer. */
#include <stdlib.h>

#include "fcgi/output.h"
#include "fcgi/policy.h"
#include "fcgi/query.h"
#include "fcgi/range.h"
#include "fcgi/relay.h"

/* After ours: it makes a macro of fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_params(void **state)
{
    char *params[] = { "HTTP_HOST=h",
                       "HTTP_USER_AGENT=x y",
                       "CONTENT_TYPE=text/plain",
                       "HTTP_PROXY=evil",
                       "HTTPS=on",
                       "HTTP_COOKIE=a=1; token=abc; token=\"d e\"; b",
                       NULL };
    struct request r = { .params = params };

    (void)state;
    assert_true(str_is(request_header(&r, "User-Agent"), "x y"));
    assert_true(str_is(request_header(&r, "content-type"), "text/plain"));
    assert_null(request_header(&r, "Proxy").p);
    assert_null(request_header(&r, "User").p);
    assert_null(request_param(&r, "HTTP_HOS").p);
    assert_true(request_is_https(&r));
    assert_true(str_is(request_cookie(&r, "token"), "d e"));
    assert_true(str_is(request_cookie(&r, "a"), "1"));
    assert_null(request_cookie(&r, "b").p);
    assert_null(request_cookie(&r, "oken").p);
    params[4] = "HTTP_X_FORWARDED_PROTO=https";
    assert_false(request_is_https(&r));
}

static void test_base_url(void **state)
{
    static const struct {
        const char *label, *url, *host, *https, *want;
    } cases[] = {
        { "as asked for", "", "chat.test:8080", "", "http://chat.test:8080/" },
        { "TLS", "", "chat.test", "on", "https://chat.test/" },
        { "a proxy speaks TLS", "https://Chat.test/", "chat.test", "", "https://chat.test/" },
        { "WEBUI_URL is older than TLS", "http://chat.test", "chat.test", "on", "https://chat.test/" },
        { "WEBUI_URL is elsewhere", "https://other.test", "chat.test", "", "http://chat.test/" },
        { "IPv6", "", "[::1]:80", "", "http://[::1]:80/" },
        { "no host that can be", "", "evil.test/x?<y>", "", "http://server.test/" },
    };
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *params[] = { str_c(mem, str_f(mem, "HTTP_HOST=%s", cases[i].host)),
                           str_c(mem, str_f(mem, "HTTPS=%s", cases[i].https)), "SERVER_NAME=server.test", NULL };
        struct request r = { .mem = mem, .params = params };
        struct error err = { "" };

        setenv("WEBUI_URL", cases[i].url, 1);
        assert_int_equal(config_open(&r.config, &err), OK);
        if (!str_is(request_base_url(&r), cases[i].want))
            fail_msg("%s: %.*s", cases[i].label, STR(request_base_url(&r)));
        config_close(r.config);
    }
    unsetenv("WEBUI_URL");
    arena_free(mem);
}

static void test_query(void **state)
{
    struct arena *mem = arena_new(1024);
    struct request r = { .mem = mem, .query = S("page=2&q=a+b%26c&empty=&flag=yes&page=3&bad=%zz&none") };

    (void)state;
    assert_int_equal(query_int(&r, "page", 1), 3);
    assert_int_equal(query_int(&r, "q", 7), 7);
    assert_true(str_is(query_str(&r, "q"), "a b&c"));
    assert_true(query_has(&r, "empty") && query_str(&r, "empty").n == 0);
    assert_true(query_has(&r, "none"));
    assert_false(query_has(&r, "absent"));
    assert_true(query_bool(&r, "flag", false));
    assert_true(query_bool(&r, "absent", true));
    assert_true(str_is(query_str(&r, "bad"), "%zz"));
    r.query = STR_NONE;
    assert_false(query_has(&r, "page"));
    arena_free(mem);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *in;
        enum number_result want;
        int64_t value;
    } ints[] = {
        { "12", NUMBER_OK, 12 },
        { "12.0", NUMBER_OK, 12 },
        { "12.000", NUMBER_OK, 12 },
        { " 12 ", NUMBER_OK, 12 },
        { "1_000", NUMBER_OK, 1000 },
        { "+5", NUMBER_OK, 5 },
        { "-3", NUMBER_OK, -3 },
        { "00012", NUMBER_OK, 12 },
        { "0_0", NUMBER_OK, 0 },
        { "1_0.0", NUMBER_OK, 10 },
        { "9223372036854775807", NUMBER_OK, INT64_MAX },
        { "-9223372036854775808", NUMBER_OK, INT64_MIN },
        { "9223372036854775808", NUMBER_TOO_BIG, 0 },
        { "99999999999999999999999", NUMBER_TOO_BIG, 0 },
        { "", NUMBER_BROKEN, 0 },
        { "x", NUMBER_BROKEN, 0 },
        { "12.5", NUMBER_BROKEN, 0 },
        { "1.", NUMBER_BROKEN, 0 },
        { ".5", NUMBER_BROKEN, 0 },
        { "1e3", NUMBER_BROKEN, 0 },
        { "0x10", NUMBER_BROKEN, 0 },
        { "1__0", NUMBER_BROKEN, 0 },
        { "_1", NUMBER_BROKEN, 0 },
        { "1_", NUMBER_BROKEN, 0 },
        { "- 1", NUMBER_BROKEN, 0 },
        { "+-1", NUMBER_BROKEN, 0 },
        { "true", NUMBER_BROKEN, 0 },
    };
    static const struct {
        const char *in;
        bool want;
        double value;
    } doubles[] = {
        { "12", true, 12 },    { "1e3", true, 1000 },   { " .5 ", true, 0.5 }, { "1.", true, 1 },
        { "5.e2", true, 500 }, { "1_0.5", true, 10.5 }, { "-0", true, 0 },     { "", false, 0 },
        { "x", false, 0 },     { "1__0", false, 0 },    { "_1", false, 0 },    { "1_", false, 0 },
        { "0x10", false, 0 },  { "nan", false, 0 },     { "inf", false, 0 },   { "1e999", false, 0 },
        { "--1", false, 0 },   { "1 2", false, 0 },
    };
    static const struct {
        const char *in;
        bool want, value;
    } bools[] = {
        { "1", true, true },   { "TRUE", true, true }, { "Yes", true, true },     { "on", true, true },
        { "t", true, true },   { "y", true, true },    { "0", true, false },      { "false", true, false },
        { "No", true, false }, { "OFF", true, false }, { "f", true, false },      { "n", true, false },
        { "", false, false },  { "2", false, false },  { " true", false, false }, { "1.0", false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        int64_t v = 0;

        if (lax_int(str_of(ints[i].in), &v) != ints[i].want || (ints[i].want == NUMBER_OK && v != ints[i].value))
            fail_msg("int \"%s\": %lld", ints[i].in, (long long)v);
    }
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        double v = 0;

        if (lax_double(str_of(doubles[i].in), &v) != doubles[i].want || (doubles[i].want && v != doubles[i].value))
            fail_msg("number \"%s\": %g", doubles[i].in, v);
    }
    for (size_t i = 0; i < sizeof(bools) / sizeof(bools[0]); i++) {
        bool v = false;

        if (lax_bool(str_of(bools[i].in), &v) != bools[i].want || (bools[i].want && v != bools[i].value))
            fail_msg("truth \"%s\": %d", bools[i].in, v);
    }
}

static void test_headers(void **state)
{
    static const struct {
        const char *label, *name, *value;
        size_t n;
        bool want;
    } cases[] = {
        { "ordinary", "X-A", "b c", 3, true },
        { "empty", "X-A", "", 0, true },
        { "tab", "X-A", "a\tb", 3, true },
        { "UTF-8", "X-A", "\xc3\xa9", 2, true },
        { "CR", "X-A", "a\rb", 3, false },
        { "LF", "X-A", "a\nSet-Cookie: x", 15, false },
        { "NUL", "X-A", "a\0b", 3, false },
        { "DEL", "X-A", "a\x7f", 2, false },
        { "CR in the name", "X\rA", "b", 1, false },
        { "colon in the name", "X:A", "b", 1, false },
        { "space in the name", "X A", "b", 1, false },
        { "no name", "", "b", 1, false },
    };
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct response out;

        response_init(&out, mem);
        response_header(&out, cases[i].name, str_n(cases[i].value, cases[i].n));
        if ((out.headers.n > 0) != cases[i].want)
            fail_msg("%s: %.*s", cases[i].label, STR(buf_str(&out.headers)));
    }
    arena_free(mem);
}

static void test_cookies(void **state)
{
    struct arena *mem = arena_new(1024);
    struct response out;

    (void)state;
    response_init(&out, mem);
    response_cookie(&out, &(struct cookie){ .name = "token",
                                            .value = S("abc"),
                                            .expires_s = 784111777,
                                            .http_only = true,
                                            .secure = true,
                                            .same_site = "lax" });
    assert_string_equal(
        buf_str(&out.headers).p,
        "Set-Cookie: token=abc; expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Path=/; SameSite=lax; Secure\r\n");
    response_init(&out, mem);
    response_cookie(&out, &(struct cookie){ .name = "token", .delete_it = true });
    assert_non_null(strstr(buf_str(&out.headers).p, "token=\"\"; expires="));
    assert_non_null(strstr(buf_str(&out.headers).p, "; Max-Age=0; Path=/"));
    response_init(&out, mem);
    response_cookie(&out, &(struct cookie){ .name = "token", .value = S("a; Domain=evil") });
    assert_int_equal(out.headers.n, 0);
    arena_free(mem);
}

static void test_answers(void **state)
{
    struct arena *mem = arena_new(1024);
    struct response out;
    struct buf all = BUF(mem, 4096);
    struct str head;

    (void)state;
    response_init(&out, mem);
    assert_int_equal((fail)(&out, 404, "no \"%s\"", "x"), 404);
    assert_true(str_is(out.pieces[0], "{\"detail\":\"no \\\"x\\\"\"}"));
    head = output_head(&out, 5);
    assert_true(str_is(head, "Status: 404 Not Found\r\nContent-Length: 5\r\nContent-Type: application/json\r\n\r\n"));
    assert_int_equal(reply_pieces(&out, 200, "application/json"), 200);
    for (int i = 0; i < 50; i++)
        response_add(&out, str_f(mem, "%d,", i));
    response_add(&out, STR_NONE);
    assert_int_equal(out.pieces_n, RESPONSE_PIECES);
    for (int i = 0; i < out.pieces_n; i++)
        buf_add_str(&all, out.pieces[i]);
    assert_true(str_starts(buf_str(&all), "0,1,2,3,") &&
                str_ends(buf_str(&all), ",15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,"
                                        "40,41,42,43,44,45,46,47,48,49,"));
    assert_int_equal(reply_bool(&out, true), 200);
    assert_int_equal(out.pieces_n, 1);
    assert_int_equal(fail_form(&out, "query", "count", "less_than_equal", "Input should be less than or equal to 100",
                               json_new_str(mem, S("101")), NULL),
                     422);
    assert_true(str_is(out.pieces[0], "{\"detail\":[{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"count\"],"
                                      "\"msg\":\"Input should be less than or equal to "
                                      "100\",\"input\":\"101\"}]}"));
    arena_free(mem);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *label, *header;
        int64_t bytes;
        enum range_result want;
        const char *ranges;
    } cases[] = {
        { "first and last", "bytes=0-4", 10, RANGE_SOME, "0+5 " },
        { "to the end", "bytes=5-", 10, RANGE_SOME, "5+5 " },
        { "from the end", "bytes=-3", 10, RANGE_SOME, "7+3 " },
        { "more than there is, from the end", "bytes=-30", 10, RANGE_SOME, "0+10 " },
        { "beyond the end", "bytes=8-99", 10, RANGE_SOME, "8+2 " },
        { "outside", "bytes=10-", 10, RANGE_NONE, "" },
        { "nothing from the end", "bytes=-0", 10, RANGE_NONE, "" },
        { "two", "bytes=0-0, 9-9", 10, RANGE_SOME, "0+1 9+1 " },
        { "one of two outside", "bytes=20-30,1-2", 10, RANGE_SOME, "1+2 " },
        { "overlapping", "bytes=0-5,3-8", 10, RANGE_WHOLE, "" },
        { "another unit", "lines=0-4", 10, RANGE_WHOLE, "" },
        { "backwards", "bytes=4-0", 10, RANGE_WHOLE, "" },
        { "no numbers", "bytes=a-b", 10, RANGE_WHOLE, "" },
        { "nothing", "bytes=", 10, RANGE_WHOLE, "" },
        { "a sign", "bytes=+1-2", 10, RANGE_WHOLE, "" },
        { "no dash", "bytes=5", 10, RANGE_WHOLE, "" },
        { "huge", "bytes=0-99999999999999999999999999", 10, RANGE_SOME, "0+10 " },
        { "huge start", "bytes=99999999999999999999999999-", 10, RANGE_NONE, "" },
        { "of an empty file", "bytes=0-", 0, RANGE_NONE, "" },
        { "from the end of an empty file", "bytes=-5", 0, RANGE_NONE, "" },
        { "seventeen", "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16", 100,
          RANGE_WHOLE, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1024);
        struct range ranges[RANGE_MAX];
        struct buf got = BUF(mem, 1024);
        int n = 0;
        enum range_result result = range_parse(str_of(cases[i].header), cases[i].bytes, ranges, &n);

        for (int k = 0; k < n && result == RANGE_SOME; k++)
            buf_addf(&got, "%lld+%lld ", (long long)ranges[k].first, (long long)ranges[k].n);
        if (result != cases[i].want || !str_is(buf_str(&got), cases[i].ranges))
            fail_msg("%s: %d %.*s", cases[i].label, result, STR(buf_str(&got)));
        arena_free(mem);
    }
    assert_true(etag_matches(S("\"a\", W/\"b\""), S("\"b\"")));
    assert_true(etag_matches(S("*"), S("\"b\"")));
    assert_false(etag_matches(S("\"a\""), S("\"b\"")));
    assert_false(etag_matches(S("*"), STR_NONE));
}

static void test_security_headers(void **state)
{
    static const struct {
        const char *variable, *value, *want;
    } cases[] = {
        { "HSTS", "max-age=5;includeSubDomains;preload", "max-age=5;includeSubDomains;preload" },
        { "HSTS", "max-age=x", "max-age=31536000;includeSubDomains" },
        { "XFRAME_OPTIONS", "sameorigin", "sameorigin" },
        { "XFRAME_OPTIONS", "ALLOWALL", "DENY" },
        { "PERMISSIONS_POLICY", "camera=(),microphone=(self)", "camera=(),microphone=(self)" },
        { "PERMISSIONS_POLICY", "camera=(*)", "none" },
        { "REFERRER_POLICY", "same-origin", "same-origin" },
        { "REFERRER_POLICY", "all", "no-referrer" },
        { "CACHE_CONTROL", "private, max-age=5", "private, max-age=5" },
        { "CACHE_CONTROL", "forever", "no-store, max-age=0" },
        { "CACHE_CONTROL", "max-age=", "no-store, max-age=0" },
        { "XCONTENT_TYPE", "x", "nosniff" },
        { "XDOWNLOAD_OPTIONS", "x", "noopen" },
        { "XPERMITTED_CROSS_DOMAIN_POLICIES", "master-only", "master-only" },
        { "CONTENT_SECURITY_POLICY", "default-src 'self'", "default-src 'self'" },
    };
    const char *name;
    struct str value;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (!policy_security_header(cases[i].variable, str_of(cases[i].value), &name, &value) ||
            !str_is(value, cases[i].want))
            fail_msg("%s=%s", cases[i].variable, cases[i].value);
    assert_false(policy_security_header("HSTS", STR_NONE, &name, &value));
    assert_false(policy_security_header("PATH", S("x"), &name, &value));
}

static void test_cors(void **state)
{
    struct arena *mem = arena_new(1024);
    struct str listed = S("https://a.example");
    struct policy any = { .any_origin = true }, some = { .origins = &listed, .origins_n = 1 };
    char *params[] = { "HTTP_ORIGIN=https://a.example", "HTTP_COOKIE=a=b", "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST",
                       "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=x-a", NULL };
    struct request r = { .mem = mem, .params = params, .method = GET };
    struct response out;

    (void)state;
    response_init(&out, mem);
    assert_false(policy_preflight(&any, &r, &out));
    policy_apply(&any, &r, &out);
    assert_string_equal(buf_str(&out.headers).p, "Access-Control-Allow-Origin: *\r\n");
    response_clear(&out);
    policy_apply(&some, &r, &out);
    assert_string_equal(
        buf_str(&out.headers).p,
        "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
    r.method = OPTIONS;
    response_clear(&out);
    assert_true(policy_preflight(&any, &r, &out));
    assert_int_equal(out.status, 200);
    assert_null(strstr(buf_str(&out.headers).p, "Credentials"));
    response_clear(&out);
    assert_true(policy_preflight(&some, &r, &out));
    assert_non_null(strstr(buf_str(&out.headers).p, "Access-Control-Allow-Headers: x-a\r\n"));
    params[0] = "HTTP_ORIGIN=https://b.example";
    response_clear(&out);
    assert_true(policy_preflight(&some, &r, &out));
    assert_int_equal(out.status, 400);
    assert_true(str_is(out.pieces[0], "Disallowed CORS origin"));
    assert_null(strstr(buf_str(&out.headers).p, "b.example"));
    response_clear(&out);
    policy_apply(&some, &r, &out);
    assert_int_equal(out.headers.n, 0);
    arena_free(mem);
}

static void test_relay_head(void **state)
{
    struct arena *mem = arena_new(1024);
    struct relay_head head;

    (void)state;
    assert_int_equal(
        relay_read_head(
            mem, S("HTTP/1.1 201 Made\r\nA: b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nStatus: 500"),
            &head),
        OK);
    assert_int_equal(head.status, 201);
    assert_true(head.chunked && str_is(head.reason, "Made") && str_is(head.headers, "A: b\r\n"));
    assert_int_equal(relay_read_head(mem, S("HTTP/1.1 200\r\nContent-Length: 7"), &head), OK);
    assert_int_equal(head.bytes, 7);
    assert_int_equal(relay_read_head(mem, S("HTTP/1.1 200 OK\r\nContent-Length: -7"), &head), INVALID);
    assert_int_equal(relay_read_head(mem, S("HTTP/2 200 OK"), &head), INVALID);
    assert_int_equal(relay_read_head(mem, S("HTTP/1.1 999 OK"), &head), INVALID);
    assert_int_equal(relay_read_head(mem, S(""), &head), INVALID);
    arena_free(mem);
}

/* The same chunks in pieces of every size. */
static void test_dechunk(void **state)
{
    static const struct {
        const char *label, *in, *want;
        bool done;
    } cases[] = {
        { "two and the end", "5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n", "helloabc", true },
        { "a trailer", "1\r\nx\r\n0\r\nA: b\r\n\r\nrest", "x", true },
        { "capitals", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", true },
        { "cut off", "5\r\nhel", "hel", false },
        { "no number", "x\r\n", "", false },
        { "too long a number", "1234567890abcdef0\r\n", "", false },
        { "no line end behind the data", "1\r\nxy\r\n", "x", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 40; step++) {
            struct arena *mem = arena_new(1024);
            struct buf got = BUF(mem, 1024);
            struct dechunk d = { CHUNK_SIZE };
            struct str all = str_of(cases[i].in), piece;

            for (size_t at = 0; at < all.n; at += step) {
                struct str in = str_sub(all, at, step);

                while (dechunk_next(&d, &in, &piece))
                    buf_add_str(&got, piece);
            }
            if (!str_is(buf_str(&got), cases[i].want) || (d.state == CHUNK_DONE) != cases[i].done)
                fail_msg("%s, %zu at a time: state %d, %.*s", cases[i].label, step, d.state, STR(buf_str(&got)));
            arena_free(mem);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params),  cmocka_unit_test(test_query),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_cookies), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_security_headers),
        cmocka_unit_test(test_cors),    cmocka_unit_test(test_relay_head),
        cmocka_unit_test(test_dechunk), cmocka_unit_test(test_base_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
