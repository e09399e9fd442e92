
/*
 * Tables for people: columns as wide as what is in them, states in colour,
 * and nothing else: no lines, so that awk and a person read the same.
 */


#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "ctl.h"


typedef struct ctl_row_s  ctl_row_t;

struct ctl_row_s {
    char       *cells[CTL_COLUMNS_MAX];
    ctl_row_t  *next;
};

struct ctl_table_s {
    const char **columns;
    int          ncolumns;
    int          cell;          /* of the last row, to be filled in next */
    ctl_row_t   *rows;
    ctl_row_t   *last;
};

typedef struct {
    const char  *word;
    const char  *colour;
} ctl_colour_t;


static void ctl_table_line(ctl_t *ctl, ctl_table_t *table, ctl_row_t *row,
    int *widths);
static int ctl_width(const char *text);


#define CTL_GREEN   "\033[32m"
#define CTL_YELLOW  "\033[33m"
#define CTL_RED     "\033[31m"


static ctl_colour_t  ctl_colours[] = {
    { "up", CTL_GREEN },
    { "ready", CTL_GREEN },
    { "online", CTL_GREEN },
    { "done", CTL_GREEN },
    { "unhealthy", CTL_RED },
    { "unavail", CTL_RED },
    { "unreachable", CTL_RED },
    { "isolated", CTL_RED },
    { "rolled", CTL_RED },
    { "down", CTL_YELLOW },
    { "draining", CTL_YELLOW },
    { "checking", CTL_YELLOW },
    { "syncing", CTL_YELLOW },
    { "starting", CTL_YELLOW },
    { "leaving", CTL_YELLOW },
    { "paused", CTL_YELLOW },
    { NULL, NULL }
};


ctl_table_t *
ctl_table_new(const char **columns, int n)
{
    ctl_table_t  *table;

    table = ctl_alloc(sizeof(ctl_table_t));
    table->columns = columns;
    table->ncolumns = n;

    return table;
}


void
ctl_table_cell(ctl_table_t *table, const char *fmt, ...)
{
    char     *text;
    va_list   args;

    if (table->cell == 0) {
        ctl_row_t  *row = ctl_alloc(sizeof(ctl_row_t));

        if (table->last) {
            table->last->next = row;

        } else {
            table->rows = row;
        }

        table->last = row;
    }

    va_start(args, fmt);

    if (vasprintf(&text, fmt, args) < 0) {
        exit(ctl_fail(CTL_REFUSED, "out of memory"));
    }

    va_end(args);

    table->last->cells[table->cell++] = text;
}


void
ctl_table_row(ctl_table_t *table)
{
    table->cell = 0;
}


void
ctl_table_print(ctl_t *ctl, ctl_table_t *table)
{
    int         i, width, widths[CTL_COLUMNS_MAX];
    ctl_row_t  *row;

    for (i = 0; i < table->ncolumns; i++) {
        widths[i] = ctl_width(table->columns[i])
                    - (table->columns[i][0] == '>');

        for (row = table->rows; row; row = row->next) {

            width = row->cells[i] ? ctl_width(row->cells[i]) : 0;

            if (width > widths[i]) {
                widths[i] = width;
            }
        }
    }

    ctl_table_line(ctl, table, NULL, widths);

    for (row = table->rows; row; row = row->next) {
        ctl_table_line(ctl, table, row, widths);
    }

    ctl_table_free(table);
}


void
ctl_table_free(ctl_table_t *table)
{
    int         i;
    ctl_row_t  *row, *next;

    for (row = table->rows; row; row = next) {
        next = row->next;

        for (i = 0; i < table->ncolumns; i++) {
            free(row->cells[i]);
        }

        free(row);
    }

    free(table);
}


static void
ctl_table_line(ctl_t *ctl, ctl_table_t *table, ctl_row_t *row, int *widths)
{
    int          i, pad, right;
    const char  *text, *colour;

    for (i = 0; i < table->ncolumns; i++) {

        right = table->columns[i][0] == '>';

        text = row ? row->cells[i] : table->columns[i] + right;
        text = text ? text : "";
        colour = row ? ctl_colour(ctl, text) : "";
        pad = widths[i] - ctl_width(text);

        if (i + 1 == table->ncolumns && !right) {
            pad = 0;
        }

        fprintf(ctl->out, "%s%*s%s%s%s%*s", i ? "  " : "",
                right ? pad : 0, "", colour, text,
                *colour ? ctl_colour_end(ctl) : "", right ? 0 : pad, "");
    }

    fprintf(ctl->out, "\n");
}


/* in characters, not bytes, as far as UTF-8 goes */

static int
ctl_width(const char *text)
{
    int  n;

    for (n = 0; *text; text++) {
        n += (*text & 0xc0) != 0x80;
    }

    return n;
}


const char *
ctl_colour(ctl_t *ctl, const char *word)
{
    size_t         len;
    ctl_colour_t  *colour;

    if (!ctl->colour) {
        return "";
    }

    len = strcspn(word, " :,");

    for (colour = ctl_colours; colour->word; colour++) {

        if (strlen(colour->word) == len
            && strncmp(colour->word, word, len) == 0)
        {
            return colour->colour;
        }
    }

    return "";
}


const char *
ctl_colour_end(ctl_t *ctl)
{
    return ctl->colour ? "\033[0m" : "";
}


int
ctl_screen_columns(void)
{
    struct winsize  size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) {
        return size.ws_col;
    }

    return 80;
}


int
ctl_screen_rows(void)
{
    struct winsize  size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row) {
        return size.ws_row;
    }

    return 24;
}
