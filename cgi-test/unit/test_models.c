/* test_models.c: what providers say they have, asked for and shared; the list of all models; who answers for one. Providers are threads of
 * this program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/shared.h"
#include "lib/db/migrate.h"
#include "lib/llm/catalog.h"
#include "lib/llm/models.h"
#include "lib/llm/upstream.h"
#include "lib/store/models.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static char folder[64];
static struct arena *mem;
static struct db *db;
static struct config *config;
static struct error err;
static const struct user admin = { .id = { "admin", 5 },
                                   .name = { "Ad Min", 6 },
                                   .email = { "a@b.c", 5 },
                                   .role = { "admin", 5 },
                                   .is_admin = true },
                         ann = {
                             .id = { "ann", 3 }, .name = { "Ann", 3 }, .email = { "ann@b.c", 7 }, .role = { "user", 4 }
                         };

/* ---- providers */

struct fake {
    int listener, port;
    const char *models, *tags, *ps; /* bodies */
    int status;                     /* 0: 200 */
    atomic_int asked;
};

static void answer(struct fake *f, int fd)
{
    char head[4096];
    ssize_t n = read(fd, head, sizeof(head) - 1);
    const char *body;
    struct buf b = BUF(NULL, 1 << 20);

    if (n > 0) {
        head[n] = '\0';
        atomic_fetch_add(&f->asked, 1);
        body = strstr(head, "/api/tags") ? f->tags : strstr(head, "/api/ps") ? f->ps : f->models;
        buf_addf(
            &b, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            f->status ? f->status : 200, body ? strlen(body) : 0, body ? body : "");
        (void)write_all(fd, buf_str(&b), NULL);
        buf_free(&b);
    }
    close(fd);
}

static void *serve(void *arg)
{
    struct fake *f = arg;
    int fd;

    while ((fd = accept(f->listener, NULL, NULL)) >= 0)
        answer(f, fd);
    return NULL;
}

/* A provider that is not served accepts (the kernel does), and never answers. */
static void open_fake(struct fake *f, bool serves)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    pthread_t thread;

    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(f->listener, 16), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&a, &n), 0);
    f->port = ntohs(a.sin_port);
    if (serves)
        assert_int_equal(pthread_create(&thread, NULL, serve, f) || pthread_detach(thread), 0);
}

static struct fake one, two, dead;

/* ---- settings */

static void set(enum setting_id id, const char *json)
{
    struct config_change *change = config_change_begin(config, mem);
    json_object *v = NULL;

    if (json_parse(mem, str_of(json), &v, &err) != OK)
        fail_msg("%s: %s", json, err.text);
    config_change_set(change, id, v);
    assert_int_equal(config_change_commit(change, db, &err), OK);
}

static const char *urls(const char *format, int a, int b, int c)
{
    return str_f(mem, "%s",
                 str_replace(
                     mem,
                     str_replace(mem, str_replace(mem, str_of(format), S("ONE"), str_f(mem, "http://127.0.0.1:%d", a)),
                                 S("TWO"), str_f(mem, "http://127.0.0.1:%d", b)),
                     S("DEAD"), str_f(mem, "http://127.0.0.1:%d", c))
                     .p)
        .p;
}

static void providers(const char *openai, const char *openai_configs, const char *ollama, const char *ollama_configs)
{
    set(CFG_OPENAI_API_BASE_URLS, urls(openai, one.port, two.port, dead.port));
    set(CFG_OPENAI_API_KEYS, "[\"k1\", \"k2\"]");
    set(CFG_OPENAI_API_CONFIGS, openai_configs);
    set(CFG_OLLAMA_BASE_URLS, urls(ollama, one.port, two.port, dead.port));
    set(CFG_OLLAMA_API_CONFIGS, ollama_configs);
}

static json_object *catalog(bool refresh)
{
    return catalog_get(mem, config, &admin, refresh, NULL);
}

static void same(const char *label, json_object *got, const char *want)
{
    json_object *w = NULL;

    if (json_parse(mem, str_of(want), &w, &err) != OK)
        fail_msg("%s: %s", label, err.text);
    if (!json_same(got, w))
        fail_msg("%s: want %s, got %s", label, want, json_text(mem, got).p);
}

/* Of each model of a list, one member. */
static json_object *members(json_object *list, const char *key)
{
    json_object *out = json_new_array(mem);

    JSON_EACH (list, i, m)
        json_push(out, json_path(m, key));
    return out;
}

static int before(void **state)
{
    struct schema s;

    (void)state;
    mem = arena_new(64 * 1024);
    snprintf(folder, sizeof(folder), "/tmp/test-models-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    setenv("DATA_DIR", folder, 1);
    setenv("WEBUI_SECRET_KEY", "test", 1);
    setenv("AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST", "1", 1);
    unsetenv("WEBUI_RUN_DIR");
    for (size_t i = 0; i < CFG_COUNT; i++)
        if (strstr(settings[i].env, "OPENAI") || strstr(settings[i].env, "OLLAMA"))
            unsetenv(settings[i].env);
    if (shared_open(folder, &err) != OK || config_open(&config, &err) != OK ||
        db_open(str_f(mem, "sqlite:///%s/webui.db", folder).p, &db, &err) != OK || migrate_up(db, mem, &s, &err) != OK)
        return -1;
    open_fake(&one, true);
    open_fake(&two, true);
    open_fake(&dead, false);
    counter_bump(COUNTER_SETTINGS);
    return config_refresh(config, db, &err) == OK ? 0 : -1;
}

static int after(void **state)
{
    (void)state;
    shutdown(one.listener, SHUT_RDWR);
    shutdown(two.listener, SHUT_RDWR);
    db_close(db);
    config_close(config);
    if (system(str_f(mem, "rm -rf %s", folder).p) != 0)
        return -1;
    arena_free(mem);
    return 0;
}

/* ---- the catalog. The first test runs before there is a RUN directory */

static void without_run_directory(void **state)
{
    int64_t at, again;

    (void)state;
    one.models = "{\"data\": [{\"id\": \"a\"}]}";
    providers("[\"ONE\"]", "{}", "[]", "{}");
    assert_int_equal(json_length(catalog_get(mem, config, &admin, false, &at)), 1);
    assert_int_equal(one.asked, 1);
    assert_int_equal(json_length(catalog_get(mem, config, &admin, false, &again)), 1);
    assert_int_equal(one.asked, 1);
    assert_true(at == again && at == catalog_changed_at_ms(mem, config, &admin, false));
    assert_int_equal(mkdir(config_run_dir(config), 0700), 0);
    assert_int_equal(json_length(catalog(true)), 1);
    assert_int_equal(one.asked, 2);
}

static void openai_models(void **state)
{
    (void)state;
    one.models = "{\"data\": [{\"id\": \"a\", \"name\": null, \"owned_by\": \"x\"}, {\"id\": \"b\", \"name\": \"B\", "
                 "\"created\": 5}, {\"name\": \"c\"}]}";
    two.models = "[{\"id\": \"d\"}]";
    providers("[\"ONE/\", \"TWO\", \"ONE\", \"TWO\"]",
              "{\"1\": {\"prefix_id\": \"p\", \"tags\": [{\"name\": \"t\"}], \"connection_type\": \"local\"}, \"2\": "
              "{\"enable\": false},"
              " \"3\": {\"model_ids\": [\"m\"], \"prefix_id\": \"q\"}}",
              "[]", "{}");
    same(
        "all", catalog(false),
        "[{\"id\": \"a\", \"owned_by\": \"openai\", \"connection_type\": \"external\", \"name\": \"a\","
        "  \"openai\": {\"id\": \"a\", \"owned_by\": \"x\", \"connection_type\": \"external\"}, \"urlIdx\": 0},"
        " {\"id\": \"b\", \"name\": \"B\", \"created\": 5, \"connection_type\": \"external\", \"owned_by\": \"openai\","
        "  \"openai\": {\"id\": \"b\", \"name\": \"B\", \"created\": 5, \"connection_type\": \"external\"}, "
        "\"urlIdx\": 0},"
        " {\"name\": \"c\", \"connection_type\": \"external\", \"owned_by\": \"openai\", \"openai\": {\"name\": \"c\", "
        "\"connection_type\": \"external\"},"
        "  \"urlIdx\": 0, \"id\": \"c\"},"
        " {\"id\": \"p.d\", \"tags\": [{\"name\": \"t\"}], \"connection_type\": \"local\", \"name\": \"p.d\", "
        "\"owned_by\": \"openai\","
        "  \"openai\": {\"id\": \"p.d\", \"tags\": [{\"name\": \"t\"}], \"connection_type\": \"local\"}, \"urlIdx\": "
        "1},"
        " {\"id\": \"q.m\", \"name\": \"m\", \"owned_by\": \"openai\", \"urlIdx\": 3, \"connection_type\": "
        "\"external\","
        "  \"openai\": {\"id\": \"q.m\", \"name\": \"m\", \"owned_by\": \"openai\", \"openai\": {\"id\": \"m\"}, "
        "\"urlIdx\": 3, \"connection_type\": \"external\"}}]");
    set(CFG_ENABLE_OPENAI_API, "false");
    assert_int_equal(json_length(catalog(false)), 0);
    set(CFG_ENABLE_OPENAI_API, "true");
    assert_true(catalog_is_for_chat(S("gpt-4o")) && !catalog_is_for_chat(S("text-embedding-3")) &&
                !catalog_is_for_chat(S("tts-1")));
}

static void ollama_models(void **state)
{
    json_object *list;

    (void)state;
    one.tags = "{\"models\": [{\"name\": \"x:1b\", \"model\": \"x:1b\"}, {\"name\": \"y:1b\", \"model\": \"y:1b\"}, "
               "{\"name\": \"no model\"}]}";
    one.ps = "{\"models\": [{\"model\": \"x:1b\", \"expires_at\": \"2026-01-02T03:04:05.123456789+02:00\"}, "
             "{\"model\": \"y:1b\", \"expires_at\": \"nonsense\"}]}";
    two.tags = "{\"models\": [{\"name\": \"x:1b\", \"model\": \"x:1b\"}, {\"name\": \"z:1b\", \"model\": \"z:1b\"}]}";
    two.ps = "{\"models\": [{\"model\": \"z:1b\", \"expires_at\": \"2026-01-02T03:04:05Z\"}]}";
    providers("[]", "{}", "[\"ONE\", \"TWO\", \"TWO\", \"ONE\"]",
              "{\"2\": {\"prefix_id\": \"p\", \"model_ids\": [\"z:1b\"], \"tags\": [{\"name\": \"t\"}], "
              "\"connection_type\": \"external\"}, \"3\": {\"enable\": false}}");
    list = catalog(false);
    same("names", members(list, "id"), "[\"x:1b\", \"y:1b\", \"z:1b\", \"p.z:1b\"]");
    same("where", members(list, "ollama.urls"), "[[0, 1], [0], [1], [2]]");
    same("until when", members(list, "ollama.expires_at"), "[1767315845, null, 1767323045, 1767323045]");
    same("tags", members(list, "tags"), "[[], [], [], [{\"name\": \"t\"}]]");
    same("kind", members(list, "connection_type"), "[\"local\", \"local\", \"local\", \"external\"]");
    same("owner", members(list, "owned_by"), "[\"ollama\", \"ollama\", \"ollama\", \"ollama\"]");
    set(CFG_ENABLE_OLLAMA_API, "false");
    assert_int_equal(json_length(catalog(false)), 0);
    set(CFG_ENABLE_OLLAMA_API, "true");
}

static void garbage(void **state)
{
    static const struct {
        const char *label, *body;
        int status;
        size_t n;
    } cases[] = {
        { "no JSON", "<html>", 200, 1 },
        { "nothing", "", 200, 1 },
        { "a number", "5", 200, 1 },
        { "null", "null", 200, 1 },
        { "an error", "{\"error\": {\"message\": \"x\"}}", 500, 1 },
        { "data is no list", "{\"data\": {\"a\": 1}}", 200, 1 },
        { "no objects", "{\"data\": [1, null, \"x\", [], {}]}", 200, 1 },
        { "no names", "{\"data\": [{\"id\": \"\"}, {\"id\": 5}, {\"id\": null}]}", 200, 1 },
        { "cut off", "{\"data\": [{\"id\": \"a\"}", 200, 1 },
        { "some are good", "{\"data\": [{\"id\": \"a\"}, 7]}", 200, 2 },
        { "invalid UTF-8", "{\"data\": [{\"id\": \"\xff\"}]}", 200, 1 },
    };

    (void)state;
    two.models = "{\"data\": [{\"id\": \"good\"}]}";
    providers("[\"ONE\", \"TWO\"]", "{}", "[\"ONE\"]", "{}");
    for (size_t i = 0; i < COUNT(cases); i++) {
        one.models = one.tags = one.ps = cases[i].body;
        one.status = cases[i].status;
        if (json_length(catalog(true)) != cases[i].n)
            fail_msg("%s: %s", cases[i].label, json_text(mem, catalog(false)).p);
    }
    one.status = 0;
}

static void same_answer_same_list(void **state)
{
    int64_t first, second, third;

    (void)state;
    one.models = "{\"data\": [{\"id\": \"a\"}]}";
    providers("[\"ONE\"]", "{}", "[]", "{}");
    catalog_get(mem, config, &admin, false, &first);
    catalog_get(mem, config, &admin, true, &second);
    assert_true(first == second);
    one.models = "{\"data\": [{\"id\": \"b\"}]}";
    assert_true(catalog_changed_at_ms(mem, config, &admin, false) == first); /* good for a second */
    assert_true(catalog_changed_at_ms(mem, config, &admin, true) > first);
    catalog_get(mem, config, &admin, false, &third);
    assert_true(third > first);
    same("the new one", members(catalog(false), "id"), "[\"b\"]");
}

/* Another process with the same settings; returns its exit status. */
static int in_child(int (*run)(void))
{
    pid_t pid;
    int status;

    db_disconnect(db);
    pid = fork();
    if (pid == 0)
        _exit(run());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int child_asks_again(void)
{
    return (int)json_length(catalog(true));
}

static int child_takes(void)
{
    return (int)json_length(catalog(false));
}

static void shared_with_other_processes(void **state)
{
    int asked;
    int64_t at;

    (void)state;
    one.models = "{\"data\": [{\"id\": \"a\"}]}";
    providers("[\"ONE\"]", "{}", "[]", "{}");
    catalog_get(mem, config, &admin, false, &at);
    asked = one.asked;
    assert_int_equal(in_child(child_takes), 1);
    assert_int_equal(one.asked, asked);
    one.models = "{\"data\": [{\"id\": \"a\"}, {\"id\": \"b\"}, {\"id\": \"c\"}]}";
    assert_int_equal(in_child(child_asks_again), 3);
    assert_true(catalog_changed_at_ms(mem, config, &admin, false) > at || now_ms() < catalog_good_until_ms());
    usleep(1100 * 1000);
    assert_true(catalog_changed_at_ms(mem, config, &admin, false) > at);
    assert_int_equal(json_length(catalog(false)), 3);
}

static void dead_provider(void **state)
{
    int64_t started = mono_ms(), took;
    int status, asked;
    pid_t pid;

    (void)state;
    one.models = "{\"data\": [{\"id\": \"a\"}]}";
    one.tags = "{\"models\": [{\"name\": \"x\", \"model\": \"x\"}]}";
    one.ps = "{}";
    providers("[\"DEAD\", \"ONE\", \"DEAD\", \"http://127.0.0.1:9\"]", "{}", "[\"DEAD\", \"ONE\"]", "{}");
    same("the others are there", members(catalog(false), "id"), "[\"a\", \"x\"]");
    took = mono_ms() - started;
    assert_true(took >= 900 && took < 2000); /* once, not once a provider */
    asked = one.asked;
    started = mono_ms();
    assert_int_equal(json_length(catalog(false)), 2);
    assert_true(mono_ms() - started < 200);
    usleep((useconds_t)(3 * took + 100) * 1000); /* it is kept for three times as long as it took */
    db_disconnect(db);
    pid = fork();
    if (pid == 0)
        _exit((int)json_length(catalog(false))); /* one asks … */
    usleep(300 * 1000);
    started = mono_ms();
    assert_int_equal(json_length(catalog(false)), 2); /* … and the others go on with what they have */
    assert_true(mono_ms() - started < 200);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_int_equal(one.asked, asked + 3); /* /models, /api/tags, /api/ps, by one of us */
}

/* ---- the list */

static void row(const char *id, const char *base, const char *name, const char *meta, const char *access,
                bool is_active)
{
    struct model_row m = { .id = str_of(id),
                           .user_id = S("owner"),
                           .base_model_id = str_of(base),
                           .name = str_of(name),
                           .params = S("{\"temperature\": 0.5, \"system\": \"Be {{USER_NAME}}.\"}"),
                           .meta = str_of(meta),
                           .access_control = str_of(access),
                           .created_at = 7,
                           .is_active = is_active };

    assert_int_equal(model_row_insert(db, &m), DB_ROW);
}

static const struct models *list_of(bool refresh)
{
    const struct models *list;

    if (models_all(mem, db, config, &admin, refresh, &list, &err) != OK)
        fail_msg("%s", err.text);
    return list;
}

static json_object *ids_for(const struct user *u)
{
    struct str text;
    json_object *o = NULL;

    assert_int_equal(models_text_for(mem, db, config, u, false, &text, &err), OK);
    assert_int_equal(json_parse(mem, text, &o, &err), OK);
    return members(json_get(o, "data"), "id");
}

static void prepare_list(void)
{
    assert_int_not_equal(model_rows_delete_all(db), DB_ERROR);
    one.models = "{\"data\": [{\"id\": \"a\", \"tags\": [{\"name\": \"p\"}]}, {\"id\": \"b\"}, {\"id\": \"f\", "
                 "\"pipeline\": {\"type\": \"filter\"}}, {\"id\": \"q\", \"pipeline\": {\"type\": \"pipe\"}}]}";
    one.tags =
        "{\"models\": [{\"name\": \"x:1b\", \"model\": \"x:1b\"}, {\"name\": \"y:latest\", \"model\": \"y:latest\"}]}";
    one.ps = "{}";
    two.models = "{\"data\": [{\"id\": \"a\"}]}";
    providers("[\"ONE\", \"TWO\"]", "{\"1\": {\"prefix_id\": \"p\"}}", "[\"ONE\"]", "{}");
    set(CFG_ENABLE_EVALUATION_ARENA_MODELS, "false");
    set(CFG_MODEL_ORDER_LIST, "[]");
    set(CFG_EVALUATION_ARENA_MODELS, "[]");
    catalog(true);
}

static void rows_and_models(void **state)
{
    (void)state;
    prepare_list();
    same("providers alone", ids_for(&admin), "[\"a\", \"b\", \"q\", \"p.a\", \"x:1b\", \"y:latest\"]");
    same("users see none of them", ids_for(&ann), "[]");
    row("a", NULL, "Alpha", "{\"tags\": [{\"name\": \"t\"}, {\"name\": \"p\"}]}", NULL, true);
    row("b", NULL, "Beta", "{}", NULL, false);
    row("x", NULL, "Ex", "{}", NULL, true);
    row("mine", "a", "Mine", "{}", "{\"read\": {\"user_ids\": [\"ann\"]}}", true);
    row("off", "a", "Off", "{}", NULL, false);
    row("q", "a", "taken by a provider", "{}", NULL, true);
    row("orphan", "gone", "Orphan", "{}", "{}", true);
    row("wise", "y", "Wise", "{}", NULL, true);
    same("with rows", ids_for(&admin),
         "[\"a\", \"q\", \"p.a\", \"x:1b\", \"y:latest\", \"mine\", \"orphan\", \"wise\"]");
    same("a row opens its own id, not that of all tags", ids_for(&ann), "[\"a\", \"mine\", \"wise\"]");
    assert_true(str_is(model_by_id(list_of(false), S("a"))->name, "Alpha"));
    assert_true(str_is(model_by_id(list_of(false), S("x:1b"))->name, "Ex"));
    same("tags", json_get(model_by_id(list_of(false), S("a"))->json, "tags"), "[{\"name\": \"t\"}, {\"name\": \"p\"}]");
    assert_true(str_is(model_by_id(list_of(false), S("wise"))->owned_by, "ollama"));
    assert_true(str_is(model_by_id(list_of(false), S("orphan"))->owned_by, "openai"));
    assert_null(model_by_id(list_of(false), S("b")));
    assert_non_null(model_by_id(list_of(false), S("f"))); /* a filter is not shown, but is there */
    set(CFG_MODEL_ORDER_LIST, "[\"wise\", \"p.a\"]");
    same("in order, then by name", ids_for(&admin),
         "[\"wise\", \"p.a\", \"a\", \"x:1b\", \"mine\", \"orphan\", \"q\", \"y:latest\"]");
}

static void arenas(void **state)
{
    (void)state;
    prepare_list();
    set(CFG_ENABLE_EVALUATION_ARENA_MODELS, "true");
    same("the usual one", ids_for(&admin), "[\"a\", \"b\", \"q\", \"p.a\", \"x:1b\", \"y:latest\", \"arena-model\"]");
    same("is for nobody", ids_for(&ann), "[]");
    set(CFG_EVALUATION_ARENA_MODELS,
        "[{\"id\": \"ring\", \"name\": \"Ring\", \"meta\": {\"model_ids\": [\"a\"], \"access_control\": null}},"
        " {\"id\": \"pit\", \"name\": \"Pit\", \"meta\": {\"access_control\": {\"read\": {\"user_ids\": "
        "[\"bob\"]}}}}]");
    same("others", ids_for(&ann), "[\"ring\"]");
    assert_true(model_by_id(list_of(false), S("ring"))->is_arena);
    set(CFG_EVALUATION_ARENA_MODELS, "[]");
    providers("[]", "{}", "[]", "{}");
    same("not without models", ids_for(&admin), "[]");
}

static void kept_until_something_changes(void **state)
{
    const struct models *list;
    int asked;

    (void)state;
    prepare_list();
    set(CFG_ENABLE_BASE_MODELS_CACHE, "true");
    list = list_of(false);
    assert_int_equal(models_count(list), 7);
    asked = one.asked;
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(model_by_id(list_of(false), S("a")), models_at(list, 0));
    row("mine", "a", "Mine", "{}", NULL, true);
    assert_int_equal(models_count(list_of(false)), 8);
    assert_int_equal(one.asked, asked);
    one.models = "{\"data\": []}";
    assert_int_equal(models_count(list_of(false)), 8);
    assert_int_equal(models_count(list_of(true)), 4);
    set(CFG_ENABLE_BASE_MODELS_CACHE, "false");
    one.models = "{\"data\": [{\"id\": \"new\"}]}";
    assert_int_equal(models_count(list_of(false)), 5);
}

/* ---- who answers */

static void provider_of_a_model(void **state)
{
    static const struct {
        const char *id;
        enum status st;
        enum provider_kind kind;
        int index;
        const char *upstream_id;
    } cases[] = {
        { "a", OK, PROVIDER_OPENAI, 0, "a" },
        { "p.a", OK, PROVIDER_OPENAI, 1, "a" },
        { "mine", OK, PROVIDER_OPENAI, 1, "a" },
        { "deeper", OK, PROVIDER_OPENAI, 1, "a" },
        { "wise", OK, PROVIDER_OLLAMA, 0, "y:latest" },
        { "orphan", NOT_FOUND, 0, 0, "" },
        { "circle", NOT_FOUND, 0, 0, "" },
    };
    const struct models *list;

    (void)state;
    prepare_list();
    row("mine", "p.a", "Mine", "{}", NULL, true);
    row("deeper", "mine", "Deeper", "{}", NULL, true);
    row("wise", "y", "Wise", "{}", NULL, true);
    row("orphan", "gone", "Orphan", "{}", NULL, true);
    row("circle", "circle2", "C", "{}", NULL, true);
    row("circle2", "circle", "C", "{}", NULL, true);
    list = list_of(false);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct provider p;
        struct str id = STR_NONE;
        enum status st = model_provider(mem, config, list, model_by_id(list, str_of(cases[i].id)), &p, &id);

        if (st != cases[i].st ||
            (st == OK && (p.kind != cases[i].kind || p.index != cases[i].index || !str_is(id, cases[i].upstream_id))))
            fail_msg("%s: status %d, index %d, \"%.*s\"", cases[i].id, st, p.index, STR(id));
    }
}

static struct chat_call call_for(const char *id, const char *form)
{
    const struct models *list = list_of(false);
    struct chat_call call = { .user = &ann, .token = S("session") };

    assert_int_equal(json_parse(mem, str_of(form), &call.form, &err), OK);
    if (upstream_for_chat(mem, config, list, model_by_id(list, str_of(id)), &call) != OK)
        call.upstream = NULL;
    return call;
}

static void calls(void **state)
{
    struct chat_call call;

    (void)state;
    prepare_list();
    row("mine", "p.a", "Mine", "{}", NULL, true);
    row("wise", "y", "Wise", "{}", NULL, true);
    call = call_for(
        "mine", "{\"model\": \"mine\", \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"stream\": true}");
    assert_true(str_is(json_str(call.upstream, "url"), str_f(mem, "http://127.0.0.1:%d/chat/completions", two.port).p));
    assert_true(call.is_stream && !call.is_ollama);
    same("body", json_parse_or_null(mem, json_str(call.upstream, "body")),
         "{\"model\": \"a\", \"messages\": [{\"role\": \"system\", \"content\": \"Be Ann.\"}, {\"role\": \"user\", "
         "\"content\": \"hi\"}], \"stream\": true, \"temperature\": 0.5}");
    same("headers", json_get(call.upstream, "headers"),
         "{\"Content-Type\": \"application/json\", \"Authorization\": \"Bearer k2\"}");
    call = call_for("wise", "{\"model\": \"wise\", \"messages\": [], \"options\": {\"top_k\": 1}}");
    assert_true(call.is_ollama &&
                str_is(json_str(call.upstream, "url"), str_f(mem, "http://127.0.0.1:%d/api/chat", one.port).p));
    same("Ollama's body", json_parse_or_null(mem, json_str(call.upstream, "body")),
         "{\"model\": \"y:latest\", \"messages\": [{\"role\": \"system\", \"content\": \"Be Ann.\"}], \"stream\": "
         "false, \"options\": {\"top_k\": 1, \"temperature\": 0.5}}");
    call = call_for("q", "{\"model\": \"q\"}");
    same("pipelines know who asks", json_get(json_parse_or_null(mem, json_str(call.upstream, "body")), "user"),
         "{\"name\": \"Ann\", \"id\": \"ann\", \"email\": \"ann@b.c\", \"role\": \"user\"}");
}

static void drawn(void **state)
{
    int seen[2] = { 0, 0 };

    (void)state;
    prepare_list();
    set(CFG_ENABLE_EVALUATION_ARENA_MODELS, "true");
    set(CFG_EVALUATION_ARENA_MODELS,
        "[{\"id\": \"ring\", \"name\": \"R\", \"meta\": {\"model_ids\": [\"a\", \"b\", \"gone\", \"ring\"]}},"
        " {\"id\": \"rest\", \"name\": \"R\", \"meta\": {\"model_ids\": [\"a\", \"b\", \"f\", \"q\", \"p.a\", "
        "\"x:1b\"], \"filter_mode\": \"exclude\"}},"
        " {\"id\": \"void\", \"name\": \"V\", \"meta\": {\"model_ids\": [\"gone\"]}}]");
    for (int i = 0; i < 200; i++) {
        struct chat_call call = call_for("ring", "{\"messages\": []}");

        assert_non_null(call.upstream);
        assert_true(str_is(call.selected_model_id, "a") || str_is(call.selected_model_id, "b"));
        seen[str_is(call.selected_model_id, "b")]++;
    }
    assert_true(seen[0] > 20 && seen[1] > 20);
    assert_true(str_is(call_for("rest", "{\"messages\": []}").selected_model_id, "y:latest"));
    assert_null(call_for("void", "{\"messages\": []}").upstream);
    set(CFG_EVALUATION_ARENA_MODELS, "[]");
}

static void what_providers_are_sent(void **state)
{
    static const struct {
        const char *label, *config, *want;
    } cases[] = {
        { "a key", "{}", "{\"Content-Type\": \"application/json\", \"Authorization\": \"Bearer k1\"}" },
        { "none", "{\"auth_type\": \"none\"}", "{\"Content-Type\": \"application/json\"}" },
        { "the caller's own", "{\"auth_type\": \"session\"}",
          "{\"Content-Type\": \"application/json\", \"Authorization\": \"Bearer session\"}" },
        { "never the key in place of a token that is not to be had", "{\"auth_type\": \"system_oauth\"}",
          "{\"Content-Type\": \"application/json\"}" },
        { "Azure", "{\"azure\": true, \"api_version\": \"2025-01-01\"}",
          "{\"Content-Type\": \"application/json\", \"Authorization\": \"Bearer k1\", \"api-key\": \"k1\", "
          "\"api-version\": \"2025-01-01\"}" },
        { "Azure with Entra", "{\"azure\": true, \"auth_type\": \"azure_ad\"}",
          "{\"Content-Type\": \"application/json\", \"api-version\": \"2023-03-15-preview\"}" },
    };
    struct chat_call call;

    (void)state;
    prepare_list();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct provider p;

        set(CFG_OPENAI_API_CONFIGS, str_f(mem, "{\"0\": %s}", cases[i].config).p);
        assert_int_equal(provider_by_index(mem, config, PROVIDER_OPENAI, 0, &p), OK);
        same(cases[i].label, provider_headers(mem, config, &p, &ann, S("session"), S("chat")), cases[i].want);
    }
    set(CFG_OPENAI_API_CONFIGS,
        "{\"0\": {\"azure\": true, \"model_ids\": [\"gpt 4\"], \"api_version\": \"2025-01-01\"}}");
    call = call_for("gpt 4", "{\"model\": \"gpt 4\", \"messages\": [], \"top_k\": 1}");
    assert_true(str_is(
        json_str(call.upstream, "url"),
        str_f(mem, "http://127.0.0.1:%d/openai/deployments/gpt%%204/chat/completions?api-version=2025-01-01", one.port)
            .p));
    assert_true(str_is(json_str(call.upstream, "body"), "{\"messages\":[]}"));
}

static void providers_by_index(void **state)
{
    struct provider p;

    (void)state;
    prepare_list();
    assert_int_equal(provider_by_index(mem, config, PROVIDER_OPENAI, -1, &p), NOT_FOUND);
    assert_int_equal(provider_by_index(mem, config, PROVIDER_OPENAI, 2, &p), NOT_FOUND);
    assert_int_equal(provider_by_index(mem, config, PROVIDER_OLLAMA, 0, &p), OK);
    set(CFG_OLLAMA_API_CONFIGS, urls("{\"ONE\": {\"enable\": false, \"key\": \"k\"}}", one.port, 0, 0));
    assert_int_equal(provider_by_index(mem, config, PROVIDER_OLLAMA, 0, &p), OK);
    assert_true(!p.is_enabled && str_is(p.key, "k")); /* entries by address, as older versions wrote them */
    set(CFG_OLLAMA_API_CONFIGS, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_run_directory),
        cmocka_unit_test(openai_models),
        cmocka_unit_test(ollama_models),
        cmocka_unit_test(garbage),
        cmocka_unit_test(same_answer_same_list),
        cmocka_unit_test(shared_with_other_processes),
        cmocka_unit_test(dead_provider),
        cmocka_unit_test(rows_and_models),
        cmocka_unit_test(arenas),
        cmocka_unit_test(kept_until_something_changes),
        cmocka_unit_test(provider_of_a_model),
        cmocka_unit_test(calls),
        cmocka_unit_test(drawn),
        cmocka_unit_test(what_providers_are_sent),
        cmocka_unit_test(providers_by_index),
    };

    return cmocka_run_group_tests(tests, before, after);
}
