/* settings_form.c: reading and writing lists of settings. */
#include "handlers/settings_form.h"

json_object *form_settings_object(struct request *r, const struct form_setting *list)
{
    json_object *o = json_new_object(r->mem);

    for (; list->name; list++)
        json_set(o, list->name, config_json(r->config, list->id));
    return o;
}

int form_settings_show(struct request *r, struct response *out, const struct form_setting *list)
{
    return reply_json(out, form_settings_object(r, list));
}

int form_settings_save(struct request *r, struct response *out, const struct form_setting *list)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    for (const struct form_setting *s = list; s->name; s++)
        if (form_has(r, s->name))
            config_change_set(change, s->id, form_json(r, s->name));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? form_settings_show(r, out, list) : fail_status(out, st, &err);
}

int form_setting_save(struct request *r, struct response *out, enum setting_id id, json_object *v)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    config_change_set(change, id, v);
    st = config_change_commit(change, r->db, &err);
    return st == OK ? 200 : fail_status(out, st, &err);
}
