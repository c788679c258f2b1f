/* test_transcript.c: streams of chunks: what a tab shows at each moment, and what is saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/chat/blocks.h"
#include "lib/chat/chunk.h"
#include "lib/chat/transcript.h"

enum { NOW_MS = 1700000000 };

/* As the frontend folds chat:completion events. */
static void fold(struct arena *mem, struct buf *events, struct buf *shown)
{
    struct str lines = buf_str(events), line;

    while (lines.n && str_split(&lines, '\n', &line)) {
        json_object *data = json_get(json_parse_or_null(mem, line), "data");

        buf_add_str(shown, json_str(json_get(json_at(json_get(data, "choices"), 0), "delta"), "content"));
        if (json_str(data, "content").n) {
            buf_reset(shown);
            buf_add_str(shown, json_str(data, "content"));
        }
    }
    buf_reset(events);
}

#define DETAILS(done, summary, text) \
    "<details type=\"reasoning\" " done ">\n<summary>" summary "</summary>\n" text "\n</details>"
#define THOUGHT(text) DETAILS("done=\"true\" duration=\"0\"", "Thought for 0 seconds", text)
#define THINKING(text) DETAILS("done=\"false\"", "Thinking…", text)

/* "~text": reasoning in a field of its own; "{…": a chunk as it is; "=text": a tab shows this now; other lines: text. */
static const struct {
    const char *label, *options, *steps[24], *content, *last_type;
} cases[] = {
    { "text",
      NULL,
      { "Hello ", "=Hello", "world", "=Hello world", "\n\n", "=Hello world", "x " },
      "Hello world\n\nx",
      "text" },
    { "white space at the start is not shown", NULL, { "\n", "=", " a", "=a" }, "a", "text" },
    { "a tag in pieces",
      NULL,
      { "<thi", "=", "nk>Let me ", "=" THINKING("> Let me "), "think.</th", "ink>", "=" THOUGHT("> Let me think."),
        "Word ", "=" THOUGHT("> Let me think.") "\nWord" },
      THOUGHT("> Let me think.") "\nWord",
      "text" },
    { "what looked like a tag", NULL, { "a <thi", "=a", "s> b", "=a <this> b" }, "a <this> b", "text" },
    { "what looks like a tag at the end", NULL, { "a <thi" }, "a <thi", "text" },
    { "attributes", NULL, { "<think a=\"1\">x</think>y" }, THOUGHT("> x") "\ny", "text" },
    { "a longer name is another tag",
      NULL,
      { "<thinking>x</think>y</thinking>z" },
      THOUGHT("> x</think>y") "\nz",
      "text" },
    { "an unknown longer name is none", NULL, { "<thinker>x" }, "<thinker>x", "text" },
    { "each of the usual tags",
      NULL,
      { "<|begin_of_thought|>a<|end_of_thought|>", "◁think▷b◁/think▷" },
      THOUGHT("> a") "\n" THOUGHT("> b"),
      "reasoning" },
    { "a solution", NULL, { "<|begin_of_solution|>a<|end_of_solution|>b" }, "solution: a\nb", "text" },
    { "an empty thought", NULL, { "<think>", "\n</think>", "b", "=b" }, "b", "text" },
    { "lines that are quoted already",
      NULL,
      { "<think>> a\nb\r\n\nc</think>" },
      THOUGHT("> a\n> b\n> \n> c"),
      "reasoning" },
    { "a field of its own",
      NULL,
      { "~Let me ", "=" THINKING("> Let me "), "~think.", "Word", "=" THOUGHT("> Let me think.") "\nWord" },
      THOUGHT("> Let me think.") "\nWord",
      "text" },
    { "thinking without an end", NULL, { "~hm" }, THOUGHT("> hm"), "reasoning" },
    { "text, then a field", NULL, { "a", "~hm", "b" }, "a\n" THOUGHT("> hm") "\nb", "text" },
    { "tags of one's own",
      "{\"reasoning_tags\":[[\"[[\",\"]]\"]]}",
      { "<think>a[", "[b]", "]c" },
      "<think>a\n" THOUGHT("> b") "\nc",
      "text" },
    { "no tags wanted", "{\"reasoning_tags\":false}", { "<think>a</think>b" }, "<think>a</think>b", "text" },
    { "what was there before", "{\"content\":\"Once \"}", { "more", "=Once more" }, "Once more", "text" },
    { "code",
      "{\"code_interpreter\":true}",
      { "Run: <code_interpreter type=\"code\" lang=\"python\">\n", "print(1)\n</code_inter", "preter>never seen" },
      "Run:\n<details type=\"code_interpreter\" "
      "done=\"false\">\n<summary>Analyzing...</summary>\n```python\nprint(1)\n```\n</details>",
      "code_interpreter" },
    { "code that is not looked for",
      NULL,
      { "<code_interpreter>x</code_interpreter>" },
      "<code_interpreter>x</code_interpreter>",
      "text" },
    { "an open fence before code",
      "{\"code_interpreter\":true}",
      { "a\n```\n<code_interpreter lang=\"python\">x</code_interpreter>" },
      "a\n<details type=\"code_interpreter\" "
      "done=\"false\">\n<summary>Analyzing...</summary>\n```python\nx\n```\n</details>",
      "code_interpreter" },
    { "after tools",
      "{\"blocks\":[{\"type\":\"tool_calls\",\"content\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}"
      "\"}}],\"results\":[{\"tool_call_id\":\"c\",\"content\":\"r\"}]}]}",
      { "done" },
      "<details type=\"tool_calls\" done=\"true\" id=\"c\" name=\"f\" arguments=\"&quot;{}&quot;\" "
      "result=\"&quot;r&quot;\" files=\"\" embeds=\"&quot;&quot;\">\n<summary>Tool "
      "Executed</summary>\n</details>\ndone",
      "text" },
    { "three deltas at a time",
      "{\"delta_chunk_size\":3}",
      { "a", "=", "b", "=", "c", "=abc", "d", "=abc" },
      "abcd",
      "text" },
    { "escapes",
      NULL,
      { "{\"choices\":[{\"delta\":{\"content\":\"a\\n\\u00e9\\ud83d\\ude00\\\"\"}}]}", "=a\né😀\"" },
      "a\né😀\"",
      "text" },
    { "half a surrogate pair",
      NULL,
      { "{\"choices\":[{\"delta\":{\"content\":\"a\\ud83d!\"}}]}" },
      "a\xef\xbf\xbd!",
      "text" },
    { "broken chunks are passed over",
      NULL,
      { "a", "{broken", "{\"choices\":5}", "{\"choices\":[{\"delta\":{\"content\":7}}]}", "b" },
      "ab",
      "text" },
};

static void feed(struct arena *mem, struct transcript *t, const char *step, struct buf *events, struct buf *shown,
                 const char *label)
{
    struct buf chunk = BUF(mem, 1 << 20);
    bool thought = step[0] == '~';

    if (step[0] == '=') {
        if (!str_is(buf_str(shown), step + 1))
            fail_msg("%s: shows \"%s\" instead of \"%s\"", label, shown->p, step + 1);
        return;
    }
    if (step[0] == '{') {
        buf_add_c(&chunk, step);
    } else {
        buf_add_c(&chunk, thought ? "{\"choices\":[{\"delta\":{\"reasoning_content\":"
                                  : "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":");
        buf_add_json_string(&chunk, str_of(step + thought));
        buf_add_c(&chunk, "},\"finish_reason\":null}],\"usage\":null}");
    }
    transcript_feed(t, buf_str(&chunk), NOW_MS, events);
    transcript_flush(t, false, NOW_MS, events);
    fold(mem, events, shown);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(4000);
        json_object *outcome = json_new_object(mem), *blocks;
        struct transcript *t = transcript_new(json_parse_or_null(mem, str_of(cases[i].options)), true, NOW_MS);
        struct buf events = BUF(mem, 1 << 20), shown = BUF(mem, 1 << 20);

        buf_add_c(&shown, "");
        for (int s = 0; cases[i].steps[s]; s++)
            feed(mem, t, cases[i].steps[s], &events, &shown, cases[i].label);
        transcript_end(t, NOW_MS, &events);
        fold(mem, &events, &shown);
        transcript_outcome(t, mem, outcome);
        if (!str_is(json_str(outcome, "content"), cases[i].content))
            fail_msg("%s: saved \"%s\"", cases[i].label, json_str(outcome, "content").p);
        if (!str_is(buf_str(&shown), cases[i].content))
            fail_msg("%s: shows \"%s\" at the end", cases[i].label, shown.p);
        blocks = json_get(outcome, "blocks");
        if (!str_is(json_str(json_at(blocks, json_length(blocks) - 1), "type"), cases[i].last_type))
            fail_msg("%s: blocks %s", cases[i].label, json_text(mem, blocks).p);
        if (!str_eq(blocks_text(mem, blocks, false), json_str(outcome, "content")))
            fail_msg("%s: the blocks say something else: %s", cases[i].label, blocks_text(mem, blocks, false).p);
        transcript_free(t);
        arena_free(mem);
    }
}

static void test_tool_calls(void **state)
{
    static const char *const chunks[] = {
        "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":"
        "\"function\",\"function\":{\"name\":\"get\",\"arguments\":\"\"}}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"_it\",\"arguments\":\"{"
        "\\\"a\\\":\"}}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"other\"}},{"
        "\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}}]}",
        "{\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}",
    };
    struct arena *mem = arena_new(4000);
    struct transcript *t = transcript_new(NULL, false, NOW_MS);
    struct buf events = BUF(mem, 1 << 20);
    json_object *outcome = json_new_object(mem);

    (void)state;
    for (size_t i = 0; i < 4; i++)
        transcript_feed(t, str_of(chunks[i]), NOW_MS, &events);
    transcript_end(t, NOW_MS, &events);
    transcript_outcome(t, mem, outcome);
    assert_string_equal(json_text(mem, json_get(outcome, "tool_calls")).p,
                        "[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"get_it\","
                        "\"arguments\":\"{\\\"a\\\":1}\"}},"
                        "{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"other\",\"arguments\":\"\"}}]");
    assert_string_equal(json_str(outcome, "finish_reason").p, "tool_calls");
    assert_true(transcript_complete(t));
    transcript_free(t);
    arena_free(mem);
}

static void test_other_chunks(void **state)
{
    struct arena *mem = arena_new(4000);
    struct transcript *t = transcript_new(NULL, false, NOW_MS);
    struct buf events = BUF(mem, 1 << 20);
    json_object *outcome = json_new_object(mem);

    (void)state;
    transcript_feed(t, S("{\"event\":{\"type\":\"status\",\"data\":{\"x\":1}}}"), NOW_MS, &events);
    transcript_feed(t, S("{\"selected_model_id\":\"m\"}"), NOW_MS, &events);
    transcript_feed(t, S("{\"choices\":[],\"usage\":{\"a\":1},\"timings\":{\"b\":2}}"), NOW_MS, &events);
    transcript_feed(t, S("{\"error\":{\"message\":\"no\"}}"), NOW_MS, &events);
    assert_string_equal(events.p, "{\"type\":\"status\",\"data\":{\"x\":1}}\n"
                                  "{\"type\":\"chat:completion\",\"data\":{\"selected_model_id\":\"m\"}}\n"
                                  "{\"type\":\"chat:completion\",\"data\":{\"usage\":{\"a\":1,\"b\":2}}}\n"
                                  "{\"type\":\"chat:completion\",\"data\":{\"error\":{\"message\":\"no\"}}}\n");
    assert_false(transcript_complete(t));
    assert_true(transcript_has_error(t));
    transcript_feed(t, S("[DONE]"), NOW_MS, &events);
    assert_true(transcript_complete(t));
    transcript_feed(t, S("nonsense"), NOW_MS, &events);
    assert_int_equal(transcript_broken(t), 1);
    assert_int_equal(transcript_chunks(t), 4);
    transcript_outcome(t, mem, outcome);
    assert_string_equal(json_text(mem, json_get(outcome, "error")).p, "{\"message\":\"no\"}");
    assert_string_equal(json_str(outcome, "selected_model_id").p, "m");
    assert_string_equal(json_text(mem, json_get(outcome, "usage")).p, "{\"a\":1,\"b\":2}");
    transcript_free(t);
    arena_free(mem);
}

static void test_journal(void **state)
{
    struct arena *mem = arena_new(4000);
    struct transcript *t = transcript_new(NULL, true, NOW_MS);
    struct buf events = BUF(mem, 1 << 20), journal = BUF(mem, 1 << 20);

    (void)state;
    transcript_feed(t, S("{\"choices\":[{\"delta\":{\"reasoning\":\"h\"}}]}"), NOW_MS, &events);
    transcript_feed(t, S("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"), NOW_MS, &events);
    transcript_feed(t, S("{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}"), NOW_MS, &events);
    transcript_take_journal(t, &journal);
    transcript_take_journal(t, &journal);
    assert_string_equal(journal.p, "{\"choices\":[{\"delta\":{\"reasoning_content\":\"h\"}}]}\n{\"choices\":[{"
                                   "\"delta\":{\"content\":\"ab\"}}]}\n");
    transcript_free(t);
    arena_free(mem);
}

/* A long thought is shown as a whole again and again, at intervals that grow: not once a token. */
static void test_long_thought(void **state)
{
    struct arena *mem = arena_new(4000);
    struct transcript *t = transcript_new(NULL, false, NOW_MS);
    struct buf events = BUF(NULL, 1 << 30);
    int64_t now = NOW_MS;

    (void)state;
    for (int i = 0; i < 20000; i++, now += 2) { /* 500 tokens a second */
        transcript_feed(t, S("{\"choices\":[{\"delta\":{\"reasoning\":\"some words \"}}]}"), now, &events);
        transcript_flush(t, false, now, &events);
    }
    assert_true(transcript_bytes(t) == 20000 * 11);
    assert_true(events.n < 40 * 64 * 1024 * 2); /* 40 s at 64 KB a second, escapes and heads apart */
    transcript_free(t);
    buf_free(&events);
    arena_free(mem);
}

static void test_too_big(void **state)
{
    struct transcript *t = transcript_new(NULL, false, NOW_MS);
    struct buf chunk = BUF(NULL, 4 << 20), events = BUF(NULL, 1 << 30);
    enum transcript_state s = TRANSCRIPT_ON;
    int n = 0;

    (void)state;
    buf_add_c(&chunk, "{\"choices\":[{\"delta\":{\"content\":\"");
    while (chunk.n < 1 << 20)
        buf_add_c(&chunk, "0123456789abcdef");
    buf_add_c(&chunk, "\"}}]}");
    for (; n < 40 && s == TRANSCRIPT_ON; n++)
        s = transcript_feed(t, buf_str(&chunk), NOW_MS, &events);
    assert_int_equal(s, TRANSCRIPT_TOO_BIG);
    assert_in_range(n, 16, 18);
    transcript_free(t);
    buf_free(&chunk);
    buf_free(&events);
}

static void test_scanner(void **state)
{
    static const struct {
        const char *in;
        bool usual;
        const char *content;
    } scans[] = {
        { "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", true, "a" },
        { " { \"x\" : [ 1 , {\"y\":-1.5e3} ] , \"choices\" : [ { \"delta\" : { \"role\":\"assistant\", \"content\" : "
          "null } } ] } ",
          true, NULL },
        { "{\"choices\":[]}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{}}]}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"t\":1}}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"tool_calls\":[]}}]}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]} x", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}]}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", false, NULL },
        { "{\"choices\":[{\"delta\":{\"content\":\"a", false, NULL },
        { "", false, NULL },
        { "[DONE]", false, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(scans) / sizeof(scans[0]); i++) {
        struct buf scratch = BUF(NULL, 1000);
        struct chunk c;
        bool usual = chunk_scan(str_of(scans[i].in), &scratch, &c);

        if (usual != scans[i].usual || (usual && !str_eq(c.content, str_of(scans[i].content))))
            fail_msg("%s", scans[i].in);
        buf_free(&scratch);
    }
}

static void test_raw(void **state)
{
    struct arena *mem = arena_new(4000);
    json_object *blocks = json_parse_or_null(mem, S("[{\"type\":\"reasoning\",\"start_tag\":\"<think>\",\"end_tag\":\"<"
                                                    "/think>\",\"content\":\"hm\",\"duration\":2},"
                                                    "{\"type\":\"text\",\"content\":\" a \"},"
                                                    "{\"type\":\"code_interpreter\",\"attributes\":{\"lang\":"
                                                    "\"python\"},\"content\":\"1\",\"output\":{\"stdout\":\"é<\"}}]"));

    (void)state;
    assert_string_equal(
        str_c(mem, blocks_text(mem, blocks, true)),
        "<think>hm</think>\na\n<code_interpreter type=\"code\" "
        "lang=\"python\">\n1\n</code_interpreter>\n```output\n{&quot;stdout&quot;: &quot;\\u00e9&lt;&quot;}\n```");
    assert_string_equal(str_c(mem, blocks_text(mem, blocks, false)),
                        "<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought for 2 "
                        "seconds</summary>\n> hm\n</details>\na\n"
                        "<details type=\"code_interpreter\" done=\"true\" output=\"{&quot;stdout&quot;: "
                        "&quot;\\u00e9&lt;&quot;}\">\n<summary>Analyzed</summary>\n```python\n1\n```\n</details>");
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),   cmocka_unit_test(test_tool_calls),   cmocka_unit_test(test_other_chunks),
        cmocka_unit_test(test_journal), cmocka_unit_test(test_long_thought), cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_scanner), cmocka_unit_test(test_raw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
