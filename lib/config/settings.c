/* settings.c: the table of settings. */
#include "lib/config/config.h"

const struct setting settings[CFG_COUNT] = {
#define SETTING(env, path, type, def, flags, note) { #env, path, type, def, flags, note },
#include "lib/config/settings.def"
#undef SETTING
};
