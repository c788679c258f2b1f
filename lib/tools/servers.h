/* servers.h: external tool servers, as the setting TOOL_SERVER_CONNECTIONS lists them: what they say of themselves, and how one is spoken to. */
#ifndef LIB_TOOLS_SERVERS_H
#define LIB_TOOLS_SERVERS_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/db/db.h"

struct tool_server { /* lives until the next tool_servers_list() of the process */
    struct str id;   /* "server:0", "server:mcp:stub": what chats call it */
    struct str name, description;
    struct str access_control; /* JSON text; absent: everybody */
    bool is_mcp;
    json_object *connection; /* its entry in the setting */
    json_object *openapi;    /* of an OpenAPI server: its description */
    json_object *tools;      /* … and what models are told of it (lib/tools/openapi.h) */
};

/* The OpenAPI servers that are switched on and answer, then the MCP servers. Descriptions are fetched all at once, by one process
 * for all (descriptions.h), every minute or when the settings change; a server that has not answered yet is left out, and logged. */
void tool_servers_list(struct config *c, const struct tool_server **out, size_t *n);
const struct tool_server *tool_server_by_id(struct config *c, struct str id); /* NULL: none of that list */

/* Fetches the description (a JSON document) of one OpenAPI server. token absent: none is sent. */
enum status tool_server_fetch(struct arena *mem, struct config *c, struct str url, struct str path, struct str token,
                              json_object **out, struct error *err);

struct tool_caller { /* for whom a server is called */
    struct db *db;
    struct str user_id;
    struct str token;         /* his session's; absent: not known */
    struct str oauth_session; /* of the provider that he has signed in with (cookie oauth_session_id); absent: none */
};

/* {"Authorization": …} and what else the connection says. A token that is not to be had is left out, never replaced by another. */
json_object *tool_server_headers(struct arena *mem, struct config *c, json_object *connection,
                                 const struct tool_caller *who);
/* The connection's auth_type asks for the caller's own token. */
bool tool_server_needs_token(json_object *connection);

#endif
