
/*
 * The shared secret of a cluster; see the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include "../core/ngx_duplex_bytes.h"
#include "ngx_duplex_secret.h"


#define NGX_DUPLEX_SECRET_FILE_MAX  65536

/* who may not touch the file: its group may read it, others nothing */
#define NGX_DUPLEX_SECRET_MODE      (S_IWGRP|S_IXGRP|S_IRWXO)


static ngx_int_t ngx_duplex_secret_read_file(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, size_t *size);
static ngx_int_t ngx_duplex_secret_add(ngx_conf_t *cf, ngx_str_t *file,
    ngx_duplex_secret_t *secret, u_char *line, size_t len);
static void ngx_duplex_secret_hmac(u_char *key, size_t key_len,
    const char *label, void *data, size_t len, u_char *out);


static const char *const  ngx_duplex_secret_proofs[] = {
    "nginx-duplex proof of acceptor",
    "nginx-duplex proof of dialler"
};


static const char *const  ngx_duplex_secret_frames[] = {
    "nginx-duplex frames of acceptor",
    "nginx-duplex frames of dialler"
};


ngx_int_t
ngx_duplex_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_duplex_secret_t *secret)
{
    size_t     size;
    u_char    *buf, *p, *end, *line;
    ngx_int_t  rc;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    buf = ngx_alloc(NGX_DUPLEX_SECRET_FILE_MAX, cf->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_duplex_secret_read_file(cf, file, buf, &size);

    line = buf;
    end = buf + size;

    for (p = buf; rc == NGX_OK && line < end; p++) {

        if (p < end && *p != LF) {
            continue;
        }

        rc = ngx_duplex_secret_add(cf, file, secret, line, p - line);

        line = p + 1;
    }

    ngx_explicit_memzero(buf, NGX_DUPLEX_SECRET_FILE_MAX);
    ngx_free(buf);

    if (rc == NGX_OK && secret->nkeys == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no secret in file \"%V\"", file);
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_duplex_secret_read_file(ngx_conf_t *cf, ngx_str_t *file, u_char *buf,
    size_t *size)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    *size = 0;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", file);
        n = -1;

    } else if (fi.st_mode & NGX_DUPLEX_SECRET_MODE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is accessible to others: "
                           "its mode is 0%ui%ui%ui, must be 0600 or 0640",
                           file, (ngx_uint_t) (fi.st_mode >> 6 & 7),
                           (ngx_uint_t) (fi.st_mode >> 3 & 7),
                           (ngx_uint_t) (fi.st_mode & 7));
        n = -1;

    } else {
        n = ngx_read_fd(fd, buf, NGX_DUPLEX_SECRET_FILE_MAX);

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               ngx_read_fd_n " \"%V\" failed", file);
        }
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    if (n == -1) {
        return NGX_ERROR;
    }

    *size = n;

    return NGX_OK;
}


static ngx_int_t
ngx_duplex_secret_add(ngx_conf_t *cf, ngx_str_t *file,
    ngx_duplex_secret_t *secret, u_char *line, size_t len)
{
    u_char                    digest[NGX_DUPLEX_KEY_SIZE];
    ngx_duplex_secret_key_t  *key;

    while (len && (line[len - 1] == CR || line[len - 1] == ' ')) {
        len--;
    }

    if (len == 0 || line[0] == '#') {
        return NGX_OK;
    }

    if (len < NGX_DUPLEX_SECRET_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a secret in file \"%V\" is shorter than %d bytes",
                           file, NGX_DUPLEX_SECRET_MIN);
        return NGX_ERROR;
    }

    if (secret->nkeys == NGX_DUPLEX_SECRET_LINES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d secrets in file \"%V\"",
                           NGX_DUPLEX_SECRET_LINES, file);
        return NGX_ERROR;
    }

    key = &secret->keys[secret->nkeys++];

    ngx_duplex_secret_hmac(line, len, "nginx-duplex key", NULL, 0, key->key);
    ngx_duplex_secret_hmac(line, len, "nginx-duplex name", NULL, 0, digest);
    ngx_memcpy(key->id, digest, NGX_DUPLEX_KEY_ID);

    return NGX_OK;
}


u_char *
ngx_duplex_secret_put_ids(u_char *p, ngx_duplex_secret_t *secret)
{
    ngx_uint_t  i;

    for (i = 0; i < secret->nkeys; i++) {
        p = ngx_cpymem(p, secret->keys[i].id, NGX_DUPLEX_KEY_ID);
    }

    return p;
}


ngx_duplex_secret_key_t *
ngx_duplex_secret_choose(ngx_duplex_secret_t *secret, ngx_str_t *ids)
{
    size_t      k;
    ngx_uint_t  i;

    for (i = 0; i < secret->nkeys; i++) {

        for (k = 0; k + NGX_DUPLEX_KEY_ID <= ids->len; k += NGX_DUPLEX_KEY_ID)
        {
            if (ngx_memcmp(ids->data + k, secret->keys[i].id,
                           NGX_DUPLEX_KEY_ID)
                == 0)
            {
                return &secret->keys[i];
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_duplex_secret_nonce(u_char *nonce)
{
    return RAND_bytes(nonce, NGX_DUPLEX_NONCE_SIZE) == 1 ? NGX_OK : NGX_ERROR;
}


void
ngx_duplex_transcript_hello(ngx_duplex_transcript_t *t, u_char *payload,
    u_char *last)
{
    ngx_memzero(t, sizeof(ngx_duplex_transcript_t));

    (void) EVP_Digest(payload, last - payload, t->hello, NULL, EVP_sha256(),
                      NULL);
}


ngx_int_t
ngx_duplex_transcript_welcome(ngx_duplex_transcript_t *t, u_char *payload,
    u_char *last, u_char *proof, ngx_connection_t *c)
{
    static const char  label[] = "EXPORTER-nginx-duplex";

    u_char  saved[NGX_DUPLEX_PROOF_SIZE];

    ngx_memcpy(saved, proof, NGX_DUPLEX_PROOF_SIZE);
    ngx_memzero(proof, NGX_DUPLEX_PROOF_SIZE);

    (void) EVP_Digest(payload, last - payload, t->welcome, NULL, EVP_sha256(),
                      NULL);

    ngx_memcpy(proof, saved, NGX_DUPLEX_PROOF_SIZE);

    if (c->ssl
        && SSL_export_keying_material(c->ssl->connection, t->binding,
                                      sizeof(t->binding), label,
                                      sizeof(label) - 1, NULL, 0, 0)
           != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_duplex_secret_prove(ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t, u_char *p)
{
    ngx_duplex_secret_hmac(key->key, NGX_DUPLEX_KEY_SIZE,
                           ngx_duplex_secret_proofs[role], t,
                           sizeof(ngx_duplex_transcript_t), p);
}


ngx_int_t
ngx_duplex_secret_check(ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t, u_char *p)
{
    u_char  proof[NGX_DUPLEX_PROOF_SIZE];

    ngx_duplex_secret_prove(key, role, t, proof);

    return CRYPTO_memcmp(proof, p, NGX_DUPLEX_PROOF_SIZE) == 0
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_duplex_mac_init(ngx_duplex_mac_t *mac, ngx_duplex_secret_key_t *key,
    ngx_duplex_secret_role_e role, ngx_duplex_transcript_t *t)
{
    mac->number = 0;

    ngx_duplex_secret_hmac(key->key, NGX_DUPLEX_KEY_SIZE,
                           ngx_duplex_secret_frames[role], t,
                           sizeof(ngx_duplex_transcript_t), mac->key);
}


/* its place holds the number of the frame while the code is computed */

u_char *
ngx_duplex_mac_add(ngx_duplex_mac_t *mac, u_char *start, u_char *last)
{
    u_char  *p, code[NGX_DUPLEX_KEY_SIZE];

    p = ngx_duplex_bytes_put(last, 0, 8);
    p = ngx_duplex_bytes_put(p, mac->number++, 8);

    (void) HMAC(EVP_sha256(), mac->key, NGX_DUPLEX_KEY_SIZE, start, p - start,
                code, NULL);

    return ngx_cpymem(last, code, NGX_DUPLEX_MAC_SIZE);
}


ngx_int_t
ngx_duplex_mac_check(ngx_duplex_mac_t *mac, u_char *start, u_char *last)
{
    u_char  code[NGX_DUPLEX_MAC_SIZE];

    ngx_memcpy(code, last, NGX_DUPLEX_MAC_SIZE);

    (void) ngx_duplex_mac_add(mac, start, last);

    return CRYPTO_memcmp(code, last, NGX_DUPLEX_MAC_SIZE) == 0
           ? NGX_OK : NGX_DECLINED;
}


static void
ngx_duplex_secret_hmac(u_char *key, size_t key_len, const char *label,
    void *data, size_t len, u_char *out)
{
    size_t  n;
    u_char  text[64 + sizeof(ngx_duplex_transcript_t)], *p;

    n = ngx_strlen(label) + 1;

    p = ngx_cpymem(text, label, n);
    p = ngx_duplex_bytes_put_run(p, data, len);

    (void) HMAC(EVP_sha256(), key, (int) key_len, text, p - text, out, NULL);
}
