/* slots.h: how many programs of users may run at a time: a worker waits for each, and chats need workers too. */
#ifndef LIB_CODE_SLOTS_H
#define LIB_CODE_SLOTS_H

#include "lib/config/config.h"

enum { CODE_WAIT_MS = 300, CODE_WAIT_MOST_S = 120 }; /* between two looks for a free place; until it is given up */

/* A descriptor to close when the program has ended; -1: a quarter of the workers run programs already. */
int code_slot_take(const struct config *c);

#endif
