/* wire.c: reads and writes through libfcgi, or past it: its stream copies everything through a buffer of 8 KB, one system call each, which
 * a chat of 400 KB would pass fifty times. Large answers are framed here instead and go out with one writev(2) for up to half a megabyte. */
#include "fcgi/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fastcgi.h>

enum {
    SMALL = 7 * 1024, /* fits libfcgi's buffer with what is there already */
    RECORD = 65528,   /* of a record's at most 65535 bytes, a multiple of 8: no padding */
    VECTORS = 64
};

size_t wire_read(struct wire *w, char *to, size_t n)
{
    size_t got = 0;

    while (got < n) {
        size_t ask = n - got < 1 << 20 ? n - got : 1 << 20;
        ssize_t k;

        if (w->fcgi)
            k = FCGX_GetStr(to + got, (int)ask, w->fcgi->in);
        else
            do
                k = read(STDIN_FILENO, to + got, ask);
            while (k < 0 && errno == EINTR);
        if (k <= 0)
            break;
        got += (size_t)k;
    }
    return got;
}

void wire_skip(struct wire *w, int64_t n)
{
    char scrap[16 * 1024];

    while (n > 0) {
        size_t ask = n < (int64_t)sizeof(scrap) ? (size_t)n : sizeof(scrap);
        size_t got = wire_read(w, scrap, ask);

        n -= (int64_t)got;
        if (got < ask)
            return;
    }
}

/* All of it, whatever the kernel takes at a time. */
static void send_all(struct wire *w, int fd, struct iovec *v, int n)
{
    while (n > 0 && !w->broken) {
        ssize_t sent = writev(fd, v, n);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd p = { fd, POLLOUT, 0 };

            poll(&p, 1, -1);
            continue;
        }
        if (sent < 0) {
            w->broken = true;
            return;
        }
        for (; n > 0 && (size_t)sent >= v->iov_len; v++, n--)
            sent -= (ssize_t)v->iov_len;
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + sent;
            v->iov_len -= (size_t)sent;
        }
    }
}

struct framer {
    struct wire *w;
    struct iovec v[VECTORS];
    FCGI_Header heads[VECTORS / 2];
    int n, heads_n;
    size_t room; /* left in the record that was begun */
    size_t left; /* of all pieces, not yet framed */
};

static void send_framed(struct framer *f)
{
    send_all(f->w, f->w->fcgi->ipcFd, f->v, f->n);
    f->n = f->heads_n = 0;
}

static void begin_record(struct framer *f)
{
    FCGI_Header *h = &f->heads[f->heads_n++];
    unsigned id = (unsigned)f->w->fcgi->requestId;

    f->room = f->left < RECORD ? f->left : RECORD;
    *h = (FCGI_Header){ .version = FCGI_VERSION_1,
                        .type = FCGI_STDOUT,
                        .requestIdB1 = (unsigned char)(id >> 8),
                        .requestIdB0 = (unsigned char)id,
                        .contentLengthB1 = (unsigned char)(f->room >> 8),
                        .contentLengthB0 = (unsigned char)f->room };
    f->v[f->n++] = (struct iovec){ h, sizeof(*h) };
}

static void frame_piece(struct framer *f, struct str piece)
{
    while (piece.n && !f->w->broken) {
        size_t take;

        if (f->n + 2 > VECTORS || (f->room == 0 && f->heads_n == VECTORS / 2))
            send_framed(f);
        if (f->room == 0)
            begin_record(f);
        take = piece.n < f->room ? piece.n : f->room;
        f->v[f->n++] = (struct iovec){ (void *)(uintptr_t)piece.p, take };
        f->room -= take;
        f->left -= take;
        piece = str_from(piece, take);
    }
}

static void write_cgi(struct wire *w, const struct str *pieces, int n)
{
    struct iovec v[VECTORS];
    int k = 0;

    for (int i = 0; i < n; i++) {
        v[k++] = (struct iovec){ (void *)(uintptr_t)pieces[i].p, pieces[i].n };
        if (k == VECTORS) {
            send_all(w, STDOUT_FILENO, v, k);
            k = 0;
        }
    }
    send_all(w, STDOUT_FILENO, v, k);
}

void wire_write(struct wire *w, const struct str *pieces, int n)
{
    struct framer f = { .w = w };
    size_t total = 0;

    if (w->broken)
        return;
    if (!w->fcgi) {
        write_cgi(w, pieces, n);
        return;
    }
    for (int i = 0; i < n; i++)
        total += pieces[i].n;
    if (total <= SMALL) {
        for (int i = 0; i < n; i++)
            if (pieces[i].n && FCGX_PutStr(pieces[i].p, (int)pieces[i].n, w->fcgi->out) < 0)
                w->broken = true;
        return;
    }
    wire_flush(w); /* what the stream holds comes first */
    f.left = total;
    for (int i = 0; i < n; i++)
        frame_piece(&f, pieces[i]);
    send_framed(&f);
}

void wire_flush(struct wire *w)
{
    if (w->fcgi && FCGX_FFlush(w->fcgi->out) < 0)
        w->broken = true;
}

void wire_break(struct wire *w)
{
    if (w->fcgi)
        shutdown(w->fcgi->ipcFd, SHUT_RDWR);
    w->broken = true;
}

void wire_end(struct wire *w)
{
    if (w->fcgi && w->fcgi->keepConnection && !w->broken)
        wire_skip(w, INT64_MAX);
}
