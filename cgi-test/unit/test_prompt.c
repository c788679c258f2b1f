/* test_prompt.c: variables of prompts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/llm/prompt.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct arena *mem;
static const struct user ann = { .id = { "1", 1 },
                                 .name = { "Ann", 3 },
                                 .bio = { "{{USER_NAME}}", 13 },
                                 .date_of_birth = { "1990-05-17", 10 },
                                 .info = { "{\"location\":\"Oslo\"}", 19 } };

static void same(const char *label, struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("%s: want \"%s\", got \"%.*s\"", label, want, STR(got));
}

static json_object *parsed(const char *text)
{
    json_object *o = NULL;

    assert_int_equal(json_parse(mem, str_of(text), &o, NULL), OK);
    return o;
}

static const struct {
    const char *label, *template, *want;
} user_cases[] = {
    { "name", "I am {{USER_NAME}}.", "I am Ann." },
    { "what is not there", "{{USER_GENDER}}", "None" },
    { "place", "in {{USER_LOCATION}}", "in Oslo" },
    { "birthday", "{{USER_BIRTH_DATE}}", "1990-05-17" },
    { "what comes in is not looked at", "{{USER_BIO}}", "{{USER_NAME}}" },
    { "unknown ones stay", "{{NOBODY}} {{ USER_NAME }} {{user_name}}", "{{NOBODY}} {{ USER_NAME }} {{user_name}}" },
    { "braces around", "{{{USER_NAME}}}", "{Ann}" },
    { "not closed", "{{USER_NAME", "{{USER_NAME" },
    { "empty", "{{}} {{{}}} }}{{", "{{}} {{{}}} }}{{" },
    { "two in a row", "{{USER_NAME}}{{USER_NAME}}", "AnnAnn" },
    { "prompts are for tasks", "{{prompt}} {{MESSAGES}}", "{{prompt}} {{MESSAGES}}" },
};

static void user_variables(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(user_cases); i++)
        same(user_cases[i].label, prompt_fill(mem, str_of(user_cases[i].template), &ann, NULL), user_cases[i].want);
    same("nobody", prompt_fill(mem, S("{{USER_NAME}} {{USER_AGE}} {{USER_LOCATION}}"), NULL, NULL),
         "Unknown Unknown Unknown");
    same("nothing", prompt_fill(mem, S(""), &ann, NULL), "");
}

static void times(void **state)
{
    struct str date = prompt_fill(mem, S("{{CURRENT_DATE}}"), NULL, NULL),
               age = prompt_fill(mem, S("{{USER_AGE}}"), &ann, NULL);
    char want[16];
    time_t t = (time_t)now_s();
    struct tm now;
    int years;

    (void)state;
    localtime_r(&t, &now);
    years = now.tm_year - 90 - (now.tm_mon < 4 || (now.tm_mon == 4 && now.tm_mday < 17));
    snprintf(want, sizeof(want), "%d", years);
    same("age", age, want);
    assert_int_equal(date.n, 10);
    assert_int_equal(prompt_fill(mem, S("{{CURRENT_TIME}}"), NULL, NULL).n, 11);
    assert_int_equal(prompt_fill(mem, S("{{CURRENT_DATETIME}}"), NULL, NULL).n, 22);
    assert_true(str_ends(prompt_fill(mem, S("{{CURRENT_WEEKDAY}}"), NULL, NULL), "day"));
}

static void given_variables(void **state)
{
    (void)state;
    same("go first",
         prompt_fill(mem, S("{{USER_NAME}} {{X}} {{Y}}"), &ann,
                     parsed("{\"{{USER_NAME}}\":\"Zoe\",\"{{X}}\":\"{{Y}}\",\"{{Y}}\":5}")),
         "Zoe {{Y}} {{Y}}");
    same("are whole variables", prompt_fill(mem, S("a {{A}}"), &ann, parsed("{\"a\":\"b\",\"{{A}}\":\"c\"}")), "a c");
    same("or none", prompt_fill(mem, S("{{A}}"), &ann, parsed("[1]")), "{{A}}");
}

/* Texts that ask for quadratic work, and for more memory than there is. */
static void hostile(void **state)
{
    size_t n = 4 << 20;
    char *many = arena_alloc(mem, n);
    struct buf big = BUF(mem, STR_NPOS);
    json_object *variables = json_new_object(mem);
    int64_t before = mono_ms();
    struct str got;

    (void)state;
    memset(many, '{', n);
    got = prompt_fill(mem, str_n(many, n), &ann, NULL);
    assert_int_equal(got.n, n);
    many[n - 1] = many[n - 2] = '}';
    got = prompt_fill_task(mem, str_n(many, n), &ann, S("p"), NULL);
    assert_int_equal(got.n, n);
    assert_true(mono_ms() - before < 5000);
    for (size_t i = 0; i < 100000; i++)
        buf_add_c(&big, "{{A}}");
    json_set_str(variables, "{{A}}", str_n(many, 1 << 20));
    got = prompt_fill(mem, buf_str(&big), &ann, variables);
    assert_int_equal(got.n, big.n);
}

static const struct {
    const char *label, *template, *want;
} task_cases[] = {
    { "prompt", "{{prompt}}|{{PROMPT}}", "häuser am see|häuser am see" },
    { "start", "{{prompt:start:3}}", "häu" },
    { "start, more than there is", "{{prompt:start:300}}", "häuser am see" },
    { "end", "{{prompt:end:3}}", "see" },
    { "end of nothing is all", "{{prompt:end:0}}", "häuser am see" },
    { "middle", "{{prompt:middletruncate:5}}", "häu...ee" },
    { "middle, more than there is", "{{prompt:middletruncate:13}}", "häuser am see" },
    { "no number", "{{prompt:start:x}} {{prompt:start:-1}}", "{{prompt:start:x}} {{prompt:start:-1}}" },
    { "messages", "{{MESSAGES}}", "USER: a\nASSISTANT: b\nUSER: c" },
    { "first", "{{MESSAGES:START:1}}", "USER: a" },
    { "last", "{{MESSAGES:END:2}}", "ASSISTANT: b\nUSER: c" },
    { "more than there are", "{{MESSAGES:END:20}}", "USER: a\nASSISTANT: b\nUSER: c" },
    { "first and last", "{{MESSAGES:MIDDLETRUNCATE:2}}", "USER: a\nUSER: c" },
    { "messages are in capitals", "{{messages}}", "{{messages}}" },
    { "the user, too", "{{USER_NAME}}: {{prompt:end:1}}", "Ann: e" },
};

static void task_variables(void **state)
{
    json_object *messages = parsed("[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},{"
                                   "\"role\":\"user\",\"content\":\"c\"}]");

    (void)state;
    for (size_t i = 0; i < COUNT(task_cases); i++)
        same(task_cases[i].label,
             prompt_fill_task(mem, str_of(task_cases[i].template), &ann, S("häuser am see"), messages),
             task_cases[i].want);
    same("no messages", prompt_fill_task(mem, S("[{{MESSAGES:END:2}}]"), &ann, S("p"), NULL), "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_variables), cmocka_unit_test(times),          cmocka_unit_test(given_variables),
        cmocka_unit_test(hostile),        cmocka_unit_test(task_variables),
    };
    int failed;

    mem = arena_new(64 * 1024);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(mem);
    return failed;
}
