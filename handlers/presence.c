/* presence.c: the sidecar is asked over its control socket. */
#include "handlers/presence.h"

#include "lib/base/log.h"
#include "lib/net/control.h"

json_object *presence_user_ids(struct arena *mem, struct config *c)
{
    json_object *answer, *users;

    if (control_sessions(mem, config_run_dir(c), STR_NONE, &answer) != OK)
        return json_new_array(mem);
    users = json_get(answer, "users");
    return json_is(users, json_type_array) ? users : json_new_array(mem);
}

bool presence_is_active(struct arena *mem, struct config *c, struct str user_id)
{
    json_object *answer;

    if (!user_id.n || control_sessions(mem, config_run_dir(c), user_id, &answer) != OK)
        return false;
    JSON_EACH (json_get(answer, "users"), i, item) {
        if (str_eq(json_str_value(item), user_id))
            return true;
    }
    return false;
}

void presence_disconnect(struct arena *mem, struct config *c, struct str user_id)
{
    if (control_disconnect(mem, config_run_dir(c), user_id) == FAILED)
        log_warning("the sidecar did not close the sockets of user %.*s", STR(user_id));
}
