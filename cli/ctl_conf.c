
/*
 * Settings: what the command line leaves open is taken from the environment,
 * then from the user's file, then from the machine's.
 *
 *     # /etc/duplex/duplexctl.conf, ~/.config/duplex/duplexctl.conf
 *     node       http://10.0.0.11:8081/api
 *     node       http://10.0.0.12:8081/api
 *     cacert     /etc/duplex/ca.pem
 *     user-file  /etc/duplex/api.password
 *     timeout    5s
 *
 * The words are those of the long options; in the environment they are
 * DUPLEXCTL_NODE (several with commas), DUPLEXCTL_CACERT, ...  Whoever names
 * nodes names all of them.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctl.h"


#define CTL_CONF_LINE_MAX  1024


typedef struct {
    char        *nodes[CTL_NODES_MAX];
    int          nnodes;
    int          closed;        /* a stronger source has named nodes */
    char        *cacert;
    char        *cert;
    char        *key;
    char        *user_file;
    char        *timeout;
    char        *color;
} ctl_conf_t;


static int ctl_conf_options(ctl_t *ctl, ctl_conf_t *conf);
static int ctl_conf_environment(ctl_conf_t *conf);
static int ctl_conf_files(ctl_t *ctl, ctl_conf_t *conf);
static int ctl_conf_file(ctl_conf_t *conf, const char *path, int required);
static int ctl_conf_set(ctl_conf_t *conf, const char *name, const char *value,
    const char *where);
static int ctl_conf_apply(ctl_t *ctl, ctl_conf_t *conf);
static int ctl_conf_node(ctl_t *ctl, const char *text);
static int ctl_conf_user(ctl_t *ctl, const char *path);
static int ctl_conf_color(ctl_t *ctl, const char *when);


static const char  *ctl_conf_names[] = {
    "node", "cacert", "cert", "key", "user-file", "timeout", "color", NULL
};


int
ctl_conf_load(ctl_t *ctl)
{
    int         i, code;
    ctl_conf_t  conf;

    memset(&conf, 0, sizeof(ctl_conf_t));

    code = ctl_conf_options(ctl, &conf);
    conf.closed = conf.nnodes > 0;

    if (code == CTL_OK) {
        code = ctl_conf_environment(&conf);
        conf.closed = conf.nnodes > 0;
    }

    if (code == CTL_OK) {
        code = ctl_conf_files(ctl, &conf);
    }

    if (code == CTL_OK) {
        code = ctl_conf_apply(ctl, &conf);
    }

    for (i = 0; i < conf.nnodes; i++) {
        free(conf.nodes[i]);
    }

    free(conf.user_file);
    free(conf.timeout);
    free(conf.color);

    /* these are used as they are; ctl_conf_free() has them now */

    ctl->cacert = conf.cacert;
    ctl->cert = conf.cert;
    ctl->key = conf.key;

    return code;
}


static int
ctl_conf_options(ctl_t *ctl, ctl_conf_t *conf)
{
    int  i, j;

    for (i = 0; i < ctl->noptions; i++) {
        for (j = 0; ctl_conf_names[j]; j++) {

            if (strcmp(ctl->options[i].name, ctl_conf_names[j]) != 0) {
                continue;
            }

            if (ctl_conf_set(conf, ctl->options[i].name,
                             ctl->options[i].value, "option")
                != CTL_OK)
            {
                return CTL_USAGE;
            }
        }
    }

    return CTL_OK;
}


static int
ctl_conf_environment(ctl_conf_t *conf)
{
    int          i;
    char         name[64], *p, *next, *list;
    const char  *value;

    for (i = 0; ctl_conf_names[i]; i++) {

        snprintf(name, sizeof(name), "DUPLEXCTL_%s", ctl_conf_names[i]);

        for (p = name; *p; p++) {
            *p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 32 : *p;
        }

        value = getenv(name);
        if (value == NULL || *value == '\0') {
            continue;
        }

        list = ctl_copy(value);

        for (p = list; p; p = next) {
            next = i == 0 ? strchr(p, ',') : NULL;

            if (next) {
                *next++ = '\0';
            }

            if (ctl_conf_set(conf, ctl_conf_names[i], p, name) != CTL_OK) {
                free(list);
                return CTL_USAGE;
            }
        }

        free(list);
    }

    return CTL_OK;
}


static int
ctl_conf_files(ctl_t *ctl, ctl_conf_t *conf)
{
    int          code;
    char        *path;
    const char  *home, *given;

    given = ctl_option(ctl, "config");
    if (given) {
        return ctl_conf_file(conf, given, 1);
    }

    home = getenv("XDG_CONFIG_HOME");

    if (home && *home) {
        path = ctl_format("%s/duplex/duplexctl.conf", home);

    } else {
        home = getenv("HOME");
        path = ctl_format("%s/.config/duplex/duplexctl.conf",
                          home ? home : "");
    }

    code = ctl_conf_file(conf, path, 0);
    free(path);

    if (code != CTL_OK) {
        return code;
    }

    return ctl_conf_file(conf, "/etc/duplex/duplexctl.conf", 0);
}


static int
ctl_conf_file(ctl_conf_t *conf, const char *path, int required)
{
    int    n, code;
    char   line[CTL_CONF_LINE_MAX], where[CTL_CONF_LINE_MAX];
    char  *name, *value, *end;
    FILE  *file;

    file = fopen(path, "r");

    if (file == NULL) {
        return required ? ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno))
                        : CTL_OK;
    }

    code = CTL_OK;

    for (n = 1; code == CTL_OK && fgets(line, sizeof(line), file); n++) {

        name = line + strspn(line, " \t");
        end = name + strcspn(name, "\r\n");
        *end = '\0';

        while (end > name && (end[-1] == ' ' || end[-1] == '\t')) {
            *--end = '\0';
        }

        if (*name == '\0' || *name == '#') {
            continue;
        }

        value = name + strcspn(name, " \t=");

        if (*value) {
            *value++ = '\0';
            value += strspn(value, " \t=");
        }

        snprintf(where, sizeof(where), "%s:%d", path, n);
        code = ctl_conf_set(conf, name, value, where);
    }

    fclose(file);
    conf->closed = conf->nnodes > 0;

    return code;
}


static int
ctl_conf_set(ctl_conf_t *conf, const char *name, const char *value,
    const char *where)
{
    char  **field;

    field = strcmp(name, "cacert") == 0 ? &conf->cacert
            : strcmp(name, "cert") == 0 ? &conf->cert
            : strcmp(name, "key") == 0 ? &conf->key
            : strcmp(name, "user-file") == 0 ? &conf->user_file
            : strcmp(name, "timeout") == 0 ? &conf->timeout
            : strcmp(name, "color") == 0 ? &conf->color
            : NULL;

    if (*value == '\0') {
        return ctl_fail(CTL_USAGE, "%s: \"%s\" needs a value", where, name);
    }

    if (field) {
        if (*field == NULL) {
            *field = ctl_copy(value);
        }

        return CTL_OK;
    }

    if (strcmp(name, "node") != 0) {
        return ctl_fail(CTL_USAGE, "%s: unknown setting \"%s\"", where, name);
    }

    if (conf->closed) {
        return CTL_OK;
    }

    if (conf->nnodes == CTL_NODES_MAX) {
        return ctl_fail(CTL_USAGE, "%s: more than %d nodes", where,
                        CTL_NODES_MAX);
    }

    conf->nodes[conf->nnodes++] = ctl_copy(value);

    return CTL_OK;
}


static int
ctl_conf_apply(ctl_t *ctl, ctl_conf_t *conf)
{
    int  i, code;

    for (i = 0; i < conf->nnodes; i++) {

        code = ctl_conf_node(ctl, conf->nodes[i]);
        if (code != CTL_OK) {
            return code;
        }
    }

    if (ctl->nnodes == 0) {
        (void) ctl_conf_node(ctl, "http://127.0.0.1:8081/api");
    }

    ctl->timeout = conf->timeout ? ctl_parse_time(conf->timeout) : 5000;

    if (ctl->timeout <= 0) {
        return ctl_fail(CTL_USAGE, "invalid timeout \"%s\": write 200ms, 5s",
                        conf->timeout);
    }

    if (conf->key && conf->cert == NULL) {
        return ctl_fail(CTL_USAGE, "\"key\" without \"cert\"");
    }

    code = ctl_conf_color(ctl, conf->color ? conf->color : "auto");

    if (code == CTL_OK && conf->user_file) {
        code = ctl_conf_user(ctl, conf->user_file);
    }

    return code;
}


/*
 * "http://host:port/api", "https://...", "host:port", "unix:/path" and
 * "unix:/path:/api"
 */

static int
ctl_conf_node(ctl_t *ctl, const char *text)
{
    size_t       len;
    const char  *p;
    ctl_node_t  *node;

    node = &ctl->nodes[ctl->nnodes];

    if (strncmp(text, "unix:", 5) == 0) {

        p = strstr(text + 5, ":/");
        node->url = ctl_format("http://localhost%s", p ? p + 1 : "/api");
        node->socket = p ? ctl_format("%.*s", (int) (p - text - 5), text + 5)
                         : ctl_copy(text + 5);

        if (strlen(node->socket) > 107 || node->socket[0] != '/') {
            free(node->url);
            free(node->socket);
            return ctl_fail(CTL_USAGE, "invalid node \"%s\": the path of a"
                            " socket begins with \"/\" and has at most 107"
                            " bytes", text);
        }

    } else {
        p = strstr(text, "://");

        if (p && strncmp(text, "http://", 7) != 0
            && strncmp(text, "https://", 8) != 0)
        {
            return ctl_fail(CTL_USAGE, "invalid node \"%s\": write"
                            " http://HOST:PORT/api, https://... or"
                            " unix:PATH", text);
        }

        node->url = p ? ctl_copy(text) : ctl_format("http://%s", text);

        /* where the example has it */

        if (strchr(strstr(node->url, "://") + 3, '/') == NULL) {
            char  *url = node->url;

            node->url = ctl_format("%s/api", url);
            free(url);
        }
    }

    len = strlen(node->url);

    while (len && node->url[len - 1] == '/') {
        node->url[--len] = '\0';
    }

    node->given = ctl_copy(text);
    ctl->nnodes++;

    return CTL_OK;
}


static int
ctl_conf_user(ctl_t *ctl, const char *path)
{
    char         line[CTL_CONF_LINE_MAX];
    FILE        *file;
    struct stat  info;

    file = fopen(path, "r");
    if (file == NULL) {
        return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
    }

    if (fstat(fileno(file), &info) == 0 && (info.st_mode & 077)) {
        fclose(file);
        return ctl_fail(CTL_USAGE, "%s can be read by others:"
                        " chmod 600 %s", path, path);
    }

    if (fgets(line, sizeof(line), file) == NULL) {
        line[0] = '\0';
    }

    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';

    if (strchr(line, ':') == NULL) {
        return ctl_fail(CTL_USAGE, "%s: its first line is not"
                        " \"name:password\"", path);
    }

    ctl->user = ctl_copy(line);
    explicit_bzero(line, sizeof(line));

    return CTL_OK;
}


/* see https://no-color.org/ */

static int
ctl_conf_color(ctl_t *ctl, const char *when)
{
    const char  *no;

    if (strcmp(when, "always") == 0) {
        ctl->colour = 1;

    } else if (strcmp(when, "auto") == 0) {
        no = getenv("NO_COLOR");
        ctl->colour = ctl->terminal && (no == NULL || *no == '\0');

    } else if (strcmp(when, "never") != 0) {
        return ctl_fail(CTL_USAGE, "invalid color \"%s\":"
                        " auto, always or never", when);
    }

    return CTL_OK;
}


void
ctl_conf_free(ctl_t *ctl)
{
    int  i;

    for (i = 0; i < ctl->nnodes; i++) {
        free(ctl->nodes[i].given);
        free(ctl->nodes[i].url);
        free(ctl->nodes[i].socket);
    }

    if (ctl->user) {
        explicit_bzero(ctl->user, strlen(ctl->user));
        free(ctl->user);
    }

    free((char *) ctl->cacert);
    free((char *) ctl->cert);
    free((char *) ctl->key);
}
