/* socketio.c: packets of Engine.IO 4 and Socket.IO 5. */
#include "lib/net/socketio.h"

#include "lib/base/encode.h"

bool eio_parse(struct str text, struct eio_packet *out)
{
    if (text.n == 0 || !((text.p[0] >= '0' && text.p[0] <= '6') || text.p[0] == 'b'))
        return false;
    out->type = (enum eio_type)text.p[0];
    out->data = str_from(text, 1);
    return true;
}

bool eio_next(struct str *payload, struct eio_packet *out, bool *broken)
{
    struct str piece;

    *broken = false;
    if (!payload->p || !str_split(payload, '\x1e', &piece))
        return false;
    *broken = !eio_parse(piece, out);
    return !*broken;
}

/* Decimal digits at the start of *s, at most max of them; -1: none. */
static int64_t take_number(struct str *s, size_t max, bool *too_long)
{
    int64_t v = -1;
    size_t i = 0;

    while (i < s->n && i < max && s->p[i] >= '0' && s->p[i] <= '9')
        v = (v < 0 ? 0 : v) * 10 + (s->p[i++] - '0');
    *too_long = i < s->n && s->p[i] >= '0' && s->p[i] <= '9';
    *s = str_from(*s, i);
    return v;
}

static enum status take_attachments(struct str *s, struct sio_packet *out, struct error *err)
{
    bool too_long;
    int64_t n = take_number(s, 3, &too_long);

    if (too_long || n < 0 || s->n == 0 || s->p[0] != '-')
        return error_set(err, INVALID, "binary packet without a count");
    if (n > SIO_MAX_ATTACHMENTS)
        return error_set(err, INVALID, "%lld attachments", (long long)n);
    out->attachments = (int)n;
    *s = str_from(*s, 1);
    return OK;
}

static void take_namespace(struct str *s, struct sio_packet *out)
{
    size_t comma, query;

    out->namespace = S("/");
    if (s->n == 0 || s->p[0] != '/')
        return;
    comma = str_find_c(*s, ',');
    out->namespace = str_sub(*s, 0, comma == STR_NPOS ? s->n : comma);
    *s = comma == STR_NPOS ? str_from(*s, s->n) : str_from(*s, comma + 1);
    query = str_find_c(out->namespace, '?');
    if (query != STR_NPOS)
        out->namespace.n = query;
}

enum status sio_parse(struct arena *mem, struct str text, struct sio_packet *out, struct error *err)
{
    struct sio_packet p = { .id = -1 };
    bool too_long, is_event, is_ack;
    enum status st = OK;

    if (text.n == 0 || text.p[0] < '0' || text.p[0] > '6' || text.p[0] == '4')
        return error_set(err, INVALID, "unknown packet");
    p.type = (enum sio_type)(text.p[0] - '0');
    text = str_from(text, 1);
    is_event = p.type == SIO_EVENT || p.type == SIO_BINARY_EVENT;
    is_ack = p.type == SIO_ACK || p.type == SIO_BINARY_ACK;
    if (p.type == SIO_BINARY_EVENT || p.type == SIO_BINARY_ACK)
        st = take_attachments(&text, &p, err);
    if (st != OK)
        return st;
    take_namespace(&text, &p);
    p.id = take_number(&text, 18, &too_long);
    if (too_long || (p.id >= 0 && !is_event && !is_ack) || (p.id < 0 && is_ack))
        return error_set(err, INVALID, "bad id");
    if (text.n)
        st = json_parse(mem, text, &p.data, err);
    if (st != OK)
        return st;
    if (is_event && !(json_is(p.data, json_type_array) && json_is(json_at(p.data, 0), json_type_string)))
        return error_set(err, INVALID, "event without a name");
    if (is_ack && !json_is(p.data, json_type_array))
        return error_set(err, INVALID, "answer without a list");
    *out = p;
    return OK;
}

static json_object *attach(struct arena *mem, json_object *v, const struct str *attachments, int n, bool *missing)
{
    json_object *out;

    if (json_is(v, json_type_array)) {
        out = json_new_array(mem);
        JSON_EACH (v, i, item)
            json_push(out, attach(mem, item, attachments, n, missing));
        return out;
    }
    if (!json_is(v, json_type_object))
        return v;
    out = json_new_object(mem);
    if (json_flag(v, "_placeholder", false)) {
        int64_t i = json_int(v, "num", -1);

        if (i < 0 || i >= n)
            *missing = true;
        else
            json_set_str(out, "_binary", base64_encode(mem, attachments[i]));
        return out;
    }
    json_object_object_foreach(v, key, item) json_set(out, key, attach(mem, item, attachments, n, missing));
    return out;
}

enum status sio_attach(struct arena *mem, json_object **data, const struct str *attachments, int n, struct error *err)
{
    bool missing = false;
    json_object *whole = attach(mem, *data, attachments, n, &missing);

    if (missing)
        return error_set(err, INVALID, "placeholder without an attachment");
    *data = whole;
    return OK;
}
