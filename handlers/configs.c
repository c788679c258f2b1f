/* configs.c: /api/v1/configs: settings by page of the admin panel, and the stored document as a whole. */
#include "handlers/mcp_verify.h"
#include "handlers/routes.h"
#include "handlers/settings_form.h"
#include "lib/auth/oauth_tokens.h"
#include "lib/base/log.h"
#include "lib/tools/descriptions.h"
#include "lib/tools/servers.h"

/* ---- the stored document */

static int export_settings(struct request *r, struct response *out)
{
    struct error err = { "" };
    json_object *doc;
    enum status st = config_document(r->config, r->db, r->mem, &doc, &err);

    return st == OK ? reply_json(out, doc) : fail_status(out, st, &err);
}

static int import_settings(struct request *r, struct response *out)
{
    struct error err = { "" };
    enum status st = config_document_replace(r->config, r->db, form_json(r, "config"), &err);

    return st == OK ? export_settings(r, out) : fail_status(out, st, &err);
}

static const struct field import_form[] = { FIELD(OBJECT, "config", REQUIRED), END };

/* ---- connections */

static const struct form_setting connections[] = { { "ENABLE_DIRECT_CONNECTIONS", CFG_ENABLE_DIRECT_CONNECTIONS },
                                                   { "ENABLE_BASE_MODELS_CACHE", CFG_ENABLE_BASE_MODELS_CACHE },
                                                   { NULL, 0 } };

static const struct field connections_form[] = { FIELD(BOOLEAN, "ENABLE_DIRECT_CONNECTIONS", REQUIRED),
                                                 FIELD(BOOLEAN, "ENABLE_BASE_MODELS_CACHE", REQUIRED), END };

static int show_connections(struct request *r, struct response *out)
{
    return form_settings_show(r, out, connections);
}

static int save_connections(struct request *r, struct response *out)
{
    return form_settings_save(r, out, connections);
}

/* ---- tool servers */

static const struct form_setting tool_servers[] = { { "TOOL_SERVER_CONNECTIONS", CFG_TOOL_SERVER_CONNECTIONS },
                                                    { NULL, 0 } };

static const struct field tool_server_form[] = { FIELD(STRING, "url", REQUIRED),
                                                 FIELD(STRING, "path", REQUIRED),
                                                 FIELD(STRING, "type", OPTIONAL, .def = "\"openapi\""),
                                                 FIELD(STRING, "auth_type", REQUIRED | NULLABLE),
                                                 FIELD(STRING, "key", REQUIRED | NULLABLE),
                                                 FIELD(OBJECT, "config", REQUIRED | NULLABLE),
                                                 END };
static const struct field tool_servers_form[] = {
    FIELD(LIST_OF_FORMS, "TOOL_SERVER_CONNECTIONS", REQUIRED, .form = tool_server_form), END
};

static int show_tool_servers(struct request *r, struct response *out)
{
    return form_settings_show(r, out, tool_servers);
}

static int save_tool_servers(struct request *r, struct response *out)
{
    tool_descriptions_forget(r->mem, r->config);
    return form_settings_save(r, out, tool_servers);
}

/* The description of an OpenAPI server, as it stands there. */
static int verify_tool_server(struct request *r, struct response *out)
{
    struct str auth = form_str(r, "auth_type"), session = request_cookie(r, "oauth_session_id"), token = STR_NONE;
    json_object *theirs = NULL;
    struct error err = { "" };
    json_object *description;

    if (str_is(form_str(r, "type"), "mcp"))
        return mcp_verify(r, out);
    if (str_is(auth, "bearer"))
        token = form_str(r, "key");
    else if (str_is(auth, "session"))
        token = r->token;
    else if (str_is(auth, "system_oauth") && session.n &&
             oauth_tokens_of_session(r->mem, r->db, r->config, session, r->user->id, &theirs, &err) == OK)
        token = json_str(theirs, "access_token");
    if (tool_server_fetch(r->mem, r->config, form_str(r, "url"), form_str(r, "path"), token, &description, &err) == OK)
        return reply_json(out, description);
    log_info("a tool server cannot be verified: %s", err.text);
    return fail(out, 400, "Failed to connect to the tool server");
}

/* ---- code */

static const struct form_setting code[] = {
    { "ENABLE_CODE_EXECUTION", CFG_ENABLE_CODE_EXECUTION },
    { "CODE_EXECUTION_ENGINE", CFG_CODE_EXECUTION_ENGINE },
    { "CODE_EXECUTION_JUPYTER_URL", CFG_CODE_EXECUTION_JUPYTER_URL },
    { "CODE_EXECUTION_JUPYTER_AUTH", CFG_CODE_EXECUTION_JUPYTER_AUTH },
    { "CODE_EXECUTION_JUPYTER_AUTH_TOKEN", CFG_CODE_EXECUTION_JUPYTER_AUTH_TOKEN },
    { "CODE_EXECUTION_JUPYTER_AUTH_PASSWORD", CFG_CODE_EXECUTION_JUPYTER_AUTH_PASSWORD },
    { "CODE_EXECUTION_JUPYTER_TIMEOUT", CFG_CODE_EXECUTION_JUPYTER_TIMEOUT },
    { "ENABLE_CODE_INTERPRETER", CFG_ENABLE_CODE_INTERPRETER },
    { "CODE_INTERPRETER_ENGINE", CFG_CODE_INTERPRETER_ENGINE },
    { "CODE_INTERPRETER_PROMPT_TEMPLATE", CFG_CODE_INTERPRETER_PROMPT_TEMPLATE },
    { "CODE_INTERPRETER_JUPYTER_URL", CFG_CODE_INTERPRETER_JUPYTER_URL },
    { "CODE_INTERPRETER_JUPYTER_AUTH", CFG_CODE_INTERPRETER_JUPYTER_AUTH },
    { "CODE_INTERPRETER_JUPYTER_AUTH_TOKEN", CFG_CODE_INTERPRETER_JUPYTER_AUTH_TOKEN },
    { "CODE_INTERPRETER_JUPYTER_AUTH_PASSWORD", CFG_CODE_INTERPRETER_JUPYTER_AUTH_PASSWORD },
    { "CODE_INTERPRETER_JUPYTER_TIMEOUT", CFG_CODE_INTERPRETER_JUPYTER_TIMEOUT },
    { NULL, 0 }
};

static const struct field code_form[] = { FIELD(BOOLEAN, "ENABLE_CODE_EXECUTION", REQUIRED),
                                          FIELD(STRING, "CODE_EXECUTION_ENGINE", REQUIRED),
                                          FIELD(STRING, "CODE_EXECUTION_JUPYTER_URL", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_EXECUTION_JUPYTER_AUTH", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_EXECUTION_JUPYTER_AUTH_TOKEN", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_EXECUTION_JUPYTER_AUTH_PASSWORD", REQUIRED | NULLABLE),
                                          FIELD(INTEGER, "CODE_EXECUTION_JUPYTER_TIMEOUT", REQUIRED | NULLABLE),
                                          FIELD(BOOLEAN, "ENABLE_CODE_INTERPRETER", REQUIRED),
                                          FIELD(STRING, "CODE_INTERPRETER_ENGINE", REQUIRED),
                                          FIELD(STRING, "CODE_INTERPRETER_PROMPT_TEMPLATE", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_INTERPRETER_JUPYTER_URL", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_INTERPRETER_JUPYTER_AUTH", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_INTERPRETER_JUPYTER_AUTH_TOKEN", REQUIRED | NULLABLE),
                                          FIELD(STRING, "CODE_INTERPRETER_JUPYTER_AUTH_PASSWORD", REQUIRED | NULLABLE),
                                          FIELD(INTEGER, "CODE_INTERPRETER_JUPYTER_TIMEOUT", REQUIRED | NULLABLE),
                                          END };

static int show_code(struct request *r, struct response *out)
{
    return form_settings_show(r, out, code);
}

static int save_code(struct request *r, struct response *out)
{
    return form_settings_save(r, out, code);
}

/* ---- models of a new chat */

static const struct form_setting models[] = { { "DEFAULT_MODELS", CFG_DEFAULT_MODELS },
                                              { "MODEL_ORDER_LIST", CFG_MODEL_ORDER_LIST },
                                              { NULL, 0 } };

static const struct field models_form[] = { FIELD(STRING, "DEFAULT_MODELS", REQUIRED | NULLABLE),
                                            FIELD(LIST_OF_STRINGS, "MODEL_ORDER_LIST", REQUIRED | NULLABLE), END };

static int show_models(struct request *r, struct response *out)
{
    return form_settings_show(r, out, models);
}

static int save_models(struct request *r, struct response *out)
{
    return form_settings_save(r, out, models);
}

/* ---- suggestions and banners: lists, which are the answer themselves */

static const struct field suggestion_form[] = { FIELD(LIST_OF_STRINGS, "title", REQUIRED),
                                                FIELD(STRING, "content", REQUIRED), END };
static const struct field suggestions_form[] = { FIELD(LIST_OF_FORMS, "suggestions", REQUIRED, .form = suggestion_form),
                                                 END };

static int save_suggestions(struct request *r, struct response *out)
{
    int status = form_setting_save(r, out, CFG_DEFAULT_PROMPT_SUGGESTIONS, form_json(r, "suggestions"));

    return status == 200 ? reply_json(out, config_json(r->config, CFG_DEFAULT_PROMPT_SUGGESTIONS)) : status;
}

static const struct field banner_form[] = { FIELD(STRING, "id", REQUIRED),
                                            FIELD(STRING, "type", REQUIRED),
                                            FIELD(STRING, "title", OPTIONAL, .def = "null"),
                                            FIELD(STRING, "content", REQUIRED),
                                            FIELD(BOOLEAN, "dismissible", REQUIRED),
                                            FIELD(INTEGER, "timestamp", REQUIRED),
                                            END };
static const struct field banners_form[] = { FIELD(LIST_OF_FORMS, "banners", REQUIRED, .form = banner_form), END };

static int show_banners(struct request *r, struct response *out)
{
    return reply_json(out, config_json(r->config, CFG_WEBUI_BANNERS));
}

static int save_banners(struct request *r, struct response *out)
{
    int status = form_setting_save(r, out, CFG_WEBUI_BANNERS, form_json(r, "banners"));

    return status == 200 ? show_banners(r, out) : status;
}

const struct route configs_routes[] = {
    { GET, "/api/v1/configs/export", ADMIN, export_settings, .about = "The stored settings" },
    { POST, "/api/v1/configs/import", ADMIN, import_settings, .form = import_form,
      .about = "Replaces the stored settings" },
    { GET, "/api/v1/configs/connections", ADMIN, show_connections, .about = "Settings of connections" },
    { POST, "/api/v1/configs/connections", ADMIN, save_connections, .form = connections_form,
      .about = "Changes settings of connections" },
    { GET, "/api/v1/configs/tool_servers", ADMIN, show_tool_servers, .about = "The tool servers" },
    { POST, "/api/v1/configs/tool_servers", ADMIN, save_tool_servers, .form = tool_servers_form, .keep_unknown = true,
      .about = "Changes the tool servers" },
    { POST, "/api/v1/configs/tool_servers/verify", ADMIN, verify_tool_server, .form = tool_server_form,
      .keep_unknown = true, .server = SIDECAR, .about = "Fetches the description of a tool server" },
    { GET, "/api/v1/configs/code_execution", ADMIN, show_code, .about = "Settings of code execution" },
    { POST, "/api/v1/configs/code_execution", ADMIN, save_code, .form = code_form,
      .about = "Changes settings of code execution" },
    { GET, "/api/v1/configs/models", ADMIN, show_models, .about = "Default models and the order of the model list" },
    { POST, "/api/v1/configs/models", ADMIN, save_models, .form = models_form,
      .about = "Changes default models and the order" },
    { POST, "/api/v1/configs/suggestions", ADMIN, save_suggestions, .form = suggestions_form,
      .about = "Changes what a new chat suggests" },
    { GET, "/api/v1/configs/banners", VERIFIED, show_banners, .about = "The banners" },
    { POST, "/api/v1/configs/banners", ADMIN, save_banners, .form = banners_form, .about = "Changes the banners" },
    END
};
