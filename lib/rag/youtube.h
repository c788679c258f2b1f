/* youtube.h: the words of a film at YouTube. */
#ifndef LIB_RAG_YOUTUBE_H
#define LIB_RAG_YOUTUBE_H

#include "lib/rag/process.h"

/* One document with {"source": url}: the transcript in the first of YOUTUBE_LOADER_LANGUAGE (then English) that there is, one that people wrote before one that was generated.
 * An address of something else, and a film that cannot be asked for: no document. INVALID: it has no transcript in these languages. */
enum status youtube_load(const struct rag *rag, struct str url, struct rag_documents *out, struct error *err);

/* ---- for tests */
bool youtube_video_id(struct str url, struct str *id);
/* Of YouTube's answer about a film: where the transcript is; absent: there is none in these languages (a list of texts). */
struct str youtube_track(struct arena *mem, json_object *player, json_object *languages);
/* The transcript's XML as text: its pieces with a space between. */
struct str youtube_text(struct arena *mem, struct str xml);

#endif
