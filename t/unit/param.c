
/*
 * links: modules/core/ngx_duplex_param.c
 *
 * Parameters by a table: values, and the message for each kind of mistake.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "../../modules/core/ngx_duplex_param.h"
#include "unit.h"


typedef struct {
    ngx_msec_t  interval;
    ngx_uint_t  fails;
    ngx_str_t   uri;
    ngx_uint_t  mandatory;
    ngx_uint_t  mandatory_all;
} test_conf_t;


static const char *test_param_refuse(ngx_conf_t *cf,
    ngx_duplex_param_t *param, ngx_str_t *value, void *conf);


static ngx_duplex_param_t  params[] = {

    { ngx_string("interval"), 0, ngx_duplex_param_msec,
      offsetof(test_conf_t, interval) },

    { ngx_string("fails"), 0, ngx_duplex_param_number,
      offsetof(test_conf_t, fails) },

    { ngx_string("uri"), NGX_DUPLEX_PARAM_MANY, ngx_duplex_param_string,
      offsetof(test_conf_t, uri) },

    { ngx_string("mandatory"), NGX_DUPLEX_PARAM_FLAG, ngx_duplex_param_flag,
      offsetof(test_conf_t, mandatory) },

    { ngx_string("mandatory_all"), NGX_DUPLEX_PARAM_FLAG,
      ngx_duplex_param_flag, offsetof(test_conf_t, mandatory_all) },

    { ngx_string("own"), 0, test_param_refuse, 0 },

      ngx_duplex_null_param
};


static char         message[1024];
static test_conf_t  conf;


static void
is_text(const char *got, const char *expected, const char *what)
{
    ngx_str_t  text;

    text.data = (u_char *) got;
    text.len = ngx_strlen(got);

    is_str(&text, expected, "%s", what);
}


/* "2026/01/01 00:00:00 [emerg] 1#1: text\n" */

static void
keep_message(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    u_char  *p, *last;

    last = buf + len;

    p = ngx_strlchr(buf, last, '#');
    p = ngx_strlchr(p, last, ' ') + 1;

    ngx_cpystrn((u_char *) message, p, last - p);
}


static const char *
test_param_refuse(ngx_conf_t *cf, ngx_duplex_param_t *param, ngx_str_t *value,
    void *data)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "words of its own");
    return NGX_CONF_ERROR;
}


/* parses words separated by blanks; the message, or "(ok)" */

static const char *
parse(const char *text)
{
    u_char       *word, *p;
    ngx_str_t     words[16];
    ngx_log_t     log;
    ngx_conf_t    cf;
    ngx_array_t   args;

    static u_char  copy[1024];

    ngx_memzero(&conf, sizeof(test_conf_t));
    ngx_memzero(&cf, sizeof(ngx_conf_t));

    ngx_memzero(&log, sizeof(ngx_log_t));

    log.log_level = NGX_LOG_EMERG;
    log.writer = keep_message;

    args.elts = words;
    args.nelts = 0;
    cf.args = &args;
    cf.log = &log;

    ngx_cpystrn(copy, (u_char *) text, sizeof(copy));

    for (word = copy; word; word = p) {

        p = (u_char *) ngx_strchr(word, ' ');

        if (p) {
            *p++ = '\0';
        }

        words[args.nelts].data = word;
        words[args.nelts++].len = ngx_strlen(word);
    }

    message[0] = '\0';

    if (ngx_duplex_param_parse(&cf, params, 1, &conf) == NGX_OK) {
        return message[0] ? "(ok with a message)" : "(ok)";
    }

    return message;
}


int
main(void)
{
    ngx_use_stderr = 0;

    is_text(parse("check"), "(ok)", "no parameters");

    is_text(parse("check interval=1500ms fails=3 uri=/x mandatory"), "(ok)",
            "one of each");
    ok(conf.interval == 1500, "a time");
    ok(conf.fails == 3, "a number");
    ok(conf.uri.len == 2 && conf.uri.data[1] == 'x', "a string");
    ok(conf.mandatory == 1, "a flag");
    ok(conf.mandatory_all == 0, "a flag that was not given");

    is_text(parse("check mandatory_all"), "(ok)",
            "a name that begins as another");
    ok(conf.mandatory == 0 && conf.mandatory_all == 1, "is not that other");

    is_text(parse("check uri=/a uri=a=b"), "(ok)", "given twice");
    ok(conf.uri.len == 3, "the last one counts, with its \"=\"");

    is_text(parse("check colour=red"), "invalid parameter \"colour=red\"",
            "an unknown name");
    is_text(parse("check interval"), "invalid parameter \"interval\"",
            "no value");
    is_text(parse("check mandatory=on"), "invalid parameter \"mandatory=on\"",
            "a flag with a value");
    is_text(parse("check intervals=1s"), "invalid parameter \"intervals=1s\"",
            "a name with more to it");
    is_text(parse("check fails=1 fails=1"), "duplicate \"fails\" parameter",
            "twice");
    is_text(parse("check mandatory mandatory"),
            "duplicate \"mandatory\" parameter", "a flag twice");

    is_text(parse("check interval=0"),
            "invalid value \"0\" of \"interval\" parameter: "
            "must be a time above 0", "a time of 0");
    is_text(parse("check interval=1x"),
            "invalid value \"1x\" of \"interval\" parameter: "
            "must be a time above 0", "a time that is none");
    is_text(parse("check interval="),
            "invalid value \"\" of \"interval\" parameter: "
            "must be a time above 0", "an empty time");
    is_text(parse("check interval=99999999999999999999s"),
            "invalid value \"99999999999999999999s\" of \"interval\" "
            "parameter: must be a time above 0", "a time too large");
    is_text(parse("check fails=-1"),
            "invalid value \"-1\" of \"fails\" parameter: "
            "must be a number above 0", "a negative number");
    is_text(parse("check fails=99999999999999999999"),
            "invalid value \"99999999999999999999\" of \"fails\" parameter: "
            "must be a number above 0", "a number too large");
    is_text(parse("check fails="),
            "invalid value \"\" of \"fails\" parameter: "
            "must be a number above 0", "an empty number");
    is_text(parse("check uri="),
            "invalid value \"\" of \"uri\" parameter: must not be empty",
            "an empty string");
    is_text(parse("check own=x"), "words of its own",
            "a setter that has said it all");

    return done_testing();
}
