
/*
 * A bar for whatever lasts, on stderr and only if that is a terminal: a
 * script sees nothing of it.
 */


#include <unistd.h>
#include "ctl.h"


#define CTL_BAR  24


void
ctl_progress(ctl_t *ctl, const char *what, double share, const char *fmt, ...)
{
    int      i, full;
    va_list  args;

    if (!isatty(STDERR_FILENO) || ctl->json) {
        return;
    }

    share = share < 0 ? 0 : share > 1 ? 1 : share;
    full = (int) (share * CTL_BAR + 0.5);

    fprintf(stderr, "\r%s [", what);

    for (i = 0; i < CTL_BAR; i++) {
        fputc(i < full ? '#' : '.', stderr);
    }

    fprintf(stderr, "] %3d%% ", (int) (share * 100 + 0.5));

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fprintf(stderr, "\033[K");
    fflush(stderr);
}


void
ctl_progress_end(ctl_t *ctl)
{
    if (isatty(STDERR_FILENO) && !ctl->json) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
}
