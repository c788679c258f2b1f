/* mcp_verify.h: an administrator looks whether an MCP server answers (POST /api/v1/configs/tool_servers/verify). */
#ifndef HANDLERS_MCP_VERIFY_H
#define HANDLERS_MCP_VERIFY_H

#include "fcgi/request.h"
#include "fcgi/response.h"

int mcp_verify(struct request *r, struct response *out);

#endif
