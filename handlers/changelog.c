/* changelog.c: GET /api/changelog, out of the CHANGELOG.md that was unpacked beside the frontend; without it there is nothing to tell. */
#include <sys/stat.h>

#include "handlers/root.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum { VERSIONS_SHOWN = 5, FILE_MAX = 4 * 1024 * 1024, ITEM_MAX = 256 * 1024, NESTED_MAX = 8 };

/* One item as HTML, and as text: the pieces between tags, stripped, with a blank between them (BeautifulSoup's get_text). */
struct item {
    struct buf html, text, piece;
};

static void end_piece(struct item *to)
{
    struct str piece = str_trim(buf_str(&to->piece));

    if (piece.n > 0) {
        if (to->text.n > 0)
            buf_add_char(&to->text, ' ');
        buf_add_str(&to->text, piece);
    }
    buf_reset(&to->piece);
}

static void add_tag(struct item *to, const char *tag)
{
    end_piece(to);
    buf_add_c(&to->html, tag);
}

static void add_text(struct item *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '&')
            buf_add_c(&to->html, "&amp;");
        else if (s.p[i] == '<')
            buf_add_c(&to->html, "&lt;");
        else if (s.p[i] == '>')
            buf_add_c(&to->html, "&gt;");
        else
            buf_add_char(&to->html, s.p[i]);
    }
    buf_add_str(&to->piece, s);
}

static void add_inline(struct item *to, struct str s, int depth);

/* [label](address): its length, or 0. */
static size_t link_at(struct str s, struct str *label, struct str *address)
{
    size_t close = str_find(s, S("](")), end;

    if (s.p[0] != '[' || close == STR_NPOS || (end = str_find_c(str_from(s, close), ')')) == STR_NPOS)
        return 0;
    *label = str_sub(s, 1, close - 1);
    *address = str_sub(s, close + 2, end - 2);
    return close + end + 1;
}

enum mark { CODE, STRONG, EMPHASIS, LINK, NO_MARK };

static const struct {
    const char *mark, *open, *close;
} marks[] = { [CODE] = { "`", "<code>", "</code>" },
              [STRONG] = { "**", "<strong>", "</strong>" },
              [EMPHASIS] = { "*", "<em>", "</em>" } };

/* What starts here: *inside stands between the marks, *n is its length with them. */
static enum mark mark_at(struct str s, struct str *inside, struct str *address, size_t *n)
{
    for (enum mark m = CODE; m <= EMPHASIS; m++) {
        size_t width = strlen(marks[m].mark), end;

        if (!str_starts(s, marks[m].mark))
            continue;
        end = str_find(str_from(s, width), str_of(marks[m].mark));
        if (end == STR_NPOS || end == 0 || (m != CODE && str_trim(str_sub(s, width, end)).n != end))
            continue;
        *inside = str_sub(s, width, end);
        *n = width + end + width;
        return m;
    }
    *n = link_at(s, inside, address);
    return *n ? LINK : NO_MARK;
}

static void add_marked(struct item *to, enum mark m, struct str inside, struct str address, int depth)
{
    if (m == LINK) {
        add_tag(to, "<a href=\"");
        buf_add_html(&to->html, address);
        add_tag(to, "\">");
    } else {
        add_tag(to, marks[m].open);
    }
    if (m == CODE)
        add_text(to, inside);
    else
        add_inline(to, inside, depth + 1);
    add_tag(to, m == LINK ? "</a>" : marks[m].close);
}

static void add_inline(struct item *to, struct str s, int depth)
{
    size_t plain = 0;

    while (plain < s.n && depth < NESTED_MAX) {
        struct str inside, address = STR_NONE;
        size_t n;
        enum mark m = mark_at(str_from(s, plain), &inside, &address, &n);

        if (m == NO_MARK) {
            plain++;
            continue;
        }
        add_text(to, str_sub(s, 0, plain));
        add_marked(to, m, inside, address, depth);
        s = str_from(s, plain + n);
        plain = 0;
    }
    add_text(to, s);
}

static json_object *parse_item(struct arena *mem, struct str s)
{
    struct item to = { BUF(mem, ITEM_MAX), BUF(mem, ITEM_MAX), BUF(mem, ITEM_MAX) };
    json_object *o = json_new_object(mem);
    struct str text;
    size_t colon;

    buf_add_c(&to.html, "<li>");
    add_inline(&to, s, 0);
    add_tag(&to, "</li>");
    text = str_copy(mem, buf_str(&to.text));
    colon = str_find(text, S(": "));
    json_set_str(o, "title", colon == STR_NPOS ? S("") : str_trim(str_sub(text, 0, colon)));
    json_set_str(o, "content", colon == STR_NPOS ? text : str_trim(str_from(text, colon + 2)));
    json_set_str(o, "raw", str_copy(mem, buf_str(&to.html)));
    return o;
}

/* "## [0.6.32] - 2025-09-29" */
static json_object *start_version(struct arena *mem, json_object *versions, struct str heading)
{
    size_t dash = str_find(heading, S(" - "));
    struct str name = str_trim(str_sub(heading, 0, dash == STR_NPOS ? heading.n : dash));
    struct str date = dash == STR_NPOS ? S("") : str_trim(str_from(heading, dash + 3));
    size_t more = str_find(date, S(" - "));

    if (name.n < 3)
        return NULL;
    if (more != STR_NPOS)
        date.n = more;
    name = str_sub(name, 1, name.n - 2);
    json_set_str(json_set_object(versions, str_c(mem, name)), "date", str_copy(mem, date));
    return json_get(versions, str_c(mem, name));
}

json_object *changelog_parse(struct arena *mem, struct str markdown, size_t most)
{
    json_object *versions = json_new_object(mem), *version = NULL, *section = NULL;
    struct str rest = markdown, line;

    while (str_split(&rest, '\n', &line)) {
        line = str_trim_c(line, "\r");
        if (str_starts(line, "## ")) {
            if ((size_t)json_object_object_length(versions) >= most)
                break;
            version = start_version(mem, versions, str_trim(str_from(line, 3)));
            section = NULL;
        } else if (version && str_starts(line, "### ")) {
            section = json_set_array(version, str_c(mem, str_lower(mem, str_trim(str_from(line, 4)))));
        } else if (section && (str_starts(line, "- ") || str_starts(line, "* "))) {
            json_push(section, parse_item(mem, str_trim(str_from(line, 2))));
        }
    }
    return versions;
}

/* CHANGELOG.md lies beside the frontend's folder, or in it. */
static const char *find_file(struct request *r, struct stat *s)
{
    static const char *const places[] = { "../CHANGELOG.md", "CHANGELOG.md" };
    struct str frontend = config_str(r->config, CFG_WEBUI_FRONTEND_DIR);

    for (size_t i = 0; frontend.n && i < sizeof places / sizeof places[0]; i++) {
        const char *path = str_c(r->mem, str_f(r->mem, "%.*s/%s", STR(frontend), places[i]));

        if (stat(path, s) == 0 && S_ISREG(s->st_mode))
            return path;
    }
    return NULL;
}

int app_changelog(struct request *r, struct response *out)
{
    static struct arena *kept_mem;
    static struct str kept;
    static struct stat kept_of;
    struct stat s;
    const char *path = find_file(r, &s);
    struct error err = { "" };
    struct str markdown;

    if (!path)
        return reply_json_text(out, S("{}"));
    if (kept.p && s.st_ino == kept_of.st_ino && s.st_mtime == kept_of.st_mtime && s.st_size == kept_of.st_size)
        return reply_json_text(out, kept);
    if (file_read(r->mem, path, FILE_MAX, &markdown, &err) != OK || !str_utf8_valid(markdown)) {
        log_warning("the changelog cannot be read: %s", err.text);
        return reply_json_text(out, S("{}"));
    }
    if (!kept_mem)
        kept_mem = arena_new(64 * 1024);
    arena_reset(kept_mem);
    kept = json_text(kept_mem, changelog_parse(kept_mem, markdown, VERSIONS_SHOWN));
    kept_of = s;
    return reply_json_text(out, kept);
}
