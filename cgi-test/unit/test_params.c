/* test_params.c: the parameters of models and chats in requests to providers. What is wanted is what the Python backend sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/llm/messages.h"
#include "lib/llm/params.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct arena *mem;

static json_object *parsed(const char *text)
{
    json_object *o = NULL;
    struct error err = { "" };

    if (json_parse(mem, str_of(text), &o, &err) != OK)
        fail_msg("%s: %s", text, err.text);
    return o;
}

static void same(const char *label, json_object *got, const char *want)
{
    if (!json_same(got, parsed(want)))
        fail_msg("%s: want %s, got %s", label, want, json_text(mem, got).p);
}

static const struct {
    const char *label, *params, *body, *want;
} openai_cases[] = {
    { "numbers may be texts",
      "{\"temperature\":\"0.5\",\"top_p\":1,\"max_tokens\":\"12\",\"seed\":5,\"reasoning_effort\":\"high\",\"frequency_"
      "penalty\":2,\"x\":null}",
      "{\"model\":\"m\"}",
      "{\"model\":\"m\",\"temperature\":0.5,\"top_p\":1.0,\"max_tokens\":12,\"seed\":5,\"reasoning_effort\":\"high\","
      "\"frequency_penalty\":2.0}" },
    { "stop sequences are unescaped",
      "{\"stop\":[\"a\\\\nb\",\"END\",\"\\\\u00e4\",\"\\\\x41\",\"\\\\u20ac\",\"\\\\q\",\"\\\\\",\"\\\\x4\"]}", "{}",
      "{\"stop\":[\"a\\nb\",\"END\",\"ä\",\"A\",\"€\",\"\\\\q\",\"\\\\\",\"\\\\x4\"]}" },
    { "what is ours stays here",
      "{\"stream_response\":true,\"function_calling\":\"native\",\"system\":\"s\",\"reasoning_tags\":[\"a\",\"b\"],"
      "\"stream_delta_chunk_size\":3,\"top_k\":4}",
      "{\"model\":\"m\",\"top_k\":1}", "{\"model\":\"m\",\"top_k\":4}" },
    { "custom parameters are read as JSON where they are",
      "{\"custom_params\":{\"a\":\"{\\\"x\\\":1}\",\"b\":\"plain\",\"c\":\"5\",\"d\":\"null\",\"e\":7,\"n\":\"true\"},"
      "\"temperature\":0.25}",
      "{\"model\":\"m\"}",
      "{\"model\":\"m\",\"temperature\":0.25,\"a\":{\"x\":1},\"b\":\"plain\",\"c\":5,\"e\":7,\"n\":true}" },
    { "custom objects are merged", "{\"custom_params\":{\"o\":{\"y\":2}},\"o\":{\"x\":1}}", "{}",
      "{\"o\":{\"x\":1,\"y\":2}}" },
    { "objects pass", "{\"response_format\":{\"type\":\"json_object\"},\"logit_bias\":{\"5\":1}}", "{}",
      "{\"response_format\":{\"type\":\"json_object\"},\"logit_bias\":{\"5\":1}}" },
    { "casts", "{\"min_p\":0.05,\"presence_penalty\":-1,\"max_tokens\":33.0}", "{}",
      "{\"min_p\":0.05,\"presence_penalty\":-1.0,\"max_tokens\":33}" },
    { "none", "{}", "{\"a\":1}", "{\"a\":1}" },
    { "no object", "null", "{\"a\":1}", "{\"a\":1}" },
    { "a number that is none stays", "{\"temperature\":\"warm\",\"stop\":\"END\"}", "{}",
      "{\"temperature\":\"warm\",\"stop\":\"END\"}" },
};

static void model_openai(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(openai_cases); i++) {
        json_object *body = parsed(openai_cases[i].body), *params = parsed(openai_cases[i].params);

        params_of_model_openai(mem, body, params_plain(mem, params));
        same(openai_cases[i].label, body, openai_cases[i].want);
        if (params)
            same("the model's own parameters are not touched", params, openai_cases[i].params);
    }
}

static const struct {
    const char *label, *params, *body, *want;
} ollama_cases[] = {
    { "into options, but for three",
      "{\"max_tokens\":10,\"temperature\":\"0.1\",\"num_ctx\":\"2048\",\"stop\":[\"END\"],\"use_mmap\":1,\"format\":\"{"
      "\\\"type\\\":\\\"object\\\"}\",\"keep_alive\":\"5m\","
      "\"think\":\"x\"}",
      "{\"model\":\"m\"}",
      "{\"model\":\"m\",\"format\":{\"type\":\"object\"},\"keep_alive\":\"5m\",\"think\":true,\"options\":{"
      "\"temperature\":0.1,\"num_ctx\":2048,\"stop\":[\"END\"],"
      "\"use_mmap\":true,\"num_predict\":10}}" },
    { "over the options of the request",
      "{\"keep_alive\":\"300\",\"mirostat\":2,\"top_k\":5,\"num_gpu\":1.0,\"unknown\":\"u\"}",
      "{\"model\":\"m\",\"options\":{\"top_k\":1,\"seed\":3}}",
      "{\"model\":\"m\",\"options\":{\"top_k\":5,\"seed\":3,\"mirostat\":2,\"num_gpu\":1,\"unknown\":\"u\"},\"keep_"
      "alive\":300}" },
    { "options that are null", "{\"think\":false,\"system\":\"s\"}", "{\"model\":\"m\",\"options\":null}",
      "{\"model\":\"m\",\"options\":{},\"think\":false}" },
};

static void model_ollama(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ollama_cases); i++) {
        json_object *body = parsed(ollama_cases[i].body);

        params_of_model_ollama(mem, body, params_plain(mem, parsed(ollama_cases[i].params)));
        same(ollama_cases[i].label, body, ollama_cases[i].want);
    }
}

static const struct {
    const char *label, *form, *want;
} converted[] = {
    { "plain", "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}" },
    { "pictures",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\" a "
      "\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
      "\"data:image/png;base64,AAAA\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x/"
      "y.png\"}},{\"type\":\"text\",\"text\":\"b \"}]}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a "
      "b\",\"images\":[\"AAAA\",\"http://x/y.png\"]}],\"stream\":false}" },
    { "tools",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[{\"index\":1,\"id\":"
      "\"c1\",\"function\":{\"name\":\"f\",\"arguments\":"
      "\"{\\\"a\\\":1}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"r\"}],\"tools\":[{\"type\":"
      "\"function\"}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"index\":1,\"id\":\"c1\",\"function\":{"
      "\"name\":\"f\",\"arguments\":{\"a\":1}}}],"
      "\"content\":\"\"},{\"role\":\"tool\",\"content\":\"r\",\"tool_call_id\":\"c1\"}],\"stream\":false,\"tools\":[{"
      "\"type\":\"function\"}]}" },
    { "options",
      "{\"model\":\"m\",\"messages\":[],\"options\":{\"max_tokens\":5,\"format\":\"json\",\"keep_alive\":-1,\"think\":"
      "1,\"system\":\"s\",\"temperature\":0.5},\"stop\":[\"x\"]}",
      "{\"model\":\"m\",\"messages\":[],\"stream\":false,\"options\":{\"temperature\":0.5,\"num_predict\":5,\"stop\":["
      "\"x\"]},\"format\":\"json\",\"keep_alive\":-1,"
      "\"think\":true,\"system\":\"s\"}" },
    { "a schema; metadata stays here",
      "{\"model\":\"m\",\"messages\":[],\"stop\":\"x\",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
      "\"schema\":{\"type\":\"object\"}}},\"metadata\":{\"a\":1}}",
      "{\"model\":\"m\",\"messages\":[],\"stream\":false,\"options\":{\"stop\":\"x\"},\"format\":{\"type\":\"object\"}"
      "}" },
    { "empty contents",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\"},{\"role\":\"user\",\"content\":[]},{"
      "\"role\":\"user\",\"content\":null}]}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\"},{\"role\":\"user\"},{\"role\":\"user\"}"
      "],\"stream\":false}" },
    { "nonsense does no harm",
      "{\"messages\":[1,null,{\"content\":[1,{\"type\":\"image_url\"}]}],\"response_format\":5,\"options\":[1]}",
      "{\"model\":null,\"messages\":[{\"role\":null},{\"role\":null},{\"role\":null}],\"stream\":false,\"options\":[1]"
      "}" },
};

static void openai_to_ollama(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(converted); i++)
        same(converted[i].label, params_openai_to_ollama(mem, parsed(converted[i].form)), converted[i].want);
}

static const struct {
    const char *label, *body;
    bool is_openai_itself;
    const char *want;
} finished[] = {
    { "o1-mini knows no system",
      "{\"model\":\"o1-mini\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"}],\"max_tokens\":5}", true,
      "{\"model\":\"o1-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"s\"}],\"max_completion_tokens\":5}" },
    { "later ones say developer",
      "{\"model\":\"O3-x\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}]"
      "}",
      false,
      "{\"model\":\"O3-x\",\"messages\":[{\"role\":\"developer\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
      "\"u\"}]}" },
    { "max_tokens wins",
      "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"u\"}],\"max_tokens\":5,\"max_completion_"
      "tokens\":6}",
      true, "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"u\"}],\"max_completion_tokens\":5}" },
    { "not both", "{\"model\":\"gpt-4\",\"messages\":[],\"max_tokens\":5,\"max_completion_tokens\":6}", true,
      "{\"model\":\"gpt-4\",\"messages\":[],\"max_completion_tokens\":6}" },
    { "others know the old name", "{\"model\":\"llama\",\"messages\":[],\"max_completion_tokens\":6}", false,
      "{\"model\":\"llama\",\"messages\":[],\"max_tokens\":6}" },
    { "biases as people write them", "{\"model\":\"llama\",\"messages\":[],\"logit_bias\":\" 5 : 100 , 7:-200,a:3\"}",
      false, "{\"model\":\"llama\",\"messages\":[],\"logit_bias\":{\"5\":100,\"7\":-100,\"a\":3}}" },
    { "biases that are none", "{\"model\":\"llama\",\"logit_bias\":\"5\"}", false,
      "{\"model\":\"llama\",\"logit_bias\":\"5\"}" },
    { "no messages", "{\"model\":\"o1\"}", true, "{\"model\":\"o1\"}" },
};

static void finish_openai(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(finished); i++) {
        json_object *body = parsed(finished[i].body);

        params_finish_openai(mem, body, finished[i].is_openai_itself);
        same(finished[i].label, body, finished[i].want);
    }
}

static const struct {
    const char *label, *body, *version, *want;
} azure[] = {
    { "what it knows",
      "{\"model\":\"gpt-4\",\"messages\":[],\"stream\":true,\"stream_options\":{\"x\":1},\"top_k\":4,\"temperature\":0."
      "5}",
      "2024-10-01", "{\"messages\":[],\"stream\":true,\"stream_options\":{\"x\":1},\"temperature\":0.5}" },
    { "older versions know less", "{\"model\":\"gpt-4\",\"messages\":[],\"stream_options\":{\"x\":1}}",
      "2023-03-15-preview", "{\"messages\":[]}" },
    { "reasoning", "{\"model\":\"o1\",\"messages\":[],\"temperature\":0.5,\"max_tokens\":4}", "2025-01-01",
      "{\"messages\":[],\"max_completion_tokens\":4}" },
    { "the one temperature", "{\"model\":\"o1\",\"messages\":[],\"temperature\":1}", "2025-01-01",
      "{\"messages\":[],\"temperature\":1}" },
};

static void for_azure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(azure); i++)
        same(azure[i].label, params_for_azure(mem, parsed(azure[i].body), str_of(azure[i].version)), azure[i].want);
}

static void of_a_chat(void **state)
{
    json_object *form = parsed("{\"a\":1,\"top_p\":1}");

    (void)state;
    params_of_chat(mem, form,
                   params_plain(mem, parsed("{\"top_p\":0.5,\"n\":null,\"logit_bias\":\"1:2\",\"system\":\"s\"}")),
                   false);
    same("into the body", form, "{\"a\":1,\"top_p\":0.5,\"logit_bias\":{\"1\":2}}");
    params_of_chat(mem, form, params_plain(mem, parsed("{\"num_ctx\":5}")), true);
    same("into options", json_get(form, "options"), "{\"num_ctx\":5}");
}

/* ---- messages.h */

static void system_message(void **state)
{
    json_object *list = parsed("[{\"role\":\"user\",\"content\":\"u\"}]");

    (void)state;
    messages_add_system(mem, list, S("one"));
    messages_add_system(mem, list, S("two"));
    same("in front", list, "[{\"role\":\"system\",\"content\":\"two\\none\"},{\"role\":\"user\",\"content\":\"u\"}]");
    list = parsed("[{\"role\":\"system\",\"content\":[{\"type\":\"image_url\"},{\"type\":\"text\",\"text\":\"t\"}]}]");
    messages_add_system(mem, list, S("one"));
    same("into its text", list,
         "[{\"role\":\"system\",\"content\":[{\"type\":\"image_url\"},{\"type\":\"text\",\"text\":\"one\\nt\"}]}]");
    list = parsed("[]");
    messages_add_system(mem, list, S("one"));
    same("into nothing", list, "[{\"role\":\"system\",\"content\":\"one\"}]");
}

static void reading_messages(void **state)
{
    json_object *list = parsed("[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"a\"},{"
                               "\"role\":\"assistant\",\"content\":null},"
                               "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":"
                               "\"assistant\",\"content\":\"c\"}]");

    (void)state;
    assert_true(str_is(message_text(messages_last_user(list)), "b"));
    assert_true(str_is(message_text(messages_system(list)), "s"));
    assert_null(messages_last_user(parsed("[]")));
    assert_null(messages_last_user(NULL));
    assert_string_equal(messages_transcript(mem, list, 1, 4).p, "USER: a\nASSISTANT: None\nUSER: b");
    assert_string_equal(messages_transcript(mem, list, 4, 400).p, "ASSISTANT: c");
    assert_int_equal(messages_transcript(mem, list, 9, 400).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_openai),   cmocka_unit_test(model_ollama),     cmocka_unit_test(openai_to_ollama),
        cmocka_unit_test(finish_openai),  cmocka_unit_test(for_azure),        cmocka_unit_test(of_a_chat),
        cmocka_unit_test(system_message), cmocka_unit_test(reading_messages),
    };
    int failed;

    mem = arena_new(64 * 1024);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(mem);
    return failed;
}
