
/*
 * The least that a table sent over TCP must cost: records of 40 bytes, written
 * 64 KB at a time, checked for nothing, and put into open addressing.
 *
 * usage: streamer RECORDS
 *
 * Prints records a second and nanoseconds of CPU for each, of the receiver.
 */


#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define RECORD  40
#define BATCH   1600


typedef struct {
    uint64_t  key[2];
    uint64_t  value;
    uint64_t  time;
} slot_t;


static double
seconds(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
fail(const char *what)
{
    perror(what);
    exit(1);
}


static void
send_all(struct sockaddr_in *addr, long n)
{
    int        fd;
    long       i, k, batch;
    char      *p, buf[RECORD * BATCH];
    ssize_t    sent;
    uint64_t   key;

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || connect(fd, (struct sockaddr *) addr, sizeof(*addr)) == -1)
    {
        fail("connect");
    }

    memset(buf, 0, sizeof(buf));

    for (i = 0; i < n; i += batch) {

        batch = n - i < BATCH ? n - i : BATCH;

        for (k = 0; k < batch; k++) {
            key = (uint64_t) (i + k + 1) * 0x9e3779b97f4a7c15ULL;
            memcpy(buf + k * RECORD, &key, sizeof(key));
        }

        for (p = buf; p < buf + batch * RECORD; p += sent) {
            sent = write(fd, p, buf + batch * RECORD - p);

            if (sent <= 0) {
                fail("write");
            }
        }
    }

    exit(0);
}


static void
put(slot_t *table, uint64_t mask, const char *record)
{
    uint64_t  i, key;

    memcpy(&key, record, sizeof(key));

    for (i = key >> 20; table[i & mask].key[0]; i++) { /* void */ }

    memcpy(&table[i & mask], record, sizeof(slot_t));
}


int
main(int argc, char **argv)
{
    int                 fd, listener;
    long                n, got;
    char               *p, buf[RECORD * BATCH];
    double              start;
    size_t              have;
    slot_t             *table;
    ssize_t             len;
    uint64_t            mask;
    socklen_t           socklen;
    struct rusage       before, after;
    struct sockaddr_in  addr;

    n = argc > 1 ? atol(argv[1]) : 1000000;

    for (mask = 1024; mask < (uint64_t) n * 3 / 2; mask *= 2) { /* void */ }

    table = calloc(mask, sizeof(slot_t));
    listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (table == NULL || listener == -1
        || bind(listener, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || listen(listener, 1) == -1)
    {
        fail("listen");
    }

    memset(table, 0, mask * sizeof(slot_t));
    mask--;

    socklen = sizeof(addr);
    getsockname(listener, (struct sockaddr *) &addr, &socklen);

    if (fork() == 0) {
        send_all(&addr, n);
    }

    fd = accept(listener, NULL, NULL);

    if (fd == -1) {
        fail("accept");
    }

    getrusage(RUSAGE_SELF, &before);
    start = seconds();

    got = 0;
    have = 0;

    while ((len = read(fd, buf + have, sizeof(buf) - have)) > 0) {

        have += len;

        for (p = buf; p + RECORD <= buf + have; p += RECORD) {
            put(table, mask, p);
            got++;
        }

        have -= p - buf;
        memmove(buf, p, have);
    }

    start = seconds() - start;
    getrusage(RUSAGE_SELF, &after);

    printf("%.0f %.1f\n", got / start,
           ((after.ru_utime.tv_sec - before.ru_utime.tv_sec
             + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e9
            + (after.ru_utime.tv_usec - before.ru_utime.tv_usec
               + after.ru_stime.tv_usec - before.ru_stime.tv_usec) * 1e3)
           / got);

    return 0;
}
