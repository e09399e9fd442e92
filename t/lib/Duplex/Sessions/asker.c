
/*
 * Many sessions, each asked for again and again, and who has served them: the
 * oracle of the long runs (Duplex::Sessions starts it).
 *
 * usage: asker SESSIONS CONNECTIONS DEPTH
 *
 * A session is a cookie "sid"; the server's name is the digit that the answer
 * has as its body.  Requests are pipelined, DEPTH on each connection, and a
 * session is always asked for on the same one.  Lines on standard input:
 *
 *   ask ADDRESS PORT [MOVE]     all sessions once; those of server MOVE, or
 *                               with "any" of each, may have gone elsewhere
 *   hammer ADDRESS PORT SECS    any of them, one of eight a new one; whatever
 *                               closes connections meanwhile is no matter
 *
 * Each is answered by a line of "name value" pairs:
 *
 *   asked     requests that were answered
 *   failed    other answers than 200, or none ("hammer" counts those in lost)
 *   lost      requests on a connection that was closed
 *   new       served for the first time
 *   wrong     served by another server than before
 *   moved     the same, of those that were allowed to
 *   names     that there were, all in all
 *   unsure    those whose first request was lost, and none was made since
 *   on1 ...   sessions by server
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define DEPTH    64
#define SERVERS  10
#define ROOM     65536
#define SILENCE  60000          /* ms until a server is given up */


typedef struct {
    uint32_t            generation;
    uint8_t             server;         /* 0: not known */
} session_t;


typedef struct {
    uint32_t            session;
    uint32_t            generation;
} request_t;


typedef struct {
    int                 fd;             /* -1: closed */
    request_t           flight[DEPTH];  /* the oldest first */
    unsigned            first, n;
    uint32_t            next;           /* "ask" */
    size_t              out, in;
    char                out_buf[DEPTH * 128];
    char                in_buf[ROOM];
} connection_t;


static session_t           *sessions;
static connection_t        *connections;
static uint32_t             nsessions, nconnections, depth;
static struct sockaddr_in   address;

static int                  hammering;
static double               end;
static int                  may_move;       /* -1: any */

static unsigned long        asked, failed, lost, first_time, wrong, moved;
static unsigned long        names, unsure;
static uint64_t             random_state = 88172645463325252ULL;


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static uint64_t
mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;

    return x;
}


static uint64_t
any(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;

    return random_state % n;
}


static void
open_connection(connection_t *c)
{
    int  on;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->out = 0;
    c->in = 0;
    c->n = 0;

    if (connect(c->fd, (struct sockaddr *) &address, sizeof(address)) == -1) {
        close(c->fd);
        c->fd = -1;
        return;
    }

    on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}


/* what was under way is lost: a new session may be there or not */

static void
close_connection(connection_t *c)
{
    close(c->fd);
    c->fd = -1;

    lost += c->n;

    if (!hammering) {
        failed += c->n;
    }

    c->n = 0;
}


/* 0: there is nothing left to ask for */

static int
choose(connection_t *c, uint32_t *session)
{
    uint32_t  i, of_its_own;

    i = c - connections;

    if (!hammering) {
        *session = c->next;
        c->next += nconnections;

        return *session < nsessions;
    }

    if (now() > end) {
        return 0;
    }

    of_its_own = (nsessions - i + nconnections - 1) / nconnections;
    *session = i + any(of_its_own) * nconnections;

    if (any(8) == 0) {
        unsure += sessions[*session].server == 0
                  && sessions[*session].generation;
        sessions[*session].server = 0;
        sessions[*session].generation++;
        names++;
    }

    return 1;
}


static void
fill(connection_t *c)
{
    uint32_t    session;
    uint64_t    name;
    request_t  *request;

    while (c->n < depth && c->out < sizeof(c->out_buf) - 128
           && choose(c, &session))
    {
        if (sessions[session].generation == 0) {
            sessions[session].generation = 1;
            names++;
        }

        name = mix(((uint64_t) sessions[session].generation << 32)
                   + session + 1);

        request = &c->flight[(c->first + c->n) % DEPTH];
        request->session = session;
        request->generation = sessions[session].generation;
        c->n++;

        c->out += sprintf(c->out_buf + c->out, "GET / HTTP/1.1\r\nHost: x\r\n"
                          "Cookie: sid=%016llx\r\n\r\n",
                          (unsigned long long) name);
    }
}


static void
served(request_t *request, int status, char body)
{
    session_t  *session;

    session = &sessions[request->session];
    asked++;

    if (status != 200 || body <= '0' || body > '9') {
        failed++;
        return;
    }

    body -= '0';

    /* there is a new one in its place already */

    if (request->generation != session->generation) {
        return;
    }

    if (session->server == 0) {
        first_time++;

    } else if (session->server != body) {

        if (may_move == -1 || session->server == may_move) {
            moved++;

        } else {
            wrong++;
        }
    }

    session->server = body;
}


/* 0: more bytes are needed */

static size_t
answer(connection_t *c, char *p, size_t len)
{
    int     status;
    char   *head, *length;
    size_t  n;

    head = memmem(p, len, "\r\n\r\n", 4);
    if (head == NULL) {
        return 0;
    }

    length = memmem(p, head - p, "Content-Length: ", 16);
    n = length ? strtoul(length + 16, NULL, 10) : 0;

    head += 4;

    if ((size_t) (head - p) + n > len) {
        return 0;
    }

    status = atoi(p + 9);

    served(&c->flight[c->first], status, n ? *head : 0);

    c->first = (c->first + 1) % DEPTH;
    c->n--;

    return head - p + n;
}


static void
receive(connection_t *c)
{
    size_t   used, done;
    ssize_t  n;

    n = read(c->fd, c->in_buf + c->in, sizeof(c->in_buf) - 1 - c->in);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        close_connection(c);
        return;
    }

    c->in += n;
    c->in_buf[c->in] = '\0';
    used = 0;

    while (c->n && (done = answer(c, c->in_buf + used, c->in - used)) != 0) {
        used += done;
    }

    c->in -= used;
    memmove(c->in_buf, c->in_buf + used, c->in);
}


static void
transmit(connection_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->out_buf, c->out, MSG_NOSIGNAL);

    if (n == -1) {

        if (errno != EAGAIN) {
            close_connection(c);
        }

        return;
    }

    c->out -= n;
    memmove(c->out_buf, c->out_buf + n, c->out);
}


static void
run(void)
{
    int             n;
    double          heard;
    uint32_t        i;
    connection_t   *c;
    struct pollfd  *fds;

    fds = calloc(nconnections, sizeof(struct pollfd));
    heard = now();

    for (i = 0; i < nconnections; i++) {
        connections[i].next = i;
        connections[i].fd = -1;
    }

    for ( ;; ) {

        n = 0;

        for (i = 0; i < nconnections; i++) {
            c = &connections[i];

            if (c->fd == -1) {
                open_connection(c);
            }

            if (c->fd != -1) {
                fill(c);
            }

            if (c->fd != -1 && c->out) {
                transmit(c);
            }

            fds[i].fd = c->fd;
            fds[i].events = POLLIN | (c->out ? POLLOUT : 0);
            fds[i].revents = 0;

            n += (c->fd == -1) ? (hammering ? now() < end : c->next < nsessions)
                               : c->n;
        }

        if (n == 0) {
            break;
        }

        if (now() > heard + SILENCE / 1000) {
            failed++;
            break;
        }

        if (poll(fds, nconnections, 100) > 0) {
            heard = now();
        }

        for (i = 0; i < nconnections; i++) {
            if (fds[i].revents & (POLLIN|POLLHUP|POLLERR)) {
                receive(&connections[i]);
            }
        }
    }

    for (i = 0; i < nconnections; i++) {
        if (connections[i].fd != -1) {
            close_connection(&connections[i]);
        }
    }

    free(fds);
}


static void
report(void)
{
    uint32_t       i;
    unsigned long  on[SERVERS], now_unsure;

    memset(on, 0, sizeof(on));
    now_unsure = unsure;

    for (i = 0; i < nsessions; i++) {
        on[sessions[i].server]++;
        now_unsure += sessions[i].server == 0 && sessions[i].generation;
    }

    printf("asked %lu failed %lu lost %lu new %lu wrong %lu moved %lu "
           "names %lu unsure %lu", asked, failed, lost, first_time, wrong,
           moved, names, now_unsure);

    for (i = 1; i < SERVERS; i++) {
        printf(" on%u %lu", i, on[i]);
    }

    printf("\n");
    fflush(stdout);
}


int
main(int argc, char **argv)
{
    int   n, port;
    char  line[256], command[16], ip[64], argument[16];

    if (argc != 4) {
        return 64;
    }

    nsessions = atoi(argv[1]);
    nconnections = atoi(argv[2]);
    depth = atoi(argv[3]);

    if (nsessions < nconnections || nconnections == 0 || depth > DEPTH) {
        return 64;
    }

    signal(SIGPIPE, SIG_IGN);

    sessions = calloc(nsessions, sizeof(session_t));
    connections = calloc(nconnections, sizeof(connection_t));

    while (fgets(line, sizeof(line), stdin)) {

        argument[0] = '\0';
        n = sscanf(line, "%15s %63s %d %15s", command, ip, &port, argument);

        if (n < 3) {
            return 64;
        }

        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = inet_addr(ip);

        hammering = (strcmp(command, "hammer") == 0);
        end = now() + (hammering ? atof(argument) : 0);
        may_move = strcmp(argument, "any") == 0 ? -1 : atoi(argument);

        if (hammering) {
            may_move = 0;
        }

        asked = failed = lost = first_time = wrong = moved = 0;

        run();
        report();
    }

    return 0;
}
