
/*
 * The server that benches ask: one process, one epoll loop, one answer.
 *
 * usage: backend ADDRESS PORT
 *
 * Keeps connections as the client wants.  A line on its standard input is
 * answered with a line: requests and connections so far.  Ends with it.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>


static const char  keep[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok";
static const char  close_[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

static unsigned long  requests, connections;


static void
serve(int fd)
{
    int      close_after;
    char     buf[4096];
    ssize_t  n;

    n = read(fd, buf, sizeof(buf) - 1);

    if (n <= 0) {
        close(fd);
        return;
    }

    buf[n] = '\0';
    requests++;

    close_after = strstr(buf, "onnection: close") != NULL
                  || (strstr(buf, "HTTP/1.0") != NULL
                      && strcasestr(buf, "keep-alive") == NULL);

    if (close_after) {
        (void) !write(fd, close_, sizeof(close_) - 1);
        close(fd);

    } else {
        (void) !write(fd, keep, sizeof(keep) - 1);
    }
}


static void
accept_all(int ep, int listener)
{
    int                 fd, on;
    struct epoll_event  ev;

    on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        connections++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        ev.events = EPOLLIN;
        ev.data.fd = fd;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    }
}


int
main(int argc, char **argv)
{
    int                  ep, i, n, on, listener;
    char                 line[64];
    struct epoll_event   ev, events[512];
    struct sockaddr_in   addr;

    if (argc != 3) {
        fprintf(stderr, "usage: backend ADDRESS PORT\n");
        return 2;
    }

    signal(SIGPIPE, SIG_IGN);

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &addr.sin_addr);

    on = 1;
    listener = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind(listener, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || listen(listener, 4096) == -1)
    {
        perror("backend");
        return 1;
    }

    ep = epoll_create1(0);

    ev.events = EPOLLIN;
    ev.data.fd = listener;
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);

    ev.data.fd = 0;
    epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev);

    for ( ;; ) {
        n = epoll_wait(ep, events, 512, -1);

        for (i = 0; i < n; i++) {

            if (events[i].data.fd == listener) {
                accept_all(ep, listener);

            } else if (events[i].data.fd == 0) {

                if (read(0, line, sizeof(line)) <= 0) {
                    return 0;
                }

                printf("%lu %lu\n", requests, connections);
                fflush(stdout);

            } else {
                serve(events[i].data.fd);
            }
        }
    }
}
