
/*
 * Members of what a node sent, by a path of names: "health_checks.fails".
 */


#include <string.h>
#include "ctl.h"


json_t *
ctl_member(json_t *object, const char *path)
{
    char         name[64];
    size_t       len;
    const char  *end;

    for ( ;; ) {
        end = strchr(path, '.');
        len = end ? (size_t) (end - path) : strlen(path);

        if (len >= sizeof(name)) {
            return NULL;
        }

        memcpy(name, path, len);
        name[len] = '\0';

        object = json_object_get(object, name);

        if (object == NULL || end == NULL) {
            return object;
        }

        path = end + 1;
    }
}


/*
 * A terminal acts upon control characters: such a text is not shown.
 */

const char *
ctl_text(json_t *object, const char *path)
{
    const char  *text, *p;

    text = json_string_value(ctl_member(object, path));

    if (text == NULL || *text == '\0') {
        return "-";
    }

    for (p = text; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            return "?";
        }
    }

    return text;
}


json_int_t
ctl_integer(json_t *object, const char *path)
{
    return (json_int_t) json_number_value(ctl_member(object, path));
}


double
ctl_number(json_t *object, const char *path)
{
    return json_number_value(ctl_member(object, path));
}


int
ctl_true(json_t *object, const char *path)
{
    return json_is_true(ctl_member(object, path));
}
