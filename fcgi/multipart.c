/* multipart.c: one pass over a multipart/form-data body. Parts are views of it; nothing is copied but names. */
#include "fcgi/multipart.h"

#include "fcgi/query.h"
#include "lib/base/encode.h"

enum { MAX_BOUNDARY = 256 }; /* RFC 2046 allows 70; some clients do not know */

struct reader {
    struct arena *mem;
    struct str body;
    struct str delimiter; /* "\r\n--boundary" */
    size_t at;
    struct part *parts;
    size_t n, room;
};

/* The place of the next delimiter from `from`, or STR_NPOS. The first may stand at the very start, without its CRLF. */
static size_t next_delimiter(const struct reader *rd, size_t from)
{
    size_t found;

    if (from == 0) {
        struct str bare = str_from(rd->delimiter, 2);

        if (rd->body.n >= bare.n && memcmp(rd->body.p, bare.p, bare.n) == 0)
            return 0;
    }
    found = str_find(str_from(rd->body, from), rd->delimiter);
    return found == STR_NPOS ? STR_NPOS : from + found;
}

/* Moves past a delimiter at `at` and its line end. *last: it was the closing one. */
static bool skip_delimiter(struct reader *rd, size_t at, bool *last)
{
    rd->at = at + rd->delimiter.n - (at == 0 && rd->body.p[0] == '-' ? 2 : 0);
    *last = rd->at + 2 <= rd->body.n && memcmp(rd->body.p + rd->at, "--", 2) == 0;
    if (*last)
        return true;
    while (rd->at < rd->body.n && (rd->body.p[rd->at] == ' ' || rd->body.p[rd->at] == '\t'))
        rd->at++;
    if (rd->at + 2 > rd->body.n || memcmp(rd->body.p + rd->at, "\r\n", 2) != 0)
        return false;
    rd->at += 2;
    return true;
}

/* filename* is not for forms (RFC 7578, 4.2), but some programs send nothing else. */
static struct str extended_filename(struct arena *mem, struct str value)
{
    size_t first = str_find_c(value, '\''), second;
    struct str decoded;

    if (first == STR_NPOS || !str_ieq(str_sub(value, 0, first), "utf-8"))
        return STR_NONE;
    second = str_find_c(str_from(value, first + 1), '\'');
    if (second == STR_NPOS || !url_decode(mem, str_from(value, first + second + 2), false, &decoded))
        return STR_NONE;
    return str_copy(mem, decoded);
}

static void read_disposition(struct reader *rd, struct part *part, struct str value)
{
    struct str extended;

    part->name = header_parameter(rd->mem, value, "name");
    part->filename = header_parameter(rd->mem, value, "filename");
    extended = header_parameter(rd->mem, value, "filename*");
    if (extended.p && !part->filename.p)
        part->filename = extended_filename(rd->mem, extended);
}

/* The header lines of a part, up to the empty one. */
static enum status read_header(struct reader *rd, struct part *part, struct error *err)
{
    size_t start = rd->at;
    bool has_disposition = false;

    for (;;) {
        struct str rest = str_from(rd->body, rd->at), line;
        struct str window = str_sub(rest, 0, MULTIPART_MAX_HEADER + 2);
        size_t end = str_find(window, S("\r\n")), colon;

        if (end == STR_NPOS || rd->at + end - start > MULTIPART_MAX_HEADER)
            return error_set(err, INVALID, "There was an error parsing the body");
        line = str_sub(rest, 0, end);
        rd->at += end + 2;
        if (line.n == 0)
            break;
        colon = str_find_c(line, ':');
        if (colon == STR_NPOS || colon == 0)
            return error_set(err, INVALID, "There was an error parsing the body");
        if (str_ieq(str_sub(line, 0, colon), "content-disposition")) {
            read_disposition(rd, part, str_trim(str_from(line, colon + 1)));
            has_disposition = true;
        } else if (str_ieq(str_sub(line, 0, colon), "content-type")) {
            part->content_type = str_copy(rd->mem, str_trim(str_from(line, colon + 1)));
        }
    }
    if (!has_disposition || !part->name.p)
        return error_set(err, INVALID, "The Content-Disposition header field \"name\" must be provided.");
    if (!str_utf8_valid(part->name) || (part->filename.p && !str_utf8_valid(part->filename)))
        return error_set(err, INVALID, "There was an error parsing the body");
    return OK;
}

static struct part *add_part(struct reader *rd)
{
    if (rd->n == rd->room) {
        size_t room = rd->room ? rd->room * 2 : 8;

        rd->parts = arena_grow(rd->mem, rd->parts, rd->room * sizeof(*rd->parts), room * sizeof(*rd->parts));
        rd->room = room;
    }
    rd->parts[rd->n] = (struct part){ 0 };
    return &rd->parts[rd->n++];
}

static enum status too_many(const struct reader *rd, struct error *err)
{
    if (rd->n < MULTIPART_MAX_PARTS)
        return OK;
    return error_set(err, TOO_BIG, "Too many fields. Maximum number of fields is %d.", MULTIPART_MAX_PARTS);
}

static enum status read_parts(struct reader *rd, struct error *err)
{
    size_t at = next_delimiter(rd, 0);
    bool last = false;

    if (at == STR_NPOS || !skip_delimiter(rd, at, &last))
        return error_set(err, INVALID, "There was an error parsing the body");
    while (!last) {
        struct part *part;
        enum status st = too_many(rd, err);
        size_t end, start;

        if (st != OK)
            return st;
        part = add_part(rd);
        st = read_header(rd, part, err);
        if (st != OK)
            return st;
        start = rd->at;
        end = next_delimiter(rd, start - 2); /* an empty body: the header's CRLF is the delimiter's too */
        if (end == STR_NPOS || (end < start && end + 2 != start))
            return error_set(err, INVALID, "There was an error parsing the body");
        part->body = str_sub(rd->body, start, end > start ? end - start : 0);
        if (!skip_delimiter(rd, end, &last))
            return error_set(err, INVALID, "There was an error parsing the body");
    }
    return OK;
}

enum status multipart_read(struct arena *mem, struct str content_type, struct str body, struct part **parts, size_t *n,
                           struct error *err)
{
    struct reader rd = { .mem = mem, .body = body };
    struct str boundary = header_parameter(mem, content_type, "boundary");
    enum status st;

    if (boundary.n == 0)
        return error_set(err, INVALID, "Missing boundary in multipart.");
    if (boundary.n > MAX_BOUNDARY)
        return error_set(err, INVALID, "There was an error parsing the body");
    rd.delimiter = str_f(mem, "\r\n--%.*s", STR(boundary));
    if (rd.delimiter.n != boundary.n + 4) /* a NUL in it */
        return error_set(err, INVALID, "There was an error parsing the body");
    st = read_parts(&rd, err);
    if (st != OK)
        return st;
    *parts = rd.parts;
    *n = rd.n;
    return OK;
}

enum status urlencoded_read(struct arena *mem, struct str body, struct part **parts, size_t *n, struct error *err)
{
    struct reader rd = { .mem = mem };
    struct str rest = body, name, value;

    while (query_next(mem, &rest, &name, &value)) {
        enum status st = too_many(&rd, err);
        struct part *part;

        if (st != OK)
            return st;
        part = add_part(&rd);
        part->name = name;
        part->body = value;
    }
    *parts = rd.parts;
    *n = rd.n;
    return OK;
}
