/* test_permissions.c: who may do what: groups, access_control, tokens of users that change, the first admin. On SQLite, and on PostgreSQL when
 * TEST_DATABASE_URL names one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/shared.h"
#include "lib/db/migrate.h"
#include "lib/store/groups.h"
#include "lib/store/user_json.h"
#include "lib/store/users.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *url;
static char folder[64], schema[64];
static struct arena *mem;
static struct db *db;
static struct config *config;
static struct error err;

static struct db *open_db(void)
{
    struct db *d = NULL;

    assert_int_equal(db_open(url, &d, &err), OK);
    if (db_kind(d) == DB_POSTGRES)
        db_set_schema(d, str_of(schema));
    return d;
}

static struct user make_user(const char *email, const char *role)
{
    struct new_user n = {
        .name = str_of(email), .email = str_of(email), .role = str_of(role), .password_hash = S("x")
    };
    struct user u;
    enum user_made made;
    bool first;

    assert_int_equal(user_create(db, mem, &n, &u, &made, &first), DB_ROW);
    assert_int_equal(made, USER_MADE);
    return u;
}

static struct str token_of(struct str id)
{
    struct str token;
    int64_t expires;

    assert_int_equal(auth_issue(mem, config, id, true, &token, &expires, &err), OK);
    return token;
}

static enum status identify(struct str token, const struct user **u)
{
    bool key;

    return auth_identify(mem, db, config, token, u, &key, &err);
}

static int before(void **state)
{
    struct schema s;

    (void)state;
    mem = arena_new(64 * 1024);
    snprintf(folder, sizeof(folder), "/tmp/test-permissions-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(schema, sizeof(schema), "test_permissions_%d", (int)getpid());
    setenv("DATA_DIR", folder, 1);
    setenv("WEBUI_SECRET_KEY", "test", 1);
    url = getenv("TEST_DATABASE_URL") && *(const char **)*state ? getenv("TEST_DATABASE_URL")
                                                                : str_f(mem, "sqlite:///%s/webui.db", folder).p;
    if (shared_open(folder, &err) != OK || config_open(&config, &err) != OK)
        return -1;
    db = open_db();
    if (db_kind(db) == DB_POSTGRES && db_script(db, str_f(mem, "CREATE SCHEMA %s", schema).p, &err) != OK)
        return -1;
    if (migrate_up(db, mem, &s, &err) != OK)
        return -1;
    counter_bump(COUNTER_USERS);
    counter_bump(COUNTER_GROUPS);
    counter_bump(COUNTER_SETTINGS);
    return config_refresh(config, db, &err) == OK ? 0 : -1;
}

static int after(void **state)
{
    (void)state;
    if (db_kind(db) == DB_POSTGRES)
        (void)db_script(db, str_f(mem, "DROP SCHEMA %s CASCADE", schema).p, &err);
    db_close(db);
    config_close(config);
    if (system(str_f(mem, "rm -rf %s", folder).p) != 0)
        return -1;
    arena_free(mem);
    return 0;
}

static void test_group_permissions(void **state)
{
    struct user admin = make_user("a@b.c", "user"), u = make_user("u@b.c", "user"), other = make_user("o@b.c", "user");
    struct group deleters, sharers;

    (void)state;
    assert_true(admin.is_admin);
    assert_false(auth_permission(mem, db, config, &u, "workspace.models"));
    assert_true(auth_permission(mem, db, config, &u, "chat.delete"));
    assert_false(auth_permission(mem, db, config, &u, "no.such.thing"));
    assert_false(auth_permission(mem, db, config, &u, "workspace.models.deeper"));
    assert_int_equal(group_create(db, mem, admin.id, S("one"), S(""),
                                  S("{\"workspace\":{\"models\":true},\"chat\":{\"delete\":false}}"), &deleters),
                     DB_ROW);
    assert_int_equal(group_create(db, mem, admin.id, S("two"), S(""),
                                  S("{\"extra\":{\"flying\":true},\"workspace\":{\"models\":false}}"), &sharers),
                     DB_ROW);
    assert_int_equal(group_add_users(db, mem, deleters.id, &u.id, 1, &deleters), DB_ROW);
    assert_true(auth_permission(mem, db, config, &u, "workspace.models"));
    assert_true(auth_permission(mem, db, config, &u, "chat.delete"));
    assert_false(auth_permission(mem, db, config, &other, "workspace.models"));
    assert_int_equal(group_add_users(db, mem, sharers.id, &u.id, 1, &sharers), DB_ROW);
    assert_true(auth_permission(mem, db, config, &u, "workspace.models"));
    assert_true(auth_permission(mem, db, config, &u, "extra.flying"));
    assert_true(json_flag(json_path(auth_permissions(mem, db, config, &u), "workspace"), "models", false));
    assert_int_equal(group_remove_users(db, mem, deleters.id, &u.id, 1, &deleters), DB_ROW);
    assert_false(auth_permission(mem, db, config, &u, "workspace.models"));
    assert_int_equal(group_delete(db, sharers.id), DB_ROW);
    assert_false(auth_permission(mem, db, config, &u, "extra.flying"));
}

static void test_default_permissions_change_at_once(void **state)
{
    struct user u = (make_user("a@b.c", "user"), make_user("u@b.c", "user"));
    struct config_change *change = config_change_begin(config, mem);
    json_object *p = json_clone(mem, config_json(config, CFG_USER_PERMISSIONS));

    (void)state;
    assert_true(auth_permission(mem, db, config, &u, "chat.delete"));
    json_set_bool(json_get(p, "chat"), "delete", false);
    config_change_set(change, CFG_USER_PERMISSIONS, p);
    assert_int_equal(config_change_commit(change, db, &err), OK);
    assert_false(auth_permission(mem, db, config, &u, "chat.delete"));
    assert_true(auth_permission(mem, db, config, &u, "chat.share"));
}

static void test_access_control(void **state)
{
    struct user a = make_user("a@b.c", "user"), u = make_user("u@b.c", "user");
    struct group g;

    (void)state;
    assert_int_equal(group_create(db, mem, a.id, S("g"), S(""), STR_NONE, &g), DB_ROW);
    assert_int_equal(group_add_users(db, mem, g.id, &u.id, 1, &g), DB_ROW);
    {
        const struct {
            const char *label;
            struct str rules;
            bool read, write;
        } cases[] = {
            { "no rules", STR_NONE, true, false },
            { "null", S("null"), true, false },
            { "owner only", S("{}"), false, false },
            { "by user", str_f(mem, "{\"read\":{\"user_ids\":[\"%.*s\"]}}", STR(u.id)), true, false },
            { "by group", str_f(mem, "{\"write\":{\"group_ids\":[\"x\",\"%.*s\"],\"user_ids\":[]}}", STR(g.id)), false,
              true },
            { "of another", str_f(mem, "{\"read\":{\"group_ids\":[\"x\"],\"user_ids\":[\"%.*s\"]}}", STR(a.id)), false,
              false },
            { "a user's id as a group's", str_f(mem, "{\"read\":{\"group_ids\":[\"%.*s\"]}}", STR(u.id)), false,
              false },
            { "broken text", S("{\"read\":"), false, false },
            { "a list", S("[]"), false, false },
            { "ids that are no list", str_f(mem, "{\"read\":{\"user_ids\":\"%.*s\"}}", STR(u.id)), false, false },
            { "an empty id", S("{\"read\":{\"user_ids\":[\"\",null]}}"), false, false },
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
            if (auth_access(mem, db, u.id, "read", cases[i].rules) != cases[i].read ||
                auth_access(mem, db, u.id, "write", cases[i].rules) != cases[i].write)
                fail_msg("%s", cases[i].label);
        }
    }
    assert_false(auth_access(mem, db, S(""), "read", S("{\"read\":{\"user_ids\":[\"\"]}}")));
}

static void test_group_ids(void **state)
{
    struct user a = make_user("a@b.c", "user"), u = make_user("u@b.c", "user");
    struct str names[] = { S("x"), S("y"), S("x") }, *ids, both[] = { u.id, a.id, u.id };
    struct group g;
    size_t n;

    (void)state;
    assert_int_equal(auth_group_ids(mem, db, u.id, &ids, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(group_sync(db, mem, u.id, names, 3, false), DB_ROW);
    assert_int_equal(auth_group_ids(mem, db, u.id, &ids, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(group_sync(db, mem, u.id, names, 3, true), DB_ROW);
    assert_int_equal(auth_group_ids(mem, db, u.id, &ids, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(group_sync(db, mem, u.id, names + 1, 1, true), DB_ROW);
    assert_int_equal(auth_group_ids(mem, db, u.id, &ids, &n), OK);
    assert_int_equal(n, 1);
    assert_int_equal(group_add_users(db, mem, ids[0], both, 3, &g), DB_ROW);
    assert_int_equal(json_length(json_parse_or_null(mem, g.user_ids)), 2);
    assert_int_equal(user_ids_that_exist(db, mem, (struct str[]){ S("nobody"), u.id, u.id }, 3, &ids, &n), DB_ROW);
    assert_int_equal(n, 1);
    /* Ids are values, never patterns. */
    assert_int_equal(auth_group_ids(mem, db, S("%"), &ids, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(auth_group_ids(mem, db, S("x\" OR 1"), &ids, &n), OK);
    assert_int_equal(n, 0);
}

static void test_tokens_follow_the_user(void **state)
{
    struct user a = make_user("a@b.c", "user"), u = make_user("u@b.c", "admin");
    struct str one = token_of(u.id), two = token_of(u.id), of_a = token_of(a.id);
    const struct user *who;

    (void)state;
    assert_int_equal(identify(one, &who), OK);
    assert_true(who->is_admin);
    assert_int_equal(user_set_role(db, u.id, S("pending")), DB_ROW);
    assert_int_equal(identify(one, &who), OK);
    assert_false(who->is_admin);
    assert_true(str_is(who->role, "pending"));
    assert_int_equal(auth_revoke_token(mem, config, one, &err), OK);
    assert_int_equal(identify(one, &who), INVALID);
    assert_true(str_is(str_of(err.text), "401 Unauthorized"));
    assert_int_equal(identify(two, &who), OK);
    /* A new password: the session that made it goes on, the others end, new ones are good at once. */
    one = token_of(u.id);
    assert_int_equal(auth_revoke_user(mem, config, u.id, two, &err), OK);
    assert_int_equal(identify(two, &who), OK);
    assert_int_equal(identify(one, &who), INVALID);
    usleep(2000); /* within the same second, but not the same millisecond */
    assert_int_equal(identify(token_of(u.id), &who), OK);
    assert_int_equal(identify(of_a, &who), OK);
    assert_int_equal(user_delete(db, u.id), DB_ROW);
    assert_int_equal(identify(two, &who), INVALID);
    assert_true(str_starts(str_of(err.text), "Your session has expired"));
    assert_int_equal(identify(of_a, &who), OK);
    assert_true(str_eq(who->id, a.id));
}

static void test_api_keys(void **state)
{
    struct user a = make_user("a@b.c", "user");
    const struct user *who;
    const char *detail = "";
    bool key;

    (void)state;
    assert_int_equal(user_set_api_key(db, a.id, S("sk-1")), DB_ROW);
    assert_int_equal(auth_identify(mem, db, config, S("sk-1"), &who, &key, &err), OK);
    assert_true(key);
    assert_int_equal(auth_identify(mem, db, config, S("sk-"), &who, &key, &err), INVALID);
    assert_int_equal(auth_identify(mem, db, config, S("sk-%"), &who, &key, &err), INVALID);
    assert_int_equal(auth_identify(mem, db, config, str_n("sk-1\0", 5), &who, &key, &err), INVALID);
    assert_int_equal(user_set_api_key(db, a.id, S("sk-2")), DB_ROW);
    assert_int_equal(auth_identify(mem, db, config, S("sk-1"), &who, &key, &err), INVALID);
    assert_int_equal(auth_identify(mem, db, config, S("sk-2"), &who, &key, &err), OK);
    {
        struct config_change *change = config_change_begin(config, mem);

        config_change_set(change, CFG_ENABLE_API_KEY_ENDPOINT_RESTRICTIONS, json_new_bool(mem, true));
        config_change_set(change, CFG_API_KEY_ALLOWED_ENDPOINTS,
                          json_new_str(mem, S("/api/v1/folders , /api/v1/auths")));
        assert_int_equal(config_change_commit(change, db, &err), OK);
    }
    assert_int_equal(auth_admit(mem, db, config, S("sk-2"), S("/api/v1/folders"), STR_NONE, &who, &key, &detail), 0);
    assert_int_equal(auth_admit(mem, db, config, S("sk-2"), S("/api/v1/folders/x"), STR_NONE, &who, &key, &detail), 0);
    assert_int_equal(auth_admit(mem, db, config, S("sk-2"), S("/api/v1/foldersx"), STR_NONE, &who, &key, &detail), 403);
    assert_int_equal(auth_admit(mem, db, config, S("sk-2"), S("/api/v1/chats"), STR_NONE, &who, &key, &detail), 403);
    assert_int_equal(auth_admit(mem, db, config, token_of(a.id), S("/api/v1/chats"), STR_NONE, &who, &key, &detail), 0);
    assert_int_equal(auth_admit(mem, db, config, token_of(a.id), S("/"), S("A@b.c"), &who, &key, &detail), 0);
    assert_int_equal(auth_admit(mem, db, config, token_of(a.id), S("/"), S("x@b.c"), &who, &key, &detail), 401);
    assert_int_equal(auth_admit(mem, db, config, STR_NONE, S("/"), STR_NONE, &who, &key, &detail), 401);
    assert_string_equal(detail, "Not authenticated");
}

/* More sessions than there is room for: all are told apart, the oldest are looked up again. */
static void test_many_sessions(void **state)
{
    enum { USERS = 40, TOKENS = 1500 };
    struct user users[USERS];
    struct str tokens[TOKENS];
    const struct user *who;

    (void)state;
    for (int i = 0; i < USERS; i++)
        users[i] = make_user(str_f(mem, "u%d@b.c", i).p, "user");
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = token_of(users[i % USERS].id);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TOKENS; i++) {
            assert_int_equal(identify(tokens[i], &who), OK);
            assert_true(str_eq(who->email, users[i % USERS].email));
        }
    }
    counter_bump(COUNTER_USERS);
    assert_int_equal(identify(tokens[TOKENS - 1], &who), OK);
}

/* Eight sign-ups at once on an empty installation: one admin, and one row for each address. */
static void test_one_first_admin(void **state)
{
    struct user u;
    int64_t n;
    struct user *all;
    size_t all_n, admins = 0;
    int ready[2];
    char c;

    (void)state;
    db_close(db);
    assert_int_equal(pipe(ready), 0);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            struct new_user nu = {
                .name = S("n"), .email = str_f(mem, "u%d@b.c", i / 2), .role = S("pending"), .password_hash = S("x")
            };
            enum user_made made;
            bool first;

            db = open_db();
            close(ready[1]);
            (void)!read(ready[0], &c, 1); /* returns when the parent lets go of the other end */
            _exit(user_create(db, mem, &nu, &u, &made, &first) == DB_ROW ? 0 : 1);
        }
    }
    usleep(200000);
    close(ready[1]);
    close(ready[0]);
    for (int i = 0; i < 8; i++) {
        int status;

        wait(&status);
        assert_int_equal(status, 0);
    }
    db = open_db();
    assert_int_equal(user_count(db, mem, &n), DB_ROW);
    assert_int_equal(n, 4);
    assert_int_equal(user_list(db, mem, &(struct user_query){ .limit = -1 }, &all, &all_n), DB_ROW);
    for (size_t i = 0; i < all_n; i++)
        admins += all[i].is_admin;
    assert_int_equal(admins, 1);
    assert_int_equal(user_first(db, mem, &u), DB_ROW);
    assert_true(u.is_admin);
}

static void test_lists(void **state)
{
    static const struct {
        const char *text, *order_by, *direction;
        const char *want;
    } cases[] = {
        { "", "created_at", "asc", "" },
        { "B.C", "email", "desc", "" },
        { "%", "", "", "100%@b.c" },
        { "_", "", "", "Cy_@b.c" },
        { "ADA", "", "", "Ada@b.c" },
        { "\\", "", "", "" },
        { "' OR 1=1 --", "name; DROP TABLE user", "asc", "" },
    };
    struct user *users;
    size_t n;

    (void)state;
    make_user("Ada@b.c", "user");
    make_user("100%@b.c", "user");
    make_user("bob@b.c", "user");
    make_user("Cy_@b.c", "user");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct user_query q = { str_of(cases[i].text), str_of(cases[i].order_by), str_of(cases[i].direction), 0, 30 };
        struct str got = S("");

        assert_int_not_equal(user_list(db, mem, &q, &users, &n), DB_ERROR);
        if (i < 2) { /* the order of letters is the database's */
            assert_int_equal(n, 4);
            continue;
        }
        for (size_t k = 0; k < n; k++)
            got = str_f(mem, "%.*s%s%.*s", STR(got), k ? " " : "", STR(users[k].email));
        if (!str_is(got, cases[i].want))
            fail_msg("\"%s\": %.*s", cases[i].text, STR(got));
    }
    assert_int_equal(user_list(db, mem, &(struct user_query){ .skip = 3, .limit = 30 }, &users, &n), DB_ROW);
    assert_int_equal(n, 1);
}

static struct str add_member(struct arena *m, struct str text, void *arg)
{
    json_object *o = json_parse_or_null(m, text);

    if (!o)
        o = json_new_object(m);
    json_set_int(o, arg, 1);
    return json_text(m, o);
}

static void test_json_columns(void **state)
{
    struct user u = make_user("a@b.c", "user");
    struct str text;
    struct buf b = BUF(mem, 4096);

    (void)state;
    assert_int_equal(user_change_json(db, mem, u.id, USER_SETTINGS, add_member, "x", &text), DB_ROW);
    assert_int_equal(user_change_json(db, mem, u.id, USER_SETTINGS, add_member, "y", &text), DB_ROW);
    assert_true(str_is(text, "{\"x\":1,\"y\":1}"));
    assert_int_equal(user_change_json(db, mem, S("nobody"), USER_INFO, add_member, "y", &text), DB_DONE);
    assert_int_equal(user_set_profile(db, u.id, S("N"), S("/i.png"), S("b"), STR_NONE, S("1990-02-28")), DB_ROW);
    assert_int_equal(user_by_id(db, mem, u.id, &u), DB_ROW);
    assert_true(str_is(u.date_of_birth, "1990-02-28"));
    assert_true(str_is(user_json_settings(mem, &u), "{\"ui\":{},\"x\":1,\"y\":1}"));
    user_json_full(&b, &u);
    assert_non_null(json_parse_or_null(mem, buf_str(&b)));
    u.settings = S("{ }");
    assert_true(str_is(user_json_settings(mem, &u), "{\"ui\":{}}"));
    assert_int_equal(user_set_profile(db, u.id, S("N"), S("/i.png"), STR_NONE, STR_NONE, STR_NONE), DB_ROW);
    assert_int_equal(user_by_id(db, mem, u.id, &u), DB_ROW);
    assert_null(u.date_of_birth.p);
    assert_null(u.bio.p);
}

static void test_update_and_addresses(void **state)
{
    struct user a = make_user("a@b.c", "user"), u = make_user("u@b.c", "user");
    struct user_update change = { S("user"), S("U"), S("a@b.c"), S("/x.png"), S("hash") };
    struct str hash;
    bool taken;

    (void)state;
    assert_int_not_equal(user_update(db, mem, u.id, &change, &taken), DB_ERROR);
    assert_true(taken);
    assert_int_equal(user_by_id(db, mem, u.id, &u), DB_ROW);
    assert_true(str_is(u.email, "u@b.c"));
    change.email = S("new@b.c");
    assert_int_equal(user_update(db, mem, u.id, &change, &taken), DB_ROW);
    assert_false(taken);
    assert_int_equal(user_by_active_email(db, mem, S("new@b.c"), &u), DB_ROW);
    assert_int_equal(user_password(db, mem, u.id, &hash), DB_ROW);
    assert_true(str_is(hash, "hash"));
    change.email = S("other@b.c");
    assert_int_equal(user_update(db, mem, S("nobody"), &change, &taken), DB_DONE);
    assert_int_equal(user_by_id(db, mem, a.id, &a), DB_ROW);
}

#define BOTH(f)                                                    \
    { #f, f, before, after, (void *)&on_sqlite },                  \
    {                                                              \
#f " (PostgreSQL)", f, before, after, (void *)&on_postgres \
    }

int main(void)
{
    static const char *on_sqlite = NULL, *on_postgres = "yes";
    const struct CMUnitTest tests[] = {
        BOTH(test_group_permissions),
        BOTH(test_default_permissions_change_at_once),
        BOTH(test_access_control),
        BOTH(test_group_ids),
        BOTH(test_tokens_follow_the_user),
        BOTH(test_api_keys),
        BOTH(test_many_sessions),
        BOTH(test_one_first_admin),
        BOTH(test_lists),
        BOTH(test_json_columns),
        BOTH(test_update_and_addresses),
    };
    struct CMUnitTest chosen[COUNT(tests)];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(tests); i++) {
        if (tests[i].initial_state == (void *)&on_sqlite || getenv("TEST_DATABASE_URL"))
            chosen[n++] = tests[i];
    }
    return _cmocka_run_group_tests("permissions", chosen, n, NULL, NULL);
}
