
/*
 * The least that a prober must do, for comparison: a request to each server
 * in turn, and nothing made of the answer.
 *
 * usage: prober PORT SERVERS RATE SECONDS [keep]
 *
 * Probes that are due within 10 ms are started together.  Servers are
 * 127.1.0.1, 127.1.0.2, ...  Prints probes made and microseconds of CPU for
 * each.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define TICK  10    /* ms */


typedef struct {
    int  fd;            /* -1: none */
    int  busy;
} server_t;


static const char  request[] = "GET /health HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n";
static const char  kept_request[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

static int            ep, port, kept;
static server_t      *servers;
static unsigned long  made;


static void
start(int i)
{
    server_t            *s;
    struct epoll_event   ev;
    struct sockaddr_in   addr;

    s = &servers[i];

    if (s->busy) {
        return;
    }

    s->busy = 1;

    if (s->fd >= 0) {
        (void) !write(s->fd, kept_request, sizeof(kept_request) - 1);
        return;
    }

    s->fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(0x7f010001 + i);

    ev.events = EPOLLIN|EPOLLOUT|EPOLLET;
    ev.data.u32 = i;
    epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &ev);

    (void) !connect(s->fd, (struct sockaddr *) &addr, sizeof(addr));
}


static void
handle(struct epoll_event *ev)
{
    char       buf[1024];
    server_t  *s;

    s = &servers[ev->data.u32];

    if (ev->events & EPOLLIN) {

        if (read(s->fd, buf, sizeof(buf)) > 0) {
            made++;
        }

        s->busy = 0;

        if (!kept) {
            close(s->fd);
            s->fd = -1;
        }

    } else if (s->busy == 1) {
        s->busy = 2;
        (void) !write(s->fd, kept ? kept_request : request,
                      (kept ? sizeof(kept_request) : sizeof(request)) - 1);
    }
}


static uint64_t
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}


int
main(int argc, char **argv)
{
    int                 i, n, next, count, rate;
    double              cpu;
    uint64_t            began, end, t, due;
    struct rusage       ru;
    struct epoll_event  events[512];

    if (argc < 5) {
        fprintf(stderr, "usage: prober PORT SERVERS RATE SECONDS [keep]\n");
        return 2;
    }

    port = atoi(argv[1]);
    count = atoi(argv[2]);
    rate = atoi(argv[3]);
    kept = (argc > 5);

    servers = calloc(count, sizeof(server_t));

    for (i = 0; i < count; i++) {
        servers[i].fd = -1;
    }

    ep = epoll_create1(0);

    began = now();
    end = began + atoi(argv[4]) * 1000;
    next = 0;
    due = 0;

    while ((t = now()) < end) {

        for ( /* void */ ; due < (t - began) * rate / 1000; due++) {
            start(next);
            next = (next + 1) % count;
        }

        n = epoll_wait(ep, events, 512, TICK - (t - began) % TICK);

        for (i = 0; i < n; i++) {
            handle(&events[i]);
        }
    }

    getrusage(RUSAGE_SELF, &ru);

    cpu = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6
          + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;

    printf("%lu %.2f\n", made, cpu / (made ? made : 1));

    return 0;
}
