/* fuzz_page.c: pages, transcripts and addresses as they come from the web. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/fetch.h"
#include "lib/rag/load_page.h"
#include "lib/rag/youtube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str s)
{
    if (!str_utf8_valid(s) || str_find_c(s, '\0') != STR_NPOS)
        abort();
}

/* The first line is the name of the character set. */
static void read_page(struct arena *mem, struct str in)
{
    size_t line = str_find_c(in, '\n');
    struct html_page page;

    if (line == STR_NPOS || html_read(mem, str_from(in, line + 1), str_sub(in, 0, line), INT64_MAX, &page, NULL) != OK)
        return;
    check_text(page.text);
    check_text(page.title);
    check_text(page.description);
    check_text(page.language);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(1024);
    struct str in = str_n((const char *)data, size), id;
    json_object *player = json_parse_or_null(mem, in);

    read_page(mem, in);
    if (str_utf8_valid(in) && !str_utf8_valid(youtube_text(mem, in)))
        abort();
    if (youtube_video_id(in, &id) && (id.n != 11 || !fetch_url_valid(in)))
        abort();
    if (fetch_url_valid(in) && (str_find_c(in, '\n') != STR_NPOS || str_find_c(in, ' ') != STR_NPOS))
        abort();
    youtube_track(mem, player, json_get(player, "languages"));
    arena_free(mem);
    return 0;
}
