/* mcp.h: a client of the Model Context Protocol over streamable HTTP (revision 2025-11-25, and servers of earlier ones down to 2024-11-05). It does no I/O: it says
 * which HTTP request is to be made, and reads what came of it. So the sidecar can do the waiting in a chat, and a handler where nothing else waits.
 *
 * A conversation is a JSON object that can be kept between steps: {"url", "session", "version", "stage", "tools", …}. Requests do not carry credentials:
 * whoever sends them adds the connection's headers. */
#ifndef LIB_TOOLS_MCP_H
#define LIB_TOOLS_MCP_H

#include "lib/json/json.h"

struct mcp_request {
    const char *method; /* "POST", "GET", "DELETE" */
    struct str url;
    json_object *headers;
    struct str body; /* absent: none */
    int64_t
        id; /* a stream of events that answers ends with the answer to this request (lib/net/sse_event.h); 0: none is expected */
    int64_t delay_ms; /* not to be sent before so long */
};

struct mcp_answer {
    int status; /* of HTTP; 0: none came */
    struct str content_type, body;
    struct str session; /* header Mcp-Session-Id; absent: none */
    struct str failure; /* why it broke off; absent: it did not */
};

enum mcp_outcome {
    MCP_RESULT, /* *result */
    MCP_AGAIN, /* send *again, and read what comes of that: the stream broke off, or the session has ended and begins anew */
    MCP_FAILED /* err, worded for a person */
};

json_object *mcp_new(struct arena *mem, struct str url);

/* The next request on the way to the list of tools: initialize, initialized, tools/list page by page. false: mcp_tools() has it. */
bool mcp_next(struct arena *mem, json_object *conversation, struct mcp_request *out);
/* What the server says its tools are: [{"name", "description", "parameters"}]. */
json_object *mcp_tools(json_object *conversation);

void mcp_call(struct arena *mem, json_object *conversation, struct str name, json_object *arguments,
              struct mcp_request *out);
/* The end of the session, if the server has one; what comes of it does not matter. */
bool mcp_close(struct arena *mem, json_object *conversation, struct mcp_request *out);

/* What came of the last request. *result: of a call: {"content": […], "isError"}; else the conversation itself has learnt it. */
enum mcp_outcome mcp_read(struct arena *mem, json_object *conversation, const struct mcp_answer *in,
                          json_object **result, struct mcp_request *again, struct error *err);

/* The name of the header that mcp_answer.session is. */
#define MCP_SESSION_HEADER "mcp-session-id"

#endif
