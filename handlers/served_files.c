/* served_files.c: files below a folder: /static for everybody, DATA_DIR/cache for users. The kernel keeps paths inside. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers/root.h"
#include "lib/base/cleanup.h"

struct kind {
    const char *ending, *content_type;
    bool inert; /* a browser may show it in our origin, whoever made it */
};

static const struct kind kinds[] = {
    { ".png", "image/png", true },
    { ".jpg", "image/jpeg", true },
    { ".jpeg", "image/jpeg", true },
    { ".gif", "image/gif", true },
    { ".webp", "image/webp", true },
    { ".ico", "image/vnd.microsoft.icon", true },
    { ".svg", "image/svg+xml", false },
    { ".css", "text/css; charset=utf-8", false },
    { ".js", "text/javascript; charset=utf-8", false },
    { ".mjs", "text/javascript; charset=utf-8", false },
    { ".json", "application/json", false },
    { ".webmanifest", "application/manifest+json", false },
    { ".html", "text/html; charset=utf-8", false },
    { ".xml", "text/xml; charset=utf-8", false },
    { ".txt", "text/plain; charset=utf-8", true },
    { ".pdf", "application/pdf", true },
    { ".woff", "font/woff", false },
    { ".woff2", "font/woff2", false },
    { ".ttf", "font/ttf", false },
    { ".wasm", "application/wasm", false },
    { ".mp3", "audio/mpeg", true },
    { ".wav", "audio/x-wav", true },
    { ".ogg", "audio/ogg", true },
    { ".mp4", "video/mp4", true },
    { ".webm", "video/webm", true },
};

static const struct kind *kind_of(struct str path)
{
    static const struct kind unknown = { "", "application/octet-stream", false };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i].ending);

        if (path.n > n && str_ieq(str_from(path, path.n - n), kinds[i].ending))
            return &kinds[i];
    }
    return &unknown;
}

/* A regular file at path below folder, or -1. Neither "..", nor a symbolic link, leads out. */
static int open_below(struct arena *mem, const char *folder, struct str path, int64_t *bytes)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int dir AUTO_CLOSE = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    struct stat s;

    if (dir < 0 || path.n == 0 || memchr(path.p, '\0', path.n))
        return -1;
    fd = (int)syscall(SYS_openat2, dir, str_c(mem, path), &how, sizeof how);
    if (fd < 0)
        return -1;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(fd);
        return -1;
    }
    *bytes = s.st_size;
    return fd;
}

int serve_static(struct request *r, struct response *out)
{
    struct str path = path_arg(r, "path"), own = config_str(r->config, CFG_STATIC_DIR),
               frontend = config_str(r->config, CFG_WEBUI_FRONTEND_DIR);
    int64_t bytes;
    int fd = -1;

    if (own.n)
        fd = open_below(r->mem, str_c(r->mem, own), path, &bytes);
    if (fd < 0 && frontend.n)
        fd = open_below(r->mem, str_c(r->mem, str_f(r->mem, "%.*s/static", STR(frontend))), path, &bytes);
    if (fd < 0)
        return fail(out, 404, "Not Found");
    return reply_file(out, fd, bytes, kind_of(path)->content_type);
}

/* What lies in the cache was made by others: nothing of it may run in our origin. */
int serve_cache(struct request *r, struct response *out)
{
    struct str path = path_arg(r, "path");
    const struct kind *kind = kind_of(path);
    int64_t bytes;
    int fd = open_below(r->mem, str_c(r->mem, str_f(r->mem, "%s/cache", config_data_dir(r->config))), path, &bytes);

    if (fd < 0)
        return fail(out, 404, "File not found");
    response_header(out, "X-Content-Type-Options", S("nosniff"));
    response_header(out, "Cache-Control", S("private, max-age=86400"));
    if (!kind->inert)
        response_header(out, "Content-Disposition", S("attachment"));
    return reply_file(out, fd, bytes, kind->inert ? kind->content_type : "application/octet-stream");
}
