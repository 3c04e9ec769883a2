/* Owns checking a body: its length, and for some the whole JSON. */
#include "bench/load.h"

#include <string.h>

/* The end of the JSON string that starts after its quote, or NULL. */
static const char *skip_string(const char *at, const char *end)
{
        for (; at < end; at++) {
                if (*at == '\\') {
                        at++;
                } else if (*at == '"') {
                        return at + 1;
                } else if ((unsigned char)*at < ' ') {
                        return NULL;
                }
        }
        return NULL;
}

/* Whether the JSON is balanced to the last byte. *items: the objects in the list "items" of the outermost object. */
static bool read_json(const char *body, size_t len, size_t *items)
{
        static const char list[] = "\"items\":[";
        const char *at = body, *end = body + len;
        char open[64];
        size_t depth = 0;
        bool in_list = false;

        *items = 0;
        while (at < end) {
                if (*at == '"') {
                        if (depth == 1 && (size_t)(end - at) > sizeof(list) &&
                            memcmp(at, list, sizeof(list) - 1) == 0) {
                                in_list = true;
                        }
                        at = skip_string(at + 1, end);
                        if (at == NULL) {
                                return false;
                        }
                        continue;
                }
                if (*at == '{' || *at == '[') {
                        *items += in_list && depth == 2 && *at == '{';
                        if (depth == sizeof(open)) {
                                return false;
                        }
                        open[depth++] = *at;
                } else if (*at == '}' || *at == ']') {
                        if (depth == 0 || open[--depth] != (*at == '}' ? '{' : '[')) {
                                return false;
                        }
                        in_list = in_list && depth > 1;
                        if (depth == 0 && at + 1 != end) {
                                return false;
                        }
                }
                at++;
        }
        return depth == 0 && len > 0;
}

static void save_body(uint32_t request, const char *body, size_t len)
{
        if (load.save == NULL || (!load.once && load.saved >= SAVED_MAX)) {
                return;
        }
        load.saved++;
        fprintf(load.save, "%u %zu\n", request, len);
        fwrite(body, 1, len, load.save);
        fputc('\n', load.save);
}

const char *load_check_body(const struct request *r, uint32_t number, const char *body, size_t len)
{
        size_t items = 0;

        if (len < r->min_bytes) {
                return "the body is too short";
        }
        if (r->status == 204) {
                return len == 0 ? NULL : "there is a body";
        }
        if (r->status == 0) {
                return NULL;
        }
        if (len < 2 || body[0] != '{' || body[len - 1] != '}') {
                return "the body is no JSON object";
        }
        if (!load.once && load.sampled++ % SAMPLE_ONE_IN != 0) {
                return NULL;
        }
        if (!read_json(body, len, &items)) {
                return "the JSON is broken";
        }
        save_body(number, body, len);
        return r->max_items > 0 && (items < r->min_items || items > r->max_items) ? "another number of items" : NULL;
}
