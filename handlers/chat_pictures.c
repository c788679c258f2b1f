/* chat_pictures.c: pictures in the messages of a chat. */
#include "handlers/chat_pictures.h"

#include <unistd.h>

#include "lib/auth/file_access.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/images/images.h"
#include "lib/images/keep.h"
#include "lib/storage/storage.h"

enum { PICTURE_BYTES = 20 * 1024 * 1024, ALL_BYTES = 40 * 1024 * 1024, LINES_BYTES = 16 * 1024 * 1024 };

/* ---- to the model */

/* The id in "/api/v1/files/ID/content", with or without our own address in front; absent: it is not ours. */
static struct str file_id_of(struct request *r, struct str url)
{
    struct str own = config_str(r->config, CFG_WEBUI_URL);
    size_t slash;

    if (own.n && url.n > own.n && str_eq(str_sub(url, 0, own.n), own))
        url = str_from(url, own.n);
    if (!str_starts(url, "/api/v1/files/"))
        return STR_NONE;
    url = str_from(url, strlen("/api/v1/files/"));
    slash = str_find_c(url, '/');
    return slash == STR_NPOS ? url : str_sub(url, 0, slash);
}

static bool read_fd(struct arena *mem, int fd, int64_t bytes, struct str *out)
{
    char *p = arena_alloc(mem, (size_t)bytes + 1);
    size_t n = 0;

    while (n < (size_t)bytes) {
        ssize_t got = read(fd, p + n, (size_t)bytes - n);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    *out = str_n(p, n);
    return n == (size_t)bytes;
}

/* Absent: it is no picture that can be shown to a model. */
static struct str as_data_url(struct request *r, const struct file *f)
{
    struct image image;
    struct error err = { "" };
    struct str bytes, url = STR_NONE;
    int64_t n;
    int fd;

    if (storage_open(r->mem, r->config, f->path, &fd, &n, &err) != OK)
        return STR_NONE;
    if (n <= PICTURE_BYTES && read_fd(r->mem, fd, n, &bytes) && image_recognise(bytes, &image))
        url = str_f(r->mem, "data:%s;base64,%.*s", image.content_type, STR(base64_encode(r->mem, bytes)));
    close(fd);
    return url;
}

/* DB_ROW: *url is the picture; DB_DONE: it is to be left out. */
static enum db_status read_picture(struct request *r, struct str id, struct str *url)
{
    struct file f;
    enum db_status st = file_by_id(r->db, r->mem, id, &f);

    if (st == DB_ROW)
        st = file_access(r->db, r->mem, r->user, &f, "read");
    if (st != DB_ROW)
        return st;
    *url = as_data_url(r, &f);
    return url->n ? DB_ROW : DB_DONE;
}

/* DB_DONE: the part goes. */
static enum db_status inline_part(struct request *r, json_object *part, size_t *bytes)
{
    json_object *image = json_get(part, "image_url");
    struct str id = str_is(json_str(part, "type"), "image_url") ? file_id_of(r, json_str(image, "url")) : STR_NONE, url;
    enum db_status st = DB_ROW;

    if (!id.p)
        return DB_ROW;
    st = *bytes > ALL_BYTES ? DB_DONE : read_picture(r, str_copy(r->mem, id), &url);
    if (st == DB_ROW) {
        json_set_str(image, "url", url);
        *bytes += url.n;
    }
    return st;
}

enum db_status pictures_inline(struct request *r, json_object *messages)
{
    size_t bytes = 0;

    JSON_EACH (messages, i, message) {
        json_object *content = json_get(message, "content");

        for (size_t k = json_length(content); k > 0; k--) {
            enum db_status st = inline_part(r, json_at(content, k - 1), &bytes);

            if (st == DB_ERROR)
                return st;
            if (st == DB_DONE)
                json_object_array_del_idx(content, k - 1, 1);
        }
    }
    return DB_ROW;
}

/* ---- from the model, or its tools */

struct str picture_kept(struct step *s, struct str data_url)
{
    size_t comma = str_find_c(data_url, ',');
    struct image image;
    struct image_list list = { &image, 1 };
    struct str bytes, *urls;
    struct error err = { "" };

    if (!str_starts(data_url, "data:image/") || comma == STR_NPOS ||
        !base64_decode(s->r->mem, str_trim(str_from(data_url, comma + 1)), &bytes) || !image_recognise(bytes, &image))
        return STR_NONE;
    if (images_keep(s->r->mem, s->r->db, s->r->config, &s->user, &list, NULL, &urls, &err) == OK)
        return urls[0];
    log_warning("a picture is not kept: %s", err.text);
    return STR_NONE;
}

struct str picture_lines_kept(struct step *s, struct str text)
{
    struct buf b = BUF(s->r->mem, LINES_BYTES);
    struct str line, url;
    bool first = true;

    if (!str_has(text, "data:image/"))
        return text;
    while (str_split(&text, '\n', &line)) {
        if (!first)
            buf_add_char(&b, '\n');
        first = false;
        url = str_starts(line, "data:image/") ? picture_kept(s, line) : STR_NONE;
        if (url.n)
            buf_addf(&b, "![Output Image](%.*s)", STR(url));
        else
            buf_add_str(&b, line);
    }
    return buf_str(&b);
}
