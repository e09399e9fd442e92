
/*
 * Values as people write them, and as they like to read them; time.
 */


#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl.h"


#define CTL_TIME_MAX  (1000L * 24 * 3600 * 366)


long
ctl_parse_time(const char *text)
{
    char    *end;
    double   n, unit;

    if (*text < '0' || *text > '9') {
        return -1;
    }

    n = strtod(text, &end);

    unit = strcmp(end, "ms") == 0 ? 1
           : strcmp(end, "s") == 0 || *end == '\0' ? 1000
           : strcmp(end, "m") == 0 ? 60 * 1000.0
           : strcmp(end, "h") == 0 ? 3600 * 1000.0
           : strcmp(end, "d") == 0 ? 24 * 3600 * 1000.0
           : -1;

    if (unit < 0 || !(n * unit <= CTL_TIME_MAX)) {
        return -1;
    }

    return lround(n * unit);
}


long
ctl_parse_percent(const char *text)
{
    char    *end;
    double   n;

    if (*text < '0' || *text > '9') {
        return -1;
    }

    n = strtod(text, &end);

    if ((*end != '\0' && strcmp(end, "%") != 0) || !(n <= 100)
        || fabs(n * 100 - round(n * 100)) > 1e-6)
    {
        return -1;
    }

    return lround(n * 100);
}


const char *
ctl_show_time(char *buf, size_t size, double ms)
{
    if (ms < 1000) {
        snprintf(buf, size, "%.0fms", ms);

    } else if (ms < 60 * 1000) {
        snprintf(buf, size, "%.3gs", ms / 1000);

    } else if (ms < 3600 * 1000) {
        snprintf(buf, size, "%dm%02ds", (int) (ms / 60000),
                 (int) (ms / 1000) % 60);

    } else if (ms < 48 * 3600 * 1000.0) {
        snprintf(buf, size, "%dh%02dm", (int) (ms / 3600000),
                 (int) (ms / 60000) % 60);

    } else {
        snprintf(buf, size, "%dd", (int) (ms / (24 * 3600 * 1000.0)));
    }

    return buf;
}


const char *
ctl_show_count(char *buf, size_t size, double n)
{
    if (n < 100000) {
        snprintf(buf, size, "%.0f", n);

    } else if (n < 1e7) {
        snprintf(buf, size, "%.0fk", n / 1e3);

    } else if (n < 1e10) {
        snprintf(buf, size, "%.0fM", n / 1e6);

    } else {
        snprintf(buf, size, "%.0fG", n / 1e9);
    }

    return buf;
}


const char *
ctl_show_bytes(char *buf, size_t size, double n)
{
    int          i;
    const char  *units = "BKMGTP";

    for (i = 0; n >= 1024 && i < 5; i++) {
        n /= 1024;
    }

    snprintf(buf, size, n < 10 && i ? "%.1f%c" : "%.0f%c", n, units[i]);

    return buf;
}


double
ctl_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


void
ctl_sleep(double s)
{
    struct timespec  ts;

    if (s <= 0) {
        return;
    }

    ts.tv_sec = (time_t) s;
    ts.tv_nsec = (long) ((s - ts.tv_sec) * 1e9);

    (void) nanosleep(&ts, NULL);
}
