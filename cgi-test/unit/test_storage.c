/* test_storage.c: where uploads lie: names that lead out, links, what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/file.h"
#include "lib/storage/storage.h"

static struct arena *mem;
static struct config *config;
static char folder[] = "/tmp/webui-storage-XXXXXX";

static int set_up(void **state)
{
    struct error err = { "" };

    (void)state;
    mem = arena_new(4096);
    if (!mkdtemp(folder) || setenv("DATA_DIR", folder, 1) != 0 || config_open(&config, &err) != OK)
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    storage_delete_all(mem, config, NULL);
    rmdir(str_f(mem, "%s/uploads", folder).p);
    rmdir(folder);
    config_close(config);
    arena_free(mem);
    return 0;
}

static struct str kept(const char *id, const char *name, struct str bytes)
{
    struct error err = { "" };
    struct str path;

    if (storage_create(mem, config, str_of(id), str_of(name), bytes, &path, &err) != OK)
        fail_msg("%s", err.text);
    return path;
}

static struct str content(struct str path, enum status *st)
{
    char *p = arena_zalloc(mem, 64);
    struct error err = { "" };
    int64_t bytes = 0;
    ssize_t n;
    int fd;

    *st = storage_open(mem, config, path, &fd, &bytes, &err);
    if (*st != OK)
        return STR_NONE;
    n = read(fd, p, 63);
    close(fd);
    assert_int_equal(n, bytes);
    return str_n(p, (size_t)n);
}

static void test_names(void **state)
{
    struct str name, long_name = { arena_zalloc(mem, 300), 219 };

    (void)state;
    memset((char *)long_name.p, 'a', 300);
    assert_true(storage_base_name(S("../../etc/evil.txt"), &name) && str_is(name, "evil.txt"));
    assert_true(storage_base_name(S("a/b/.."), &name) && str_is(name, ".."));
    assert_true(storage_base_name(S("a/"), &name) && name.n == 0);
    assert_false(storage_base_name(S("C:\\a.txt"), &name));
    assert_false(storage_base_name(S("a\0b"), &name));
    assert_false(storage_base_name(long_name, &name));
    long_name.n = 218;
    assert_true(storage_base_name(long_name, &name));
}

static void test_life(void **state)
{
    struct str path = kept("id-1", "..", S("words")), other;
    enum status st;
    struct stat s;

    (void)state;
    assert_true(str_starts(path, folder) && str_ends(path, "/uploads/id-1_.."));
    assert_int_equal(stat(path.p, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_true(str_is(content(path, &st), "words"));
    other = str_f(mem, "/app/backend/data/uploads/%s", "id-1_..");
    assert_true(str_is(content(other, &st), "words")); /* a row of another machine: only the last part counts */
    assert_int_equal(storage_delete(mem, config, path, NULL), OK);
    content(path, &st);
    assert_int_equal(st, NOT_FOUND);
    assert_int_equal(storage_delete(mem, config, path, NULL), OK);
}

static void test_ways_out(void **state)
{
    static const char *const paths[] = { "", "..", "/", "/etc/..", ".", "uploads/" };
    struct str path = kept("id-2", "a", S("x")), link = str_f(mem, "%s/uploads/id-3_link", folder),
               inner = str_f(mem, "%s/uploads/id-4_folder", folder);
    enum status st;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        content(str_of(paths[i]), &st);
        assert_int_equal(st, INVALID);
    }
    content(S("/etc/passwd"), &st);
    assert_int_equal(st, NOT_FOUND);
    assert_int_equal(symlink("/etc/passwd", link.p), 0);
    content(link, &st);
    assert_int_equal(st, NOT_FOUND);
    assert_int_equal(mkdir(inner.p, 0700), 0);
    content(inner, &st);
    assert_int_equal(st, NOT_FOUND);
    assert_int_equal(storage_delete(mem, config, inner, NULL), OK);
    assert_int_equal(storage_delete_all(mem, config, NULL), OK);
    content(path, &st);
    assert_int_equal(st, NOT_FOUND);
    assert_int_equal(access(inner.p, F_OK), -1);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void test_children(void **state)
{
    char *sleeps[] = { "sh", "-c", "sleep 30", NULL }, *much[] = { "sh", "-c", "yes", NULL },
         *busy[] = { "sh", "-c", "while :; do :; done", NULL },
         *writes[] = { "sh", "-c", "echo x >\"$0\"; exit 7", NULL, NULL }, *home[] = { "sh", "-c", "echo $HOME", NULL },
         *status[] = { "sh", "-c", "exit 3", NULL };
    struct child c = { .program = "/bin/sh", .input_fd = -1, .timeout_ms = 300, .max_output = 1 << 20 };

    (void)state;
    c.argv = sleeps;
    assert_int_equal(child_run(mem, &c, NULL), TIMED_OUT);
    c.argv = much;
    c.timeout_ms = 20000;
    assert_int_equal(child_run(mem, &c, NULL), TOO_BIG);
    c.argv = busy;
    c.cpu_s = 1;
    assert_int_equal(child_run(mem, &c, NULL), TIMED_OUT);
    c.argv = status;
    assert_int_equal(child_run(mem, &c, NULL), OK);
    assert_int_equal(c.exit_status, 3);
    writes[3] = (char *)str_f(mem, "%s/written", folder).p;
    c.argv = writes;
    assert_int_equal(child_run(mem, &c, NULL), OK); /* the shell goes on: what it wrote is not there, see below */
    c.argv = home;
    assert_int_equal(child_run(mem, &c, NULL), OK);
    assert_true(str_is(c.output, "\n")); /* nothing of our environment */
    if (access(writes[3], F_OK) == 0) {
        struct stat s;

        assert_int_equal(stat(writes[3], &s), 0);
        assert_int_equal(s.st_size, 0);
        unlink(writes[3]);
    }
    c.program = "/no/such/program";
    assert_int_equal(child_run(mem, &c, NULL), NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_life),
                                        cmocka_unit_test(test_ways_out), cmocka_unit_test(test_children) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
