/* Owns parsing providers' responses. */
#include "push/adapter_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool write_text(const json_t *value, char *out, size_t size)
{
        int len = -1;

        if (json_is_string(value)) {
                len = snprintf(out, size, "%s", json_string_value(value));
        } else if (json_is_integer(value)) {
                len = snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        } else if (json_is_boolean(value)) {
                len = snprintf(out, size, "%s", json_is_true(value) ? "true" : "false");
        }
        return len >= 0 && (size_t)len < size;
}

static bool find_in_elements(const json_t *list, const char *rest, char *out, size_t size)
{
        for (size_t i = 0; i < json_array_size(list); i++) {
                if (adapter_field(json_array_get(list, i), rest, out, size)) {
                        return true;
                }
        }
        return false;
}

bool adapter_field(const json_t *answer, const char *path, char *out, size_t size)
{
        while (*path != '\0') {
                char step[64];
                size_t len = strcspn(path, ".");

                if (len >= sizeof(step)) {
                        return false;
                }
                memcpy(step, path, len);
                step[len] = '\0';
                path += len + (path[len] == '.');
                if (strcmp(step, "*") == 0) {
                        return find_in_elements(answer, path, out, size);
                }
                answer = json_object_get(answer, step);
        }
        return write_text(answer, out, size);
}
