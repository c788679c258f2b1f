/* test_scim.c: SCIM filters as they are read, and operations of a PATCH. */
#include "lib/scim/filter.h"
#include "lib/scim/patch.h"
#include "lib/scim/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The tree as text, with brackets around everything. */
static void show(struct buf *b, const struct condition *c)
{
    static const char *const ops[] = { "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr" };

    buf_add_char(b, '(');
    switch (c->type) {
    case ALL_OF:
    case ONE_OF:
        show(b, c->left);
        buf_add_c(b, c->type == ALL_OF ? "&" : "|");
        show(b, c->right);
        break;
    case NOT:
        buf_add_c(b, "!");
        show(b, c->left);
        break;
    case WITHIN:
        buf_add_str(b, c->attribute);
        show(b, c->left);
        break;
    case COMPARE:
        buf_addf(b, "%.*s %s", STR(c->attribute), ops[c->op]);
        if (c->op != OP_PRESENT && c->value_type == VALUE_TEXT)
            buf_addf(b, " '%.*s'", STR(c->text));
        if (c->op != OP_PRESENT && c->value_type == VALUE_NUMBER)
            buf_addf(b, " %g", c->number);
        if (c->op != OP_PRESENT && c->value_type == VALUE_TRUTH)
            buf_addf(b, " %d", c->truth);
        break;
    }
    buf_add_char(b, ')');
}

static void filters(void **state)
{
    static const struct {
        const char *label, *in, *want; /* want NULL: refused */
    } cases[] = {
        { "plain", "userName eq \"bob\"", "(username eq 'bob')" },
        { "operators in any case", "userName EQ \"bob\"", "(username eq 'bob')" },
        { "and binds tighter than or", "a pr or b pr and c pr", "((a pr)|((b pr)&(c pr)))" },
        { "brackets", "(a pr or b pr) and c pr", "(((a pr)|(b pr))&(c pr))" },
        { "not", "not (a eq true)", "(!(a eq 1))" },
        { "not without a space", "not(a eq false) and b gt 3", "((!(a eq 0))&(b gt 3))" },
        { "an attribute called not", "not eq \"x\"", "(not eq 'x')" },
        { "value path", "emails[type eq \"work\" and value co \"@x\"]", "(emails((type eq 'work')&(value co '@x')))" },
        { "sub-attribute", "name.familyName sw \"O'Neil\"", "(name.familyname sw 'O'Neil')" },
        { "schema prefix", "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"x\"", "(username eq 'x')" },
        { "escapes", "a eq \"q\\\"\\u00e9\"", "(a eq 'q\"\xc3\xa9')" },
        { "null", "externalId eq null", "(externalid eq)" },
        { "empty", "", NULL },
        { "no value", "userName eq", NULL },
        { "no operator", "userName \"bob\"", NULL },
        { "unknown operator", "userName is \"bob\"", NULL },
        { "open string", "userName eq \"bob", NULL },
        { "open bracket", "(userName pr", NULL },
        { "closed too often", "userName pr)", NULL },
        { "what follows", "userName pr junk", NULL },
        { "bare word", "userName eq bob", NULL },
        { "NUL", "userName eq \"a\\u0000b\"", NULL },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct condition *c = NULL;
        struct error err = { "" };
        struct buf b = BUF(mem, 4096);
        enum status st = scim_filter_parse(mem, str_of(cases[i].in), &c, &err);

        if ((st == OK) != (cases[i].want != NULL))
            fail_msg("%s: status %d %s", cases[i].label, st, err.text);
        if (st != OK)
            continue;
        show(&b, c);
        if (!str_is(buf_str(&b), cases[i].want))
            fail_msg("%s: %s", cases[i].label, b.p);
    }
    arena_free(mem);
}

static void limits(void **state)
{
    struct arena *mem = arena_new(4096);
    struct buf b = BUF(mem, 1024 * 1024);
    const struct condition *c;
    struct error err;

    (void)state;
    for (int i = 0; i < 100; i++)
        buf_add_c(&b, i ? " or a pr" : "a pr");
    assert_int_equal(scim_filter_parse(mem, buf_str(&b), &c, &err), INVALID);
    buf_reset(&b);
    for (int i = 0; i < 100; i++)
        buf_add_char(&b, '(');
    assert_int_equal(scim_filter_parse(mem, buf_str(&b), &c, &err), INVALID);
    buf_reset(&b);
    buf_add_c(&b, "a eq \"");
    for (int i = 0; i < SCIM_FILTER_MAX; i++)
        buf_add_char(&b, 'x');
    buf_add_char(&b, '"');
    assert_int_equal(scim_filter_parse(mem, buf_str(&b), &c, &err), INVALID);
    arena_free(mem);
}

static void user_patches(void **state)
{
    static const struct {
        const char *label, *operations, *email, *name; /* email "!": refused, with name as its scimType */
        int active;
    } cases[] = {
        { "replace", "[{\"op\":\"replace\",\"path\":\"active\",\"value\":false}]", NULL, NULL, ACTIVE_NO },
        { "text as truth", "[{\"op\":\"Replace\",\"path\":\"active\",\"value\":\"False\"}]", NULL, NULL, ACTIVE_NO },
        { "no path", "[{\"op\":\"replace\",\"value\":{\"active\":true,\"userName\":\"n@x.y\",\"id\":\"1\"}}]", "n@x.y",
          NULL, ACTIVE_YES },
        { "value path", "[{\"op\":\"add\",\"path\":\"emails[type eq \\\"work\\\"].value\",\"value\":\"n@x.y\"}]",
          "n@x.y", NULL, ACTIVE_STAYS },
        { "other value path",
          "[{\"op\":\"replace\",\"path\":\"emails[type eq \\\"home\\\"].value\",\"value\":\"n@x\"}]", "!", "noTarget",
          0 },
        { "list",
          "[{\"op\":\"replace\",\"path\":\"emails\",\"value\":[{\"value\":\"a@x.y\"},{\"value\":\"b@x.y\","
          "\"primary\":true}]}]",
          "b@x.y", NULL, ACTIVE_STAYS },
        { "family name", "[{\"op\":\"replace\",\"path\":\"name.familyName\",\"value\":\"Miller\"}]", NULL, "Ann Miller",
          ACTIVE_STAYS },
        { "given name by flat key", "[{\"op\":\"add\",\"value\":{\"name.givenName\":\"Eve\"}}]", NULL, "Eve Lee",
          ACTIVE_STAYS },
        { "unknown attribute", "[{\"op\":\"replace\",\"path\":\"title\",\"value\":\"Dr\"}]", NULL, NULL, ACTIVE_STAYS },
        { "required", "[{\"op\":\"remove\",\"path\":\"userName\"}]", "!", "mutability", 0 },
        { "read-only", "[{\"op\":\"replace\",\"path\":\"id\",\"value\":\"x\"}]", "!", "mutability", 0 },
        { "no such operation", "[{\"op\":\"move\",\"path\":\"active\"}]", "!", "invalidSyntax", 0 },
        { "broken path", "[{\"op\":\"replace\",\"path\":\"emails[\",\"value\":\"x\"}]", "!", "invalidPath", 0 },
        { "wrong type", "[{\"op\":\"replace\",\"path\":\"active\",\"value\":\"maybe\"}]", "!", "invalidValue", 0 },
        { "remove without a path", "[{\"op\":\"remove\"}]", "!", "noTarget", 0 },
    };
    struct arena *mem = arena_new(4096);
    struct user u = { .id = S("1"), .email = S("ann@x.y"), .name = S("Ann Lee"), .profile_image_url = S("/user.png") };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_object *operations = json_parse_or_null(mem, str_of(cases[i].operations));
        struct scim_user_change change = { 0 };
        const char *type = "";
        struct error err = { "" };
        enum status st = scim_patch_user(mem, operations, &u, &change, &type, &err);
        bool refused = cases[i].email && cases[i].email[0] == '!';

        assert_non_null(operations);
        if ((st != OK) != refused || (refused && strcmp(type, cases[i].name)))
            fail_msg("%s: status %d %s %s", cases[i].label, st, type, err.text);
        if (!refused && (!str_eq(change.email, str_of(cases[i].email)) || !str_eq(change.name, str_of(cases[i].name)) ||
                         (int)change.active != cases[i].active))
            fail_msg("%s: %.*s %.*s %d", cases[i].label, STR(change.email), STR(change.name), change.active);
    }
    arena_free(mem);
}

static void group_patches(void **state)
{
    static const struct {
        const char *label, *operations, *ids;
    } cases[] = {
        { "add", "[{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"b\"},{\"value\":\"c\"}]}]",
          "[\"a\",\"b\",\"ghost\",\"c\"]" },
        { "add one", "[{\"op\":\"add\",\"path\":\"members\",\"value\":{\"value\":\"c\"}}]",
          "[\"a\",\"b\",\"ghost\",\"c\"]" },
        { "remove by condition", "[{\"op\":\"remove\",\"path\":\"members[value eq \\\"a\\\"]\"}]",
          "[\"b\",\"ghost\"]" },
        { "remove by name", "[{\"op\":\"remove\",\"path\":\"members[display sw \\\"be\\\"]\"}]", "[\"a\",\"ghost\"]" },
        { "remove by list", "[{\"op\":\"Remove\",\"path\":\"members\",\"value\":[{\"value\":\"a\"}]}]",
          "[\"b\",\"ghost\"]" },
        { "remove nobody of us", "[{\"op\":\"remove\",\"path\":\"members[value eq \\\"ghost\\\"]\"}]",
          "[\"a\",\"b\"]" },
        { "remove all", "[{\"op\":\"remove\",\"path\":\"members\"}]", "[]" },
        { "replace", "[{\"op\":\"replace\",\"value\":{\"members\":[{\"value\":\"c\"}],\"displayName\":\"N\"}}]",
          "[\"c\"]" },
        { "twice",
          "[{\"op\":\"remove\",\"path\":\"members\"},{\"op\":\"add\",\"path\":\"members\",\"value\":"
          "[{\"value\":\"z\"},{\"value\":\"z\"}]}]",
          "[\"z\"]" },
    };
    struct arena *mem = arena_new(4096);
    struct user users[] = { { .id = S("a"), .name = S("Ann") }, { .id = S("b"), .name = S("Ben") } };
    struct scim_people people = scim_people(mem, users, 2);
    struct str now = S("[\"a\",\"b\",\"ghost\"]");
    json_object *members = scim_members(mem, S("http://h/"), now, &people);

    (void)state;
    assert_int_equal(json_length(members), 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str name = STR_NONE, ids = STR_NONE;
        const char *type = "";
        struct error err = { "" };

        if (scim_patch_group(mem, json_parse_or_null(mem, str_of(cases[i].operations)), members, now, &name, &ids,
                             &type, &err) != OK ||
            !str_is(ids, cases[i].ids))
            fail_msg("%s: %.*s %s", cases[i].label, STR(ids), err.text);
    }
    arena_free(mem);
}

static void projections(void **state)
{
    struct arena *mem = arena_new(4096);
    json_object *o = json_parse_or_null(
        mem, S("{\"schemas\":[\"s\"],\"id\":\"1\",\"userName\":\"u\",\"name\":{\"givenName\":\"g\",\"familyName\":"
               "\"f\"},\"emails\":[{\"value\":\"v\",\"type\":\"t\"}]}"));

    (void)state;
    assert_string_equal(json_text(mem, scim_project(mem, o, S("username,emails.value"), STR_NONE)).p,
                        "{\"schemas\":[\"s\"],\"id\":\"1\",\"userName\":\"u\",\"emails\":[{\"value\":\"v\"}]}");
    assert_string_equal(json_text(mem, scim_project(mem, o, STR_NONE, S("id, name.givenName,emails"))).p,
                        "{\"schemas\":[\"s\"],\"id\":\"1\",\"userName\":\"u\",\"name\":{\"familyName\":\"f\"}}");
    assert_string_equal(json_text(mem, scim_project(mem, o, S(SCIM_USER ":name"), STR_NONE)).p,
                        "{\"schemas\":[\"s\"],\"id\":\"1\",\"name\":{\"givenName\":\"g\",\"familyName\":\"f\"}}");
    assert_true(scim_shows(STR_NONE, STR_NONE, "name") && scim_shows(S("name.givenName"), STR_NONE, "name") &&
                scim_shows(STR_NONE, S("name.givenName"), "name"));
    assert_false(scim_shows(S("userName"), STR_NONE, "name") || scim_shows(STR_NONE, S("x, NAME"), "name"));
    assert_true(str_starts(scim_etag(mem, o), "W/\""));
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),       cmocka_unit_test(limits),      cmocka_unit_test(user_patches),
        cmocka_unit_test(group_patches), cmocka_unit_test(projections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
