/* vectors.c: webuictl vectors: what the Python backend keeps in Chroma, taken over. */
#include <stdio.h>

#include "ctl/ctl.h"
#include "lib/rag/chroma.h"

int ctl_vectors(struct ctl *ctl, int argc, char **argv)
{
    struct chroma_counts n;
    struct error err = { "" };
    enum status st;

    if (argc != 2 || strcmp(argv[1], "import") != 0)
        return ctl_fail("usage: webuictl vectors import"), 2;
    if (!ctl_database_ready(ctl))
        return 1;
    st = chroma_import(ctl->config, ctl->db, &n, &err);
    printf("%zu collections with %zu texts taken over\n", n.collections, n.items);
    if (n.there_already)
        printf("%zu collections were there already and are left as they are\n", n.there_already);
    if (n.without_owner)
        printf("%zu collections of pages and web searches belong to nobody and are left out\n", n.without_owner);
    if (n.without_vector)
        printf("%zu texts have no vector: reindex in the admin settings, Documents\n", n.without_vector);
    return st == OK ? 0 : ctl_fail("%s", err.text);
}
