/* test_form.c: forms, queries and arguments of a request, and the 422 that FastAPI 0.115 and pydantic 2.11 answer. The expected texts were taken from
 * them; the complaints about broken JSON from CPython 3.11. */
#include "fcgi/complaint.h"
#include "fcgi/form.h"

/* After ours: it makes a macro of fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ATTRIBUTES "Input should be a valid dictionary or object to extract fields from"

static const struct field inner[] = { FIELD(INTEGER, "a", REQUIRED), END };
static const struct field outer[] = {
    FIELD(STRING, "name", REQUIRED),
    FIELD(FORM, "n", REQUIRED, inner),
    FIELD(LIST_OF_FORMS, "l", NOT_NULL, inner, "[]"),
    FIELD(INTEGER, "o", OPTIONAL, NULL, "null"),
    FIELD(LIST_OF_STRINGS, "s", OPTIONAL, NULL, "null"),
    FIELD(NUMBER, "x", NOT_NULL, NULL, "1"),
    FIELD(OBJECT, "d", NOT_NULL, NULL, "{}"),
    END,
};
static const struct field scalars[] = {
    FIELD(INTEGER, "i", OPTIONAL),
    FIELD(NUMBER, "f", OPTIONAL),
    FIELD(BOOLEAN, "b", OPTIONAL),
    FIELD(STRING, "s", OPTIONAL),
    FIELD(LIST, "l", OPTIONAL),
    FIELD(ANY, "any", OPTIONAL),
    FIELD(LIST_OF_INTEGERS, "li", OPTIONAL),
    FIELD(INTEGER, "nn", NOT_NULL),
    FIELD(STRING, "rn", NULLABLE),
    END,
};
static const struct field nothing[] = { END };
static const struct field query[] = {
    FIELD(INTEGER, "p", OPTIONAL),
    FIELD(BOOLEAN, "b", NOT_NULL),
    FIELD(STRING, "s", REQUIRED),
    FIELD(NUMBER, "f", NOT_NULL),
    END,
};
static const struct field args[] = { FIELD(INTEGER, "url_idx", OPTIONAL), END };
static const struct field upload[] = {
    FIELD(FILE_PART, "file", REQUIRED),
    FIELD(STRING, "name", REQUIRED),
    FIELD(INTEGER, "b", OPTIONAL, NULL, "3"),
    END,
};

static const struct route form_route = { POST, "/m", PUBLIC, .form = outer };
static const struct route open_route = { POST, "/k", PUBLIC, .form = inner, .keep_unknown = true };
static const struct route scalar_route = { POST, "/s", PUBLIC, .form = scalars };
static const struct route dict_route = { POST, "/d", PUBLIC, .form = nothing, .keep_unknown = true };
static const struct route dict_route_2 = { POST, "/d", PUBLIC, .body = BODY_JSON_FORM };
static const struct route list_route = { POST, "/l", PUBLIC, .form = inner, .body = BODY_JSON_LIST };
static const struct route any_route = { POST, "/a", PUBLIC, .body = BODY_JSON_ANY };
static const struct route query_route = { GET, "/q", PUBLIC, .query = query, .args = args };
static const struct route upload_route = { POST, "/f", PUBLIC, .form = upload, .body = BODY_MULTIPART };
static const struct route raw_route = { POST, "/r", PUBLIC, .body = BODY_RAW };
static const struct route all_route = { POST, "/all", PUBLIC, .form = inner, .query = query, .args = args };

static const char json[] = "application/json";

struct test {
    const char *label;
    const struct route *route;
    const char *type, *body, *query;
    int status;       /* 0: valid */
    const char *want; /* the form, or the detail */
};

static void check_all(const struct test *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct test *t = &tests[i];
        struct arena *mem = arena_new(4096);
        struct request r = { .mem = mem,
                             .route = t->route,
                             .content_type = str_of(t->type),
                             .body = str_of(t->body),
                             .query = str_of(t->query) };
        struct response out;
        struct str got;
        int status;

        if (!r.body.p)
            r.body = S("");
        r.args_n = 1;
        r.args[0].name = S("url_idx");
        r.args[0].value = S("1x");
        if (t->route != &query_route && t->route != &all_route)
            r.args_n = 0;
        response_init(&out, mem);
        status = form_validate(&r, &out);
        got = status ? out.pieces[0] : json_text(mem, r.form);
        if (status) { /* without {"detail": } */
            got = str_from(got, sizeof("{\"detail\":") - 1);
            got.n--;
        }
        if (status != t->status || (t->want && !str_is(got, t->want)))
            fail_msg("%s: %d %.*s", t->label, status, STR(got));
        arena_free(mem);
    }
}
#define RUN(tests) check_all(tests, sizeof(tests) / sizeof(tests[0]))

static void test_models(void **state)
{
    static const struct test tests[] = {
        { "no body", &form_route, json, "", NULL, 422,
          "[{\"type\":\"missing\",\"loc\":[\"body\"],\"msg\":\"Field required\",\"input\":null}]" },
        { "null", &form_route, json, "null", NULL, 422,
          "[{\"type\":\"missing\",\"loc\":[\"body\"],\"msg\":\"Field required\",\"input\":null}]" },
        { "a list", &form_route, json, "[]", NULL, 422,
          "[{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],\"msg\":\"" ATTRIBUTES "\",\"input\":[]}]" },
        { "a string", &form_route, json, "\"x\"", NULL, 422,
          "[{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],\"msg\":\"" ATTRIBUTES "\",\"input\":\"x\"}]" },
        { "empty", &form_route, json, "{}", NULL, 422,
          "[{\"type\":\"missing\",\"loc\":[\"body\",\"name\"],\"msg\":\"Field required\",\"input\":{}},"
          "{\"type\":\"missing\",\"loc\":[\"body\",\"n\"],\"msg\":\"Field required\",\"input\":{}}]" },
        { "all wrong", &form_route, json,
          "{\"name\":1,\"n\":[],\"l\":[{\"a\":\"x\"},5,{\"a\":2}],\"o\":\"y\",\"s\":[\"a\",1,null],\"x\":\"z\",\"d\":[]"
          "}",
          NULL, 422,
          "[{\"type\":\"string_type\",\"loc\":[\"body\",\"name\"],\"msg\":\"Input should be a valid "
          "string\",\"input\":1},"
          "{\"type\":\"model_attributes_type\",\"loc\":[\"body\",\"n\"],\"msg\":\"" ATTRIBUTES "\",\"input\":[]},"
          "{\"type\":\"int_parsing\",\"loc\":[\"body\",\"l\",0,\"a\"],\"msg\":\"Input should be a valid integer, "
          "unable to parse string as an integer\",\"input\":\"x\"},"
          "{\"type\":\"model_attributes_type\",\"loc\":[\"body\",\"l\",1],\"msg\":\"" ATTRIBUTES "\",\"input\":5},"
          "{\"type\":\"int_parsing\",\"loc\":[\"body\",\"o\"],\"msg\":\"Input should be a valid integer, unable to "
          "parse string as an integer\",\"input\":\"y\"},"
          "{\"type\":\"string_type\",\"loc\":[\"body\",\"s\",1],\"msg\":\"Input should be a valid "
          "string\",\"input\":1},"
          "{\"type\":\"string_type\",\"loc\":[\"body\",\"s\",2],\"msg\":\"Input should be a valid "
          "string\",\"input\":null},"
          "{\"type\":\"float_parsing\",\"loc\":[\"body\",\"x\"],\"msg\":\"Input should be a valid number, unable to "
          "parse string as a number\",\"input\":\"z\"},"
          "{\"type\":\"dict_type\",\"loc\":[\"body\",\"d\"],\"msg\":\"Input should be a valid "
          "dictionary\",\"input\":[]}]" },
        { "lists that are none", &form_route, json,
          "{\"name\":\"a\",\"n\":{\"a\":true},\"l\":{},\"s\":\"ab\",\"x\":1,\"zz\":1}", NULL, 422,
          "[{\"type\":\"list_type\",\"loc\":[\"body\",\"l\"],\"msg\":\"Input should be a valid list\",\"input\":{}},"
          "{\"type\":\"list_type\",\"loc\":[\"body\",\"s\"],\"msg\":\"Input should be a valid "
          "list\",\"input\":\"ab\"}]" },
        { "nulls", &form_route, json, "{\"name\":\"a\",\"n\":null,\"o\":null,\"x\":null}", NULL, 422,
          "[{\"type\":\"model_attributes_type\",\"loc\":[\"body\",\"n\"],\"msg\":\"" ATTRIBUTES "\",\"input\":null},"
          "{\"type\":\"float_type\",\"loc\":[\"body\",\"x\"],\"msg\":\"Input should be a valid "
          "number\",\"input\":null}]" },
        { "coerced, defaults put in, unknown dropped", &form_route, json,
          "{\"zz\":1,\"o\":\"5\",\"name\":\"a\",\"n\":{\"a\":true,\"u\":2},\"x\":\"1_0\"}", NULL, 0,
          "{\"name\":\"a\",\"n\":{\"a\":1},\"l\":[],\"o\":5,\"s\":null,\"x\":10.0,\"d\":{}}" },
        { "unknown kept behind", &open_route, json, "{\"z\":{\"y\":[1]},\"a\":\"2\"}", NULL, 0,
          "{\"a\":2,\"z\":{\"y\":[1]}}" },
        { "a dict", &dict_route, json, "{\"z\":1}", NULL, 0, "{\"z\":1}" },
        { "no dict", &dict_route, json, "[]", NULL, 422,
          "[{\"type\":\"dict_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid dictionary\",\"input\":[]}]" },
        { "no dict: nothing", &dict_route, json, "", NULL, 422,
          "[{\"type\":\"missing\",\"loc\":[\"body\"],\"msg\":\"Field required\",\"input\":null}]" },
        { "a dict by its kind alone", &dict_route_2, json, "5", NULL, 422,
          "[{\"type\":\"dict_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid dictionary\",\"input\":5}]" },
        { "a list of forms", &list_route, json, "[{\"a\":\"x\"},3]", NULL, 422,
          "[{\"type\":\"int_parsing\",\"loc\":[\"body\",0,\"a\"],\"msg\":\"Input should be a valid integer, unable to "
          "parse string as an integer\",\"input\":\"x\"},"
          "{\"type\":\"model_attributes_type\",\"loc\":[\"body\",1],\"msg\":\"" ATTRIBUTES "\",\"input\":3}]" },
        { "a good list", &list_route, json, "[{\"a\":\"1\"},{\"a\":2,\"b\":3}]", NULL, 0, "[{\"a\":1},{\"a\":2}]" },
        { "no list", &list_route, json, "{\"a\":1}", NULL, 422,
          "[{\"type\":\"list_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid "
          "list\",\"input\":{\"a\":1}}]" },
        { "anything", &any_route, json, "[1,{}]", NULL, 0, "[1,{}]" },
        { "anything: nothing", &any_route, json, "", NULL, 0, "null" },
        { "anything, but JSON", &any_route, json, "{", NULL, 422, NULL },
        { "raw", &raw_route, json, "{", NULL, 0, "null" },
    };

    (void)state;
    RUN(tests);
}

static void test_content_types(void **state)
{
    static const char missing[] =
        "[{\"type\":\"missing\",\"loc\":[\"body\",\"n\"],\"msg\":\"Field required\",\"input\":{\"name\":\"a\"}}]";
    static const char bytes[] = "[{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],\"msg\":\"" ATTRIBUTES
                                "\",\"input\":\"{\\\"name\\\":\\\"a\\\"}\"}]";
    static const struct test tests[] = {
        { "text", &form_route, "text/plain", "{\"name\":\"a\"}", NULL, 422, bytes },
        { "of a page's form", &form_route, "application/x-www-form-urlencoded", "{\"name\":\"a\"}", NULL, 422, bytes },
        { "none", &form_route, NULL, "{\"name\":\"a\"}", NULL, 422, bytes },
        { "something like it", &form_route, "application/jsonx", "{\"name\":\"a\"}", NULL, 422, bytes },
        { "a suffix", &form_route, "application/vnd.a+json; charset=x", "{\"name\":\"a\"}", NULL, 422, missing },
        { "capitals", &form_route, "APPLICATION/JSON", "{\"name\":\"a\"}", NULL, 422, missing },
        { "a parameter", &form_route, "application/json;charset=utf-8", "{\"name\":\"a\"}", NULL, 422, missing },
        { "a byte order mark", &form_route, json, "\xef\xbb\xbf{\"name\":\"a\"}", NULL, 422, missing },
        { "text that is a dict's", &dict_route, "text/plain", "{}", NULL, 422,
          "[{\"type\":\"dict_type\",\"loc\":[\"body\"],\"msg\":\"Input should be a valid "
          "dictionary\",\"input\":\"{}\"}]" },
        { "no UTF-8", &form_route, json, "\xff", NULL, 400, "\"There was an error parsing the body\"" },
        { "no UTF-8, as text", &form_route, "text/plain", "\xff", NULL, 400,
          "\"There was an error parsing the body\"" },
        { "not JSON", &form_route, json, "{\"email\": ", NULL, 422,
          "[{\"type\":\"json_invalid\",\"loc\":[\"body\",10],\"msg\":\"JSON decode "
          "error\",\"input\":{},\"ctx\":{\"error\":\"Expecting value\"}}]" },
        { "white space", &form_route, json, " ", NULL, 422,
          "[{\"type\":\"json_invalid\",\"loc\":[\"body\",1],\"msg\":\"JSON decode "
          "error\",\"input\":{},\"ctx\":{\"error\":\"Expecting value\"}}]" },
        { "NaN", &form_route, json, "{\"x\":NaN}", NULL, 422,
          "[{\"type\":\"json_invalid\",\"loc\":[\"body\",5],\"msg\":\"JSON decode "
          "error\",\"input\":{},\"ctx\":{\"error\":\"Expecting value\"}}]" },
    };
    struct arena *mem = arena_new(4096);
    struct buf deep = BUF(mem, 8192);

    (void)state;
    RUN(tests);
    for (int i = 0; i < 2000; i++)
        buf_add_char(&deep, '[');
    check_all(&(struct test){ "nested too deep", &form_route, json, deep.p, NULL, 400,
                              "\"There was an error parsing the body\"" },
              1);
    arena_free(mem);
}

/* One member of the scalar form: what it becomes, or the type of the complaint. */
static void test_scalars(void **state)
{
    static const struct {
        const char *member, *in, *want;
    } cases[] = {
        { "i", "12", "12" },
        { "i", "12.0", "12" },
        { "i", "-0.0", "0" },
        { "i", "true", "1" },
        { "i", "false", "0" },
        { "i", "\"12\"", "12" },
        { "i", "\" 12.0 \"", "12" },
        { "i", "12.5", "int_from_float" },
        { "i", "1e30", "int_parsing_size" },
        { "i", "\"x\"", "int_parsing" },
        { "i", "\"99999999999999999999999\"", "int_parsing_size" },
        { "i", "[]", "int_type" },
        { "i", "{}", "int_type" },
        { "i", "null", "null" },
        { "i", "1e3", "1000" },
        { "i", "\"\"", "int_parsing" },
        { "f", "1", "1.0" },
        { "f", "1.5", "1.5" },
        { "f", "true", "1.0" },
        { "f", "\"1e3\"", "1000.0" },
        { "f", "\"\"", "float_parsing" },
        { "f", "[1]", "float_type" },
        { "f", "\"nan\"", "float_parsing" },
        { "b", "true", "true" },
        { "b", "1", "true" },
        { "b", "0", "false" },
        { "b", "1.0", "true" },
        { "b", "-0.0", "false" },
        { "b", "\"Yes\"", "true" },
        { "b", "\"off\"", "false" },
        { "b", "2", "bool_parsing" },
        { "b", "12.0", "bool_parsing" },
        { "b", "0.5", "bool_type" },
        { "b", "1e30", "bool_type" },
        { "b", "\"2\"", "bool_parsing" },
        { "b", "[]", "bool_type" },
        { "s", "\"\"", "\"\"" },
        { "s", "1", "string_type" },
        { "s", "true", "string_type" },
        { "s", "[]", "string_type" },
        { "s", "null", "null" },
        { "l", "[1,\"a\",null]", "[1,\"a\",null]" },
        { "l", "\"a\"", "list_type" },
        { "l", "{}", "list_type" },
        { "any", "null", "null" },
        { "any", "[{}]", "[{}]" },
        { "li", "[\"1\",2.0,true]", "[1,2,1]" },
        { "li", "[1.5]", "int_from_float" },
        { "nn", "null", "int_type" },
        { "nn", "1", "1" },
        { "rn", "null", "null" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(4096);
        struct request r = { .mem = mem, .route = &scalar_route, .content_type = S("application/json") };
        struct response out;
        struct str got;

        r.body = str_f(mem, "{\"%s\":%s}", cases[i].member, cases[i].in);
        response_init(&out, mem);
        if (form_validate(&r, &out) == 0) {
            got = json_text(mem, json_get(r.form, cases[i].member));
        } else {
            json_object *answer = json_parse_or_null(mem, out.pieces[0]);

            got = json_str(json_at(json_get(answer, "detail"), 0), "type");
        }
        if (!str_is(got, cases[i].want))
            fail_msg("%s: %s gives %.*s", cases[i].member, cases[i].in, STR(got));
        arena_free(mem);
    }
}

static void test_query(void **state)
{
    static const char index[] =
        "{\"type\":\"int_parsing\",\"loc\":[\"path\",\"url_idx\"],"
        "\"msg\":\"Input should be a valid integer, unable to parse string as an integer\",\"input\":\"1x\"}";
    struct arena *mem = arena_new(4096);
    const struct test tests[] = {
        { "missing", &query_route, NULL, NULL, "", 422,
          str_f(mem, "[%s,{\"type\":\"missing\",\"loc\":[\"query\",\"s\"],\"msg\":\"Field required\",\"input\":null}]",
                index)
              .p },
        { "empty", &query_route, NULL, NULL, "p=&b=&s=", 422,
          str_f(mem,
                "[%s,{\"type\":\"int_parsing\",\"loc\":[\"query\",\"p\"],\"msg\":\"Input should be a valid integer, "
                "unable to parse string as an integer\","
                "\"input\":\"\"},{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"b\"],\"msg\":\"Input should be a "
                "valid boolean, unable to interpret input\","
                "\"input\":\"\"}]",
                index)
              .p },
        { "all wrong", &query_route, NULL, NULL, "p=x&b=2&f=y", 422,
          str_f(mem,
                "[%s,{\"type\":\"int_parsing\",\"loc\":[\"query\",\"p\"],\"msg\":\"Input should be a valid integer, "
                "unable to parse string as an integer\","
                "\"input\":\"x\"},{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"b\"],\"msg\":\"Input should be a "
                "valid boolean, unable to interpret input\","
                "\"input\":\"2\"},{\"type\":\"missing\",\"loc\":[\"query\",\"s\"],\"msg\":\"Field "
                "required\",\"input\":null},"
                "{\"type\":\"float_parsing\",\"loc\":[\"query\",\"f\"],\"msg\":\"Input should be a valid number, "
                "unable to parse string as a number\",\"input\":\"y\"}]",
                index)
              .p },
        { "the last counts", &query_route, NULL, NULL, "p=1&p=z&s=1", 422,
          str_f(mem,
                "[%s,{\"type\":\"int_parsing\",\"loc\":[\"query\",\"p\"],\"msg\":\"Input should be a valid integer, "
                "unable to parse string as an integer\","
                "\"input\":\"z\"}]",
                index)
              .p },
        { "good but for the path", &query_route, NULL, NULL, "p=%205%20&s=%zz+1&b=ON&f=1", 422,
          str_f(mem, "[%s]", index).p },
        { "path, query, body", &all_route, json, "{}", "b=x&s=1", 422,
          str_f(mem,
                "[%s,{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"b\"],\"msg\":\"Input should be a valid boolean, "
                "unable to interpret input\",\"input\":\"x\"},"
                "{\"type\":\"missing\",\"loc\":[\"body\",\"a\"],\"msg\":\"Field required\",\"input\":{}}]",
                index)
              .p },
    };

    (void)state;
    RUN(tests);
    arena_free(mem);
}

#define FILE_HEAD "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"

static void test_form_data(void **state)
{
    static const char type[] = "multipart/form-data; boundary=x";
    static const struct test tests[] = {
        { "good", &upload_route, type,
          "--x\r\n" FILE_HEAD "z\r\n--x\r\nContent-Disposition: form-data; name=name\r\n\r\n\xc3\xa9\r\n--x--", NULL, 0,
          "{\"name\":\"\xc3\xa9\",\"b\":3}" },
        { "empty texts", &upload_route, type,
          "--x\r\n" FILE_HEAD "z\r\n--x\r\nContent-Disposition: form-data; "
          "name=name\r\n\r\n\r\n--x\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--x--",
          NULL, 0, "{\"name\":\"\",\"b\":3}" },
        { "a text for a file, a number that is none", &upload_route, "application/x-www-form-urlencoded",
          "file=s&name=n&b=q", NULL, 422,
          "[{\"type\":\"value_error\",\"loc\":[\"body\",\"file\"],\"msg\":\"Value error, Expected UploadFile, "
          "received: <class 'str'>\",\"input\":\"s\","
          "\"ctx\":{\"error\":{}}},{\"type\":\"int_parsing\",\"loc\":[\"body\",\"b\"],\"msg\":\"Input should be a "
          "valid integer, unable to parse string as an integer\","
          "\"input\":\"q\"}]" },
        { "JSON", &upload_route, json, "{}", NULL, 422,
          "[{\"type\":\"missing\",\"loc\":[\"body\",\"file\"],\"msg\":\"Field required\",\"input\":null},"
          "{\"type\":\"missing\",\"loc\":[\"body\",\"name\"],\"msg\":\"Field required\",\"input\":null}]" },
        { "garbage", &upload_route, type, "garbage", NULL, 400, "\"There was an error parsing the body\"" },
        { "no boundary", &upload_route, "multipart/form-data", "garbage", NULL, 400,
          "\"Missing boundary in multipart.\"" },
    };

    (void)state;
    RUN(tests);
}

static void test_complaints(void **state)
{
    static const struct {
        const char *in, *text;
        size_t position;
    } cases[] = {
        /* text NULL: Python takes it */
        { "\"\\u12", "Invalid \\uXXXX escape", 2 },
        { "\"\\u1234", "Invalid \\uXXXX escape", 2 },
        { "\"\\u12345", "Unterminated string starting at", 0 },
        { "\"\\u1234\"", NULL, 0 },
        { "\"\\ud800\\u12\"", "Invalid \\uXXXX escape", 8 },
        { "\"\\ud800\\u1234\"", NULL, 0 },
        { "\"\\ud800\\uzzzz\"", "Invalid \\uXXXX escape", 8 },
        { "\"\\ud800\\", "Unterminated string starting at", 0 },
        { "\"\\ud800\\u", "Invalid \\uXXXX escape", 8 },
        { "\"\\u12\xc3\xa9"
          "4\"",
          "Invalid \\uXXXX escape", 2 },
        { "[1,]", "Expecting value", 3 },
        { "[", "Expecting value", 1 },
        { "[1", "Expecting ',' delimiter", 2 },
        { "{\"a\":1,}", "Expecting property name enclosed in double quotes", 7 },
        { "-", "Expecting value", 0 },
        { "-x", "Expecting value", 0 },
        { "01", "Extra data", 1 },
        { "1.", "Extra data", 1 },
        { "nul", "Expecting value", 0 },
        { " ", "Expecting value", 1 },
        { "\"a\nb\"", "Invalid control character at", 2 },
        { "\"\\x\"", "Invalid \\escape", 1 },
        { "\"\xc3\xa9\\x\"", "Invalid \\escape", 2 },
        { "{\"a\" 1}", "Expecting ':' delimiter", 5 },
        { "{\"a\"", "Expecting ':' delimiter", 4 },
        { "{\"a\":", "Expecting value", 5 },
        { "{\"a\":1", "Expecting ',' delimiter", 6 },
        { "{\"a\":1 x", "Expecting ',' delimiter", 7 },
        { "[1 x", "Expecting ',' delimiter", 3 },
        { "\"ab", "Unterminated string starting at", 0 },
        { "{}}", "Extra data", 2 },
        { "1e", "Extra data", 1 },
        { "[-]", "Expecting value", 1 },
        { "{", "Expecting property name enclosed in double quotes", 1 },
        { " [ 1 , 2.5e-3 , true , null , { } ] ", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct complaint c = { "", 0 };
        bool bad = json_complaint(str_of(cases[i].in), &c);

        if (bad != (cases[i].text != NULL) ||
            (bad && (strcmp(c.text, cases[i].text) != 0 || c.position != cases[i].position)))
            fail_msg("%s: %s at %zu", cases[i].in, c.text, c.position);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models), cmocka_unit_test(test_content_types), cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_query),  cmocka_unit_test(test_form_data),     cmocka_unit_test(test_complaints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
