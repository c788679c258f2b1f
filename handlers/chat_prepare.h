/* chat_prepare.h: the stages of what is done before a chat's model is asked. */
#ifndef HANDLERS_CHAT_PREPARE_H
#define HANDLERS_CHAT_PREPARE_H

#include "handlers/chat_steps.h"

/* STAGE_WAITS: the plan is made, and its outcome comes back to the stage. STAGE_BROKEN: the database. STAGE_REFUSED: the request must not go on (step.refusal). */
enum stage { STAGE_DONE, STAGE_WAITS, STAGE_BROKEN, STAGE_REFUSED };

/* The plan is made: its outcome comes back to the stage, which hears what it has waited for. */
enum stage stage_wait(struct step *s, const char *what);

#endif
