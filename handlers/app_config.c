/* app_config.c: GET /api/config: what a browser has to know before anything else. Every page load asks, so the text is kept per kind of
 * caller until the settings or the users change. */
#include "handlers/root.h"
#include "lib/base/shared.h"
#include "lib/store/users.h"

enum caller { STRANGER, PENDING, USER, ADMINISTRATOR, CALLERS };

static struct kept {
    struct arena *mem;
    struct str text;
    uint64_t settings, users;
    const struct config *config;
} kept[CALLERS];

struct feature {
    const char *name;
    enum setting_id id;
};

static const struct feature everybodys[] = {
    { "enable_signup_password_confirmation", CFG_ENABLE_SIGNUP_PASSWORD_CONFIRMATION },
    { "enable_ldap", CFG_ENABLE_LDAP },
    { "enable_api_key", CFG_ENABLE_API_KEY },
    { "enable_signup", CFG_ENABLE_SIGNUP },
    { "enable_login_form", CFG_ENABLE_LOGIN_FORM },
    { "enable_websocket", CFG_ENABLE_WEBSOCKET_SUPPORT },
    { "enable_version_update_check", CFG_ENABLE_VERSION_UPDATE_CHECK },
};

static const struct feature of_the_signed_in[] = {
    { "enable_direct_connections", CFG_ENABLE_DIRECT_CONNECTIONS },
    { "enable_channels", CFG_ENABLE_CHANNELS },
    { "enable_notes", CFG_ENABLE_NOTES },
    { "enable_web_search", CFG_ENABLE_WEB_SEARCH },
    { "enable_code_execution", CFG_ENABLE_CODE_EXECUTION },
    { "enable_code_interpreter", CFG_ENABLE_CODE_INTERPRETER },
    { "enable_image_generation", CFG_ENABLE_IMAGE_GENERATION },
    { "enable_autocomplete_generation", CFG_ENABLE_AUTOCOMPLETE_GENERATION },
    { "enable_community_sharing", CFG_ENABLE_COMMUNITY_SHARING },
    { "enable_message_rating", CFG_ENABLE_MESSAGE_RATING },
    { "enable_user_webhooks", CFG_ENABLE_USER_WEBHOOKS },
    { "enable_admin_export", CFG_ENABLE_ADMIN_EXPORT },
    { "enable_admin_chat_access", CFG_ENABLE_ADMIN_CHAT_ACCESS },
    { "enable_google_drive_integration", CFG_ENABLE_GOOGLE_DRIVE_INTEGRATION },
    { "enable_onedrive_integration", CFG_ENABLE_ONEDRIVE_INTEGRATION },
};

static void set_features(json_object *to, const struct config *c, const struct feature *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_set_bool(to, f[i].name, config_bool(c, f[i].id));
}

static void add_features(json_object *o, const struct config *c, enum caller caller)
{
    json_object *to = json_set_object(o, "features");

    json_set_bool(to, "auth", config_bool(c, CFG_WEBUI_AUTH));
    json_set_bool(to, "auth_trusted_header", config_str(c, CFG_WEBUI_AUTH_TRUSTED_EMAIL_HEADER).n > 0);
    set_features(to, c, everybodys, sizeof everybodys / sizeof everybodys[0]);
    if (caller == STRANGER)
        return;
    set_features(to, c, of_the_signed_in, sizeof of_the_signed_in / sizeof of_the_signed_in[0]);
    if (config_bool(c, CFG_ENABLE_ONEDRIVE_INTEGRATION)) {
        json_set_bool(to, "enable_onedrive_personal", config_bool(c, CFG_ENABLE_ONEDRIVE_PERSONAL));
        json_set_bool(to, "enable_onedrive_business", config_bool(c, CFG_ENABLE_ONEDRIVE_BUSINESS));
    }
}

static bool given(const struct config *c, enum setting_id id)
{
    return config_str(c, id).n > 0;
}

/* A provider is offered when all that its sign-in needs is configured. */
static void add_oauth(json_object *o, const struct config *c)
{
    json_object *to = json_set_object(json_set_object(o, "oauth"), "providers");

    if (given(c, CFG_GOOGLE_CLIENT_ID) && given(c, CFG_GOOGLE_CLIENT_SECRET))
        json_set_c(to, "google", "google");
    if (given(c, CFG_MICROSOFT_CLIENT_ID) && given(c, CFG_MICROSOFT_CLIENT_SECRET) &&
        given(c, CFG_MICROSOFT_CLIENT_TENANT_ID))
        json_set_c(to, "microsoft", "microsoft");
    if (given(c, CFG_GITHUB_CLIENT_ID) && given(c, CFG_GITHUB_CLIENT_SECRET))
        json_set_c(to, "github", "github");
    if (given(c, CFG_OAUTH_CLIENT_ID) &&
        (given(c, CFG_OAUTH_CLIENT_SECRET) || given(c, CFG_OAUTH_CODE_CHALLENGE_METHOD)) &&
        given(c, CFG_OPENID_PROVIDER_URL))
        json_set(to, "oidc", config_json(c, CFG_OAUTH_PROVIDER_NAME));
    if (given(c, CFG_FEISHU_CLIENT_ID) && given(c, CFG_FEISHU_CLIENT_SECRET))
        json_set_c(to, "feishu", "feishu");
}

static void set_value(json_object *o, const char *name, const struct config *c, enum setting_id id)
{
    json_set(o, name, config_json(c, id));
}

static void add_services(json_object *o, const struct config *c)
{
    json_object *to = json_set_object(o, "google_drive");

    set_value(to, "client_id", c, CFG_GOOGLE_DRIVE_CLIENT_ID);
    set_value(to, "api_key", c, CFG_GOOGLE_DRIVE_API_KEY);
    to = json_set_object(o, "onedrive");
    set_value(to, "client_id_personal", c, CFG_ONEDRIVE_CLIENT_ID_PERSONAL);
    set_value(to, "client_id_business", c, CFG_ONEDRIVE_CLIENT_ID_BUSINESS);
    set_value(to, "sharepoint_url", c, CFG_ONEDRIVE_SHAREPOINT_URL);
    set_value(to, "sharepoint_tenant_id", c, CFG_ONEDRIVE_SHAREPOINT_TENANT_ID);
}

static void add_overlay(json_object *to, const struct config *c)
{
    set_value(to, "pending_user_overlay_title", c, CFG_PENDING_USER_OVERLAY_TITLE);
    set_value(to, "pending_user_overlay_content", c, CFG_PENDING_USER_OVERLAY_CONTENT);
}

static void add_what_users_see(json_object *o, const struct config *c, int64_t users, enum caller caller)
{
    json_object *to;

    set_value(o, "default_models", c, CFG_DEFAULT_MODELS);
    set_value(o, "default_prompt_suggestions", c, CFG_DEFAULT_PROMPT_SUGGESTIONS);
    json_set_int(o, "user_count", users);
    set_value(json_set_object(o, "code"), "engine", c, CFG_CODE_EXECUTION_ENGINE);
    to = json_set_object(o, "audio");
    set_value(json_set_object(to, "tts"), "engine", c, CFG_AUDIO_TTS_ENGINE);
    set_value(json_get(to, "tts"), "voice", c, CFG_AUDIO_TTS_VOICE);
    set_value(json_get(to, "tts"), "split_on", c, CFG_AUDIO_TTS_SPLIT_ON);
    set_value(json_set_object(to, "stt"), "engine", c, CFG_AUDIO_STT_ENGINE);
    to = json_set_object(o, "file");
    set_value(to, "max_size", c, CFG_RAG_FILE_MAX_SIZE);
    set_value(to, "max_count", c, CFG_RAG_FILE_MAX_COUNT);
    to = json_set_object(to, "image_compression");
    set_value(to, "width", c, CFG_FILE_IMAGE_COMPRESSION_WIDTH);
    set_value(to, "height", c, CFG_FILE_IMAGE_COMPRESSION_HEIGHT);
    set_value(o, "permissions", c, CFG_USER_PERMISSIONS);
    add_services(o, c);
    to = json_set_object(o, "ui");
    add_overlay(to, c);
    set_value(to, "response_watermark", c, CFG_RESPONSE_WATERMARK);
    json_set_null(o, "license_metadata");
    if (caller == ADMINISTRATOR)
        json_set_null(o, "active_entries");
}

static struct str config_text(struct arena *mem, const struct config *c, int64_t users, enum caller caller)
{
    json_object *o = json_new_object(mem);

    if (caller == STRANGER && users == 0)
        json_set_bool(o, "onboarding", true);
    json_set_bool(o, "status", true);
    set_value(o, "name", c, CFG_WEBUI_NAME);
    json_set_c(o, "version", ROOT_VERSION);
    set_value(o, "default_locale", c, CFG_DEFAULT_LOCALE);
    add_oauth(o, c);
    add_features(o, c, caller);
    if (caller == USER || caller == ADMINISTRATOR)
        add_what_users_see(o, c, users, caller);
    else if (caller == PENDING)
        add_overlay(json_set_object(o, "ui"), c);
    return json_text(mem, o);
}

/* An API key makes nobody known here: the Python backend reads tokens alone. */
static enum caller caller_of(const struct request *r)
{
    if (!r->user || r->by_api_key)
        return STRANGER;
    if (r->user->is_admin)
        return ADMINISTRATOR;
    return str_is(r->user->role, "user") ? USER : PENDING;
}

int app_config(struct request *r, struct response *out)
{
    struct kept *k = &kept[caller_of(r)];
    uint64_t users_now = counter_read(COUNTER_USERS), settings_now = config_generation(r->config);
    int64_t users = 0;

    if (k->text.p && k->settings == settings_now && k->users == users_now && k->config == r->config)
        return reply_json_text(out, k->text);
    if (user_count(r->db, r->mem, &users) == DB_ERROR)
        return fail_db(out, r->db);
    if (!k->mem)
        k->mem = arena_new(16 * 1024);
    arena_reset(k->mem);
    k->text = config_text(k->mem, r->config, users, (enum caller)(k - kept));
    k->settings = settings_now;
    k->users = users_now;
    k->config = r->config;
    return reply_json_text(out, k->text);
}
