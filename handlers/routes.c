/* routes.c: every table of the API, in the order in which /openapi.json lists them. */
#include "handlers/routes.h"

/* Operations that are not there yet are in pending.c, which comes last. */
const struct route *const route_tables[] = {
    auths_routes,         users_routes,         groups_routes,         configs_routes,         mcp_verify_routes,
    root_routes,          models_routes,        model_list_routes,     openai_routes,          ollama_routes,
    ollama_calls_routes,  embeddings_routes,    provider_steps_routes, chats_routes,           chat_lists_routes,
    chat_tags_routes,     folders_routes,       prompts_routes,        tasks_routes,           generations_routes,
    chat_prepare_routes,  steps_routes,         sessions_routes,       channels_routes,        channel_messages_routes,
    channel_steps_routes, notes_routes,         knowledge_routes,      knowledge_files_routes, tools_routes,
    functions_routes,     evaluations_routes,   pipelines_routes,      memories_routes,        files_routes,
    files_content_routes, files_process_routes, scim_routes,           scim_users_routes,      scim_groups_routes,
    oauth_routes,         oauth_clients_routes, note_steps_routes,     pending_routes,         NULL,
};
