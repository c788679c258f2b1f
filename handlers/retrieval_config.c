/* retrieval_config.c: /api/v1/retrieval: the settings of documents, embeddings and web search. */
#include "handlers/routes.h"
#include "handlers/settings_form.h"
#include "lib/base/log.h"

/* ---- what everybody may know */

static const struct form_setting status_settings[] = {
    { "chunk_size", CFG_CHUNK_SIZE },
    { "chunk_overlap", CFG_CHUNK_OVERLAP },
    { "template", CFG_RAG_TEMPLATE },
    { "embedding_engine", CFG_RAG_EMBEDDING_ENGINE },
    { "embedding_model", CFG_RAG_EMBEDDING_MODEL },
    { "reranking_model", CFG_RAG_RERANKING_MODEL },
    { "embedding_batch_size", CFG_RAG_EMBEDDING_BATCH_SIZE },
    { NULL, 0 },
};

static json_object *with_status(struct request *r, json_object *from)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "status", true);
    json_merge(o, from);
    return o;
}

static int show_status(struct request *r, struct response *out)
{
    return reply_json(out, with_status(r, form_settings_object(r, status_settings)));
}

/* ---- embeddings */

static const struct form_setting embedding[] = { { "embedding_engine", CFG_RAG_EMBEDDING_ENGINE },
                                                 { "embedding_model", CFG_RAG_EMBEDDING_MODEL },
                                                 { "embedding_batch_size", CFG_RAG_EMBEDDING_BATCH_SIZE },
                                                 { NULL, 0 } };
static const struct form_setting openai[] = { { "url", CFG_RAG_OPENAI_API_BASE_URL },
                                              { "key", CFG_RAG_OPENAI_API_KEY },
                                              { NULL, 0 } };
static const struct form_setting ollama[] = { { "url", CFG_RAG_OLLAMA_BASE_URL },
                                              { "key", CFG_RAG_OLLAMA_API_KEY },
                                              { NULL, 0 } };
static const struct form_setting azure[] = { { "url", CFG_RAG_AZURE_OPENAI_BASE_URL },
                                             { "key", CFG_RAG_AZURE_OPENAI_API_KEY },
                                             { "version", CFG_RAG_AZURE_OPENAI_API_VERSION },
                                             { NULL, 0 } };
static const struct {
    const char *engine, *member;
    const struct form_setting *list;
} engines[] = { { "openai", "openai_config", openai },
                { "ollama", "ollama_config", ollama },
                { "azure_openai", "azure_openai_config", azure } };
enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

static int show_embedding(struct request *r, struct response *out)
{
    json_object *o = with_status(r, form_settings_object(r, embedding));

    for (size_t i = 0; i < ENGINES; i++)
        json_set(o, engines[i].member, form_settings_object(r, engines[i].list));
    return reply_json(out, o);
}

static const struct field server_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "key", REQUIRED), END };
static const struct field azure_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "key", REQUIRED),
                                           FIELD(STRING, "version", REQUIRED), END };
static const struct field embedding_form[] = {
    FIELD(FORM, "openai_config", OPTIONAL, .form = server_form),
    FIELD(FORM, "ollama_config", OPTIONAL, .form = server_form),
    FIELD(FORM, "azure_openai_config", OPTIONAL, .form = azure_form),
    FIELD(STRING, "embedding_engine", REQUIRED),
    FIELD(STRING, "embedding_model", REQUIRED),
    FIELD(INTEGER, "embedding_batch_size", OPTIONAL, .def = "1"),
    END,
};

static void set_all(struct config_change *change, const struct form_setting *list, json_object *from)
{
    for (; list->name; list++)
        config_change_set(change, list->id, json_get(from, list->name));
}

/* The engine "" is a model inside the Python backend: it can be chosen here (to change back later), but nothing is embedded then. */
static int update_embedding(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct str engine = form_str(r, "embedding_engine");
    bool known = false;
    struct error err = { "" };
    enum status st;

    for (size_t i = 0; i < ENGINES; i++)
        known |= str_is(engine, engines[i].engine);
    if (!known && engine.n)
        return fail(out, 400, "[ERROR: Unknown embedding engine: %.*s]", STR(engine));
    config_change_set(change, CFG_RAG_EMBEDDING_ENGINE, form_json(r, "embedding_engine"));
    config_change_set(change, CFG_RAG_EMBEDDING_MODEL, form_json(r, "embedding_model"));
    for (size_t i = 0; i < ENGINES && known; i++)
        if (form_json(r, engines[i].member))
            set_all(change, engines[i].list, form_json(r, engines[i].member));
    if (known)
        config_change_set(change, CFG_RAG_EMBEDDING_BATCH_SIZE, form_json(r, "embedding_batch_size"));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? show_embedding(r, out) : fail_status(out, st, &err);
}

/* ---- documents and web search */

#define DOCUMENT(type, member, setting) { #member, CFG_##setting },
#define DOCUMENT_OR_NULL(type, member, setting) DOCUMENT(type, member, setting)
#define WEB(type, member, setting)
static const struct form_setting documents[] = {
#include "handlers/retrieval_settings.def"
    { NULL, 0 }
};
#define DOCUMENT(type, member, setting)
#define DOCUMENT_OR_NULL(type, member, setting) [CFG_##setting] = true,
#define WEB(type, member, setting)
static const bool becomes_null[CFG_COUNT] = {
#include "handlers/retrieval_settings.def"
};
#define DOCUMENT(type, member, setting)
#define DOCUMENT_OR_NULL(type, member, setting)
#define WEB(type, member, setting) { #member, CFG_##setting },
static const struct form_setting web[] = {
#include "handlers/retrieval_settings.def"
    { NULL, 0 }
};
#define DOCUMENT(type, member, setting)
#define DOCUMENT_OR_NULL(type, member, setting)
#define WEB(type, member, setting) FIELD(type, #member, OPTIONAL),
static const struct field web_form[] = {
#include "handlers/retrieval_settings.def"
    END
};
#define DOCUMENT(type, member, setting) FIELD(type, #member, OPTIONAL),
#define DOCUMENT_OR_NULL(type, member, setting) DOCUMENT(type, member, setting)
#define WEB(type, member, setting)
static const struct field config_form[] = {
#include "handlers/retrieval_settings.def"
    FIELD(FORM, "web", OPTIONAL, .form = web_form), END
};

static json_object *config_now(struct request *r)
{
    json_object *o = with_status(r, form_settings_object(r, documents));

    json_set(o, "web", form_settings_object(r, web));
    return o;
}

static int show_config(struct request *r, struct response *out)
{
    return reply_json(out, config_now(r));
}

static int update_config(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    json_object *of_web = form_json(r, "web"), *o;
    struct error err = { "" };
    enum status st;

    for (const struct form_setting *s = documents; s->name; s++)
        if (form_json(r, s->name) || becomes_null[s->id])
            config_change_set(change, s->id, form_json(r, s->name));
    if (of_web) {
        set_all(change, web, of_web);
        if (!json_has(of_web, "WEB_SEARCH_DOMAIN_FILTER_LIST"))
            config_change_set(change, CFG_WEB_SEARCH_DOMAIN_FILTER_LIST, json_new_array(r->mem));
    }
    st = config_change_commit(change, r->db, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    o = config_now(r);
    json_del(o, "DATALAB_MARKER_FORMAT_LINES"); /* the Python backend does not say it here */
    return reply_json(out, o);
}

const struct route retrieval_config_routes[] = {
    { GET, "/api/v1/retrieval/", VERIFIED, show_status, .about = "How documents are cut and embedded" },
    { GET, "/api/v1/retrieval/embedding", ADMIN, show_embedding, .about = "Settings of embeddings" },
    { POST, "/api/v1/retrieval/embedding/update", ADMIN, update_embedding, .form = embedding_form,
      .about = "Changes settings of embeddings" },
    { GET, "/api/v1/retrieval/config", ADMIN, show_config, .about = "Settings of documents and web search" },
    { POST, "/api/v1/retrieval/config/update", ADMIN, update_config, .form = config_form,
      .about = "Changes settings of documents and web search" },
    END
};
