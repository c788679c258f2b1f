/* ollama_convert.h: a line of Ollama's chat stream as a chunk of OpenAI's. */
#ifndef LIB_CHAT_OLLAMA_CONVERT_H
#define LIB_CHAT_OLLAMA_CONVERT_H

#include "lib/json/json.h"

/* Adds the chunk (JSON text, no line break) to out. An {"error": …} line becomes {"error": …}. *done: the line was the last one.
 * INVALID: the line is no JSON object; out is untouched. now_s: "created". */
enum status ollama_convert_line(struct str line, int64_t now_s, struct buf *out, bool *done);

/* The whole answer of a call that did not stream. */
json_object *ollama_convert_answer(struct arena *mem, json_object *answer, int64_t now_s);
json_object *ollama_convert_usage(struct arena *mem, json_object *data);

#endif
