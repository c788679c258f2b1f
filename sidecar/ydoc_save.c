/* ydoc_save.c: contents of notes that are being edited go to a worker, one call a note at a time. */
#include "sidecar/ydoc_save.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/map.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"

enum { QUIET_MS = 500, LONGEST_MS = 3000, MAX_WAITING = 64 * 1024 * 1024 };

struct save {
    char *note_id, *user_id, *data; /* data NULL: nothing waits */
    int64_t since_ms;               /* when the first change that is not saved came */
    struct delay *later;
    struct step *step;
};

static struct map saves; /* by note */
static size_t waiting;   /* bytes */

static void take_data(struct save *save)
{
    waiting -= save->data ? strlen(save->data) : 0;
    free(save->data);
    free(save->user_id);
    save->data = save->user_id = NULL;
}

static void save_free(struct save *save)
{
    take_data(save);
    map_take(&saves, str_of(save->note_id));
    delay_stop(&save->later);
    step_cancel(save->step);
    free(save->note_id);
    free(save);
}

static void start(void *arg);

static void wait(struct save *save)
{
    int64_t left_ms = save->since_ms + LONGEST_MS - mono_ms();

    delay_start(&save->later, left_ms < QUIET_MS ? left_ms : QUIET_MS, start, save);
}

static void saved(void *arg, enum status st, int status, struct str content_type, struct str body)
{
    struct save *save = arg;

    (void)content_type, (void)body;
    save->step = NULL;
    if (st != OK && status != 403 && status != 404)
        log_error("the text of note %s could not be saved", save->note_id);
    if (save->data)
        wait(save);
    else
        save_free(save);
}

static void start(void *arg)
{
    struct save *save = arg;
    struct buf body = BUF(NULL, STR_NPOS);

    buf_add_c(&body, "{\"note_id\":");
    buf_add_json_string(&body, str_of(save->note_id));
    buf_add_c(&body, ",\"user_id\":");
    buf_add_json_string(&body, str_of(save->user_id));
    buf_add_c(&body, ",\"data\":");
    buf_add_c(&body, save->data);
    buf_add_char(&body, '}');
    take_data(save);
    save->step = step_call(S("/internal/step/note_save"), buf_str(&body), STR_NONE, STEP_PATIENCE_MS, saved, save);
    buf_free(&body);
}

bool ydoc_save_later(struct str note_id, struct str user_id, struct str data)
{
    struct save *save = map_get(&saves, note_id);

    if (waiting + data.n > MAX_WAITING)
        return false;
    if (!save) {
        save = calloc(1, sizeof(*save));
        if (!save)
            abort();
        save->note_id = copy_str(note_id);
        map_set(&saves, note_id, save);
    }
    if (!save->data)
        save->since_ms = mono_ms();
    take_data(save);
    save->data = copy_str(data);
    save->user_id = copy_str(user_id);
    waiting += data.n;
    if (!save->step)
        wait(save);
    return true;
}

void ydoc_save_now(void)
{
    MAP_EACH(&saves, entry)
    {
        struct save *save = entry->value;

        if (save->data && !save->step) {
            delay_stop(&save->later);
            start(save);
        }
    }
}

bool ydoc_saving(void)
{
    return saves.n > 0;
}
