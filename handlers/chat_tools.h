/* chat_tools.h: the tools that a model may call in a chat. state.tools is a list of
 *   {"name": as the model calls it, "kind": "openapi" | "mcp" | "browser", "function": as its server calls it, "spec": {"name", "description", "parameters"},
 *    "tool_id": "server:weather" (openapi, mcp), "server": as the browser described it (browser)} */
#ifndef HANDLERS_CHAT_TOOLS_H
#define HANDLERS_CHAT_TOOLS_H

#include "handlers/chat_steps.h"

/* May the generation use these? 0: yes; otherwise the answer is made: its status. Python tools do not run here. */
int chat_tools_check(struct request *r, struct response *out, json_object *tool_ids);

/* Reads the tools of state.tool_ids (those that the user may use) and state.tool_servers into state.tools. true: the plan asks a server for its list,
 * and chat_tools_listed() is to be called with what it says; then this again. */
bool chat_tools_gather(struct step *s);
void chat_tools_listed(struct step *s);

json_object *chat_tool(struct step *s, struct str name); /* NULL: none */
/* As a request to a model has them: [{"type": "function", "function": spec}]. */
json_object *chat_tools_offered(struct step *s);

/* The plan's call of an MCP server. */
struct mcp_request;
void chat_mcp_plan(struct step *s, struct str tool_id, const struct mcp_request *request);
struct mcp_answer chat_mcp_answer(struct step *s);
/* Ends the sessions with MCP servers, as calls of the plan. */
void chat_mcp_close(struct step *s);

/* The headers for a tool server; NULL: it is not there (any more), or not for this user. */
json_object *chat_tool_headers(struct step *s, struct str tool_id);

#endif
