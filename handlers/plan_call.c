/* plan_call.c: calls as plans, and their outcome. */
#include "handlers/plan_call.h"

#include "lib/base/encode.h"

static json_object *headers_of(struct request *r, const struct http_call *call)
{
    json_object *o = json_new_object(r->mem);

    for (size_t i = 0; i < call->headers_n; i++)
        json_set_str(o, str_c(r->mem, call->headers[i].name), call->headers[i].value);
    return o;
}

json_object *plan_call(struct request *r, const struct http_call *call)
{
    json_object *upstream = json_new_object(r->mem);

    json_set_str(upstream, "url", call->url);
    json_set_c(upstream, "method", call->method ? call->method : call->body.p ? "POST" : "GET");
    json_set(upstream, "headers", headers_of(r, call));
    if (call->body.p && str_utf8_valid(call->body))
        json_set_str(upstream, "body", call->body);
    else if (call->body.p)
        json_set_str(upstream, "body_base64", base64_encode(r->mem, call->body));
    json_set_c(upstream, "format", "raw");
    json_set_bool(upstream, "stream", false);
    if (call->timeout_ms) {
        json_set_int(upstream, "timeout_ms", call->timeout_ms);
        json_set_int(upstream, "idle_timeout_ms", call->timeout_ms);
    }
    if (call->max_bytes)
        json_set_int(upstream, "max_bytes", (int64_t)call->max_bytes);
    json_set_bool(upstream, "verify_tls", !call->insecure);
    return upstream;
}

int reply_call_plan(struct request *r, struct response *out, const struct http_call *call, const char *then,
                    json_object *state)
{
    json_object *plan = json_new_object(r->mem);

    json_set(plan, "upstream", plan_call(r, call));
    json_set_c(plan, "deliver", "json");
    json_set_c(plan, "then", then);
    json_set(plan, "state", state);
    return reply_plan(out, plan);
}

void plan_call_outcome(struct request *r, struct http_call *call)
{
    json_object *outcome = form_json(r, "outcome");

    *call = (struct http_call){ .status = (int)json_int(outcome, "upstream_status", 0),
                                .content_type = json_str(outcome, "content_type"),
                                .response = json_str(outcome, "body") };
    call->result = call->status && !json_has(outcome, "error") ? OK : UNAVAILABLE;
    if (call->result != OK)
        error_set(&call->err, UNAVAILABLE, "%.*s", STR(json_str(outcome, "error")));
    if (json_str(outcome, "body_base64").p && !base64_decode(r->mem, json_str(outcome, "body_base64"), &call->response))
        call->result = error_set(&call->err, FAILED, "the outcome is broken");
}

int reply_as_plan(struct request *r, struct response *out)
{
    json_object *plan = json_new_object(r->mem), *reply = json_set_object(plan, "reply");
    struct buf body = BUF(r->mem, STR_NPOS);
    struct str type = out->content_type;
    int status = out->status;

    for (int i = 0; i < out->pieces_n; i++)
        buf_add_str(&body, out->pieces[i]);
    response_clear(out);
    json_set_int(reply, "status", status);
    json_set_str(json_set_object(reply, "headers"), "Content-Type", type);
    json_set_str(reply, "text", buf_str(&body));
    return reply_plan(out, plan);
}

int reply_step(struct request *r, struct response *out)
{
    return out->status < 300 ? out->status : reply_as_plan(r, out);
}
