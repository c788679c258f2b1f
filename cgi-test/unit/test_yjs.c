/* test_yjs.c: updates of shared documents, compared with what npm's yjs makes of them (yjs_vectors.js). */
#include "lib/yjs/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cgi-test/unit/yjs_vectors.h"

enum { MAX_UPDATES = 32 };

static struct str from_hex(struct arena *mem, struct str hex)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i + 1 < hex.n; i += 2) {
        static const char digits[] = "0123456789abcdef";

        buf_add_char(&b, (char)((strchr(digits, hex.p[i]) - digits) << 4 | (strchr(digits, hex.p[i + 1]) - digits)));
    }
    return buf_str(&b);
}

static const char *to_hex(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < s.n; i++)
        buf_addf(&b, "%02x", (unsigned char)s.p[i]);
    return buf_str(&b).p;
}

static size_t read_updates(struct arena *mem, const char *text, struct str *updates)
{
    struct str rest = str_of(text), piece;
    size_t n = 0;

    while (n < MAX_UPDATES && str_split(&rest, ' ', &piece))
        updates[n++] = from_hex(mem, piece);
    return n;
}

static void expect(struct arena *mem, const char *label, const char *what, struct str got,
                   const char *want) /* NULL: anything */
{
    if (want && strcmp(to_hex(mem, got), want) != 0)
        fail_msg("%s, %s:\n got %s\nwant %s", label, what, to_hex(mem, got), want);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct arena *mem = arena_new(4096);
        struct str updates[MAX_UPDATES], out;
        size_t n = read_updates(mem, vectors[i].updates, updates), structs;
        struct yjs_document d = { 0 };
        struct error err = { "" };
        bool is_new;

        if (yjs_merge(mem, updates, n, false, &out, &structs, &err) != OK)
            fail_msg("%s: %s", vectors[i].label, err.text);
        expect(mem, vectors[i].label, "merged", out, vectors[i].merged);
        if (yjs_merge(mem, updates, n, true, &out, &structs, &err) != OK)
            fail_msg("%s: %s", vectors[i].label, err.text);
        expect(mem, vectors[i].label, "compact", out, vectors[i].state);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(yjs_document_add(&d, updates[k], &is_new, &err), OK);
        expect(mem, vectors[i].label, "document", yjs_document_state(&d), vectors[i].state);
        for (size_t k = 0; k < n; k++) { /* once more, and last what it has itself: nothing is new */
            assert_int_equal(yjs_document_add(&d, updates[k], &is_new, &err), OK);
            assert_false(is_new);
        }
        assert_int_equal(yjs_document_add(&d, out, &is_new, &err), OK);
        assert_false(is_new);
        expect(mem, vectors[i].label, "document, again", yjs_document_state(&d), vectors[i].state);
        yjs_document_free(&d);
        arena_free(mem);
    }
}

/* Whatever the order and however often: the same bytes. */
static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct arena *mem = arena_new(4096);
        struct str updates[MAX_UPDATES], backwards[2 * MAX_UPDATES], out;
        size_t n = read_updates(mem, vectors[i].updates, updates), structs;
        struct error err;

        for (size_t k = 0; k < 2 * n; k++)
            backwards[k] = updates[n - 1 - k / 2];
        assert_int_equal(yjs_merge(mem, backwards, 2 * n, true, &out, &structs, &err), OK);
        expect(mem, vectors[i].label, "backwards", out, vectors[i].state);
        arena_free(mem);
    }
}

static void test_broken(void **state)
{
    static const struct {
        const char *label, *update;
    } cases[] = {
        { "empty", "" },
        { "no deletions", "00" },
        { "bytes behind the end", "000000" },
        { "a client without structs that were announced", "0102070000" },
        { "text longer than the update", "01010700040101740a6800" },
        { "text that is no UTF-8", "010107000401017401ff00" },
        { "an unknown kind of contents", "01010700"
                                         "0b"
                                         "0101740100" },
        { "an unknown type", "01010700"
                             "07"
                             "010174"
                             "09"
                             "00" },
        { "an unknown value", "01010700"
                              "08"
                              "010174"
                              "01"
                              "10"
                              "00" },
        { "nothing as a piece", "01010700040101740000" },
        { "a deletion of nothing is left out, but a cut one is broken", "000107010"
                                                                        "5" },
        { "a number beyond JavaScript's", "0101ffffffffffffffff7f00040101740168"
                                          "00" },
        { "a clock beyond JavaScript's", "010107"
                                         "ffffffffffffff0f"
                                         "0401017401"
                                         "68"
                                         "00" },
        { "right behind itself", "01010700"
                                 "84"
                                 "0700"
                                 "0168"
                                 "00" },
        { "a format that is no JSON", "01010700"
                                      "06"
                                      "010174"
                                      "0162"
                                      "017b"
                                      "00" },
        { "an embed that is no JSON", "01010700"
                                      "05"
                                      "010174"
                                      "015d"
                                      "00" },
        { "a parent that is neither named nor known", "01010700"
                                                      "04"
                                                      "02"
                                                      "0174"
                                                      "0168"
                                                      "00" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1000);
        struct yjs_document d = { 0 };
        struct error err = { "" };
        bool is_new;

        if (yjs_document_add(&d, from_hex(mem, str_of(cases[i].update)), &is_new, &err) != INVALID)
            fail_msg("%s: taken", cases[i].label);
        assert_true(yjs_document_is_empty(&d));
        expect(mem, cases[i].label, "state", yjs_document_state(&d), "0000");
        yjs_document_free(&d);
        arena_free(mem);
    }
}

static void test_depth(void **state)
{
    struct arena *mem = arena_new(1000);
    struct buf b = BUF(mem, 4096);
    struct yjs_document d = { 0 };
    struct error err;
    bool is_new;

    (void)state;
    buf_add(&b, "\1\1\7\0\10\1\1t\1", 9);
    for (int i = 0; i < 1000; i++)
        buf_add(&b, "\x75\1", 2); /* a list in a list */
    buf_add(&b, "\x7E\0", 2);
    assert_int_equal(yjs_document_add(&d, buf_str(&b), &is_new, &err), INVALID);
    yjs_document_free(&d);
    arena_free(mem);
}

/* One letter at a time for as long as you like: the document grows with its text, not with the number of updates. */
static void test_typing(void **state)
{
    struct arena *mem = arena_new(4096);
    struct yjs_document d = { 0 };
    struct error err = { "" };
    bool is_new;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct arena_mark mark = arena_mark(mem);
        char hex[64];
        int clock = i + 128; /* two bytes from the start */

        if (i == 0)
            snprintf(hex, sizeof(hex), "010107%02x%02x04010174016800", (clock & 0x7F) | 0x80, clock >> 7);
        else if (clock < 16384)
            snprintf(hex, sizeof(hex), "010107%02x%02x8407%02x%02x016800", (clock & 0x7F) | 0x80, clock >> 7,
                     ((clock - 1) & 0x7F) | 0x80, (clock - 1) >> 7);
        else
            break;
        assert_int_equal(yjs_document_add(&d, from_hex(mem, str_of(hex)), &is_new, &err), OK);
        assert_true(is_new);
        assert_true(yjs_document_bytes(&d) < 96 * 1024);
        arena_rewind(mem, mark);
    }
    assert_in_range(yjs_document_state(&d).n, 16256, 16300);
    assert_int_equal(d.structs, 1);
    yjs_document_free(&d);
    arena_free(mem);
}

static void test_too_big(void **state)
{
    struct arena *mem = arena_new(4096);
    struct yjs_document d = { 0 };
    struct error err = { "" };
    enum status st = OK;
    size_t before = 0;
    bool is_new;

    (void)state;
    for (int i = 0; i < 100 && st == OK; i++) {
        struct buf b = BUF(mem, STR_NPOS);
        char *text;

        before = yjs_document_state(&d).n;
        buf_add(&b, "\1\1", 2);
        buf_add_char(&b, (char)(i + 1)); /* a client each */
        buf_add(&b, "\0\4\1\1t", 5);
        buf_add(&b, "\xA0\x8D\x06", 3); /* 100000 */
        text = buf_reserve(&b, 100000);
        memset(text, 'x', 100000);
        buf_used(&b, 100000);
        buf_add_char(&b, 0);
        st = yjs_document_add(&d, buf_str(&b), &is_new, &err);
    }
    assert_int_equal(st, TOO_BIG);
    assert_int_equal(yjs_document_state(&d).n, before);
    assert_in_range(before, YJS_MAX_DOCUMENT - 110000, YJS_MAX_DOCUMENT);
    yjs_document_free(&d);
    arena_free(mem);
}

/* What a reader has typed is found, and taken back by a deletion of his own; what he only repeats is not. */
static void test_foreign(void **state)
{
    struct arena *mem = arena_new(4096);
    struct str hello = from_hex(mem, S("01010700040101740568656c6c6f00")),
               more = from_hex(mem, S("02010900040101740178010705840704012100"));
    struct yjs_document d = { 0 };
    struct yjs_ranges set = { 0 };
    struct error err;
    bool is_new;

    (void)state;
    assert_int_equal(yjs_document_add(&d, hello, &is_new, &err), OK);
    assert_int_equal(yjs_document_foreign(&d, hello, &set, &err), OK);
    assert_int_equal(set.n, 0);
    assert_int_equal(yjs_document_foreign(&d, more, &set, &err), OK);
    assert_int_equal(set.n, 2);
    expect(mem, "foreign", "deletion", yjs_deletion(mem, &set),
           "00"
           "02"
           "09010001"
           "07010501");
    yjs_ranges_free(&set);
    yjs_document_free(&d);
    arena_free(mem);
}

static struct yjs_ranges ranges(const char *text) /* "1:0+5 1:7+1" */
{
    struct yjs_ranges set = { 0 };
    unsigned long client, clock, n;
    int used;

    while (sscanf(text, " %lu:%lu+%lu%n", &client, &clock, &n, &used) == 3) {
        yjs_ranges_push(&set, (struct yjs_range){ client, clock, n });
        text += used;
    }
    yjs_ranges_settle(&set);
    return set;
}

static struct str ranges_text(struct arena *mem, const struct yjs_ranges *set)
{
    struct buf b = BUF(mem, 4096);

    for (size_t i = 0; i < set->n; i++)
        buf_addf(&b, "%s%lu:%lu+%lu", i ? " " : "", (unsigned long)set->v[i].client, (unsigned long)set->v[i].clock,
                 (unsigned long)set->v[i].n);
    return buf_str(&b);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *a, *b, *united, *less;
        bool within;
    } cases[] = {
        { "", "", "", "", true },
        { "1:0+5", "", "1:0+5", "1:0+5", false },
        { "1:0+5", "1:0+5", "1:0+5", "", true },
        { "1:1+2", "1:0+5", "1:0+5", "", true },
        { "1:0+5", "1:1+2", "1:0+5", "1:0+1 1:3+2", false },
        { "1:0+5", "1:5+2", "1:0+7", "1:0+5", false },
        { "1:0+5", "2:0+5", "1:0+5 2:0+5", "1:0+5", false },
        { "2:3+1 1:0+5 1:3+4", "1:2+1 1:5+1 3:0+1", "1:0+7 2:3+1 3:0+1", "1:0+2 1:3+2 1:6+1 2:3+1", false },
        { "1:0+10", "1:0+3 1:4+2 1:8+9", "1:0+17", "1:3+1 1:6+2", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1000);
        struct yjs_ranges a = ranges(cases[i].a), b = ranges(cases[i].b), united = ranges(cases[i].a);

        assert_int_equal(yjs_ranges_within(&a, &b), cases[i].within);
        yjs_ranges_unite(&united, &b);
        assert_string_equal(ranges_text(mem, &united).p, cases[i].united);
        yjs_ranges_subtract(&a, &b);
        assert_string_equal(ranges_text(mem, &a).p, cases[i].less);
        yjs_ranges_free(&a);
        yjs_ranges_free(&b);
        yjs_ranges_free(&united);
        arena_free(mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_broken),  cmocka_unit_test(test_depth),
                                        cmocka_unit_test(test_typing),  cmocka_unit_test(test_too_big),
                                        cmocka_unit_test(test_foreign), cmocka_unit_test(test_ranges) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
