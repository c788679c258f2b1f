/* load_kind.c: which reader a file needs. */
#include "lib/rag/load_kind.h"

#define OOXML "application/vnd.openxmlformats-officedocument."

static const char *const names[] = {
    [LOAD_TEXT] = "text", [LOAD_CSV] = "csv",   [LOAD_HTML] = "html", [LOAD_XML] = "xml",
    [LOAD_PDF] = "pdf",   [LOAD_DOCX] = "docx", [LOAD_ODT] = "odt",   [LOAD_EPUB] = "epub",
    [LOAD_XLSX] = "xlsx", [LOAD_PPTX] = "pptx", [LOAD_PAGE] = "page", [LOAD_OLD_OFFICE] = "old-office",
};

/* In this order: an ending goes before the types of the lines below it. */
static const struct {
    const char *ending, *content_type; /* NULL: any line of the other */
    enum load_kind kind;
} rules[] = {
    { "pdf", NULL, LOAD_PDF },
    { "csv", NULL, LOAD_CSV },
    { "rst", NULL, LOAD_TEXT },
    { "xml", NULL, LOAD_XML },
    { "htm", NULL, LOAD_HTML },
    { "html", NULL, LOAD_HTML },
    { "md", NULL, LOAD_TEXT },
    { NULL, "application/epub+zip", LOAD_EPUB },
    { "epub", NULL, LOAD_EPUB },
    { NULL, OOXML "wordprocessingml.document", LOAD_DOCX },
    { "docx", NULL, LOAD_DOCX },
    { "xlsx", NULL, LOAD_XLSX },
    { "xls", NULL, LOAD_OLD_OFFICE },
    { NULL, OOXML "spreadsheetml.sheet", LOAD_XLSX },
    { NULL, "application/vnd.ms-excel", LOAD_OLD_OFFICE },
    { "pptx", NULL, LOAD_PPTX },
    { "ppt", NULL, LOAD_OLD_OFFICE },
    { NULL, OOXML "presentationml.presentation", LOAD_PPTX },
    { NULL, "application/vnd.ms-powerpoint", LOAD_OLD_OFFICE },
    { "msg", NULL, LOAD_OLD_OFFICE },
    { "doc", NULL, LOAD_OLD_OFFICE },
    { "odt", NULL, LOAD_ODT },
};

/* Endings of source code and other plain text. */
static const char *const sources[] = {
    "go",   "py", "java",       "sh",   "bat", "ps1", "cmd", "js",        "ts",    "css",  "cpp",   "hpp",  "h",
    "c",    "cs", "sql",        "log",  "ini", "pl",  "pm",  "r",         "dart",  "php",  "hs",    "hsc",  "lua",
    "conf", "m",  "mm",         "perl", "rb",  "rs",  "db2", "nginxconf", "plsql", "env",  "scala", "bash", "swift",
    "vue",  "ex", "dockerfile", "exs",  "erl", "tsx", "jsx", "svelte",    "lhs",   "json",
};

struct str load_ending(struct arena *mem, struct str name)
{
    size_t dot = str_rfind_c(name, '.');

    return str_lower(mem, dot == STR_NPOS ? name : str_from(name, dot + 1));
}

static bool ends_with(struct str name, const char *ending)
{
    size_t dot = str_rfind_c(name, '.');

    return str_ieq(dot == STR_NPOS ? name : str_from(name, dot + 1), ending);
}

enum load_kind load_kind_of(struct str name, struct str content_type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].ending ? ends_with(name, rules[i].ending) : str_is(content_type, rules[i].content_type))
            return rules[i].kind;
    return LOAD_TEXT;
}

const char *load_kind_name(enum load_kind kind)
{
    return names[kind];
}

bool load_kind_named(struct str name, enum load_kind *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_is(name, names[i])) {
            *out = (enum load_kind)i;
            return true;
        }
    }
    return false;
}

bool load_is_plain(struct str name, struct str content_type)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (ends_with(name, sources[i]))
            return true;
    return str_has(content_type, "text/") && !str_has(content_type, "html");
}
