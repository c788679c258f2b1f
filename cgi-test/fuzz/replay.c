/* replay.c: runs a fuzz target over files and folders of seeds, with any compiler: prints how many, fails by crashing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t n = 0, room = 0, got;

    if (!f) {
        perror(path);
        return 1;
    }
    do {
        if (n == room) {
            room = room ? room * 2 : 4096;
            data = realloc(data, room);
            if (!data)
                abort();
        }
        got = fread(data + n, 1, room - n, f);
        n += got;
    } while (got);
    fclose(f);
    data = realloc(data, n ? n : 1); /* exactly as large, so that a reader's step past the end is found */
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    inputs++;
    return 0;
}

static int replay(const char *path)
{
    struct stat st;
    struct dirent *e;
    DIR *dir;
    int failed = 0;

    if (stat(path, &st) != 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);
    dir = opendir(path);
    if (!dir) {
        perror(path);
        return 1;
    }
    while ((e = readdir(dir))) {
        char inside[4200];

        if (e->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof(inside), "%s/%s", path, e->d_name);
        failed |= replay(inside);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%zu inputs\n", inputs);
    return failed || inputs == 0;
}
