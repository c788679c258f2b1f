/* user_image.c: the picture of a user: his own, or a grey figure. */
#include "handlers/user_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/encode.h"

/* 128 × 128, one bit a pixel; shown when the frontend's user.png is not at hand. */
static const char figure[] =
    "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x80\x00\x00\x00\x80\x01\x03\x00\x00"
    "\x00\xf9\xf0\xf3\x88\x00\x00\x00\x06\x50\x4c\x54\x45\xb4\xb4\xb4\xf0\xf0\xf0\x4f\xae\xff\xc4\x00\x00\x00\xe5\x49"
    "\x44\x41\x54\x78\xda\xed\xd3\x41\x0a\xc3\x20\x10\x05\xd0\x4a\x16\x2e\x73\x04\x8f\xe2\xd1\xe2\xd1\x72\x14\x8f\x90"
    "\xa5\x0b\xc9\xb4\x36\xc8\xf8\xfd\x2d\x49\x4b\x0b\xa1\xd4\x5d\x1e\xc4\xf9\xea\xcc\xe5\xf2\x5f\x67\x5e\x36\x76\x30"
    "\xad\xf8\x3d\x88\xcc\x00\xa3\xc8\x02\xe0\x45\x32\x6e\x21\x82\x9b\xc8\x6d\xb5\xdf\xa6\x40\xc0\x22\x58\xc6\x16\x88"
    "\x58\x15\xeb\x12\xb8\x02\x09\x73\x61\x32\x82\xa9\xc0\xfa\x12\x88\x74\x87\xf9\x25\x78\xe3\x3e\xf6\x2f\x99\xde\x85"
    "\x80\x9e\x92\x5e\x9f\xfa\x83\x80\x5a\x8a\xbb\x90\xfa\xd4\x61\x8c\x7b\xdd\x6e\x1c\xb0\x6f\xcb\x3f\xe9\x14\x63\x4a"
    "\x53\x49\x67\xe9\x67\x8e\x6e\x8c\x6e\x7d\x77\x3c\xcc\xd6\x30\x01\xf7\x6c\x77\x1d\x37\x58\xf0\xad\xdb\x68\x7e\x83"
    "\x8c\x45\xda\x32\x22\xd8\x97\xa6\x42\xc0\xaa\x5a\x97\xc0\x56\x88\x98\x4b\x93\xb9\x0a\xe9\x19\xf8\x0a\x19\x83\x6a"
    "\x54\x02\x91\x2e\x7b\x0f\x46\x21\x3c\x86\x41\x61\x3e\x08\x56\x21\x1e\x84\x51\x61\x39\x08\x4e\x21\x7d\x0c\xbc\x42"
    "\xfe\x12\x5c\x01\x66\x57\x95\x2a\x2f\x0c\x99\x80\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

static int reply_static(struct request *r, struct response *out, struct str dir, const char *name)
{
    struct stat st;
    int fd = dir.n ? open(str_f(r->mem, "%.*s/%s", STR(dir), name).p, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return 0;
    }
    return reply_file(out, fd, st.st_size, "image/png");
}

static int reply_default(struct request *r, struct response *out)
{
    struct str build = config_str(r->config, CFG_WEBUI_FRONTEND_DIR);
    int status;

    if (!build.n)
        build = config_str(r->config, CFG_FRONTEND_BUILD_DIR);
    status = reply_static(r, out, config_str(r->config, CFG_STATIC_DIR), "user.png");
    if (!status)
        status = reply_static(r, out, build, "static/user.png");
    if (!status)
        status = reply_static(r, out, build, "user.png");
    return status ? status : reply_text(out, 200, "image/png", str_n(figure, sizeof(figure) - 1));
}

/* Raster images only, told by their first bytes: an SVG from here would run scripts in our origin. */
static bool is_raster(struct str s)
{
    return str_starts(s, "\x89PNG\r\n\x1a\n") || str_starts(s, "\xff\xd8\xff") || str_starts(s, "GIF87a") ||
           str_starts(s, "GIF89a") || (s.n >= 12 && memcmp(s.p, "RIFF", 4) == 0 && memcmp(s.p + 8, "WEBP", 4) == 0);
}

int user_image_reply(struct request *r, struct response *out, struct str url)
{
    struct str bytes;
    size_t comma;

    if (str_starts(url, "http://") || str_starts(url, "https://"))
        return reply_redirect(out, 302, url);
    comma = str_find_c(url, ',');
    if (!str_starts(url, "data:image") || comma == STR_NPOS ||
        !base64_decode(r->mem, str_from(url, comma + 1), &bytes) || !is_raster(bytes))
        return reply_default(r, out);
    reply_text(out, 200, "image/png", bytes);
    response_header(out, "Content-Disposition", S("inline; filename=image.png"));
    response_header(out, "X-Content-Type-Options", S("nosniff"));
    return 200;
}
