/* settings_doc.c: writes docs/settings.md. */
#include "lib/config/settings_doc.h"

#include "lib/config/config.h"

enum { DEFAULT_SHOWN = 60 };

static const struct line {
    const char *section;
    enum setting_id id;
} lines[] = {
#define SECTION(title) { title, 0 },
#define SETTING(env, ...) { NULL, CFG_##env },
#include "lib/config/settings.def"
#undef SETTING
};

static const char introduction[] =
    "# Settings\n\n"
    "This page is made of `lib/config/settings.def` by `make docs/settings.md`.\n\n"
    "A setting comes from the first of these that has it: an environment variable, a `.env` file, the `config` row of "
    "the database (what the admin\n"
    "panel changes), the default. With `CONFIG_PRECEDENCE=database` the row comes first, for settings that have a "
    "path, as in the Python backend. A setting that\n"
    "the environment or `.env` fixes keeps its value: a change in the admin panel has no effect, and the log says so "
    "once.\n\n"
    "- `.env` is read in the working directory and in `DATA_DIR`; where both have a name, the working directory's "
    "counts. Its format is that of\n"
    "  python-dotenv: `export`, quotes, `\\n` in double quotes, comments, `${NAME}` and `${NAME:-default}`.\n"
    "- Truths are true for `true` in any case; anything else is false. Lists are split at commas unless it is said "
    "otherwise.\n"
    "- A variable that is set to nothing and so gives the default fixes nothing: container images like to set such.\n"
    "- Numbers that are none end the start with an error, where they do in the Python backend; where it falls back, so "
    "does this.\n"
    "- Secrets (marked so) are never logged.\n"
    "- `WEBUI_SECRET_KEY`: without it, the key is in `DATA_DIR/.webui_secret_key`, made at the first start (mode "
    "0600). The Python backend's start scripts keep\n"
    "  theirs under the same name in their working directory (`/app/backend` in the container): copy that file to "
    "`DATA_DIR`, and everybody stays signed in.\n"
    "  There is no built-in key.\n";

static const char *type_name(enum setting_type type)
{
    switch (type) {
    case SETTING_BOOL: return "truth";
    case SETTING_INT: return "integer";
    case SETTING_FLOAT: return "number";
    case SETTING_STR: return "text";
    case SETTING_LIST: return "list";
    case SETTING_DICT: return "object";
    case SETTING_ANY: break;
    }
    return "any";
}

static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_add_char(out, '\\');
        buf_add_char(out, *text == '\n' ? ' ' : *text);
    }
}

static void add_default(struct buf *out, const struct setting *s)
{
    if (strcmp(s->def, "null") == 0 || strcmp(s->def, "\"\"") == 0)
        return;
    if (strlen(s->def) > DEFAULT_SHOWN) {
        buf_add_c(out, "built in");
        return;
    }
    buf_add_char(out, '`');
    add_cell(out, s->def);
    buf_add_char(out, '`');
}

static void add_setting(struct buf *out, const struct setting *s)
{
    if (s->flags & SETTING_IGNORED) {
        buf_addf(out, "| `%s` | ", s->env);
        add_cell(out, s->note);
        buf_add_c(out, " |\n");
        return;
    }
    buf_addf(out, s->flags & SETTING_NO_ENV ? "| *%s* | " : "| `%s` | ", s->env);
    if (s->path)
        buf_addf(out, "`%s`", s->path);
    buf_addf(out, " | %s | ", type_name(s->type));
    add_default(out, s);
    buf_add_c(out, " | ");
    add_cell(out, s->note);
    buf_addf(out, "%s |\n", s->flags & SETTING_SECRET ? " (secret)" : "");
}

void settings_markdown(struct buf *out)
{
    const struct line *end = lines + sizeof lines / sizeof lines[0];

    buf_add_c(out, introduction);
    for (const struct line *l = lines; l < end; l++) {
        if (!l->section) {
            add_setting(out, &settings[l->id]);
        } else if (settings[l[1].id].flags & SETTING_IGNORED) {
            buf_addf(out,
                     "\n## %s\n\nVariables of the Python backend that do nothing here, and why.\n\n| variable | why "
                     "|\n|---|---|\n",
                     l->section);
        } else {
            buf_addf(
                out,
                "\n## %s\n\n| variable | in the database | type | default | what it does |\n|---|---|---|---|---|\n",
                l->section);
        }
    }
    buf_add_c(out, "\nNames in italics are no variables: they are changed in the admin panel alone, or come from other "
                   "variables.\n");
}
