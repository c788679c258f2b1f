/* routes.c: every table of the API, in the order in which /openapi.json lists them. */
#include "handlers/routes.h"

/* An area that is not written yet has no file: its operations are in pending.c. */
const struct route *const route_tables[] = {
#if __has_include("handlers/auths.c")
    auths_routes,
#endif
#if __has_include("handlers/users.c")
    users_routes,
#endif
#if __has_include("handlers/groups.c")
    groups_routes,
#endif
#if __has_include("handlers/configs.c")
    configs_routes,
#endif
#if __has_include("handlers/root.c")
    root_routes,
#endif
#if __has_include("handlers/models.c")
    models_routes,
#endif
#if __has_include("handlers/model_list.c")
    model_list_routes,
#endif
#if __has_include("handlers/openai.c")
    openai_routes,
#endif
#if __has_include("handlers/ollama.c")
    ollama_routes,
#endif
#if __has_include("handlers/ollama_calls.c")
    ollama_calls_routes,
#endif
#if __has_include("handlers/embeddings.c")
    embeddings_routes,
#endif
#if __has_include("handlers/provider_reply.c")
    provider_steps_routes,
#endif
#if __has_include("handlers/chats.c")
    chats_routes,
#endif
#if __has_include("handlers/chat_lists.c")
    chat_lists_routes,
#endif
#if __has_include("handlers/chat_tags.c")
    chat_tags_routes,
#endif
#if __has_include("handlers/folders.c")
    folders_routes,
#endif
#if __has_include("handlers/prompts.c")
    prompts_routes,
#endif
#if __has_include("handlers/tasks.c")
    tasks_routes,
#endif
#if __has_include("handlers/generations.c")
    generations_routes,
#endif
#if __has_include("handlers/steps.c")
    steps_routes,
#endif
#if __has_include("handlers/sessions.c")
    sessions_routes,
#endif
#if __has_include("handlers/channels.c")
    channels_routes,
#endif
#if __has_include("handlers/notes.c")
    notes_routes,
#endif
#if __has_include("handlers/knowledge.c")
    knowledge_routes,
#endif
#if __has_include("handlers/tools.c")
    tools_routes,
#endif
#if __has_include("handlers/functions.c")
    functions_routes,
#endif
#if __has_include("handlers/memories.c")
    memories_routes,
#endif
#if __has_include("handlers/files.c")
    files_routes,
#endif
    pending_routes,
    NULL,
};
