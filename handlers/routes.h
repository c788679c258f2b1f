/* routes.h: the table of each API area; routes.c lists them. */
#ifndef HANDLERS_ROUTES_H
#define HANDLERS_ROUTES_H

#include "fcgi/route.h"

extern const struct route auths_routes[];
extern const struct route users_routes[];
extern const struct route groups_routes[];
extern const struct route configs_routes[];
extern const struct route mcp_verify_routes[]; /* /internal/step/mcp_verify */
extern const struct route root_routes[];
extern const struct route models_routes[];
extern const struct route model_list_routes[]; /* what there is to choose from */
extern const struct route openai_routes[];
extern const struct route ollama_routes[];
extern const struct route ollama_calls_routes[]; /* what is passed on to Ollama */
extern const struct route ollama_files_routes[]; /* model files on their way to Ollama */
extern const struct route embeddings_routes[];
extern const struct route provider_steps_routes[]; /* /internal/step/provider_answer */
extern const struct route chats_routes[];
extern const struct route chat_lists_routes[];
extern const struct route chat_tags_routes[];
extern const struct route folders_routes[];
extern const struct route prompts_routes[];
extern const struct route channels_routes[];
extern const struct route channel_messages_routes[];
extern const struct route channel_steps_routes[]; /* /internal/step/channel_…: answers of models in channels */
extern const struct route notes_routes[];
extern const struct route note_steps_routes[]; /* /internal/step/note_…: notes that several people have open */
extern const struct route knowledge_routes[];
extern const struct route knowledge_files_routes[]; /* files come and go */
extern const struct route tools_routes[];
extern const struct route functions_routes[];
extern const struct route evaluations_routes[];
extern const struct route pipelines_routes[]; /* passed on to servers of pipelines */
extern const struct route memories_routes[];
extern const struct route retrieval_routes[];
extern const struct route retrieval_files_routes[];
extern const struct route retrieval_config_routes[];
extern const struct route retrieval_query_routes[];
extern const struct route files_routes[];
extern const struct route images_routes[];
extern const struct route audio_routes[];
extern const struct route utils_routes[];
extern const struct route files_content_routes[]; /* their bytes */
extern const struct route files_process_routes[]; /* how far they are read */
extern const struct route tasks_routes[];         /* /api/v1/tasks: titles, tags, follow-ups … */
extern const struct route generations_routes[];   /* chat completions */
extern const struct route chat_after_routes[];    /* completed, actions, running tasks */
extern const struct route chat_filters_routes[];  /* /internal/step/outlet */
extern const struct route chat_prepare_routes[];  /* /internal/step/prepare: before the model is asked */
extern const struct route steps_routes[];         /* /internal/step/…: a worker's part of a generation */
extern const struct route nodes_routes[];         /* /internal/nodes, /internal/revoked: several machines */
extern const struct route sessions_routes[];      /* /internal/session: who a socket belongs to */
extern const struct route scim_routes[];          /* SCIM: what there is; users; groups */
extern const struct route scim_users_routes[];
extern const struct route scim_groups_routes[];
extern const struct route oauth_routes[];         /* signing in at an identity provider */
extern const struct route oauth_clients_routes[]; /* tokens of tool servers */

#endif
