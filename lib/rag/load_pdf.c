/* load_pdf.c: PDF, by way of poppler's programs. */
#include "lib/rag/load_pdf.h"

#include "lib/base/child.h"

enum { TIMEOUT_MS = 90 * 1000, INFO_BYTES = 64 * 1024 };

#define UNREADABLE "This PDF cannot be read: it is broken, or protected by a password"

static enum status run(struct arena *mem, int fd, const char *name, char *const *argv, size_t max, struct str *out,
                       struct error *err)
{
    static const char *const folders[] = { "/usr/bin", "/usr/local/bin", "/bin" };
    struct child c = { .argv = argv, .input_fd = fd, .timeout_ms = TIMEOUT_MS, .max_output = max };
    enum status st = NOT_FOUND;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && st == NOT_FOUND; i++) {
        c.program = str_f(mem, "%s/%s", folders[i], name).p;
        st = child_run(mem, &c, err);
    }
    if (st == NOT_FOUND)
        return error_set(err, FAILED, "PDF files cannot be read here: %s (package poppler-utils) is missing", name);
    if (st == OK && c.exit_status != 0)
        return error_set(err, INVALID, UNREADABLE);
    *out = c.output;
    return st;
}

/* "Title:          words": the lines that are worth keeping, by LangChain's names. */
static json_object *read_info(struct arena *mem, struct str lines)
{
    static const struct {
        const char *line, *name;
    } known[] = {
        { "Title:", "title" },     { "Author:", "author" },     { "Subject:", "subject" },
        { "Creator:", "creator" }, { "Producer:", "producer" }, { "CreationDate:", "creationdate" },
        { "ModDate:", "moddate" },
    };
    json_object *o = json_new_object(mem);
    struct str line;

    while (str_split(&lines, '\n', &line))
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (str_starts(line, known[i].line) && str_utf8_valid(line) &&
                str_trim(str_from(line, strlen(known[i].line))).n)
                json_set_str(o, known[i].name, str_trim(str_from(line, strlen(known[i].line))));
    return o;
}

static size_t count_pages(struct str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\f';
    return n;
}

enum status load_pdf(struct arena *mem, int fd, struct rag_documents *out, struct error *err)
{
    static char *const text_args[] = { "pdftotext", "-q", "-enc", "UTF-8", "-eol", "unix", "fd://0", "-", NULL },
                       *const info_args[] = { "pdfinfo", "-enc", "UTF-8", "-isodates", "fd://0", NULL };
    struct load_out made = { .mem = mem };
    struct str text, info, page;
    json_object *about = NULL;
    size_t total, number = 0;
    enum status st = run(mem, fd, "pdftotext", text_args, LOAD_MAX_TEXT, &text, err);

    if (st != OK)
        return st;
    if (run(mem, fd, "pdfinfo", info_args, INFO_BYTES, &info, NULL) == OK)
        about = read_info(mem, info);
    total = count_pages(text);
    while (st == OK && number < total && str_split(&text, '\f', &page)) {
        json_object *metadata = json_new_object(mem);

        if (about)
            json_merge(metadata, about);
        json_set_int(metadata, "total_pages", (int64_t)total);
        json_set_int(metadata, "page", (int64_t)number);
        json_set_str(metadata, "page_label", str_f(mem, "%zu", ++number));
        if (!str_utf8_valid(page))
            return error_set(err, INVALID, UNREADABLE);
        st = load_add(&made, str_trim_c(page, "\n"), metadata, err);
    }
    if (st == OK)
        *out = (struct rag_documents){ made.v, made.n };
    return st;
}
