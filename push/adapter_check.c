/* Owns validating the description of a provider, except for its address, so that a mistake is reported when the
 * description is read and not when a message is sent. */
#include "push/adapter_parts.h"

#include <stdio.h>
#include <string.h>

enum { WRITTEN_MAX_BYTES = 262144, NAME_SIZE = 64 };

struct checking {
        json_t *described, *values;
        bool has_token; /* for {bearer} */
        const char *path;
        struct buf *error;
        char unknown[NAME_SIZE]; /* the first undefined variable */
};

static bool is_message(struct str name)
{
        static const char *const known[] = {"to", "title", "text", "id", "type", "key", "ttl_s", "expires_s"};

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (str_equal_c(name, known[i])) {
                        return true;
                }
        }
        return false;
}

/* A sample value for each variable that is defined. */
static const char *sample_value(const void *context, struct str name)
{
        struct checking *c = (struct checking *)context;
        char key[NAME_SIZE];

        (void)snprintf(key, sizeof(key), "%.*s", (int)name.len, name.ptr);
        if (is_message(name) || (c->has_token && strcmp(key, "bearer") == 0)) {
                return "1";
        }
        const char *value = json_string_value(json_object_get(c->values, key));

        if (value == NULL && c->unknown[0] == '\0') {
                (void)snprintf(c->unknown, sizeof(c->unknown), "%s", key);
        }
        return value;
}

static bool check_template(struct checking *c, const char *what, const char *source, enum adapter_place place)
{
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, WRITTEN_MAX_BYTES);
        bool written = adapter_write(&out, source, place, sample_value, c);
        if (c->unknown[0] != '\0') {
                buf_printf(c->error,
                           "%s: \"%s\" uses {%s}, which is neither a variable of messages nor defined in \"values\"",
                           c->path, what, c->unknown);
                return false;
        }
        if (!written) {
                buf_printf(c->error, "%s: \"%s\" contains a value that is not allowed there", c->path, what);
                return false;
        }
        json_t *body = place == PLACE_JSON ? json_loadb(out.data, out.len, 0, NULL) : json_null();

        if (body == NULL) {
                buf_printf(c->error, "%s: \"%s\" is not valid JSON once its variables are replaced", c->path, what);
        }
        json_decref(body);
        return body != NULL;
}

static bool check_headers(struct checking *c)
{
        json_t *headers = json_object_get(c->described, "headers"), *value;
        const char *name;

        if (headers != NULL && !json_is_object(headers)) {
                buf_printf(c->error, "%s: \"headers\" must be an object whose values are strings", c->path);
                return false;
        }
        json_object_foreach(headers, name, value)
        {
                if (!json_is_string(value) || name[strcspn(name, " :\r\n")] != '\0') {
                        buf_printf(c->error, "%s: each header needs a valid name and a string as its value", c->path);
                        return false;
                }
                if (!check_template(c, name, json_string_value(value), PLACE_HEADER)) {
                        return false;
                }
        }
        return true;
}

static bool is_answer(json_t *rule)
{
        static const char *const words[] = {"sent", "gone", "refused", "later", "renew"};
        const char *means = json_string_value(json_object_get(rule, "means"));
        json_t *status = json_object_get(rule, "status"), *field = json_object_get(rule, "field");

        if ((status == NULL && field == NULL) || (status != NULL && !json_is_integer(status)) ||
            (field != NULL && (!json_is_string(field) || !json_is_string(json_object_get(rule, "is"))))) {
                return false;
        }
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (means != NULL && strcmp(words[i], means) == 0) {
                        return true;
                }
        }
        return false;
}

static bool check_answers(struct checking *c)
{
        json_t *answers = json_object_get(c->described, "answers");
        bool good = answers == NULL || json_is_array(answers);

        for (size_t i = 0; good && i < json_array_size(answers); i++) {
                good = is_answer(json_array_get(answers, i));
        }
        if (!good) {
                buf_printf(c->error,
                           "%s: each of \"answers\" needs \"status\" (a number), or \"field\" and \"is\" (strings), and"
                           " \"means\": sent, gone, refused, later or renew",
                           c->path);
        }
        return good;
}

bool adapter_check(json_t *described, bool has_token, enum adapter_place place, const char *path, struct buf *error)
{
        struct checking c = {.described = described,
                             .values = json_object_get(described, "values"),
                             .has_token = has_token,
                             .path = path,
                             .error = error};
        const char *basic = json_string_value(json_object_get(described, "basic"));

        if (!json_is_object(c.values)) {
                buf_printf(error, "%s: \"values\" must be an object whose values are strings", path);
                return false;
        }
        return check_template(&c, "url", json_string_value(json_object_get(described, "url")), PLACE_URL) &&
               check_template(&c, "body", json_string_value(json_object_get(described, "body")), place) &&
               (basic == NULL || check_template(&c, "basic", basic, PLACE_HEADER)) && check_headers(&c) &&
               check_answers(&c);
}
