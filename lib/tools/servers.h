/* servers.h: external tool servers, as the setting TOOL_SERVER_CONNECTIONS lists them: what they say of themselves. */
#ifndef LIB_TOOLS_SERVERS_H
#define LIB_TOOLS_SERVERS_H

#include "lib/config/config.h"

struct tool_server { /* lives until the next tool_servers_list() of the process */
    struct str id;   /* "server:0", "server:mcp:stub": what chats call it */
    struct str name, description;
    struct str access_control; /* JSON text; absent: everybody */
};

/* The OpenAPI servers that are switched on and answer, then the MCP servers. Descriptions are fetched all at once and kept for a minute,
 * or until the settings change; a server that does not answer is left out, and logged. */
void tool_servers_list(struct config *c, const struct tool_server **out, size_t *n);

/* Fetches the description (a JSON document) of one OpenAPI server. token absent: none is sent. */
enum status tool_server_fetch(struct arena *mem, struct config *c, struct str url, struct str path, struct str token,
                              json_object **out, struct error *err);

#endif
