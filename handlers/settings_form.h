/* settings_form.h: pages of the admin panel that read and write settings: members of a JSON object, each with its setting. */
#ifndef HANDLERS_SETTINGS_FORM_H
#define HANDLERS_SETTINGS_FORM_H

#include "fcgi/request.h"
#include "fcgi/response.h"

struct form_setting {
    const char *name; /* member of the form and of the answer; NULL ends the list */
    enum setting_id id;
};

/* {name: value in force, …}, in the order of the list. */
json_object *form_settings_object(struct request *r, const struct form_setting *list);
int form_settings_show(struct request *r, struct response *out, const struct form_setting *list);
/* Saves the members that r->form has and answers with what is in force then. */
int form_settings_save(struct request *r, struct response *out, const struct form_setting *list);
/* Saves one setting. 200, or the status of the failure, which is in out. */
int form_setting_save(struct request *r, struct response *out, enum setting_id id, json_object *v);

#endif
