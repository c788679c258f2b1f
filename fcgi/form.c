/* form.c: decides how a body is read, and validates path, query and body, in this order, as FastAPI does. */
#include "fcgi/form.h"

#include "fcgi/check.h"
#include "fcgi/complaint.h"
#include "fcgi/multipart.h"
#include "fcgi/query.h"
#include "lib/base/log.h"

static const char unparsable[] = "There was an error parsing the body";

static int answer_422(struct response *out, struct check *c)
{
    return fail_json(out, 422, c->errors);
}

/* ---- path and query */

static void check_args(struct request *r, struct check *c)
{
    const struct loc top = { NULL, "path", 0 };

    for (const struct field *f = r->route->args; f && f->name; f++) {
        const struct loc here = { &top, f->name, 0 };

        check_text(c, &here, f, path_arg(r, f->name), NULL);
    }
}

static void check_query(struct request *r, struct check *c)
{
    const struct loc top = { NULL, "query", 0 };

    for (const struct field *f = r->route->query; f && f->name; f++) {
        const struct loc here = { &top, f->name, 0 };
        struct str value = query_last(r->mem, r->query, f->name);

        if (value.p)
            check_text(c, &here, f, value, NULL);
        else if (f->need & REQUIRED)
            check_missing(c, &here, NULL);
    }
}

/* ---- JSON */

static bool is_json_type(struct str content_type)
{
    size_t end = str_find_c(content_type, ';');
    struct str type = str_trim(end == STR_NPOS ? content_type : str_sub(content_type, 0, end));
    struct str subtype = str_from(type, sizeof("application/") - 1);

    if (type.n < sizeof("application/") || !str_ieq(str_sub(type, 0, sizeof("application/") - 1), "application/"))
        return false;
    return str_ieq(subtype, "json") || (subtype.n > 5 && str_ieq(str_from(subtype, subtype.n - 5), "+json"));
}

/* 422 with Python's words for what is wrong; 400 where Python gives up: the text is no UTF-8, or is nested beyond all use. */
static int answer_bad_json(struct request *r, struct response *out)
{
    struct check c = { .mem = r->mem };
    const struct loc top = { NULL, "body", 0 };
    struct complaint why;
    json_object *ctx;

    if (!str_utf8_valid(r->body) || !json_complaint(r->body, &why) || strcmp(why.text, "Nested too deep") == 0)
        return fail(out, 400, "%s", unparsable);
    ctx = json_new_object(r->mem);
    json_set_c(ctx, "error", why.text);
    check_complain(&c, &(struct loc){ &top, NULL, why.position }, "json_invalid", "JSON decode error",
                   json_new_object(r->mem), ctx);
    return answer_422(out, &c);
}

/* A body without a JSON content type is not looked into (a page of another site could send it): it is a text, which no form takes. */
static int read_json(struct request *r, struct response *out, json_object **value)
{
    struct str text = r->body;

    *value = NULL;
    if (text.n == 0)
        return 0;
    if (!is_json_type(r->content_type)) {
        if (!str_utf8_valid(text))
            return fail(out, 400, "%s", unparsable);
        *value = json_new_str(r->mem, text);
        return 0;
    }
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = str_from(text, 3);
    if (json_parse(r->mem, text, value, NULL) != OK)
        return answer_bad_json(r, out);
    return 0;
}

static void check_json_list(struct request *r, struct check *c, const struct loc *top, json_object *value)
{
    const struct field items = { r->route->form ? LIST_OF_FORMS : LIST, "body", REQUIRED, r->route->form };

    check_value(c, top, &items, value, &r->form);
}

static void check_json(struct request *r, struct check *c, json_object *value)
{
    static const struct field dict = { OBJECT, "body", REQUIRED };
    const struct route *route = r->route;
    const struct loc top = { NULL, "body", 0 };
    bool is_dict = route->keep_unknown && (!route->form || !route->form->name);

    c->keep_unknown = route->keep_unknown;
    if (route->body == BODY_JSON_ANY && !is_dict)
        r->form = value;
    else if (!value)
        check_missing(c, &top, NULL);
    else if (route->body == BODY_JSON_LIST)
        check_json_list(r, c, &top, value);
    else if (is_dict || !route->form)
        check_value(c, &top, &dict, value, &r->form);
    else
        check_form(c, &top, route->form, value, &r->form);
}

/* ---- form data */

static int read_form_data(struct request *r, struct response *out)
{
    struct str type = str_trim(str_sub(r->content_type, 0, str_find_c(r->content_type, ';')));
    struct part *parts = NULL;
    struct error err = { "" };
    enum status st = OK;

    if (str_ieq(type, "multipart/form-data"))
        st = multipart_read(r->mem, r->content_type, r->body, &parts, &r->parts_n, &err);
    else if (str_ieq(type, "application/x-www-form-urlencoded"))
        st = urlencoded_read(r->mem, r->body, &parts, &r->parts_n, &err);
    r->parts = parts;
    return st == OK ? 0 : fail(out, 400, "%s", err.text);
}

static const struct part *last_part(const struct request *r, const char *name)
{
    for (size_t i = r->parts_n; i-- > 0;)
        if (str_is(r->parts[i].name, name))
            return &r->parts[i];
    return NULL;
}

static void check_file_part(struct check *c, const struct loc *at, const struct field *f, const struct part *part)
{
    json_object *ctx;

    if (!part) {
        if (f->need & REQUIRED)
            check_missing(c, at, NULL);
        return;
    }
    if (part->filename.p)
        return;
    ctx = json_new_object(c->mem);
    json_set_object(ctx, "error");
    check_complain(c, at, "value_error", "Value error, Expected UploadFile, received: <class 'str'>",
                   json_new_str(c->mem, str_utf8_valid(part->body) ? part->body : S("")), ctx);
}

static void check_text_part(struct check *c, const struct loc *at, const struct field *f, const struct part *part,
                            json_object *form)
{
    json_object *value = NULL;

    if (part && part->body.n == 0 && !(f->need & REQUIRED))
        part = NULL; /* an empty input of a page: as if it were not there */
    if (!part) {
        if (f->need & REQUIRED)
            check_missing(c, at, NULL);
        else if (f->def)
            json_set(form, f->name, field_default(c->mem, f));
        return;
    }
    if (part->filename.p || !str_utf8_valid(part->body)) {
        check_complain(c, at, "string_type", "Input should be a valid string", NULL, NULL);
        return;
    }
    if (check_text(c, at, f, part->body.n ? part->body : S(""), &value))
        json_set(form, f->name, value);
}

static void check_parts(struct request *r, struct check *c)
{
    const struct loc top = { NULL, "body", 0 };

    r->form = json_new_object(r->mem);
    for (const struct field *f = r->route->form; f && f->name; f++) {
        const struct loc here = { &top, f->name, 0 };
        const struct part *part = last_part(r, f->name);

        if (f->type == FILE_PART)
            check_file_part(c, &here, f, part);
        else
            check_text_part(c, &here, f, part, r->form);
    }
}

/* ---- all of it */

static enum body_kind body_kind(const struct route *route)
{
    return route->body == BODY_NONE && route->form ? BODY_JSON_FORM : route->body;
}

int form_validate(struct request *r, struct response *out)
{
    struct check c = { .mem = r->mem };
    enum body_kind kind = body_kind(r->route);
    json_object *value = NULL;
    int status = 0;

    if (kind == BODY_JSON_FORM || kind == BODY_JSON_ANY || kind == BODY_JSON_LIST)
        status = read_json(r, out, &value);
    else if (kind == BODY_MULTIPART)
        status = read_form_data(r, out);
    if (status)
        return status;
    check_args(r, &c);
    check_query(r, &c);
    if (kind == BODY_MULTIPART)
        check_parts(r, &c);
    else if (kind != BODY_NONE && kind != BODY_RAW)
        check_json(r, &c, value);
    if (!c.errors)
        return 0;
    r->form = NULL;
    return answer_422(out, &c);
}
