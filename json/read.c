/* A JSON tree into a message: every field must be known, have the right type and fit, or the problem names it. */
#include "json/json.h"

#include <string.h>

#include "json/syntax.h"
#include "json/value.h"

/* The path to the current value, on the stack; formatted only if something is wrong. */
struct path {
        const struct path *up;
        const char *name; /* NULL: an element */
        size_t index;
};

static sn_status read_object(struct rpc_call *c, const struct path *path, json_t *object, const char *const *skip,
                             const struct rpc_message *type, ProtobufCMessage *out);

static const char *path_text(struct arena *arena, const struct path *path)
{
        if (path == NULL) {
                return NULL;
        }
        const char *up = path_text(arena, path->up);
        if (path->name == NULL) {
                return arena_printf(arena, "%s[%zu]", up == NULL ? "" : up, path->index);
        }
        return arena_printf(arena, "%s%s%.64s", up == NULL ? "" : up, up == NULL ? "" : ".", path->name);
}

static sn_status fail_expected(struct rpc_call *c, const struct path *path, const char *expected)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", path_text(c->arena, path), "must be %s",
                             expected);
}

/* Fields that are not given must be left out. null is rejected because clients mean different things by it: "none",
 * "unchanged". */
static sn_status fail_null(struct rpc_call *c, const struct path *path)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", path_text(c->arena, path),
                             "Must not be null; leave out fields that you do not want to set.");
}

static sn_status read_value(struct rpc_call *c, const struct rpc_field *f, const struct path *path, json_t *value,
                            void *member)
{
        const char *expected = f->expected;
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                if (f->kind == KIND_MESSAGE) {
                        ProtobufCMessage *message = contract_new_message(f->message, c->arena);
                        *(ProtobufCMessage **)member = message;
                        return read_object(c, path, value, NULL, f->message, message);
                }
                break;
        case JSON_TRUE:
        case JSON_FALSE:
                if (f->kind == KIND_BOOL) {
                        *(protobuf_c_boolean *)member = json_is_true(value);
                        return SN_OK;
                }
                break;
        case JSON_INTEGER:
                expected = value_set_i64(f, member, json_integer_value(value));
                break;
        case JSON_REAL:
                expected = value_set_double(f, member, json_real_value(value));
                break;
        case JSON_STRING:
                expected = value_set_text(f, c->arena, member,
                                          (struct str){json_string_value(value), json_string_length(value)});
                break;
        case JSON_NULL: /* an element of a list */
                return fail_null(c, path);
        case JSON_ARRAY:
                break;
        }
        return expected == NULL ? SN_OK : fail_expected(c, path, expected);
}

static sn_status read_list(struct rpc_call *c, const struct rpc_field *f, const struct path *path, json_t *value,
                           char *message)
{
        if (!json_is_array(value)) {
                return fail_expected(c, path, "a list");
        }
        size_t n = json_array_size(value);
        char *elements = n == 0 ? NULL : arena_alloc_array(c->arena, n, f->value_bytes);
        for (size_t i = 0; i < n; i++) {
                struct path at = {path, NULL, i};
                TRY(read_value(c, f, &at, json_array_get(value, i), elements + i * f->value_bytes));
        }
        *(size_t *)(message + f->quantifier) = n;
        *(void **)(message + f->offset) = elements;
        return SN_OK;
}

static sn_status read_field(struct rpc_call *c, const struct rpc_field *f, const struct path *path, json_t *value,
                            char *message)
{
        if (json_is_null(value)) {
                return fail_null(c, path);
        }
        if (f->shape == SHAPE_LIST) {
                return read_list(c, f, path, value, message);
        }
        void *member;
        if (!value_claim(f, message, &member)) {
                return fail_expected(c, path, "left out, because another member of the same oneof is given");
        }
        return read_value(c, f, path, value, member);
}

static bool is_skipped(const char *name, const char *const *skip)
{
        for (; skip != NULL && *skip != NULL; skip++) {
                if (strcmp(*skip, name) == 0) {
                        return true;
                }
        }
        return false;
}

static sn_status read_object(struct rpc_call *c, const struct path *path, json_t *object, const char *const *skip,
                             const struct rpc_message *type, ProtobufCMessage *out)
{
        const char *name;
        json_t *value;
        json_object_foreach(object, name, value)
        {
                struct path at = {path, name, 0};
                const struct rpc_field *f = contract_field(type, str_of(name));
                if (f == NULL || is_skipped(name, skip)) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", path_text(c->arena, &at),
                                             "Unknown field.");
                }
                TRY(read_field(c, f, &at, value, (char *)out));
        }
        return SN_OK;
}

static void tree_free_p(json_t **tree)
{
        json_decref(*tree);
}

sn_status json_read_message(struct rpc_call *c, struct str text, const char *const *skip,
                            const struct rpc_message *type, ProtobufCMessage *out)
{
        CLEANUP(tree_free_p) json_t *root = NULL;
        TRY(json_parse(c, text, &root));
        if (!json_is_object(root)) {
                return fail_expected(c, NULL, "a JSON object");
        }
        TRY(read_object(c, NULL, root, skip, type, out));
        if (arena_exhausted(c->arena)) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "The body needs more memory than one request may use.");
        }
        return SN_OK;
}
