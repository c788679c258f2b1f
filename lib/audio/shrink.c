/* shrink.c: ffmpeg, in a folder of its own that goes afterwards. */
#include "lib/audio/shrink.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

enum { BYTES_A_SECOND = 4000, PIECES_MAX = 64, FFMPEG_MS = 200 * 1000 };

static enum status run_ffmpeg(struct arena *mem, const char *folder, size_t max_bytes, struct error *err)
{
    char *argv[] = { "ffmpeg",
                     "-nostdin",
                     "-v",
                     "error",
                     "-protocol_whitelist", /* a playlist must not lead to other files, or to the network */
                     "file",
                     "-i",
                     str_c(mem, str_f(mem, "%s/in", folder)),
                     "-vn",
                     "-ar",
                     "16000",
                     "-ac",
                     "1",
                     "-b:a",
                     "32k",
                     "-f",
                     "segment",
                     "-segment_time",
                     str_c(mem, str_f(mem, "%zu", max_bytes / BYTES_A_SECOND * 9 / 10)),
                     str_c(mem, str_f(mem, "%s/%%03d.mp3", folder)),
                     NULL };
    struct child child = { .program = "ffmpeg",
                           .argv = argv,
                           .input_fd = -1,
                           .writes_files = true,
                           .timeout_ms = FFMPEG_MS,
                           .cpu_s = 600,
                           .memory_bytes = (size_t)2 << 30,
                           .max_output = 4096 };
    struct error why = { "" };
    enum status st = child_run(mem, &child, &why);

    if (st == NOT_FOUND)
        return error_set(err, NOT_FOUND, "Recordings of more than 20 MB need the program ffmpeg on this server");
    if (st == OK && child.exit_status == 0)
        return OK;
    log_warning("ffmpeg: %s%.*s", why.text, STR(str_sub(child.complaint, 0, 300)));
    return error_set(err, FAILED, "The recording could not be made smaller");
}

static enum status read_pieces(struct arena *mem, const char *folder, size_t max_bytes, const struct recording *what,
                               struct recording **pieces, size_t *n, struct error *err)
{
    struct recording *v = arena_new_array(mem, struct recording, PIECES_MAX);

    for (*n = 0; *n < PIECES_MAX; (*n)++) {
        struct str name = str_f(mem, "%03zu.mp3", *n);
        enum status st = file_read(mem, str_f(mem, "%s/%s", folder, name.p).p, max_bytes, &v[*n].bytes, NULL);

        if (st == NOT_FOUND)
            break;
        if (st != OK)
            return error_set(err, FAILED, "The recording could not be made smaller");
        v[*n].filename = name;
        v[*n].content_type = S("audio/mpeg");
        v[*n].language = what->language;
    }
    *pieces = v;
    return *n ? OK : error_set(err, FAILED, "The recording is empty");
}

static void remove_folder(struct arena *mem, const char *folder)
{
    unlink(str_f(mem, "%s/in", folder).p);
    for (size_t i = 0; unlink(str_f(mem, "%s/%03zu.mp3", folder, i).p) == 0; i++) {
    }
    rmdir(folder);
}

enum status shrink_recording(struct arena *mem, const struct config *c, const struct recording *what, size_t max_bytes,
                             struct recording **pieces, size_t *n, struct error *err)
{
    const char *folder = str_f(mem, "%s/cache/audio/transcriptions/%s", config_data_dir(c), random_hex(mem, 12).p).p;
    struct error why = { "" };
    enum status st = dir_make(folder, 0700, &why);

    if (st == OK)
        st = file_write(str_f(mem, "%s/in", folder).p, what->bytes, 0600, &why);
    if (st != OK) {
        log_error("%s", why.text);
        st = error_set(err, FAILED, "The recording could not be stored");
    } else {
        st = run_ffmpeg(mem, folder, max_bytes, err);
    }
    if (st == OK)
        st = read_pieces(mem, folder, max_bytes, what, pieces, n, err);
    remove_folder(mem, folder);
    return st;
}
