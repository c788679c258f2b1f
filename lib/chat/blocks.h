/* blocks.h: the parts of an assistant's message (text, reasoning, tool calls, code), and the text of the message made of them. */
#ifndef LIB_CHAT_BLOCKS_H
#define LIB_CHAT_BLOCKS_H

#include "lib/json/json.h"

struct block {
    struct str type;    /* "text", "reasoning", "tool_calls", "code_interpreter", "solution" */
    struct str content; /* of all but tool_calls */
    struct str start_tag, end_tag;
    struct str lang;              /* of code_interpreter */
    int64_t duration_s;           /* of reasoning; < 0: still running */
    json_object *calls, *results; /* of tool_calls */
    json_object *output;          /* of code_interpreter; NULL: none yet */
};

/* Adds one block to the text of the blocks before it. raw: as a model is shown it (tags instead of <details>).
 * The text of a message is what has been added without white space around it: unicode_strip(). */
void block_add(struct buf *content, const struct block *b, bool raw);

/* The text of a message of blocks in JSON, as docs/plans.md has them. Lives in mem. */
struct str blocks_text(struct arena *mem, json_object *blocks, bool raw);

/* White space as Python's str.strip() knows it, in UTF-8. */
struct str unicode_strip(struct str s);
struct str unicode_strip_left(struct str s);
struct str unicode_strip_right(struct str s);

/* JSON as Python's json.dumps() prints it: ", " and ": ", and only ASCII if ascii. */
void buf_add_python_json(struct buf *b, json_object *v, bool ascii);

#endif
