/* import_source.c: an export as a stream of bytes: a JSON file, standard input ("-"), or files in a zip archive. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zip.h>

#include "ctl/ctl.h"

struct import_source {
    const char *path;
    FILE *file; /* NULL: an archive */
    bool given; /* the file was handed out */
    zip_t *zip;
    zip_file_t *entry;
    zip_int64_t next;
    bool any_json; /* no entry has the name that is looked for */
    int64_t bytes;
};

static bool wanted(const struct import_source *s, const char *name)
{
    struct str file = str_from(str_of(name), str_rfind_c(str_of(name), '/') + 1);

    return str_ends(file, ".json") && (s->any_json || str_starts(file, "conversations"));
}

static int64_t wanted_bytes(struct import_source *s)
{
    int64_t total = -1;

    for (zip_int64_t i = 0; i < zip_get_num_entries(s->zip, 0); i++) {
        zip_stat_t st;

        if (zip_stat_index(s->zip, (zip_uint64_t)i, 0, &st) == 0 && wanted(s, st.name))
            total = (total < 0 ? 0 : total) + (st.valid & ZIP_STAT_SIZE ? (int64_t)st.size : 0);
    }
    return total;
}

static bool is_archive(FILE *f)
{
    char head[4] = "";
    bool is = fread(head, 1, 4, f) == 4 && memcmp(head, "PK\3\4", 4) == 0;

    rewind(f);
    return is;
}

static bool open_archive(struct import_source *s)
{
    zip_error_t why;
    int code = 0;

    s->zip = zip_open(s->path, ZIP_RDONLY, &code);
    if (!s->zip) {
        zip_error_init_with_code(&why, code);
        ctl_fail("%s: %s", s->path, zip_error_strerror(&why));
        zip_error_fini(&why);
        return false;
    }
    s->bytes = wanted_bytes(s);
    if (s->bytes < 0) {
        s->any_json = true;
        s->bytes = wanted_bytes(s);
    }
    if (s->bytes < 0)
        ctl_fail("%s: there is no JSON file in the archive", s->path);
    return s->bytes >= 0;
}

struct import_source *source_open(struct ctl *ctl, const char *path)
{
    struct import_source *s = arena_new_one(ctl->mem, struct import_source);
    struct stat st;

    s->path = path;
    s->file = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
    if (!s->file) {
        ctl_fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    if (s->file == stdin)
        return s;
    if (fstat(fileno(s->file), &st) == 0 && !S_ISREG(st.st_mode)) {
        ctl_fail("%s is no file", path);
        source_close(s);
        return NULL;
    }
    s->bytes = st.st_size;
    if (!is_archive(s->file))
        return s;
    fclose(s->file);
    s->file = NULL;
    if (open_archive(s))
        return s;
    source_close(s);
    return NULL;
}

int64_t source_bytes(const struct import_source *s)
{
    return s->bytes;
}

bool source_next_file(struct import_source *s, const char **name)
{
    if (s->file) {
        *name = s->path;
        return !s->given && (s->given = true);
    }
    if (s->entry)
        zip_fclose(s->entry);
    s->entry = NULL;
    while (s->next < zip_get_num_entries(s->zip, 0)) {
        zip_uint64_t i = (zip_uint64_t)s->next++;

        *name = zip_get_name(s->zip, i, 0);
        if (!*name || !wanted(s, *name))
            continue;
        s->entry = zip_fopen_index(s->zip, i, 0);
        if (s->entry)
            return true;
        ctl_fail("%s: %s: %s", s->path, *name, zip_strerror(s->zip));
    }
    return false;
}

ssize_t source_read(struct import_source *s, char *out, size_t room)
{
    zip_int64_t n;

    if (s->file) {
        size_t got = fread(out, 1, room, s->file);

        if (got == 0 && ferror(s->file))
            return ctl_fail("%s: %s", s->path, strerror(errno)), -1;
        return (ssize_t)got;
    }
    n = zip_fread(s->entry, out, room);
    if (n < 0)
        ctl_fail("%s: %s", s->path, zip_file_strerror(s->entry));
    return (ssize_t)n;
}

void source_close(struct import_source *s)
{
    if (s->file && s->file != stdin)
        fclose(s->file);
    if (s->entry)
        zip_fclose(s->entry);
    if (s->zip)
        zip_discard(s->zip);
}
