/* jupyter.h: runs Python in a Jupyter server: a kernel of its own for each run, which is ended afterwards. */
#ifndef LIB_CODE_JUPYTER_H
#define LIB_CODE_JUPYTER_H

#include "lib/base/error.h"

struct jupyter {         /* from the settings CODE_EXECUTION_JUPYTER_… or CODE_INTERPRETER_JUPYTER_… */
    struct str url;      /* an administrator's: private addresses are fine */
    struct str token;    /* absent or empty: none */
    struct str password; /* used without a token; absent or empty: none */
    int timeout_s;       /* of the run, after the kernel has started; 0 or less: 60 */
    bool insecure;       /* do not verify TLS */
};

enum { CODE_OUTPUT_MAX = 8 * 1024 * 1024 }; /* bytes of each of the three; more ends the run */

struct code_output {
    struct str stdout_text, stderr_text; /* white space off both ends */
    struct str result;                   /* values and pictures ("data:image/png;base64,…"), one a line */
};

/* Waits for the end of the run. Always fills *out: what went wrong stands in stderr_text ("Error: …", "Execution timed out."), as the Python backend words it. */
void jupyter_run(struct arena *mem, const struct jupyter *server, struct str code, struct code_output *out);

#endif
