/* code_url.c: addresses of Python source. */
#include "lib/tools/code_url.h"

/* The next part of a path, up to its slash; false: there is none, or it is empty. */
static bool take_part(struct str *rest, struct str *part)
{
    size_t slash = str_find_c(*rest, '/');

    if (slash == STR_NPOS || slash == 0)
        return false;
    *part = str_sub(*rest, 0, slash);
    *rest = str_from(*rest, slash + 1);
    return true;
}

struct str code_url_raw(struct arena *mem, struct str url)
{
    static const char github[] = "https://github.com/";
    struct str rest = str_from(url, sizeof github - 1), owner, repository, kind, branch;

    if (!str_starts(url, github) || !take_part(&rest, &owner) || !take_part(&rest, &repository) ||
        !take_part(&rest, &kind) || !take_part(&rest, &branch) || (!str_is(kind, "tree") && !str_is(kind, "blob")))
        return url;
    if (str_is(kind, "tree")) {
        while (str_ends(rest, "/"))
            rest.n--;
        rest = str_cat(mem, rest, S("/main.py"));
    }
    return str_f(mem, "https://raw.githubusercontent.com/%.*s/%.*s/refs/heads/%.*s/%.*s", STR(owner), STR(repository),
                 STR(branch), STR(rest));
}

struct str code_url_name(struct str url)
{
    size_t slash;
    struct str file, folder;

    while (str_ends(url, "/"))
        url.n--;
    slash = str_rfind_c(url, '/');
    file = slash == STR_NPOS ? url : str_from(url, slash + 1);
    if (str_ends(file, ".py") && !str_starts(file, "main.py") && !str_starts(file, "index.py") &&
        !str_starts(file, "__init__.py"))
        return str_sub(file, 0, file.n - 3);
    folder = str_sub(url, 0, slash == STR_NPOS ? 0 : slash);
    slash = str_rfind_c(folder, '/');
    return slash == STR_NPOS ? folder : str_from(folder, slash + 1);
}
