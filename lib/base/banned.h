/* banned.h: functions that nobody here calls; included on the compiler's command line, so that using one is an error. */
#ifndef LIB_BASE_BANNED_H
#define LIB_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol gets localtime gmtime asctime ctime

#endif
