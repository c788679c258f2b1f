/* test_sse.c: lines of streams in pieces, FastCGI answers, request heads, Ollama's lines as OpenAI's chunks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/chat/ollama_convert.h"
#include "lib/net/fcgi_wire.h"
#include "lib/net/http_head.h"
#include "lib/net/sse.h"

static void keep(void *arg, struct str line)
{
    struct buf *out = arg;
    struct str data;

    if (sse_data(line, &data)) {
        buf_add_char(out, '[');
        buf_add_str(out, data);
        buf_add_char(out, ']');
    } else {
        buf_addf(out, "(%.*s)", STR(line));
    }
}

static void test_lines(void **state)
{
    static const struct {
        const char *label, *in, *want;
        size_t max;
        bool fits;
    } cases[] = {
        { "both line ends", "data: a\r\ndata:b\n", "[a][b]", 100, true },
        { "a line without an end", "data: a\ndata: b", "[a][b]", 100, true },
        { "comments, blank lines and other fields", ": ping\n\nevent: x\ndata: 1\n", "(: ping)()(event: x)[1]", 100,
          true },
        { "an empty value is no data", "data:\ndata:   \n", "(data:)(data:   )", 100, true },
        { "a line over the limit is dropped, the next one is not", "data: 123456789\ndata: 2\n", "[2]", 10, false },
        { "just as long as the limit", "data: 1234\n", "[1234]", 10, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 40; piece += 5) {
            struct buf out = BUF(NULL, 10000);
            struct line_reader r;
            bool fits = true;

            line_reader_init(&r, cases[i].max);
            for (struct str in = str_of(cases[i].in); in.n; in = str_from(in, piece))
                fits &= line_reader_feed(&r, str_sub(in, 0, piece), keep, &out);
            line_reader_end(&r, keep, &out);
            if (!str_is(buf_str(&out), cases[i].want) || fits != cases[i].fits)
                fail_msg("%s, in pieces of %zu: %s", cases[i].label, piece, out.p);
            line_reader_free(&r);
            buf_free(&out);
        }
    }
}

static void note_length(void *arg, struct str line)
{
    *(size_t *)arg = line.n;
}

/* Providers send pictures in one line. */
static void test_long_line(void **state)
{
    struct line_reader r;
    struct buf in = BUF(NULL, 8 * 1024 * 1024);
    size_t length = 0;

    (void)state;
    line_reader_init(&r, 16 * 1024 * 1024);
    while (in.n < 4 * 1024 * 1024)
        buf_add_c(&in, "0123456789abcdef");
    buf_add_char(&in, '\n');
    for (struct str rest = buf_str(&in); rest.n; rest = str_from(rest, 4096))
        assert_true(line_reader_feed(&r, str_sub(rest, 0, 4096), note_length, &length));
    assert_int_equal(length, 4 * 1024 * 1024);
    assert_true(r.rest.capacity < 64 * 1024); /* its room is given back */
    line_reader_free(&r);
    buf_free(&in);
}

static void test_ollama(void **state)
{
    static const struct {
        const char *label, *in, *key, *want;
        bool done;
    } cases[] = {
        { "text", "{\"model\":\"m\",\"message\":{\"content\":\"hi\"},\"done\":false}", "delta", "{\"content\":\"hi\"}",
          false },
        { "thinking", "{\"message\":{\"thinking\":\"hm\",\"content\":\"\"}}", "delta", "{\"reasoning_content\":\"hm\"}",
          false },
        { "a call",
          "{\"message\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]}}",
          "delta",
          "{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
          "\"{\\\"x\\\": 1}\"}}]}",
          false },
        { "the last line", "{\"message\":{\"content\":\"\"},\"done\":true,\"eval_count\":3}", "finish_reason",
          "\"stop\"", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(2000);
        struct buf out = BUF(mem, 100000);
        bool done = false;
        json_object *o;
        struct str got;

        assert_int_equal(ollama_convert_line(str_of(cases[i].in), 5, &out, &done), OK);
        o = json_parse_or_null(mem, buf_str(&out));
        got = json_text(mem, json_get(json_at(json_get(o, "choices"), 0), cases[i].key));
        if (!str_is(got, cases[i].want) || done != cases[i].done || json_has(o, "usage") != done)
            fail_msg("%s: %s", cases[i].label, out.p);
        arena_free(mem);
    }
}

static void test_ollama_numbers(void **state)
{
    struct arena *mem = arena_new(2000);
    json_object *in = json_parse_or_null(mem,
                                         S("{\"total_duration\":3725000000000,\"prompt_eval_count\":5,\"prompt_eval_"
                                           "duration\":1000000,\"eval_count\":20,\"eval_duration\":500000000}"));
    json_object *u = ollama_convert_usage(mem, in);
    struct buf out = BUF(mem, 1000);
    bool done;

    (void)state;
    assert_string_equal(json_str(u, "approximate_total").p, "1h2m5s");
    assert_string_equal(json_text(mem, json_get(u, "response_token/s")).p, "40.0");
    assert_string_equal(json_text(mem, json_get(u, "prompt_token/s")).p, "5000.0");
    assert_int_equal(json_int(u, "total_tokens", 0), 25);
    u = ollama_convert_usage(mem, NULL);
    assert_string_equal(json_str(u, "response_token/s").p, "N/A");
    assert_int_equal(ollama_convert_line(S("nonsense"), 1, &out, &done), INVALID);
    assert_int_equal(ollama_convert_line(S("{\"error\":\"no such model\"}"), 1, &out, &done), OK);
    assert_string_equal(out.p, "{\"error\":\"no such model\"}");
    arena_free(mem);
}

static void add_record(struct buf *b, int type, struct str body, int padding)
{
    unsigned char h[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(body.n >> 8), (unsigned char)body.n, (unsigned char)padding, 0
    };

    buf_add(b, h, 8);
    buf_add_str(b, body);
    buf_add(b, "\0\0\0\0\0\0\0", (size_t)padding);
}

static void test_fcgi_answer(void **state)
{
    struct buf in = BUF(NULL, 10000);

    (void)state;
    add_record(&in, 6, S("Status: 404 Not Found\r\nX: y\r\n"), 3);
    add_record(&in, 7, S("a warning"), 0);
    add_record(&in, 6, S("\r\nbody"), 0);
    add_record(&in, 6, S(""), 0);
    add_record(&in, 3, S("\0\0\0\0\0\0\0\0"), 0);
    for (size_t piece = 1; piece < 60; piece += 7) {
        struct fcgi_wire w = { 0 };
        struct buf out = BUF(NULL, 10000), warnings = BUF(NULL, 10000);
        struct cgi_head head;
        struct error err;
        size_t used;

        for (struct str rest = buf_str(&in); rest.n; rest = str_from(rest, piece)) {
            struct str part = str_sub(rest, 0, piece), got;
            bool is_error;

            while (fcgi_wire_next(&w, &part, &got, &is_error))
                buf_add_str(is_error ? &warnings : &out, got);
        }
        assert_int_equal(w.state, FCGI_WIRE_DONE);
        assert_string_equal(warnings.p, "a warning");
        assert_int_equal(cgi_head_parse(buf_str(&out), &head, &used, &err), OK);
        assert_int_equal(head.status, 404);
        assert_int_equal(head.headers_n, 1);
        assert_string_equal(out.p + used, "body");
        buf_free(&out);
        buf_free(&warnings);
    }
    buf_free(&in);
}

static void test_cgi_heads(void **state)
{
    static const struct {
        const char *in;
        enum status want;
        int status;
    } cases[] = {
        { "Content-Type: a/b\n\n", OK, 200 },
        { "Location: /x\r\n\r\n", OK, 302 },
        { "Status: 700\r\n\r\n", INVALID, 0 },
        { "Status: 201\r\n", NOT_FOUND, 0 },
        { "no colon\r\n\r\n", INVALID, 0 },
        { "A: b\rc\r\n\r\n", INVALID, 0 },
        { "Content-Length: -1\r\n\r\n", INVALID, 0 },
        { "Bad Name: x\r\n\r\n", INVALID, 0 },
        { "\r\n", OK, 200 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cgi_head head;
        struct error err;
        size_t used;
        enum status st = cgi_head_parse(str_of(cases[i].in), &head, &used, &err);

        if (st != cases[i].want || (st == OK && head.status != cases[i].status))
            fail_msg("%s: %d", cases[i].in, st);
    }
}

static void test_request_heads(void **state)
{
    static const struct {
        const char *label, *in;
        enum status want;
    } cases[] = {
        { "plain", "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n", OK },
        { "not ended", "GET / HTTP/1.1\r\nHost: x\r\n", NOT_FOUND },
        { "two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", INVALID },
        { "a length with a sign", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", INVALID },
        { "both a length and chunks", "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          INVALID },
        { "another encoding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", INVALID },
        { "chunks in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", INVALID },
        { "a folded line", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", INVALID },
        { "a space before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n", INVALID },
        { "no path", "GET http://x/ HTTP/1.1\r\n\r\n", INVALID },
        { "a space in the target", "GET /a b HTTP/1.1\r\n\r\n", INVALID },
        { "another version", "GET / HTTP/2.0\r\n\r\n", INVALID },
        { "a lone CR in a value", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", INVALID },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head;
        struct error err;
        size_t used;

        if (http_head_parse(str_of(cases[i].in), &head, &used, &err) != cases[i].want)
            fail_msg("%s", cases[i].label);
    }
}

static void test_chunks(void **state)
{
    static const struct {
        const char *in, *want;
        int state;
    } cases[] = {
        { "5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\nT: x\r\n\r\n", "helloyou", CHUNK_DONE },
        { "5\r\nhelloX", "hello", CHUNK_BROKEN },
        { "g\r\n", "", CHUNK_BROKEN },
        { "\r\n", "", CHUNK_BROKEN },
        { "ffffffffffffff\r\n", "", CHUNK_BROKEN },
        { "0\r\n\r\n", "", CHUNK_DONE },
        { "-1\r\n", "", CHUNK_BROKEN },
        { "2\r\na", "a", CHUNK_DATA },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_chunks c = { 0 };
        struct str in = str_of(cases[i].in), got;
        struct buf out = BUF(NULL, 1000);

        buf_add_c(&out, "");
        while (http_chunks_next(&c, &in, &got))
            buf_add_str(&out, got);
        if ((int)c.state != cases[i].state || !str_is(buf_str(&out), cases[i].want))
            fail_msg("%s: state %d, %s", cases[i].in, c.state, out.p);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_long_line),   cmocka_unit_test(test_ollama),
        cmocka_unit_test(test_ollama_numbers), cmocka_unit_test(test_fcgi_answer), cmocka_unit_test(test_cgi_heads),
        cmocka_unit_test(test_request_heads),  cmocka_unit_test(test_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
