/* oauth_clients.h: tool servers that want OAuth 2.1: we register ourselves as their client (RFC 7591), and users give us their tokens. */
#ifndef LIB_AUTH_OAUTH_CLIENTS_H
#define LIB_AUTH_OAUTH_CLIENTS_H

#include "lib/auth/oauth_provider.h"

/* Registers at the server of a tool server's URL. redirect_uri: our callback. *sealed is the registration, for the settings of the tool server
 * ("info.oauth_client_info"). */
enum status oauth_client_register(struct arena *mem, struct config *c, struct str server_url, struct str redirect_uri,
                                  struct str *sealed, struct error *err);

/* The client "mcp:weather" of the tool server whose info.id is "weather". NOT_FOUND: there is none, or its registration cannot be read. */
enum status oauth_client_find(struct arena *mem, struct config *c, struct str client_id, struct oauth_provider *out,
                              struct error *err);

/* The places where a server may say what it can (RFC 8414, and OpenID's), in the order in which they are asked; at most four. */
size_t oauth_metadata_urls(struct arena *mem, struct str server_url, struct str out[4]);

#endif
