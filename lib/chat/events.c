/* events.c: events for a person's tabs, through the sidecar. */
#include "lib/chat/events.h"

#include "lib/net/control.h"

bool chat_event(struct arena *mem, struct config *c, struct str user_id, struct str chat_id, struct str message_id,
                const char *type, json_object *data)
{
    json_object *event = json_new_object(mem), *inner = json_set_object(event, "data");

    json_set_str(event, "chat_id", chat_id);
    json_set_str(event, "message_id", message_id);
    json_set_c(inner, "type", type);
    json_set(inner, "data", data);
    return control_emit_user(mem, config_run_dir(c), user_id, "chat-events", event) == OK;
}
