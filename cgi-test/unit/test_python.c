/* test_python.c: what is read out of Python source. cgi-test/unit/python holds sources beside what the Python backend (pydantic 2.11.7, langchain-core 0.3)
 * makes of them. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/file.h"
#include "lib/tools/code_url.h"
#include "lib/tools/py_source.h"
#include "lib/tools/python.h"
#include "lib/tools/valves.h"

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FOLDER "cgi-test/unit/python"

static struct arena *mem;

static json_object *parsed(struct str text)
{
    json_object *o = NULL;
    struct error err = { "" };

    if (json_parse(mem, text, &o, &err) != OK)
        fail_msg("%.*s: %s", STR(text), err.text);
    return o;
}

static void same(const char *label, const char *what, json_object *got, json_object *want)
{
    if (!json_same(got, want))
        fail_msg("%s, %s:\nwant %s\ngot  %s", label, what, json_text(mem, want).p, json_text(mem, got).p);
}

static struct str file(const char *name)
{
    struct str text;
    struct error err = { "" };

    if (file_read(mem, name, PY_SOURCE_MAX, &text, &err) != OK)
        fail_msg("%s: %s", name, err.text);
    return text;
}

/* ---- the sources of the folder */

static void check_source(const char *label, struct str source, json_object *want)
{
    enum python_kind kind = json_has(want, "specs") ? PYTHON_TOOL : PYTHON_FUNCTION;
    struct error err = { "" };
    json_object *got = NULL;
    const char *type = "";
    bool toggle = false;

    same(label, "manifest", python_frontmatter(mem, source), json_get(want, "manifest"));
    if (kind == PYTHON_TOOL) {
        if (python_tool_specs(mem, source, &got, &err) != OK)
            fail_msg("%s: %s", label, err.text);
        same(label, "specs", got, json_get(want, "specs"));
    } else {
        if (python_function_type(mem, source, &type, &toggle, &err) != OK)
            fail_msg("%s: %s", label, err.text);
        assert_string_equal(type, json_str(want, "type").p);
        assert_int_equal(toggle, json_flag(want, "toggle", false));
    }
    for (enum python_valves which = PYTHON_VALVES; which <= PYTHON_USER_VALVES; which++) {
        const char *name = which == PYTHON_VALVES ? "valves" : "user_valves";

        if (python_valves_schema(mem, kind, source, which, &got, &err) != OK)
            fail_msg("%s, %s: %s", label, name, err.text);
        same(label, name, got, json_get(want, name));
        assert_int_equal(python_has_valves(mem, kind, source, which), json_get(want, name) != NULL);
    }
}

static void sources_of_all_kinds(void **state)
{
    DIR *d = opendir(FOLDER);
    struct dirent *e;
    int n = 0;

    (void)state;
    assert_non_null(d);
    while ((e = readdir(d))) {
        struct str name = str_of(e->d_name);

        if (!str_ends(name, ".py"))
            continue;
        name = str_sub(name, 0, name.n - 3);
        check_source(str_c(mem, name), file(str_f(mem, FOLDER "/%.*s.py", STR(name)).p),
                     parsed(file(str_f(mem, FOLDER "/%.*s.json", STR(name)).p)));
        n++;
    }
    closedir(d);
    assert_true(n >= 12);
}

/* ---- what cannot be read */

static const struct {
    const char *label, *source, *error; /* a part of it */
} broken[] = {
    { "an open bracket", "class Tools(", "'(' was never closed (line 1)" },
    { "the wrong bracket", "x = [1)", "does not match" },
    { "a closing bracket", "x = 1)", "unmatched ')'" },
    { "an open text", "x = 'a\nclass Tools: pass", "unterminated string literal (line 1)" },
    { "an open long text", "x = \"\"\"a\nclass Tools: pass", "unterminated triple-quoted" },
    { "no block", "class Tools:\nx = 1", "expected an indented block" },
    { "no colon", "class Tools\n    pass", "expected ':'" },
    { "no parameters", "class Tools:\n    def f: pass", "expected '('" },
    { "indentation from nowhere", "x = 1\n    y = 2\nclass Tools: pass", "unexpected indent" },
    { "indentation to nowhere", "if x:\n        y = 1\n    z = 2\nclass Tools: pass", "unindent does not match" },
    { "tabs and spaces", "if x:\n        y = 1\n\tz = 2\nclass Tools: pass", "inconsistent use of tabs" },
    { "two values", "class Tools:\n    def f(self):\n        return a b", "invalid syntax (line 3)" },
    { "two operators", "x = = 1\nclass Tools: pass", "invalid syntax" },
    { "no value", "x =\nclass Tools: pass", "invalid syntax" },
    { "a strange character", "x = 1 ? 2\nclass Tools: pass", "invalid syntax" },
    { "another class", "class Tool:\n    pass", "No Tools class found in the module" },
    { "nothing", "", "No Tools class found in the module" },
    { "a class from elsewhere", "from x import Tools", "Tools is not a class that the source shows" },
    { "a function", "def Tools(): pass", "Tools is not a class that the source shows" },
    { "a base from elsewhere", "from x import Base\nclass Tools(Base):\n    def f(self): pass",
      "inherits from x.Base" },
    { "a type without a name", "class Tools:\n    def f(self, a: Optional[str]): pass", "Optional" },
    { "a type from elsewhere", "from x import Y\nclass Tools:\n    def f(self, a: Y): pass", "the type x.Y" },
    { "a class of no known kind", "class Y: pass\nclass Tools:\n    def f(self, a: Y): pass",
      "neither a model nor an enumeration" },
    { "a callback", "from typing import Callable\nclass Tools:\n    def f(self, a: Callable[[int], str]): pass",
      "typing.Callable" },
    { "a computed default", "class Tools:\n    def f(self, a: str = compute()): pass",
      "the default cannot be known without running the code: a" },
    { "a described private parameter", "class Tools:\n    def f(self, _a: str):\n        ''':param _a: x'''",
      "must not begin with an underscore" },
    { "a model field without a type",
      "from pydantic import BaseModel\nclass M(BaseModel):\n    a = 1\nclass Tools:\n    def f(self, m: M): pass",
      "a field without a type: a" },
    { "a class that inherits from itself", "class Tools(Tools):\n    def f(self): pass", "inherits from Tools" },
    { "types without end",
      "class Tools:\n    def f(self, a: "
      "list[list[list[list[list[list[list[list[list[list[list[list[list[list[list[list["
      "list[list[list[list[list[list[list[list[list[list[list[list[list[list[list[list[int]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
      "]]"
      "]): pass",
      "types within types without end" },
};

static void what_cannot_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct error err = { "" };
        json_object *specs;

        if (python_tool_specs(mem, str_of(broken[i].source), &specs, &err) != INVALID)
            fail_msg("%s: is taken", broken[i].label);
        if (!strstr(err.text, broken[i].error))
            fail_msg("%s: %s", broken[i].label, err.text);
    }
}

/* Names that stand for names: each level doubles the work, which has an end. */
static void values_without_end(void **state)
{
    struct buf b = BUF(mem, 1 << 20);
    struct error err = { "" };
    json_object *specs;

    (void)state;
    buf_add_c(&b, "a0 = 'x' + 'y'\n");
    for (int i = 1; i < 40; i++)
        buf_addf(&b, "a%d = a%d + a%d\n", i, i - 1, i - 1);
    buf_add_c(&b, "T0 = int\n");
    for (int i = 1; i < 25; i++)
        buf_addf(&b, "T%d = dict[T%d, T%d]\n", i, i - 1, i - 1);
    assert_int_equal(python_tool_specs(mem, str_cat(mem, buf_str(&b), S("class Tools:\n def f(self, a=a39): pass")),
                                       &specs, &err),
                     INVALID);
    assert_int_equal(python_tool_specs(mem, str_cat(mem, buf_str(&b), S("class Tools:\n def f(self, a: T24): pass")),
                                       &specs, &err),
                     INVALID);
}

static struct str repeated(const char *head, const char *piece, size_t n, const char *tail)
{
    struct buf b = BUF(mem, PY_SOURCE_MAX);

    buf_add_c(&b, head);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, piece, i, i);
    buf_add_c(&b, tail);
    assert_false(buf_failed(&b));
    return buf_str(&b);
}

/* A megabyte of what would take hours if each part looked at all others. */
static void large_sources(void **state)
{
    const struct {
        const char *label;
        struct str source;
        const char *error; /* NULL: it is taken */
    } cases[] = {
        { "a chain of values", repeated("class Tools: pass\n", "a=", 500000, "1\n"), "too many definitions" },
        { "a long line in a method", repeated("class Tools:\n def f(self):\n  self.x = [", "%zu,", 120000, "]\n"),
          NULL },
        { "methods twice", repeated("class Tools:\n", " def f%zu(self): pass\n", 4000, " x = 1\n"),
          "too many definitions" },
        { "many methods", repeated("class Tools:\n", " def f%zu(self): pass\n", 400, " x = 1\n"), "too many methods" },
        { "many parameters", repeated("class Tools:\n def f(self", ", a%zu=1", 400, "): pass\n"),
          "too many parameters" },
        { "many decorators", repeated("class Tools:\n", " @a%zu\n", 90000, " def f(self): pass\n"), NULL },
        { "brackets", repeated("class Tools: pass\nx = ", "(", 300, "\n"), "too many nested parentheses" },
        { "blocks", repeated("class Tools: pass\n", "if x: pass\n", 80000, ""), NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = { "" };
        json_object *specs;
        enum status st = python_tool_specs(mem, cases[i].source, &specs, &err);

        if (cases[i].error ? st == OK || !strstr(err.text, cases[i].error) : st != OK)
            fail_msg("%s: %s", cases[i].label, err.text);
    }
}

/* Models within models, again for each method: the specs have an end. */
static void models_within_models(void **state)
{
    struct buf b = BUF(mem, PY_SOURCE_MAX);
    struct error err = { "" };
    json_object *specs;

    (void)state;
    buf_add_c(&b, "from pydantic import BaseModel\nclass M0(BaseModel):\n x: int\n");
    for (int i = 1; i < 18; i++)
        buf_addf(&b, "class M%d(BaseModel):\n a: M%d\n b: M%d\n", i, i - 1, i - 1);
    buf_add_c(&b, "class Tools:\n");
    for (int i = 0; i < 200; i++)
        buf_addf(&b, " def f%d(self, m: M%d): pass\n", i, i % 2 ? 17 : 8);
    assert_int_equal(python_tool_specs(mem, buf_str(&b), &specs, &err), INVALID);
}

/* ---- kinds of functions */

static const struct {
    const char *label, *source, *type; /* NULL: an error */
    bool toggle;
} kinds[] = {
    { "a pipe goes before a filter", "class Filter: pass\nclass Pipe: pass\n", "pipe", false },
    { "a filter before an action", "class Action: pass\nclass Filter: toggle = True\n", "filter", true },
    { "another name for it", "class Mine:\n    toggle = 1\nFilter = Mine\n", "filter", true },
    { "inherited", "class A:\n    toggle = True\nclass Filter(A): pass", "filter", true },
    { "an action has no toggle", "class Action:\n    toggle = True", "action", false },
    { "not this time", "if __name__ == '__main__':\n    class Pipe: pass\n", NULL, false },
    { "nothing", "z = 1", NULL, false },
};

static void kinds_of_functions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct error err = { "" };
        const char *type = NULL;
        bool toggle = false;
        enum status st = python_function_type(mem, str_of(kinds[i].source), &type, &toggle, &err);

        if ((st == OK) != (kinds[i].type != NULL) ||
            (st == OK && (strcmp(type, kinds[i].type) != 0 || toggle != kinds[i].toggle)))
            fail_msg("%s: %s %d %s", kinds[i].label, type, toggle, err.text);
        if (st != OK)
            assert_string_equal(err.text, "No Function class found in the module");
    }
}

/* ---- manifests */

static const struct {
    const char *label, *source, *want;
} manifests[] = {
    { "values keep their colons", "\"\"\"\ntitle: A: b\n  x_Y :no\n z:\n\"\"\"\nlate: 1",
      "{\"title\":\"A: b\",\"z\":\"\"}" },
    { "white space around the quotes", "  \"\"\" \r\na: 1\r\nb: 2\r\n\"\"\"", "{\"a\":\"1\",\"b\":\"2\"}" },
    { "the last of two", "\"\"\"\na: 1\na: 2", "{\"a\":\"2\"}" },
    { "text on the first line", "\"\"\"title: x\n\"\"\"", "{}" },
    { "other quotes", "'''\ntitle: x\n'''", "{}" },
    { "ended on a line of text", "\"\"\"\na: 1\nb: 2 \"\"\"\nc: 3", "{\"a\":\"1\"}" },
    { "other line ends",
      "\"\"\"\na: 1\vb: 2\xe2\x80\xa8"
      "c: 3\f\"\"\"",
      "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}" },
    { "nothing", "", "{}" },
};

static void manifests_of_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(manifests); i++)
        same(manifests[i].label, "manifest", python_frontmatter(mem, str_of(manifests[i].source)),
             parsed(str_of(manifests[i].want)));
    assert_string_equal(
        str_c(mem, python_imports_replaced(
                       mem, S("from utils.x import y\nfrom main import z\nfrom open_webui.config import a"))),
        "from open_webui.utils.x import y\nfrom open_webui.main import z\nfrom open_webui.config import a");
}

/* ---- addresses */

static const struct {
    const char *url, *raw, *name; /* raw NULL: as it is */
} urls[] = {
    { "https://github.com/o/r/blob/main/tools/a_tool.py",
      "https://raw.githubusercontent.com/o/r/refs/heads/main/tools/a_tool.py", "a_tool" },
    { "https://github.com/o/r/tree/main/tools/a/",
      "https://raw.githubusercontent.com/o/r/refs/heads/main/tools/a/main.py", "a" },
    { "https://github.com/o/r/tree/main/", "https://raw.githubusercontent.com/o/r/refs/heads/main//main.py", "" },
    { "https://github.com/o/r/tree/main", NULL, "tree" },
    { "https://github.com/o/r/raw/main/a.py", NULL, "a" },
    { "https://github.com//r/blob/main/a.py", NULL, "a" },
    { "https://github.com.evil.example/o/r/blob/main/a.py", NULL, "a" },
    { "http://github.com/o/r/blob/main/a.py", NULL, "a" },
    { "https://x.example/t/index.py", NULL, "t" },
    { "https://x.example/t/__init__.py/", NULL, "t" },
    { "https://x.example/t/main.py.txt", NULL, "t" },
    { "https://x.example", NULL, "" },
};

static void addresses_of_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct str raw = code_url_raw(mem, str_of(urls[i].url)), name = code_url_name(raw);

        if (!str_is(raw, urls[i].raw ? urls[i].raw : urls[i].url) || !str_is(name, urls[i].name))
            fail_msg("%s: %.*s, %.*s", urls[i].url, STR(raw), STR(name));
    }
}

/* ---- values of valves */

static const char schema[] = "{\"title\":\"Valves\",\"type\":\"object\",\"required\":[\"key\"],\"$defs\":{\"P\":{"
                             "\"title\":\"P\",\"type\":\"object\",\"properties\":"
                             "{\"x\":{\"type\":\"integer\"},\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
                             "P\"},{\"type\":\"null\"}]}},\"required\":[\"x\"]}},"
                             "\"properties\":{\"key\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4},\"n\":{"
                             "\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
                             "\"f\":{\"type\":\"number\",\"exclusiveMaximum\":2},\"on\":{\"type\":\"boolean\"},"
                             "\"mode\":{\"enum\":[\"a\",\"b\"],\"type\":\"string\"},"
                             "\"u\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"},{\"type\":\"null\"}]},"
                             "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
                             "\"uniqueItems\":true},\"d\":{\"type\":\"object\",\"additionalProperties\":{\"type\":"
                             "\"number\"}},\"p\":{\"$ref\":\"#/$defs/P\"},"
                             "\"t\":{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],"
                             "\"minItems\":2,\"maxItems\":2},\"any\":{}}}";

static const struct {
    const char *form, *want; /* JSON; or, with a ! before it, a part of the complaint */
} values[] = {
    { "{\"key\":\"k\",\"n\":\"7\",\"other\":1,\"f\":1,\"on\":\"yes\",\"mode\":\"b\"}",
      "{\"key\":\"k\",\"n\":7,\"f\":1.0,\"on\":true,\"mode\":\"b\"}" },
    { "{\"key\":\"k\",\"n\":null,\"any\":[1]}", "{\"key\":\"k\",\"any\":[1]}" },
    { "{\"key\":\"k\",\"u\":\"5\",\"l\":[1,\"2\",2.0],\"d\":{\"a\":\"1.5\"}}",
      "{\"key\":\"k\",\"u\":\"5\",\"l\":[1,2],\"d\":{\"a\":1.5}}" },
    { "{\"key\":\"k\",\"u\":true,\"p\":{\"x\":\"1\",\"next\":{\"x\":2},\"y\":3},\"t\":[1,\"a\"]}",
      "{\"key\":\"k\",\"u\":1,\"t\":[1,\"a\"],\"p\":{\"x\":1,\"next\":{\"x\":2}}}" },
    { "{}", "!1 validation error for Valves\nkey\n  Field required [type=missing]" },
    { "{\"key\":\"\",\"n\":\"many\"}",
      "!2 validation errors for Valves\nkey\n  Value should have at least 1 character [type=string_too_short]\nn\n  "
      "Input "
      "should be a valid integer, unable to parse string as an integer [type=int_parsing]" },
    { "{\"key\":\"12345\"}", "!at most 4 characters" },
    { "{\"key\":5}", "!key\n  Input should be a valid string [type=string_type]" },
    { "{\"key\":\"k\",\"n\":0}", "!greater than or equal to 1" },
    { "{\"key\":\"k\",\"n\":1.5}", "!fractional part" },
    { "{\"key\":\"k\",\"f\":2}", "!less than 2" },
    { "{\"key\":\"k\",\"on\":2}", "!valid boolean" },
    { "{\"key\":\"k\",\"mode\":\"c\"}", "!mode\n  Input should be 'a' or 'b'" },
    { "{\"key\":\"k\",\"u\":[]}", "!valid string" },
    { "{\"key\":\"k\",\"l\":[1,\"x\"]}", "!l.1\n" },
    { "{\"key\":\"k\",\"d\":{\"a\":[]}}", "!d.a\n" },
    { "{\"key\":\"k\",\"p\":{\"next\":{}}}", "!p.x\n  Field required" },
    { "{\"key\":\"k\",\"t\":[1]}", "!at least 2 items" },
};

/* Choices within choices, each of which could be the right one. */
static void choices_without_end(void **state)
{
    static const char both[] = "{\"anyOf\":[{\"$ref\":\"#/$defs/A\"},{\"$ref\":\"#/$defs/B\"}]}";
    struct str one = str_f(mem, "{\"type\":\"object\",\"properties\":{\"x\":%s},\"required\":[\"x\"]}", both),
               form = S("{}");
    json_object *s = parsed(
        str_f(mem, "{\"title\":\"V\",\"type\":\"object\",\"properties\":{\"x\":%s},\"$defs\":{\"A\":%.*s,\"B\":%.*s}}",
              both, STR(one), STR(one)));
    json_object *got;
    struct str complaint;

    (void)state;
    for (int i = 0; i < 40; i++)
        form = str_f(mem, "{\"x\":%.*s}", STR(form));
    assert_int_equal(valves_check(mem, s, parsed(form), &got, &complaint), INVALID);
}

static void values_of_valves(void **state)
{
    json_object *s = parsed(str_of(schema));

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        json_object *got = NULL;
        struct str complaint = S("");
        bool good = valves_check(mem, s, parsed(str_of(values[i].form)), &got, &complaint) == OK;

        if (values[i].want[0] == '!' ? good || !str_has(complaint, values[i].want + 1) : !good)
            fail_msg("%s: want %s, got %s%.*s", values[i].form, values[i].want, json_text(mem, got).p, STR(complaint));
        if (good)
            same(values[i].form, "values", got, parsed(str_of(values[i].want)));
    }
}

static int set_up(void **state)
{
    (void)state;
    mem = arena_new(64 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sources_of_all_kinds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(models_within_models, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kinds_of_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(manifests_of_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_of_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(choices_without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_of_valves, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
