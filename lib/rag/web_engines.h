/* web_engines.h: what each search engine is asked and how its answer reads. Only for lib/rag/web_search.c. */
#ifndef LIB_RAG_WEB_ENGINES_H
#define LIB_RAG_WEB_ENGINES_H

#include "lib/config/config.h"

enum { ENGINE_PARAMS = 10 };

/* In values and addresses: $q the query, $key and $key2 the settings, $engine key2 or "google", $count and $start numbers, $locale, $s the "s" of https, $url_q the query for an address; for JSON: $json_q,
 * $json_usage, $domains (a list). */
struct engine_param {
    const char *name, *value;
    bool is_json; /* of a body: the value is JSON, not a text */
};

struct web_engine {
    const char *name;
    enum setting_id key, key2;          /* CFG_COUNT: none */
    const char *missing;                /* said when one of them, or the address, is empty; NULL: they may be */
    enum setting_id at;                 /* the address; CFG_COUNT: it is url alone */
    const char *url;                    /* put behind the address of the setting, if it does not end so already */
    const struct engine_param *params;  /* of the address; ends without a name */
    const struct engine_param *body;    /* of a JSON body, or NULL */
    const struct engine_param *headers; /* or NULL */
    bool is_post;                       /* without a body, too */
    const char *results;                /* path of the list: "web.results"; "": the answer itself */
    const char *link, *title, *snippet; /* members of an item */
    const char *order;                  /* member to order by; NULL: as they come */
    bool best_is_highest;
    const char *only; /* member that must be 0; NULL: all items */
    int64_t most;     /* results of one request; 0: no limit */
    bool has_pages;   /* more are asked for with $start */
    bool digest;      /* key and key2 are a name and password for digest authentication */
    void (*read)(struct arena *mem, json_object *answer,
                 json_object *items); /* an answer of another form, made to items */
};

/* NULL: there is none of that name. */
const struct web_engine *web_engine_by_name(struct str name);
/* An engine of the Python backend that is not in the table. */
bool web_engine_is_elsewhere(struct str name);

#endif
