/* files_content.c: the bytes of files. They are made by others, so nothing of them may run in our origin. */
#include "handlers/chat_reply.h"
#include "handlers/files.h"
#include "handlers/routes.h"
#include "lib/storage/storage.h"
#include "lib/store/users.h"

/* What Python's mimetypes knows of the endings that matter here; the others are sent as plain text, as Starlette does. */
static const struct {
    const char *ending, *content_type;
} kinds[] = {
    { ".html", "text/html" },
    { ".htm", "text/html" },
    { ".txt", "text/plain" },
    { ".md", "text/markdown" },
    { ".csv", "text/csv" },
    { ".css", "text/css" },
    { ".js", "text/javascript" },
    { ".json", "application/json" },
    { ".xml", "text/xml" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".jpg", "image/jpeg" },
    { ".jpeg", "image/jpeg" },
    { ".gif", "image/gif" },
    { ".webp", "image/webp" },
    { ".pdf", "application/pdf" },
    { ".zip", "application/zip" },
    { ".mp3", "audio/mpeg" },
    { ".wav", "audio/x-wav" },
    { ".mp4", "video/mp4" },
    { ".webm", "video/webm" },
    { ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    { ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    { ".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
};

static struct str kind_of(struct str path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i].ending);

        if (path.n > n && str_ieq(str_from(path, path.n - n), kinds[i].ending))
            return str_of(kinds[i].content_type);
    }
    return S("text/plain");
}

/* A type that a client named goes out only if it is made like one. */
static const char *type_header(struct arena *mem, struct str type)
{
    size_t slash = str_find_c(type, '/');
    bool has_charset = str_has(type, "charset=");

    if (slash == STR_NPOS || slash == 0 || slash + 1 >= type.n || type.n > 200)
        return "application/octet-stream";
    for (size_t i = 0; i < type.n; i++)
        if ((unsigned char)type.p[i] < ' ' || (unsigned char)type.p[i] >= 127)
            return "application/octet-stream";
    return str_c(mem, str_starts(type, "text/") && !has_charset ? str_cat(mem, type, S("; charset=utf-8")) : type);
}

static void add_disposition(struct response *out, const char *kind, struct str name)
{
    struct buf b = BUF(out->mem, 16 * 1024);

    buf_addf(&b, "%s; filename*=UTF-8''", kind);
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '/')
            buf_add_char(&b, '/'); /* Python's quote() */
        else
            buf_add_urlencoded(&b, str_n(name.p + i, 1));
    }
    response_header(out, "Content-Disposition", buf_str(&b));
}

struct names {
    struct str name, content_type; /* content_type absent: unknown */
};

static struct names names_of(struct arena *mem, const struct file *f)
{
    json_object *meta = json_parse_or_null(mem, f->meta);
    struct names n = { json_str(meta, "name"), json_str(meta, "content_type") };

    if (!n.name.p)
        n.name = f->filename;
    return n;
}

static bool open_stored(struct request *r, const struct file *f, int *fd, int64_t *bytes)
{
    struct error err = { "" };

    return storage_open(r->mem, r->config, f->path, fd, bytes, &err) == OK;
}

static int send(struct response *out, int fd, int64_t bytes, struct str type)
{
    response_header(out, "X-Content-Type-Options", S("nosniff"));
    return reply_file(out, fd, bytes, type_header(out->mem, type));
}

static int get_content(struct request *r, struct response *out)
{
    bool attachment = query_bool(r, "attachment", false);
    struct file f;
    struct names n;
    int64_t bytes;
    int fd, status;

    if (!file_find(r, out, "read", &f, &status))
        return status;
    if (!open_stored(r, &f, &fd, &bytes))
        return fail(out, 400, "[ERROR: Error getting file content]");
    n = names_of(r->mem, &f);
    if (attachment) {
        add_disposition(out, "attachment", n.name);
    } else if (str_is(n.content_type, "application/pdf") || str_ends(str_lower(r->mem, n.name), ".pdf")) {
        add_disposition(out, "inline", n.name);
        n.content_type = S("application/pdf");
    } else if (!str_is(n.content_type, "text/plain")) {
        add_disposition(out, "attachment", n.name);
        response_header(out, "Content-Security-Policy", S("sandbox"));
    }
    return send(out, fd, bytes, n.content_type.n ? n.content_type : kind_of(f.path));
}

/* A page that an administrator has uploaded, to be looked at. It runs in an origin of its own: what it does there is no business of ours. */
static int get_html(struct request *r, struct response *out)
{
    struct user owner;
    struct file f;
    int64_t bytes;
    int fd, status;

    if (!file_find(r, out, "read", &f, &status))
        return status;
    switch (user_by_id(r->db, r->mem, f.user_id, &owner)) {
    case DB_ROW: break;
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
    if (!str_is(owner.role, "admin"))
        return fail(out, 404, NOT_FOUND_TEXT);
    if (!open_stored(r, &f, &fd, &bytes))
        return fail(out, 400, "[ERROR: Error getting file content]");
    response_header(out, "Content-Security-Policy",
                    S("sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"));
    return send(out, fd, bytes, kind_of(f.path));
}

static int get_named(struct request *r, struct response *out)
{
    struct file f;
    struct names n;
    int64_t bytes;
    int fd, status;

    if (!file_find(r, out, "read", &f, &status))
        return status;
    n = names_of(r->mem, &f);
    if (f.path.n && !open_stored(r, &f, &fd, &bytes))
        return fail(out, 404, NOT_FOUND_TEXT);
    add_disposition(out, "attachment", n.name);
    response_header(out, "Content-Security-Policy", S("sandbox"));
    if (f.path.n)
        return send(out, fd, bytes, kind_of(f.path));
    response_header(out, "X-Content-Type-Options", S("nosniff"));
    return reply_text(out, 200, "text/plain; charset=utf-8", file_content(r->mem, &f));
}

static const struct field content_query[] = { FIELD(BOOLEAN, "attachment", NOT_NULL, .def = "false"), END };

const struct route files_content_routes[] = { { GET, "/api/v1/files/{id}/content", VERIFIED, get_content, .type = "*/*",
                                                .query = content_query, .about = "The bytes of a file" },
                                              { GET, "/api/v1/files/{id}/content/html", VERIFIED, get_html,
                                                .type = "*/*", .about = "A page of an administrator's, to be shown" },
                                              { GET, "/api/v1/files/{id}/content/{file_name}", VERIFIED, get_named,
                                                .type = "*/*", .about = "The bytes of a file, to be saved" },
                                              END };
