
/*
 * Calls: one HTTP transfer each, by libcurl.
 *
 * A call ends within the timeout, whatever the other side does: it answers
 * slowly, sends too much, something else than HTTP, or nothing at all.  The
 * only thing that lasts is ctl_stream(), which is told to.
 */


#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"


#define CTL_BODY_MAX  (64 * 1024 * 1024)
#define CTL_LINE_MAX  (256 * 1024)


typedef struct {
    CURL           *curl;
    struct curl_slist  *headers;
    char           *url;
    char           *body;          /* ours */
    char           *data;          /* theirs */
    size_t          len;
    size_t          size;
    int             too_much;
    char            text[CURL_ERROR_SIZE];

    ctl_t          *ctl;
    ctl_answer_t   *answer;

    /* a stream's */
    int           (*line)(const char *text, void *line_data);
    void           *line_data;
} ctl_transfer_t;


static ctl_transfer_t *ctl_transfer_new(ctl_t *ctl, ctl_node_t *node,
    const char *method, const char *path, json_t *body, ctl_answer_t *answer);
static void ctl_transfer_security(ctl_transfer_t *transfer);
static void ctl_transfer_done(ctl_transfer_t *transfer, CURLcode result);
static void ctl_transfer_explain(ctl_transfer_t *transfer, CURLcode result);
static void ctl_transfer_parse(ctl_transfer_t *transfer);
static void ctl_transfer_refused(ctl_transfer_t *transfer);
static void ctl_transfer_free(ctl_transfer_t *transfer);
static size_t ctl_transfer_write(char *data, size_t size, size_t n,
    void *user);
static size_t ctl_transfer_write_lines(char *data, size_t size, size_t n,
    void *user);


int
ctl_client_init(void)
{
    return curl_global_init(CURL_GLOBAL_ALL) == 0 ? CTL_OK : CTL_REFUSED;
}


void
ctl_call(ctl_t *ctl, ctl_node_t *node, const char *method, const char *path,
    json_t *body, ctl_answer_t *answer)
{
    ctl_transfer_t  *transfer;

    transfer = ctl_transfer_new(ctl, node, method, path, body, answer);

    ctl_transfer_done(transfer, curl_easy_perform(transfer->curl));
}


void
ctl_call_all(ctl_t *ctl, const char *path, ctl_answer_t *answers)
{
    ctl_call_many(ctl, &path, 1, (ctl_answer_t (*)[CTL_NODES_MAX]) answers);
}


void
ctl_call_many(ctl_t *ctl, const char **paths, int npaths,
    ctl_answer_t answers[][CTL_NODES_MAX])
{
    int              i, n, running, left;
    CURLM           *multi;
    CURLMsg         *message;
    CURLcode        *results;
    ctl_transfer_t **transfers;

    n = npaths * ctl->nnodes;
    multi = curl_multi_init();
    transfers = ctl_alloc(n * sizeof(ctl_transfer_t *));
    results = ctl_alloc(n * sizeof(CURLcode));

    for (i = 0; i < n; i++) {
        transfers[i] = ctl_transfer_new(ctl, &ctl->nodes[i % ctl->nnodes],
                              "GET", paths[i / ctl->nnodes], NULL,
                              &answers[i / ctl->nnodes][i % ctl->nnodes]);
        results[i] = CURLE_FAILED_INIT;
        curl_multi_add_handle(multi, transfers[i]->curl);
    }

    do {
        if (curl_multi_perform(multi, &running) != CURLM_OK) {
            break;
        }

        if (running) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }

    } while (running);

    while ((message = curl_multi_info_read(multi, &left))) {
        for (i = 0; i < n; i++) {
            if (transfers[i]->curl == message->easy_handle) {
                results[i] = message->data.result;
            }
        }
    }

    for (i = 0; i < n; i++) {
        curl_multi_remove_handle(multi, transfers[i]->curl);
        ctl_transfer_done(transfers[i], results[i]);
    }

    curl_multi_cleanup(multi);
    free(transfers);
    free(results);
}


void
ctl_stream(ctl_t *ctl, ctl_node_t *node, const char *path,
    int (*line)(const char *text, void *data), void *data,
    ctl_answer_t *answer)
{
    ctl_transfer_t  *transfer;

    transfer = ctl_transfer_new(ctl, node, "GET", path, NULL, answer);

    transfer->line = line;
    transfer->line_data = data;

    curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION,
                     ctl_transfer_write_lines);
    curl_easy_setopt(transfer->curl, CURLOPT_TIMEOUT_MS, 0L);

    ctl_transfer_done(transfer, curl_easy_perform(transfer->curl));
}


static ctl_transfer_t *
ctl_transfer_new(ctl_t *ctl, ctl_node_t *node, const char *method,
    const char *path, json_t *body, ctl_answer_t *answer)
{
    CURL            *curl;
    ctl_transfer_t  *transfer;

    memset(answer, 0, sizeof(ctl_answer_t));
    answer->node = node;

    transfer = ctl_alloc(sizeof(ctl_transfer_t));
    transfer->ctl = ctl;
    transfer->answer = answer;
    transfer->url = ctl_format("%s/%s", node->url, path);

    curl = curl_easy_init();

    if (curl == NULL) {
        exit(ctl_fail(CTL_REFUSED, "out of memory"));
    }

    transfer->curl = curl;

    curl_easy_setopt(curl, CURLOPT_URL, transfer->url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->text);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "duplexctl/" CTL_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ctl->timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     ctl->timeout < 1000 ? ctl->timeout : 1000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ctl_transfer_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     (long) CURL_HTTP_VERSION_1_1);

    if (node->socket) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, node->socket);
    }

    ctl_transfer_security(transfer);

    if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    }

    if (body) {
        transfer->body = json_dumps(body, JSON_COMPACT);
        transfer->headers = curl_slist_append(NULL,
                                           "Content-Type: application/json");
        transfer->headers = curl_slist_append(transfer->headers, "Expect:");

        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, transfer->body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    }

    return transfer;
}


static void
ctl_transfer_security(ctl_transfer_t *transfer)
{
    CURL   *curl = transfer->curl;
    ctl_t  *ctl = transfer->ctl;

    if (ctl->cacert) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ctl->cacert);
    }

    if (ctl->cert) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, ctl->cert);
    }

    if (ctl->key) {
        curl_easy_setopt(curl, CURLOPT_SSLKEY, ctl->key);
    }

    if (ctl->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERPWD, ctl->user);
    }
}


static void
ctl_transfer_done(ctl_transfer_t *transfer, CURLcode result)
{
    char          *p;
    long           sent;
    ctl_answer_t  *answer;

    answer = transfer->answer;

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE,
                      &answer->status);
    curl_easy_getinfo(transfer->curl, CURLINFO_REQUEST_SIZE, &sent);

    answer->sent = sent > 0;

    if (result == CURLE_WRITE_ERROR && transfer->line && !transfer->too_much) {
        /* the reader has had enough */
        answer->code = CTL_OK;

    } else if (result != CURLE_OK) {
        ctl_transfer_explain(transfer, result);

    } else if (transfer->line == NULL || answer->status != 200) {
        ctl_transfer_parse(transfer);
    }

    /* part of it may be theirs: no terminal is to act upon it */

    for (p = answer->error; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = ' ';
        }
    }

    ctl_transfer_free(transfer);
}


/* what it was, and what to do about it */

static void
ctl_transfer_explain(ctl_transfer_t *transfer, CURLcode result)
{
    char           time[32];
    ctl_answer_t  *answer;

    answer = transfer->answer;
    answer->code = CTL_UNREACHABLE;

    switch (result) {

    case CURLE_COULDNT_CONNECT:
        snprintf(answer->error, sizeof(answer->error),
                 "no connection: is nginx running there, and the address"
                 " right?");
        break;

    case CURLE_COULDNT_RESOLVE_HOST:
        snprintf(answer->error, sizeof(answer->error),
                 "unknown host name: check --node");
        break;

    case CURLE_OPERATION_TIMEDOUT:
        snprintf(answer->error, sizeof(answer->error),
                 "no answer within %s: is it overloaded, or a firewall in"
                 " the way? (--timeout)",
                 ctl_show_time(time, sizeof(time), transfer->ctl->timeout));
        break;

    case CURLE_WRITE_ERROR:
        snprintf(answer->error, sizeof(answer->error),
                 "the answer is too long to be the API's: check --node");
        break;

    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        snprintf(answer->error, sizeof(answer->error),
                 "TLS: %s: check --cacert, --cert and https://",
                 transfer->text[0] ? transfer->text
                                   : curl_easy_strerror(result));
        break;

    default:
        snprintf(answer->error, sizeof(answer->error),
                 "not an answer of the API: %s: check --node",
                 transfer->text[0] ? transfer->text
                                   : curl_easy_strerror(result));
    }
}


static void
ctl_transfer_parse(ctl_transfer_t *transfer)
{
    ctl_answer_t  *answer;
    json_error_t   error;

    answer = transfer->answer;

    if (transfer->len) {
        answer->json = json_loadb(transfer->data, transfer->len,
                                  JSON_DECODE_ANY, &error);
    }

    if (answer->status >= 300 || answer->status < 200) {
        ctl_transfer_refused(transfer);
        return;
    }

    /* a new key of a zone is Created, and nothing more */

    if (transfer->len == 0
        && (answer->status == 204 || answer->status == 201))
    {
        return;
    }

    if (answer->json == NULL) {
        answer->code = CTL_UNREACHABLE;
        snprintf(answer->error, sizeof(answer->error),
                 "answered with something else than JSON: does the URL name"
                 " the location of \"api\"?");
    }
}


static void
ctl_transfer_refused(ctl_transfer_t *transfer)
{
    json_t        *text, *code;
    ctl_answer_t  *answer;

    answer = transfer->answer;

    text = ctl_member(answer->json, "error.text");
    code = ctl_member(answer->json, "error.code");

    /* a word of the API's own, or of what answers in its place */

    if (json_is_string(text)) {
        answer->code = CTL_REFUSED;
        snprintf(answer->error, sizeof(answer->error), "%s%s%s%s",
                 json_string_value(text), json_is_string(code) ? " (" : "",
                 json_is_string(code) ? json_string_value(code) : "",
                 json_is_string(code) ? ")" : "");
        return;
    }

    answer->code = CTL_UNREACHABLE;

    switch (answer->status) {

    case 401:
        snprintf(answer->error, sizeof(answer->error),
                 "wants a name and password: see --user-file");
        break;

    case 403:
        snprintf(answer->error, sizeof(answer->error),
                 "forbidden (403): do \"allow\" and \"deny\" of that location"
                 " let this host in?");
        break;

    case 404:
    case 405:
        snprintf(answer->error, sizeof(answer->error),
                 "not the API (%ld): does the URL name the location of"
                 " \"api\"?", answer->status);
        break;

    default:
        snprintf(answer->error, sizeof(answer->error),
                 "answered %ld: check --node", answer->status);
    }
}


static void
ctl_transfer_free(ctl_transfer_t *transfer)
{
    curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->headers);

    free(transfer->url);
    free(transfer->body);
    free(transfer->data);
    free(transfer);
}


void
ctl_answer_free(ctl_answer_t *answer)
{
    json_decref(answer->json);
    answer->json = NULL;
}


static size_t
ctl_transfer_write(char *data, size_t size, size_t n, void *user)
{
    char            *p;
    size_t           len;
    ctl_transfer_t  *transfer = user;

    len = size * n;

    if (transfer->len + len > CTL_BODY_MAX) {
        transfer->too_much = 1;
        return 0;
    }

    if (transfer->len + len > transfer->size) {
        transfer->size = 2 * (transfer->len + len);

        p = realloc(transfer->data, transfer->size);
        if (p == NULL) {
            return 0;
        }

        transfer->data = p;
    }

    memcpy(transfer->data + transfer->len, data, len);
    transfer->len += len;

    return len;
}


static size_t
ctl_transfer_write_lines(char *data, size_t size, size_t n, void *user)
{
    char            *p, *end;
    long             status;
    size_t           len;
    ctl_transfer_t  *transfer = user;

    len = ctl_transfer_write(data, size, n, user);

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);

    if (len == 0 || status != 200) {
        return len;
    }

    p = transfer->data;

    while ((end = memchr(p, '\n', transfer->data + transfer->len - p))) {
        *end = '\0';

        if (end > p && end[-1] == '\r') {
            end[-1] = '\0';
        }

        if (transfer->line(p, transfer->line_data)) {
            return 0;
        }

        p = end + 1;
    }

    transfer->len -= p - transfer->data;
    memmove(transfer->data, p, transfer->len);

    if (transfer->len > CTL_LINE_MAX) {
        transfer->too_much = 1;
        return 0;
    }

    return len;
}
