/* form_data.c: parts between boundaries that are drawn at random. */
#include "lib/net/form_data.h"

#include "lib/base/random.h"

struct form_data form_data_start(struct arena *mem, size_t max_bytes)
{
    return (struct form_data){ BUF(mem, max_bytes), random_hex(mem, 16) };
}

static void begin(struct form_data *f, const char *name)
{
    buf_addf(&f->body, "--%.*s\r\nContent-Disposition: form-data; name=\"%s\"", STR(f->boundary), name);
}

void form_data_field(struct form_data *f, const char *name, struct str value)
{
    begin(f, name);
    buf_add_c(&f->body, "\r\n\r\n");
    buf_add_str(&f->body, value);
    buf_add_c(&f->body, "\r\n");
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

void form_data_file(struct form_data *f, const char *name, struct str filename, struct str content_type,
                    struct str bytes)
{
    begin(f, name);
    buf_add_c(&f->body, "; filename=\"");
    for (size_t i = 0; i < filename.n; i++) {
        unsigned char c = (unsigned char)filename.p[i];

        if (c < 0x20 || c == '"' || c == 0x7f)
            buf_addf(&f->body, "%%%02X", c);
        else
            buf_add_char(&f->body, (char)c);
    }
    buf_addf(&f->body, "\"\r\nContent-Type: %.*s\r\n\r\n",
             STR(is_plain(content_type) ? content_type : S("application/octet-stream")));
    buf_add_str(&f->body, bytes);
    buf_add_c(&f->body, "\r\n");
}

struct str form_data_end(struct form_data *f)
{
    buf_addf(&f->body, "--%.*s--\r\n", STR(f->boundary));
    return buf_str(&f->body);
}

struct str form_data_type(struct arena *mem, struct form_data *f)
{
    return str_f(mem, "multipart/form-data; boundary=%.*s", STR(f->boundary));
}
