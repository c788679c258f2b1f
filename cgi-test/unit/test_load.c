/* test_load.c: texts out of files: which reader, encodings, mending, tables, pages, archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/glob.h"
#include "lib/rag/load_fix.h"
#include "lib/rag/load_read.h"
#include "lib/rag/load_zip.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct arena *mem;

static int set_up(void **state)
{
    (void)state;
    mem = arena_new(4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

static void same(const char *label, struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("%s: want \"%.*s\", got \"%.*s\"", label, STR(want), STR(got));
}

/* All documents as one text, separated by "|"; "INVALID", "TOO_BIG" … */
static struct str read_as(enum load_kind kind, struct str bytes)
{
    struct rag_documents docs = { NULL, 0 };
    struct buf b = BUF(mem, 1 << 20);
    struct error err = { "" };
    enum status st = load_read(mem, kind, bytes, &docs, &err);

    if (st != OK) {
        assert_true(err.text[0]);
        return st == INVALID ? S("INVALID") : st == TOO_BIG ? S("TOO_BIG") : S("?");
    }
    for (size_t i = 0; i < docs.n; i++) {
        assert_true(json_is(docs.v[i].metadata, json_type_object));
        buf_add_c(&b, i ? "|" : "");
        buf_add_str(&b, docs.v[i].text);
    }
    return buf_str(&b);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *name, *type;
        enum load_kind want;
    } cases[] = {
        { "a.pdf", "", LOAD_PDF },
        { "A.PDF", "text/plain", LOAD_PDF },
        { "a.csv", "application/vnd.ms-excel", LOAD_CSV },
        { "a.xml", "", LOAD_XML },
        { "a.htm", "", LOAD_HTML },
        { "a.md", "text/html", LOAD_TEXT },
        { "book", "application/epub+zip", LOAD_EPUB },
        { "a.docx", "", LOAD_DOCX },
        { "a.xlsx", "application/vnd.ms-excel", LOAD_XLSX },
        { "a.xls", "", LOAD_OLD_OFFICE },
        { "a.pptx", "", LOAD_PPTX },
        { "a.odt", "", LOAD_ODT },
        { "a.py", "application/octet-stream", LOAD_TEXT },
        { "pdf", "", LOAD_PDF },
        { "", "", LOAD_TEXT },
    };
    enum load_kind named;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (load_kind_of(str_of(cases[i].name), str_of(cases[i].type)) != cases[i].want)
            fail_msg("%s %s", cases[i].name, cases[i].type);
    assert_true(load_kind_named(S("docx"), &named) && named == LOAD_DOCX);
    assert_false(load_kind_named(S("exe"), &named));
    assert_true(load_is_plain(S("a.go"), STR_NONE));
    assert_true(load_is_plain(S("a"), S("text/x-y")));
    assert_false(load_is_plain(S("a"), S("text/html")));
    assert_false(load_is_plain(S("a.pdf"), STR_NONE));
}

static void test_fix(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        { "nothing to do", "plain words\n\ttab\n", "plain words\n\ttab\n" },
        { "two bytes", "sch\u00c3\u00b6n", "schön" },
        { "three bytes", "It\u00e2\u20ac\u2122s", "It's" },
        { "four bytes", "\u00f0\u0178\u02dc\u20ac", "\U0001f600" },
        { "a line of Cyrillic", "\u00d0\u0178\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2\u00d0\u00b5\u00d1\u201a", "Привет" },
        { "twice", "\u00c3\u0192\u00c2\u00b6", "ö" },
        { "good text stays", "CAFÉ» élevé»… Ångström", "CAFÉ» élevé»… Ångström" },
        { "quotes", "“a” ‘b’", "\"a\" 'b'" },
        { "ligatures", "ﬁne ﬂat", "fine flat" },
        { "wide letters", "ＡＢ　Ｃ", "AB C" },
        { "half-width kana", "\uff76\uff9e", "ガ" },
        { "entities", "a &amp; &eacute; &#39; &#x2019; &nothing; & b", "a & é ' ' &nothing; & b" },
        { "entities of HTML stay", "<b> &amp;", "<b> &amp;" },
        { "a tag ends entities for good", "&amp;\n<b>\n&amp;", "&\n<b>\n&amp;" },
        { "separators", "a\u2028b\u2029c", "a\nb\nc" },
        { "terminal colours", "\033[1;31mred\033[0m", "red" },
        { "control characters", "a\x01\x0b\x7f\ufeff b", "a b" },
        { "composed", "e\u0301", "é" },
        { "an entity that is no character", "&#0; &#xd800; &#9999999999;", "&#0; &#xd800; &#9999999999;" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        same(cases[i].label, load_fix(mem, str_of(cases[i].in)), str_of(cases[i].want));
}

static void test_encodings(void **state)
{
    (void)state;
    same("UTF-8 with BOM", read_as(LOAD_TEXT, S("\xef\xbb\xbfwith bom \xc3\xa9")), S("with bom é"));
    same("UTF-16LE", read_as(LOAD_TEXT, S("\xff\xfeh\0i\0\xe9\0")), S("hié"));
    same("UTF-16BE", read_as(LOAD_TEXT, S("\xfe\xff\0h\0i")), S("hi"));
    same("UTF-32LE", read_as(LOAD_TEXT, S("\xff\xfe\0\0h\0\0\0")), S("h"));
    same("half a character of UTF-16", read_as(LOAD_TEXT, S("\xff\xfeh\0i")), S("INVALID"));
    same("Windows-1252",
         read_as(LOAD_TEXT, S("Stra\xdf"
                              "e in K\xf6ln, Gr\xfc\xdf"
                              "e aus M\xfcnchen\n")),
         S("Straße in Köln, Grüße aus München\n"));
    same("line ends", read_as(LOAD_TEXT, S("one\r\ntwo\rthree\n")), S("one\ntwo\nthree\n"));
    same("a picture",
         read_as(LOAD_TEXT, S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89")),
         S("INVALID"));
    same("nothing", read_as(LOAD_TEXT, S("")), S(""));
}

static void test_csv(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        { "rows", "name,age\nAda,36\n\"Bob, Jr\",41\n", "name: Ada\nage: 36|name: Bob, Jr\nage: 41" },
        { "no line end", "a\n1", "a: 1" },
        { "quotes in quotes", "a\n\"x \"\"y\"\" z\"\n", "a: x \"y\" z" },
        { "a line end in a cell", "a,b\n\"1\n2\",3\n", "a: 1\n2\nb: 3" },
        { "too many cells", "a\n1,2,3\n", "a: 1\nNone: 2,3" },
        { "too few cells", "a,b\n1\n", "a: 1\nb: None" },
        { "empty lines", "\n\na\n\n1\n\n", "a: 1" },
        { "only a head", "a,b\n", "" },
        { "an open quote", "a\n\"1,2\n3", "a: 1,2\n3" },
        { "nothing", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        same(cases[i].label, read_as(LOAD_CSV, str_of(cases[i].in)), str_of(cases[i].want));
}

static void test_html(void **state)
{
    (void)state;
    same("scripts and styles are no text",
         read_as(LOAD_HTML, S("<html><head><title>T</title><style>a{}</style></head><body><h1>Head</h1><p>One &amp; "
                              "two</p><script>x</script></body></html>")),
         S("THeadOne & two"));
    same("no end tags", read_as(LOAD_HTML, S("<p>a<p>b")), S("ab"));
    same("no page", read_as(LOAD_HTML, S("just words")), S("just words"));
    same("nothing", read_as(LOAD_HTML, S("")), S(""));
}

static void test_xml(void **state)
{
    (void)state;
    same("words", read_as(LOAD_XML, S("<a> <b>one</b> two <c x='3'><![CDATA[<four>]]></c></a>")),
         S("one\n\ntwo\n\n<four>"));
    same("no XML", read_as(LOAD_XML, S("<a><b></a>")), S("INVALID"));
    same("an entity that grows",
         read_as(LOAD_XML, S("<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]><a>&y;</a>")),
         S("INVALID"));
    same("an entity from a file", read_as(LOAD_XML, S("<!DOCTYPE a [<!ENTITY x SYSTEM \"/etc/passwd\">]><a>&x;</a>")),
         S("INVALID"));
    same("any document type", read_as(LOAD_XML, S("<!DOCTYPE a><a>b</a>")), S("INVALID"));
}

static void test_archives(void **state)
{
    static const enum load_kind kinds[] = { LOAD_DOCX, LOAD_ODT, LOAD_EPUB, LOAD_XLSX, LOAD_PPTX };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        same(load_kind_name(kinds[i]), read_as(kinds[i], S("this is no zip")), S("INVALID"));
        same("an empty archive", read_as(kinds[i], S("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")), S("INVALID"));
    }
}

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        { "*.txt", "ships.txt", true },
        { "ship", "ships.txt", false },
        { "ship*", "ships.txt", true },
        { "s?ips.txt", "ships.txt", true },
        { "?", "é", true },
        { "??", "é", false },
        { "[a-c]x", "bx", true },
        { "[!a-c]x", "bx", false },
        { "[!a-c]x", "dx", true },
        { "[]]", "]", true },
        { "[", "[", true },
        { "[abc", "[abc", true },
        { "[é-ü]", "ö", true },
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "***a", "bbba", true },
        { "a*b*c", "aXbYbZc", true },
        { "a*b*c", "aXbYbZ", false },
        { "audio/*", "audio/mpeg", true },
        { "\\*", "\\a", true },
    };
    struct buf p = BUF(mem, 4096), t = BUF(mem, 1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (glob_match(str_of(cases[i].pattern), str_of(cases[i].text)) != cases[i].want)
            fail_msg("\"%s\" \"%s\"", cases[i].pattern, cases[i].text);
    for (int i = 0; i < 200; i++)
        buf_add_c(&p, "*a");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&t, 'a');
    buf_add_char(&t, 'b'); /* exponential for those that go back to every star */
    assert_false(glob_match(buf_str(&p), buf_str(&t)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_csv, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_html, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_xml, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_archives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_glob, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
