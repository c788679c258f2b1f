/* owner.c: started by root, our programs run as an ordinary user: the one who owns DATA_DIR, or the web server's. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"

bool owner_find(struct ctl *ctl, struct owner *o)
{
    const char *wanted = getenv("WEBUI_USER");
    struct passwd *pw = NULL;
    struct group *gr;
    struct stat st;

    *o = (struct owner){ .uid = geteuid(), .gid = getegid() };
    if (geteuid() != 0)
        return true;
    if (wanted && *wanted) {
        pw = getpwnam(wanted);
        if (!pw)
            return ctl_fail("there is no user \"%s\": correct WEBUI_USER", wanted), false;
    } else if (stat(config_data_dir(ctl->config), &st) == 0 && st.st_uid != 0) {
        pw = getpwuid(st.st_uid);
    } else {
        pw = getpwnam("www-data");
    }
    if (!pw || pw->pw_uid == 0)
        return true;
    gr = getgrgid(pw->pw_gid);
    o->uid = pw->pw_uid;
    o->gid = pw->pw_gid;
    o->user = str_c(ctl->mem, str_of(pw->pw_name));
    o->group = gr ? str_c(ctl->mem, str_of(gr->gr_name)) : o->user;
    return true;
}

static const struct owner *new_owner; /* nftw takes no argument */

static int give_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)type;
    (void)where;
    return st->st_uid == new_owner->uid ? 0 : lchown(path, new_owner->uid, new_owner->gid);
}

bool owner_give(const struct owner *o, const char *path)
{
    if (!o->user)
        return true;
    new_owner = o;
    if (nftw(path, give_one, 16, FTW_PHYS | FTW_MOUNT) != 0)
        return ctl_fail("could not give %s to the user %s: %s", path, o->user, strerror(errno)), false;
    return true;
}

/* The rights that are left of root's: to pass closed folders (and read what is in them), and to listen on ports below 1024. */
static bool keep_passage(void)
{
    static const int kept[] = { CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE };
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0 } };

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        data[0].effective |= 1u << kept[i];
        data[0].permitted |= 1u << kept[i];
        data[0].inheritable |= 1u << kept[i];
    }
    if (syscall(SYS_capset, &header, data) != 0)
        return false;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) != 0)
            return false;
    return true;
}

bool owner_become(const struct owner *o)
{
    if (!o || !o->user)
        return true;
    if (o->passes_closed_folders && prctl(PR_SET_KEEPCAPS, 1) != 0)
        return false;
    return initgroups(o->user, o->gid) == 0 && setgid(o->gid) == 0 && setuid(o->uid) == 0 &&
           (!o->passes_closed_folders || keep_passage());
}

bool owner_can_reach(const struct owner *o, const char *path, int access_mode)
{
    int status;
    pid_t pid;

    if (!o->user)
        return access(path, access_mode) == 0;
    pid = fork();
    if (pid == 0)
        _exit(owner_become(o) && faccessat(AT_FDCWD, path, access_mode, AT_EACCESS) == 0
                  ? 0
                  : 1); /* with its capabilities */
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
