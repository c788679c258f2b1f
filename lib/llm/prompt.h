/* prompt.h: prompts with variables: {{USER_NAME}}, {{CURRENT_DATE}}, {{prompt:start:100}}, {{MESSAGES:END:6}} … One pass over the template: what a
 * variable brings in is not looked at again. */
#ifndef LIB_LLM_PROMPT_H
#define LIB_LLM_PROMPT_H

#include "lib/auth/user.h"
#include "lib/json/json.h"

/* {{USER_…}} and {{CURRENT_…}} of the user; u NULL: "Unknown". variables: an object {"{{NAME}}": value}, which goes
 * first; may be NULL. A template that would grow by more than 16 MB stays as it is. */
struct str prompt_fill(struct arena *mem, struct str template, const struct user *u, json_object *variables);

/* The same, and {{prompt}}, {{prompt:start:n}}, {{prompt:end:n}}, {{prompt:middletruncate:n}} (any case, n in code points), and {{MESSAGES}},
 * {{MESSAGES:START:n}}, {{MESSAGES:END:n}}, {{MESSAGES:MIDDLETRUNCATE:n}}. messages may be NULL. */
struct str prompt_fill_task(struct arena *mem, struct str template, const struct user *u, struct str prompt,
                            json_object *messages);

#endif
