/* chat_code.h: code that a model has written in its answer is run: by the browser (Pyodide), or by a Jupyter server. */
#ifndef HANDLERS_CHAT_CODE_H
#define HANDLERS_CHAT_CODE_H

#include "handlers/chat_steps.h"

/* 0: the user may have code run; otherwise the answer is made: its status. */
int code_check(struct request *r, struct response *out);

/* What the model is told of it, put into its messages. */
void code_explain(struct arena *mem, struct config *c, json_object *messages);

/* true: the plan waits for the output, which code_output() gives (a Jupyter server is asked only there). false: *output is what came of it. */
bool code_start(struct step *s, json_object *block, json_object **output);
/* true: a quarter of the workers run programs already, and the plan waits. Asked before code_output(). */
bool code_waits(struct step *s);
json_object *code_output(struct step *s, json_object *block);

#endif
