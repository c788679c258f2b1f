/* code_url.h: addresses of Python source: where it is to be had, and what it is called. */
#ifndef LIB_TOOLS_CODE_URL_H
#define LIB_TOOLS_CODE_URL_H

#include "lib/base/str.h"

/* A page of GitHub shows a file (blob) or a folder (tree), whose main.py is meant: the address of the file itself. Others stay as they are. */
struct str code_url_raw(struct arena *mem, struct str url);
/* The file's name without .py; that of its folder for main.py, index.py, __init__.py and what is no Python. A view of url. */
struct str code_url_name(struct str url);

#endif
