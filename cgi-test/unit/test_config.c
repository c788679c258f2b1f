/* test_config.c: settings: the table, .env files, the environment, the row of the database, places on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/shared.h"
#include "lib/config/config.h"
#include "lib/config/dotenv.h"
#include "lib/config/settings_doc.h"

extern char **environ;

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct arena *mem;
static char dir[64], root[4096];
static struct error err;

/* "A=1\nB=2" becomes the whole environment. */
static void set_environment(const char *lines)
{
    struct str rest = str_of(lines ? lines : ""), line;

    clearenv();
    while (str_split(&rest, '\n', &line)) {
        size_t at = str_find_c(line, '=');

        if (at != STR_NPOS)
            setenv(str_c(mem, str_sub(line, 0, at)), str_c(mem, str_from(line, at + 1)), 1);
    }
}

static void write_text(const char *name, const char *text)
{
    if (text)
        assert_int_equal(file_write(name, str_of(text), 0600, &err), OK);
    else
        unlink(name);
}

static struct config *open_with(const char *environment, const char *dotenv)
{
    struct config *c = NULL;

    write_text(".env", dotenv);
    set_environment(environment);
    assert_int_equal(config_open(&c, &err), OK);
    return c;
}

static int set_up(void **state)
{
    (void)state;
    mem = arena_new(64 * 1024);
    memcpy(dir, "/tmp/test_config.XXXXXX", 24);
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    arena_free(mem);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void assert_json(const char *label, json_object *got, const char *want)
{
    json_object *wanted = NULL;

    assert_int_equal(json_parse(mem, str_of(want), &wanted, &err), OK);
    if (!json_same(got, wanted))
        fail_msg("%s: got %s, not %s", label, json_text(mem, got).p, want);
}

/* ---- the table */

static void table_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < CFG_COUNT; i++) {
        const struct setting *s = &settings[i];
        json_object *def = NULL;
        bool fits;

        assert_int_equal(json_parse(mem, str_of(s->def), &def, &err), OK);
        fits = !def || (s->type == SETTING_BOOL && json_is(def, json_type_boolean)) ||
               (s->type == SETTING_INT && json_is(def, json_type_int)) ||
               (s->type == SETTING_FLOAT && json_is(def, json_type_double)) ||
               (s->type == SETTING_STR && json_is(def, json_type_string)) ||
               (s->type == SETTING_LIST && json_is(def, json_type_array)) ||
               (s->type == SETTING_DICT && json_is(def, json_type_object));
        if (!fits || strlen(s->note) < 5)
            fail_msg("%s: default or note", s->env);
        for (int k = 0; k < i; k++) {
            if (strcmp(s->env, settings[k].env) == 0)
                fail_msg("%s is there twice", s->env);
            if (s->path && settings[k].path && strcmp(s->path, settings[k].path) == 0)
                fail_msg("%s is there twice", s->path);
        }
    }
}

static void secrets_are_marked(void **state)
{
    static const enum setting_id secrets[] = { CFG_WEBUI_SECRET_KEY,
                                               CFG_OPENAI_API_KEYS,
                                               CFG_OPENAI_API_KEY,
                                               CFG_LDAP_APP_PASSWORD,
                                               CFG_DATABASE_URL,
                                               CFG_DATABASE_PASSWORD,
                                               CFG_REDIS_URL,
                                               CFG_SCIM_TOKEN,
                                               CFG_TOOL_SERVER_CONNECTIONS,
                                               CFG_OAUTH_CLIENT_SECRET,
                                               CFG_CODE_EXECUTION_JUPYTER_AUTH_TOKEN,
                                               CFG_AUTOMATIC1111_API_AUTH,
                                               CFG_OLLAMA_API_CONFIGS };

    (void)state;
    for (size_t i = 0; i < COUNT(secrets); i++)
        if (!(settings[secrets[i]].flags & SETTING_SECRET))
            fail_msg("%s is a secret", settings[secrets[i]].env);
}

static void page_is_made_of_the_table(void **state)
{
    struct buf page = BUF(mem, 1024 * 1024);
    struct str there;

    (void)state;
    settings_markdown(&page);
    assert_false(buf_failed(&page));
    assert_int_equal(file_read(mem, str_c(mem, str_f(mem, "%s/docs/settings.md", root)), 1024 * 1024, &there, &err),
                     OK);
    if (!str_eq(there, buf_str(&page)))
        fail_msg("docs/settings.md is old: make docs/settings.md");
}

/* ---- .env */

static const char *pretended(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home/me" : NULL;
}

static void dotenv_is_read(void **state)
{
    static const struct {
        const char *label, *text, *name, *want;
    } cases[] = {
        { "plain", "A=1\n", "A", "1" },
        { "no line end", "A=1", "A", "1" },
        { "windows line ends", "A=1\r\nB=2\r\n", "B", "2" },
        { "byte order mark",
          "\xef\xbb\xbf"
          "A=1",
          "A", "1" },
        { "white space around", "  A = one two  \n", "A", "one two" },
        { "export", "export A=1", "A", "1" },
        { "export is a name too", "export=1", "export", "1" },
        { "empty", "A=\nB=2", "A", "" },
        { "no value", "A\nB=2", "A", NULL },
        { "the line after it", "A\nB=2", "B", "2" },
        { "comment line", "# A=1\nB=2", "A", NULL },
        { "comment behind", "A=1 # one", "A", "1" },
        { "no comment without a blank", "A=1#one", "A", "1#one" },
        { "value starts with #", "A=#one", "A", "#one" },
        { "blank, then comment", "A= # one", "A", "" },
        { "single quotes", "A='a # b'", "A", "a # b" },
        { "escape in single quotes", "A='it\\'s \\n'", "A", "it's \\n" },
        { "double quotes", "A=\"a\\nb\\t\\\"c\\\"\" # x", "A", "a\nb\t\"c\"" },
        { "unknown escape stays", "A=\"\\d\\$\"", "A", "\\d\\$" },
        { "escaped backslash before the quote", "A=\"a\\\\\"\nB=2", "A", "a\\" },
        { "several lines", "A=\"a\nb\"\nB=2", "A", "a\nb" },
        { "quoted name", "'A'=1", "A", "1" },
        { "unclosed quote costs its line", "A=\"x\nB=2", "B", "2" },
        { "text behind a quote costs its line", "A='x' y\nB=2", "A", NULL },
        { "later wins", "A=1\nA=2", "A", "2" },
        { "variable of the file", "A=1\nB=x${A}y", "B", "x1y" },
        { "variable of the environment", "HOME=here\nB=${HOME}", "B", "/home/me" },
        { "default of a variable", "B=${NONE:-d e}", "B", "d e" },
        { "default not needed", "A=1\nB=${A:-2}", "B", "1" },
        { "variable that is missing", "B=[${NONE}]", "B", "[]" },
        { "in single quotes too", "A=1\nB='${A}'", "B", "1" },
        { "no braces, no variable", "A=1\nB=$A", "B", "$A" },
        { "broken variable", "A=1\nB=${A:1} ${A", "B", "${A:1} ${A" },
        { "name without a value in a variable", "A\nB=[${A}]", "B", "[]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dotenv d;
        struct str got;

        dotenv_parse(mem, str_of(cases[i].text), pretended, &d);
        got = dotenv_get(&d, str_of(cases[i].name));
        if (cases[i].want ? !got.p || !str_is(got, cases[i].want) : got.p != NULL)
            fail_msg("%s: got \"%.*s\"", cases[i].label, STR(got));
    }
}

/* ---- variables */

static void variables_are_read(void **state)
{
    static const struct {
        const char *label, *environment;
        enum setting_id id;
        const char *want;
    } cases[] = {
        { "truth", "ENABLE_SIGNUP=FALSE", CFG_ENABLE_SIGNUP, "false" },
        { "only true is true", "ENABLE_SIGNUP=1", CFG_ENABLE_SIGNUP, "false" },
        { "true in any case", "ENABLE_CHANNELS=TruE", CFG_ENABLE_CHANNELS, "true" },
        { "empty truth is false", "ENABLE_NOTES=", CFG_ENABLE_NOTES, "false" },
        { "no sign-up without sign-in", "WEBUI_AUTH=false\nENABLE_SIGNUP=true", CFG_ENABLE_SIGNUP, "false" },
        { "integer", "CHUNK_SIZE= 700 ", CFG_CHUNK_SIZE, "700" },
        { "number", "RAG_RELEVANCE_THRESHOLD=1", CFG_RAG_RELEVANCE_THRESHOLD, "1.0" },
        { "optional integer", "RAG_FILE_MAX_COUNT=5", CFG_RAG_FILE_MAX_COUNT, "5" },
        { "empty optional integer", "RAG_FILE_MAX_COUNT=", CFG_RAG_FILE_MAX_COUNT, "null" },
        { "lenient integer", "MODELS_CACHE_TTL=soon", CFG_MODELS_CACHE_TTL, "1" },
        { "empty is no limit", "MODELS_CACHE_TTL=", CFG_MODELS_CACHE_TTL, "null" },
        { "time-out not set", "", CFG_AIOHTTP_CLIENT_TIMEOUT, "null" },
        { "time-out unreadable", "AIOHTTP_CLIENT_TIMEOUT=x", CFG_AIOHTTP_CLIENT_TIMEOUT, "300" },
        { "time-out by its old name", "AIOHTTP_CLIENT_TIMEOUT_OPENAI_MODEL_LIST=3",
          CFG_AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST, "3" },
        { "chunk size empty", "CHAT_RESPONSE_STREAM_DELTA_CHUNK_SIZE=", CFG_CHAT_RESPONSE_STREAM_DELTA_CHUNK_SIZE,
          "1" },
        { "list", "OAUTH_ALLOWED_ROLES=a, b,", CFG_OAUTH_ALLOWED_ROLES, "[\"a\",\"b\",\"\"]" },
        { "list without empty pieces", "RAG_ALLOWED_FILE_EXTENSIONS=pdf,, txt", CFG_RAG_ALLOWED_FILE_EXTENSIONS,
          "[\"pdf\",\"txt\"]" },
        { "list with its blanks", "YOUTUBE_LOADER_LANGUAGE=de, en", CFG_YOUTUBE_LOADER_LANGUAGE, "[\"de\",\" en\"]" },
        { "small letters", "CONTENT_EXTRACTION_ENGINE=Tika", CFG_CONTENT_EXTRACTION_ENGINE, "\"tika\"" },
        { "Ollama by default", "", CFG_OLLAMA_BASE_URLS, "[\"http://localhost:11434\"]" },
        { "one Ollama", "OLLAMA_BASE_URL=http://o:1/", CFG_OLLAMA_BASE_URLS, "[\"http://o:1\"]" },
        { "Ollama by its API", "OLLAMA_API_BASE_URL=http://o:1/api", CFG_OLLAMA_BASE_URLS, "[\"http://o:1\"]" },
        { "several Ollamas", "OLLAMA_BASE_URLS=http://a; http://b\nOLLAMA_BASE_URL=x", CFG_OLLAMA_BASE_URLS,
          "[\"http://a\",\"http://b\"]" },
        { "empty list of Ollamas", "OLLAMA_BASE_URLS=\nOLLAMA_BASE_URL=http://x", CFG_OLLAMA_BASE_URLS,
          "[\"http://x\"]" },
        { "Ollama in a container", "ENV=prod\nOLLAMA_BASE_URL=/ollama", CFG_OLLAMA_BASE_URLS,
          "[\"http://host.docker.internal:11434\"]" },
        { "Ollama in the same container", "ENV=prod\nOLLAMA_BASE_URL=/ollama\nUSE_OLLAMA_DOCKER=true",
          CFG_OLLAMA_BASE_URLS, "[\"http://localhost:11434\"]" },
        { "Ollama in Kubernetes", "ENV=prod\nK8S_FLAG=1", CFG_OLLAMA_BASE_URLS,
          "[\"http://ollama-service.open-webui.svc.cluster.local:11434\"]" },
        { "Ollama that embeds", "OLLAMA_BASE_URL=http://o:1", CFG_RAG_OLLAMA_BASE_URL, "\"http://o:1\"" },
        { "OpenAI by default", "", CFG_OPENAI_API_BASE_URLS, "[\"https://api.openai.com/v1\"]" },
        { "one address", "OPENAI_API_BASE_URL=http://u/v1/", CFG_OPENAI_API_BASE_URLS, "[\"http://u/v1\"]" },
        { "empty address", "OPENAI_API_BASE_URL=", CFG_OPENAI_API_BASE_URLS, "[\"https://api.openai.com/v1\"]" },
        { "several addresses", "OPENAI_API_BASE_URLS=;http://u", CFG_OPENAI_API_BASE_URLS,
          "[\"https://api.openai.com/v1\",\"http://u\"]" },
        { "no key", "", CFG_OPENAI_API_KEYS, "[\"\"]" },
        { "one key", "OPENAI_API_KEY=k", CFG_OPENAI_API_KEYS, "[\"k\"]" },
        { "several keys", "OPENAI_API_KEYS=k; l\nOPENAI_API_KEY=m", CFG_OPENAI_API_KEYS, "[\"k\",\"l\"]" },
        { "key of OpenAI for embeddings",
          "OPENAI_API_BASE_URLS=http://u;https://api.openai.com/v1\nOPENAI_API_KEYS=k;l", CFG_RAG_OPENAI_API_KEY,
          "\"l\"" },
        { "no such key", "OPENAI_API_BASE_URLS=http://u\nOPENAI_API_KEYS=k", CFG_AUDIO_TTS_OPENAI_API_KEY, "\"\"" },
        { "key of one's own", "OPENAI_API_KEY=k\nIMAGES_OPENAI_API_KEY=i", CFG_IMAGES_OPENAI_API_KEY, "\"i\"" },
        { "JSON list", "TOOL_SERVER_CONNECTIONS=[{\"url\":\"x\"}]", CFG_TOOL_SERVER_CONNECTIONS, "[{\"url\":\"x\"}]" },
        { "broken JSON", "TOOL_SERVER_CONNECTIONS=[", CFG_TOOL_SERVER_CONNECTIONS, "[]" },
        { "JSON object", "DOCLING_PICTURE_DESCRIPTION_API={\"a\":1}", CFG_DOCLING_PICTURE_DESCRIPTION_API,
          "{\"a\":1}" },
        { "banners",
          "WEBUI_BANNERS=[{\"id\":\"a\",\"type\":\"info\",\"content\":\"c\",\"dismissible\":true,\"timestamp\":1,\"x\":"
          "2}]",
          CFG_WEBUI_BANNERS,
          "[{\"id\":\"a\",\"type\":\"info\",\"title\":null,\"content\":\"c\",\"dismissible\":true,\"timestamp\":1}]" },
        { "one bad banner", "WEBUI_BANNERS=[{\"id\":\"a\"}]", CFG_WEBUI_BANNERS, "[]" },
        { "suggestions", "DEFAULT_PROMPT_SUGGESTIONS=[{\"title\":[\"a\",\"b\"],\"content\":\"c\"}]",
          CFG_DEFAULT_PROMPT_SUGGESTIONS, "[{\"title\":[\"a\",\"b\"],\"content\":\"c\"}]" },
        { "name", "WEBUI_NAME=Ours", CFG_WEBUI_NAME, "\"Ours (Open WebUI)\"" },
        { "name by default", "", CFG_WEBUI_NAME, "\"Open WebUI\"" },
        { "off line", "OFFLINE_MODE=true", CFG_ENABLE_VERSION_UPDATE_CHECK, "false" },
        { "cookie as the session's", "WEBUI_SESSION_COOKIE_SAME_SITE=strict", CFG_WEBUI_AUTH_COOKIE_SAME_SITE,
          "\"strict\"" },
        { "another name", "LDAP_SEARCH_FILTERS=(x)", CFG_LDAP_SEARCH_FILTER, "\"(x)\"" },
        { "key of another name", "OLLAMA_CLOUD_API_KEY=k", CFG_OLLAMA_CLOUD_WEB_SEARCH_API_KEY, "\"k\"" },
        { "batch size of another name", "RAG_EMBEDDING_BATCH_SIZE=\nRAG_EMBEDDING_OPENAI_BATCH_SIZE=9",
          CFG_RAG_EMBEDDING_BATCH_SIZE, "9" },
        { "Jupyter for both", "CODE_EXECUTION_JUPYTER_URL=http://j", CFG_CODE_INTERPRETER_JUPYTER_URL, "\"http://j\"" },
        { "not honoured", "VECTOR_DB=milvus", CFG_VECTOR_DB, "null" },
        { "no variable", "USER_PERMISSIONS={}\nMODEL_ORDER_LIST=a", CFG_MODEL_ORDER_LIST, "[]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = open_with(cases[i].environment, NULL);

        assert_json(cases[i].label, config_json(c, cases[i].id), cases[i].want);
        config_close(c);
    }
}

static void bad_variables_are_named(void **state)
{
    static const struct {
        const char *environment, *named;
    } cases[] = {
        { "CHUNK_SIZE=12secret", "CHUNK_SIZE" },
        { "RAG_HYBRID_BM25_WEIGHT=", "RAG_HYBRID_BM25_WEIGHT" },
        { "CONFIG_PRECEDENCE=secret", "CONFIG_PRECEDENCE" },
        { "WEBUI_URL=\xff"
          "secret",
          "WEBUI_URL" },
    };

    (void)state;
    write_text(".env", NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = NULL;

        set_environment(cases[i].environment);
        assert_int_equal(config_open(&c, &err), INVALID);
        assert_null(c);
        assert_non_null(strstr(err.text, cases[i].named));
        assert_null(strstr(err.text, "secret"));
    }
}

static void permissions_come_from_variables(void **state)
{
    struct config *c = open_with("USER_PERMISSIONS_CHAT_DELETE=false\nUSER_PERMISSIONS_WORKSPACE_MODELS_ACCESS=true",
                                 NULL);
    json_object *v = config_json(c, CFG_USER_PERMISSIONS);

    (void)state;
    assert_false(json_flag(json_get(v, "chat"), "delete", true));
    assert_true(json_flag(json_get(v, "workspace"), "models", false));
    assert_true(json_flag(json_get(v, "chat"), "edit", false));
    assert_int_equal(json_object_object_length(json_get(v, "chat")), 19);
    config_close(c);
}

static void dotenv_gives_way(void **state)
{
    struct config *c;

    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    write_text("d/.env", "WEBUI_URL=http://data\nADMIN_EMAIL=a@data\n");
    c = open_with("DEFAULT_LOCALE=de\nDATA_DIR=d", "DEFAULT_LOCALE=fr\nWEBUI_URL=http://${DEFAULT_LOCALE}\n");
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), "de"));
    assert_int_equal(config_source(c, CFG_DEFAULT_LOCALE), FROM_ENVIRONMENT);
    assert_true(str_is(config_str(c, CFG_WEBUI_URL), "http://de"));
    assert_int_equal(config_source(c, CFG_WEBUI_URL), FROM_DOTENV);
    assert_true(config_fixed(c, CFG_WEBUI_URL));
    assert_true(str_is(config_str(c, CFG_ADMIN_EMAIL), "a@data"));
    config_close(c);
}

static void empty_variables_fix_nothing(void **state)
{
    struct config *c = open_with(
        "OPENAI_API_KEY=\nWEBUI_URL=\nOLLAMA_BASE_URL=\nRAG_FILE_MAX_SIZE=\nENABLE_CHANNELS=\nENABLE_NOTES=", NULL);

    (void)state;
    assert_false(config_fixed(c, CFG_OPENAI_API_KEYS));
    assert_false(config_fixed(c, CFG_WEBUI_URL));
    assert_false(config_fixed(c, CFG_OLLAMA_BASE_URLS));
    assert_false(config_fixed(c, CFG_RAG_FILE_MAX_SIZE));
    assert_false(config_fixed(c, CFG_ENABLE_CHANNELS));
    assert_true(config_fixed(c, CFG_ENABLE_NOTES));
    config_close(c);
}

/* ---- the row */

static struct db *open_db(const char *document)
{
    struct db *db = NULL;

    unlink("t.db");
    assert_int_equal(db_open(str_c(mem, str_f(mem, "sqlite:///%s/t.db", dir)), &db, &err), OK);
    assert_int_equal(
        db_script(
            db,
            "CREATE TABLE config (id INTEGER NOT NULL, data JSON NOT NULL, version INTEGER NOT NULL, created_at "
            "DATETIME "
            "DEFAULT (CURRENT_TIMESTAMP) NOT NULL, updated_at DATETIME DEFAULT (CURRENT_TIMESTAMP), PRIMARY KEY (id));",
            &err),
        OK);
    if (document)
        assert_int_equal(db_exec(db, "INSERT INTO config (data, version) VALUES ($1, 0)", ARGS(document), NULL),
                         DB_ROW);
    return db;
}

static void order_of_sources(void **state)
{
    static const char doc[] = "{\"version\":0,\"ui\":{\"default_locale\":\"row\",\"default_models\":null},\"webui\":{"
                              "\"url\":\"row\"},\"rag\":{\"top_k\":\"8\","
                              "\"chunk_size\":null},\"oauth\":{\"enable_signup\":true},\"user\":{\"permissions\":{"
                              "\"chat\":{\"delete\":true,\"x\":1}}}}";
    static const struct {
        const char *label, *environment;
        enum setting_id id;
        const char *want;
        enum setting_source source;
    } cases[] = {
        { "row", "", CFG_DEFAULT_LOCALE, "\"row\"", FROM_DATABASE },
        { "default", "", CFG_DEFAULT_USER_ROLE, "\"pending\"", FROM_DEFAULT },
        { "environment first", "WEBUI_URL=env", CFG_WEBUI_URL, "\"env\"", FROM_ENVIRONMENT },
        { "database first", "WEBUI_URL=env\nCONFIG_PRECEDENCE=database", CFG_WEBUI_URL, "\"row\"", FROM_DATABASE },
        { "database first, not in it", "DEFAULT_USER_ROLE=user\nCONFIG_PRECEDENCE=database", CFG_DEFAULT_USER_ROLE,
          "\"user\"", FROM_ENVIRONMENT },
        { "row ignored", "ENABLE_PERSISTENT_CONFIG=false", CFG_DEFAULT_LOCALE, "\"\"", FROM_DEFAULT },
        { "OAuth not from the row", "", CFG_ENABLE_OAUTH_SIGNUP, "false", FROM_DEFAULT },
        { "OAuth from the row", "ENABLE_OAUTH_PERSISTENT_CONFIG=true", CFG_ENABLE_OAUTH_SIGNUP, "true", FROM_DATABASE },
        { "null is a value", "", CFG_CHUNK_SIZE, "null", FROM_DATABASE },
        { "members stay fixed", "USER_PERMISSIONS_CHAT_DELETE=false", CFG_USER_PERMISSIONS,
          "{\"chat\":{\"delete\":false,\"x\":1}}", FROM_DATABASE },
        { "members do not, database first", "USER_PERMISSIONS_CHAT_DELETE=false\nCONFIG_PRECEDENCE=database",
          CFG_USER_PERMISSIONS, "{\"chat\":{\"delete\":true,\"x\":1}}", FROM_DATABASE },
    };
    struct db *db = open_db(doc);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = open_with(cases[i].environment, NULL);

        assert_int_equal(config_refresh(c, db, &err), OK);
        assert_json(cases[i].label, config_json(c, cases[i].id), cases[i].want);
        if (config_source(c, cases[i].id) != cases[i].source)
            fail_msg("%s: source", cases[i].label);
        assert_int_equal(config_int(c, CFG_RAG_TOP_K), strstr(cases[i].environment, "PERSISTENT_CONFIG=false") ? 3 : 8);
        assert_int_equal(config_int(c, CFG_CHUNK_SIZE), 1000);
        config_close(c);
    }
    db_close(db);
}

static json_object *number(int64_t n)
{
    return json_new_int(mem, n);
}

static json_object *text(const char *t)
{
    return json_new_str(mem, str_of(t));
}

static void changes_are_kept(void **state)
{
    struct db *db = open_db(
        "{\"version\":0,\"ui\":{\"default_locale\":\"de\",\"theirs\":[1,2.50]},\"webui\":7,\"more\":null}");
    struct config *c = open_with("ADMIN_EMAIL=a@env", NULL), *other = open_with("ADMIN_EMAIL=a@env", NULL);
    struct config_change *ch;
    json_object *doc;
    uint64_t before;

    (void)state;
    assert_int_equal(config_refresh(c, db, &err), OK);
    assert_int_equal(config_refresh(other, db, &err), OK);
    before = config_generation(other);
    ch = config_change_begin(c, mem);
    config_change_set(ch, CFG_WEBUI_URL, text("http://new"));
    config_change_set(ch, CFG_RAG_TOP_K, text("12"));
    config_change_set(ch, CFG_ENABLE_SIGNUP, number(0));
    config_change_set(ch, CFG_DEFAULT_MODELS, NULL);
    config_change_set(ch, CFG_CHUNK_SIZE, text("no number"));
    config_change_set(ch, CFG_ADMIN_EMAIL, text("a@panel"));
    assert_int_equal(config_change_commit(ch, db, &err), OK);
    assert_true(str_is(config_str(c, CFG_WEBUI_URL), "http://new"));
    assert_true(str_is(config_str(c, CFG_ADMIN_EMAIL), "a@env"));

    assert_int_equal(config_refresh(other, db, &err), OK);
    assert_true(config_generation(other) != before);
    assert_true(str_is(config_str(other, CFG_WEBUI_URL), "http://new"));
    assert_int_equal(config_int(other, CFG_RAG_TOP_K), 12);
    assert_false(config_bool(other, CFG_ENABLE_SIGNUP));
    before = config_generation(other);
    assert_int_equal(config_refresh(other, db, &err), OK);
    assert_true(config_generation(other) == before);

    assert_int_equal(config_document(c, db, mem, &doc, &err), OK);
    assert_true(
        str_is(json_text(mem, doc),
               "{\"version\":0,\"ui\":{\"default_locale\":\"de\",\"theirs\":[1,2.50],\"enable_signup\":false,"
               "\"default_models\":null},\"webui\":{\"url\":\"http://new\"},\"more\":null,\"rag\":{\"top_k\":12}}"));
    config_close(c);
    config_close(other);
    db_close(db);
}

static void first_change_makes_the_row(void **state)
{
    struct db *db = open_db(NULL);
    struct config *c = open_with("", NULL);
    struct config_change *ch = config_change_begin(c, mem);
    json_object *doc;

    (void)state;
    assert_int_equal(config_document(c, db, mem, &doc, &err), OK);
    assert_json("no row", doc, "{\"version\":0,\"ui\":{}}");
    config_change_set(ch, CFG_ENABLE_LOGIN_FORM, json_new_bool(mem, false));
    assert_int_equal(config_change_commit(ch, db, &err), OK);
    assert_int_equal(config_document(c, db, mem, &doc, &err), OK);
    assert_json("made", doc, "{\"version\":0,\"ui\":{\"ENABLE_LOGIN_FORM\":false}}");
    assert_int_equal(config_document_replace(c, db, json_parse_or_null(mem, S("{\"x\":1}")), &err), OK);
    assert_true(config_bool(c, CFG_ENABLE_LOGIN_FORM));
    assert_int_equal(config_document(c, db, mem, &doc, &err), OK);
    assert_json("replaced", doc, "{\"x\":1}");
    config_close(c);
    db_close(db);
}

static void broken_row_changes_nothing(void **state)
{
    struct db *db = open_db("{\"ui\":{\"default_locale\":\"de\"}}");
    struct config *c = open_with("", NULL);

    (void)state;
    assert_int_equal(config_refresh(c, db, &err), OK);
    assert_int_equal(db_exec(db, "UPDATE config SET data = $1", ARGS("[broken"), NULL), DB_ROW);
    counter_bump(COUNTER_SETTINGS);
    assert_int_equal(config_refresh(c, db, &err), FAILED);
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), "de"));
    assert_int_equal(db_exec(db, "UPDATE config SET data = $1", ARGS("{\"ui\":{\"default_locale\":\"fr\"}}"), NULL),
                     DB_ROW);
    assert_int_equal(config_refresh(c, db, &err), OK);
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), "fr"));
    config_close(c);
    db_close(db);
}

static void start_takes_over_and_resets(void **state)
{
    struct db *db = open_db(NULL);
    struct config *c;
    json_object *doc;

    (void)state;
    assert_int_equal(mkdir("data", 0700), 0);
    write_text("data/config.json", "{\"ui\":{\"default_locale\":\"old\"}}");
    c = open_with("", NULL);
    assert_int_equal(config_start(c, db, &err), OK);
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), "old"));
    assert_int_equal(access("data/config.json", F_OK), -1);
    assert_int_equal(access("data/old_config.json", F_OK), 0);
    assert_int_equal(config_start(c, db, &err), OK);
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), "old"));
    config_close(c);
    c = open_with("RESET_CONFIG_ON_START=true", NULL);
    assert_int_equal(config_start(c, db, &err), OK);
    assert_true(str_is(config_str(c, CFG_DEFAULT_LOCALE), ""));
    assert_int_equal(config_document(c, db, mem, &doc, &err), OK);
    assert_json("reset", doc, "{\"version\":0,\"ui\":{}}");
    config_close(c);
    db_close(db);
}

/* ---- places */

static void database_urls(void **state)
{
    static const struct {
        const char *label, *environment, *want;
    } cases[] = {
        { "given", "DATABASE_URL=sqlite:////x/y.db", "sqlite:////x/y.db" },
        { "old scheme", "DATABASE_URL=postgres://u:p@h/n", "postgresql://u:p@h/n" },
        { "by default", "DATA_DIR=/x/", "sqlite:////x/webui.db" },
        { "of parts",
          "DATABASE_TYPE=postgresql\nDATABASE_USER=u\nDATABASE_PASSWORD=p\nDATABASE_HOST=h\nDATABASE_PORT=5\nDATABASE_"
          "NAME=n\nDATABASE_URL=sqlite:///z",
          "postgresql://u:p@h:5/n" },
        { "of parts without a password",
          "DATABASE_TYPE=postgres\nDATABASE_USER=u\nDATABASE_HOST=h\nDATABASE_PORT=5\nDATABASE_NAME=n",
          "postgresql://u@h:5/n" },
        { "a part is missing",
          "DATABASE_TYPE=postgresql\nDATABASE_USER=u\nDATABASE_HOST=h\nDATABASE_NAME=n\nDATA_DIR=/x",
          "sqlite:////x/webui.db" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = open_with(cases[i].environment, NULL);

        if (strcmp(config_database_url(c), cases[i].want) != 0)
            fail_msg("%s: got %s", cases[i].label, config_database_url(c));
        config_close(c);
    }
}

static void directories_are_absolute(void **state)
{
    struct config *c = open_with("DATA_DIR=./some/where/", NULL);
    struct str want = str_f(mem, "%s/some/where", dir);

    (void)state;
    assert_true(str_is(want, config_data_dir(c)));
    assert_true(str_is(str_cat(mem, want, S("/run")), config_run_dir(c)));
    config_close(c);
    c = open_with("WEBUI_RUN_DIR=/r/un", NULL);
    assert_string_equal(config_run_dir(c), "/r/un");
    assert_true(str_is(str_f(mem, "%s/data", dir), config_data_dir(c)));
    config_close(c);
}

static void secret_key(void **state)
{
    struct config *c = open_with("WEBUI_SECRET_KEY=\nWEBUI_JWT_SECRET_KEY=old", NULL);
    struct str key, again;
    struct stat s;

    (void)state;
    assert_int_equal(config_secret_key(c, true, &key, &err), OK);
    assert_true(str_is(key, "old"));
    config_close(c);
    c = open_with("", NULL);
    assert_int_equal(config_secret_key(c, false, &key, &err), NOT_FOUND);
    assert_int_equal(config_secret_key(c, true, &key, &err), OK);
    assert_int_equal(key.n, 44);
    assert_int_equal(stat("data/.webui_secret_key", &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    key = str_copy(mem, key);
    config_close(c);
    c = open_with("", NULL);
    assert_int_equal(config_secret_key(c, false, &again, &err), OK);
    assert_true(str_eq(key, again));
    config_close(c);
    write_text("data/.webui_secret_key", "of the container\n");
    c = open_with("", NULL);
    assert_int_equal(config_secret_key(c, true, &key, &err), OK);
    assert_true(str_is(key, "of the container"));
    config_close(c);
}

/* Eight processes start at once: one key. */
static void secret_key_is_made_once(void **state)
{
    struct config *c = open_with("", NULL);
    struct str all = STR_NONE, key;
    int go[2], keys[2];
    char bytes[8 * 44], byte;
    size_t n = 0;

    (void)state;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(keys), 0);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            close(go[1]);
            if (read(go[0], &byte, 1) != 0 || config_secret_key(c, true, &key, NULL) != OK || key.n != 44)
                _exit(1);
            _exit(write(keys[1], key.p, key.n) == 44 ? 0 : 1);
        }
    }
    close(go[1]);
    for (int i = 0, status; i < 8; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    while (n < sizeof bytes)
        n += (size_t)read(keys[0], bytes + n, sizeof bytes - n);
    assert_int_equal(config_secret_key(c, false, &all, &err), OK);
    for (int i = 0; i < 8; i++)
        assert_true(str_eq(all, str_n(bytes + i * 44, 44)));
    close(go[0]), close(keys[0]), close(keys[1]);
    config_close(c);
}

/* Nothing changed: a request pays nanoseconds. The bound is loose enough for a busy machine under a sanitizer. */
static void refresh_is_cheap(void **state)
{
    struct db *db = open_db("{}");
    struct config *c = open_with("", NULL);
    int64_t start;
    enum { TIMES = 1000000 };

    (void)state;
    assert_int_equal(config_refresh(c, db, &err), OK);
    start = mono_us();
    for (int i = 0; i < TIMES; i++)
        config_refresh(c, db, &err);
    print_message("config_refresh without a change: %.1f ns\n", (double)(mono_us() - start) * 1000 / TIMES);
    assert_true(mono_us() - start < TIMES);
    start = mono_us();
    for (int i = 0; i < 100; i++) {
        counter_bump(COUNTER_SETTINGS);
        config_refresh(c, db, &err);
    }
    print_message("config_refresh after a change: %.1f us\n", (double)(mono_us() - start) / 100);
    config_close(c);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table_is_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(page_is_made_of_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dotenv_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(variables_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_variables_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(permissions_come_from_variables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dotenv_gives_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_variables_fix_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(order_of_sources, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_change_makes_the_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_row_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(start_takes_over_and_resets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_urls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(directories_are_absolute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secret_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secret_key_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refresh_is_cheap, set_up, tear_down),
    };

    if (!getcwd(root, sizeof root))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
