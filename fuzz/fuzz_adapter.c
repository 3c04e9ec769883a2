/* Provider adapters: no value from a member can escape its place in the template, and a provider's response is never
 * read out of bounds. The input: a value, a template, a path and a response, separated by NUL. */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "fuzz/must.h"
#include "push/adapter_parts.h"

enum { ARENA_BYTES = 1024 * 1024, WRITTEN_MAX = 1024 * 1024 };

static const char *value_of(const void *context, struct str name)
{
        return str_equal_c(name, "v") ? context : NULL;
}

static bool write_value(struct buf *out, const char *template, enum adapter_place place, const char *value)
{
        buf_init(out, WRITTEN_MAX);
        return adapter_write(out, template, place, value_of, value);
}

static void check_json(const char *value)
{
        CLEANUP(buf_free) struct buf out;

        if (write_value(&out, "{\"a\": \"{v}\"}", PLACE_JSON, value) && utf8_valid(value, strlen(value))) {
                json_t *read = json_loads(out.data, 0, NULL);

                MUST(read != NULL && json_object_size(read) == 1);
                MUST(strcmp(json_string_value(json_object_get(read, "a")), value) == 0);
                json_decref(read);
        }
}

static void check_url(const char *value)
{
        CLEANUP(buf_free) struct buf out;

        if (write_value(&out, "/{v}/", PLACE_URL, value)) {
                MUST(strspn(out.data + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") ==
                     out.len - 2);
        }
}

static void check_header(const char *value)
{
        CLEANUP(buf_free) struct buf out;

        if (write_value(&out, "X: {v}", PLACE_HEADER, value)) {
                for (size_t i = 0; i < out.len; i++) {
                        MUST((uint8_t)out.data[i] >= ' ' && out.data[i] != 0x7f);
                }
        }
}

static void check_answer(const char *path, const char *text)
{
        json_t *answer = json_loads(text, 0, NULL);
        char out[32];

        if (adapter_field(answer, path, out, sizeof(out))) {
                MUST(answer != NULL && memchr(out, '\0', sizeof(out)) != NULL);
        }
        json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new(ARENA_BYTES);
        char *text = arena_alloc(arena, size + 1);
        const char *parts[4];

        memcpy(text, data, size);
        text[size] = '\0';
        for (size_t i = 0, at = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                parts[i] = text + at;
                at += strlen(parts[i]);
                at += at < size;
        }
        check_json(parts[0]);
        check_url(parts[0]);
        check_header(parts[0]);
        for (int place = PLACE_URL; place <= PLACE_PLAIN; place++) {
                CLEANUP(buf_free) struct buf out;

                (void)!write_value(&out, parts[1], (enum adapter_place)place, parts[0]);
        }
        check_answer(parts[2], parts[3]);
        arena_free(arena);
        return 0;
}
