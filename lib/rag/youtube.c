/* youtube.c: transcripts: the film's page has a key, with which the player's own API names the tracks, each an XML file. */
#include "lib/rag/youtube.h"

#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/net/fetch.h"

enum { ID_LENGTH = 11 };

#define SITE "https://www.youtube.com/"
/* The client that is told where the tracks are without a proof of origin. */
#define CLIENT "{\"client\":{\"clientName\":\"ANDROID\",\"clientVersion\":\"20.10.38\"}}"

/* ---- addresses */

static bool is_host(struct str host)
{
    static const char *const hosts[] = {
        "youtu.be", "m.youtube.com", "youtube.com", "www.youtube.com", "www.youtube-nocookie.com", "vid.plus"
    };

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (str_is(host, hosts[i]))
            return true;
    return false;
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n == ID_LENGTH;
}

static struct str query_member(struct str query, const char *name)
{
    struct str one;

    while (str_split(&query, '&', &one))
        if (str_starts(one, name) && one.n > strlen(name) && one.p[strlen(name)] == '=')
            return str_from(one, strlen(name) + 1);
    return STR_NONE;
}

bool youtube_video_id(struct str url, struct str *id)
{
    struct str rest = str_starts(url, "https://")  ? str_from(url, 8)
                      : str_starts(url, "http://") ? str_from(url, 7)
                                                   : STR_NONE;
    size_t slash, end;
    struct str path, query = STR_NONE;

    if (!fetch_url_valid(url) || !rest.n)
        return false;
    rest = str_sub(rest, 0, str_find_c(rest, '#'));
    slash = str_find_c(rest, '/');
    if (slash == STR_NPOS || !is_host(str_sub(rest, 0, slash)))
        return false;
    path = str_from(rest, slash);
    end = str_find_c(path, '?');
    if (end != STR_NPOS) {
        query = str_from(path, end + 1);
        path.n = end;
    }
    *id = str_ends(path, "/watch") ? query_member(query, "v") : str_from(path, str_rfind_c(path, '/') + 1);
    return is_id(*id);
}

/* ---- tracks */

static struct str without(struct arena *mem, struct str url, struct str part)
{
    return str_replace(mem, url, part, S(""));
}

struct str youtube_track(struct arena *mem, json_object *player, json_object *languages)
{
    json_object *tracks = json_path(player, "captions.playerCaptionsTracklistRenderer.captionTracks");

    JSON_EACH (languages, i, language) {
        for (int generated = 0; generated < 2; generated++) {
            JSON_EACH (tracks, k, track) {
                struct str url = json_str(track, "baseUrl");

                if (str_eq(json_str(track, "languageCode"), json_str_value(language)) &&
                    str_is(json_str(track, "kind"), "asr") == (generated == 1) && str_starts(url, SITE))
                    return without(mem, url, S("&fmt=srv3"));
            }
        }
    }
    return STR_NONE;
}

static size_t entity(struct str s, unsigned *point)
{
    static const struct {
        const char *name;
        unsigned point;
    } named[] = { { "&amp;", '&' },  { "&lt;", '<' },    { "&gt;", '>' },
                  { "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", 0xA0 } };
    size_t end = str_find_c(str_sub(s, 0, 12), ';'), i = 2;
    bool hex = s.n > 2 && (s.p[2] == 'x' || s.p[2] == 'X');
    unsigned c = 0;

    for (size_t k = 0; k < sizeof(named) / sizeof(named[0]); k++) {
        if (str_starts(s, named[k].name)) {
            *point = named[k].point;
            return strlen(named[k].name);
        }
    }
    if (!str_starts(s, "&#") || end == STR_NPOS)
        return 0;
    for (i += hex; i < end; i++) {
        char digit = s.p[i] | 0x20;
        int value = digit >= 'a' && digit <= 'f' && hex ? digit - 'a' + 10
                    : s.p[i] >= '0' && s.p[i] <= '9'    ? s.p[i] - '0'
                                                        : -1;

        if (value < 0)
            return 0;
        c = c * (hex ? 16 : 10) + (unsigned)value;
    }
    *point = c;
    return c > 0 && c < 0x110000 && (c < 0xD800 || c > 0xDFFF) ? end + 1 : 0;
}

static void add_point(struct buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_add_char(b, (char)c);
        return;
    }
    if (c >= 0x10000)
        buf_add_char(b, (char)(0xF0 | c >> 18));
    if (c >= 0x800)
        buf_add_char(b, (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3F) : 0xE0 | c >> 12));
    buf_add_char(b, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6));
    buf_add_char(b, (char)(0x80 | (c & 0x3F)));
}

static struct str unescaped(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);

    while (s.n) {
        unsigned point = 0;
        size_t n = s.p[0] == '&' ? entity(s, &point) : 0;

        if (n)
            add_point(&b, point);
        else
            buf_add_char(&b, s.p[0]);
        s = str_from(s, n ? n : 1);
    }
    return buf_str(&b);
}

static struct str without_tags(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);

    while (s.n) {
        size_t open = str_find_c(s, '<'), close = open == STR_NPOS ? STR_NPOS : str_find_c(str_from(s, open), '>');

        buf_add_str(&b, str_sub(s, 0, close == STR_NPOS ? s.n : open));
        s = close == STR_NPOS ? STR_NONE : str_from(s, open + close + 1);
    }
    return buf_str(&b);
}

struct str youtube_text(struct arena *mem, struct str xml)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t at;

    while ((at = str_find(xml, S("<text"))) != STR_NPOS) {
        struct str piece, rest = str_from(xml, at);
        size_t open = str_find_c(rest, '>'), close = str_find(rest, S("</text>"));

        if (open == STR_NPOS)
            break;
        if (close == STR_NPOS || rest.p[open - 1] == '/') {
            xml = str_from(rest, open + 1);
            continue;
        }
        xml = str_from(rest, close + 7);
        if (close <= open)
            continue;
        piece = unescaped(mem, str_sub(rest, open + 1, close - open - 1));
        piece = without_tags(mem, unescaped(mem, piece)); /* it is escaped twice */
        buf_add_c(&b, b.n ? " " : "");
        buf_add_str(&b, str_trim_c(piece, " "));
    }
    return buf_str(&b);
}

/* ---- asking */

static enum status ask(const struct rag *rag, struct str url, struct str body, struct str *out, struct error *err)
{
    struct str proxy = config_str(rag->config, CFG_YOUTUBE_LOADER_PROXY_URL);
    struct fetch_rules rules = { .proxy = proxy.n ? str_c(rag->mem, proxy) : NULL };
    struct fetch f = { .url = url, .body = body };

    fetch_run(rag->mem, &rules, &f, 1);
    if (f.result == OK && f.status < 400) {
        *out = f.response;
        return OK;
    }
    return error_set(err, f.result == OK ? FAILED : f.result, "YouTube: %s (%d)", f.err.text, f.status);
}

static struct str key_of(struct str page)
{
    size_t at = str_find(page, S("\"INNERTUBE_API_KEY\":"));
    struct str rest = at == STR_NPOS ? STR_NONE : str_trim(str_from(page, at + 20));

    if (!str_starts(rest, "\""))
        return STR_NONE;
    rest = str_from(rest, 1);
    return str_sub(rest, 0, str_find_c(rest, '"') == STR_NPOS ? 0 : str_find_c(rest, '"'));
}

static enum status find_player(const struct rag *rag, struct str id, json_object **out, struct error *err)
{
    json_object *body = json_new_object(rag->mem);
    struct str page, key, answer;
    enum status st = ask(rag, str_f(rag->mem, SITE "watch?v=%.*s", STR(id)), STR_NONE, &page, err);

    if (st != OK)
        return st;
    key = key_of(page);
    if (!key.n)
        return error_set(err, FAILED, "YouTube: the film's page has no key");
    json_set(body, "context", json_parse_or_null(rag->mem, S(CLIENT)));
    json_set_str(body, "videoId", id);
    st = ask(rag, str_f(rag->mem, SITE "youtubei/v1/player?key=%.*s", STR(url_encode(rag->mem, key))),
             json_text(rag->mem, body), &answer, err);
    return st == OK ? json_parse(rag->mem, answer, out, err) : st;
}

static json_object *languages_of(const struct rag *rag)
{
    json_object *list = json_new_array(rag->mem);

    JSON_EACH (config_json(rag->config, CFG_YOUTUBE_LOADER_LANGUAGE), i, one)
        json_push(list, one);
    json_push_str(list, S("en"));
    return list;
}

enum status youtube_load(const struct rag *rag, struct str url, struct rag_documents *out, struct error *err)
{
    struct rag_document *doc = arena_new_one(rag->mem, struct rag_document);
    json_object *player = NULL;
    struct str id, track, xml;
    struct error why = { "" };
    enum status st;

    *out = (struct rag_documents){ doc, 0 };
    if (!youtube_video_id(url, &id))
        return OK;
    st = find_player(rag, id, &player, &why);
    if (st != OK) {
        log_warning("%s", why.text);
        return OK;
    }
    track = youtube_track(rag->mem, player, languages_of(rag));
    if (!track.n)
        return error_set(err, INVALID, "No transcript was found for any of the languages that are set");
    st = ask(rag, track, STR_NONE, &xml, err);
    if (st != OK)
        return st;
    doc->text = youtube_text(rag->mem, xml);
    doc->metadata = json_new_object(rag->mem);
    json_set_str(doc->metadata, "source", url);
    out->n = doc->text.n ? 1 : 0;
    return OK;
}
