/* Owns writing response fields as headers. */
#include "gateway/answer_headers.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "google/protobuf/timestamp.pb-c.h"

/* "$VARIABLE" is the value of that setting; the generator accepts no others. */
static const char *declared_value(struct arena *arena, const struct settings *settings, struct str value)
{
        int64_t number;

        if (value.len > 0 && value.ptr[0] == '$' &&
            settings_number(settings, (struct str){value.ptr + 1, value.len - 1}, &number)) {
                return arena_printf(arena, "%" PRId64, number);
        }
        return str_dup(arena, value);
}

void answer_headers_declared(struct arena *arena, const struct settings *settings, const char *const *headers,
                             struct http_response *response)
{
        for (; headers != NULL && *headers != NULL; headers++) {
                struct str value = str_of(*headers), name;

                if (str_next(&value, ':', &name)) {
                        http_response_header(response, str_dup(arena, name),
                                             declared_value(arena, settings, str_trim(value)));
                }
        }
}

static const char *enum_text(struct arena *arena, const struct rpc_field *field, int number)
{
        const struct rpc_enum_value *value = contract_enum_value(field->names, number);

        return value == NULL || value->unspecified ? NULL
                                                   : arena_strndup(arena, value->quoted.ptr + 1, value->quoted.len - 2);
}

static const char *time_text(struct arena *arena, const Google__Protobuf__Timestamp *time)
{
        return time != NULL ? http_date_of(arena_alloc(arena, HTTP_DATE_SIZE), time->seconds) : NULL;
}

/* NULL if the field is absent. */
static const char *text_of(struct arena *arena, const struct rpc_field *field, const void *value)
{
        switch (field->kind) {
        case KIND_I32:
                return arena_printf(arena, "%" PRId32, *(const int32_t *)value);
        case KIND_U32:
                return arena_printf(arena, "%" PRIu32, *(const uint32_t *)value);
        case KIND_I64:
                return arena_printf(arena, "%" PRId64, *(const int64_t *)value);
        case KIND_U64:
                return arena_printf(arena, "%" PRIu64, *(const uint64_t *)value);
        case KIND_FLOAT:
                return arena_printf(arena, "%g", (double)*(const float *)value);
        case KIND_DOUBLE:
                return arena_printf(arena, "%g", *(const double *)value);
        case KIND_BOOL:
                return *(const protobuf_c_boolean *)value ? "true" : "false";
        case KIND_ENUM:
                return enum_text(arena, field, *(const int *)value);
        case KIND_STRING: {
                const char *text = *(char *const *)value;
                return text != NULL && text[0] != '\0' ? text : NULL;
        }
        case KIND_TIME:
                return time_text(arena, *(Google__Protobuf__Timestamp *const *)value);
        case KIND_BYTES:
        case KIND_MESSAGE:
                break; /* rejected by the generator */
        }
        return NULL;
}

static bool is_given(const struct rpc_field *field, const ProtobufCMessage *message)
{
        return field->shape != SHAPE_ONEOF ||
               *(const uint32_t *)(const void *)((const char *)message + field->quantifier) == field->number;
}

void answer_headers_of_message(struct arena *arena, const struct rpc_message *type, const ProtobufCMessage *message,
                               struct http_response *response)
{
        for (unsigned i = 0; i < type->n_fields; i++) {
                const struct rpc_field *field = &type->fields[i];
                const char *text = field->rule.header != NULL && is_given(field, message)
                                       ? text_of(arena, field, (const char *)message + field->offset)
                                       : NULL;

                if (text != NULL) {
                        http_response_header(response, field->rule.header, text);
                }
        }
}

/* --- their names --- */

static void add_name(struct buf *names, struct str name)
{
        struct str rest = {names->data, names->len}, one;

        while (names->len > 0 && str_next(&rest, ',', &one)) {
                if (str_equal_nocase(str_trim(one), name)) {
                        return;
                }
        }
        buf_append_c(names, names->len > 0 ? ", " : "");
        buf_append(names, name.ptr, name.len);
}

static void add_declared(struct buf *names, const char *const *headers)
{
        for (; headers != NULL && *headers != NULL; headers++) {
                add_name(names, (struct str){*headers, strcspn(*headers, ":")});
        }
}

static void add_method(struct buf *names, const struct rpc_method *m)
{
        add_declared(names, m->headers);
        add_declared(names, m->options_headers);
        for (unsigned i = 0; i < m->out->n_fields; i++) {
                if (m->out->fields[i].rule.header != NULL) {
                        add_name(names, str_of(m->out->fields[i].rule.header));
                }
        }
}

void answer_headers_list(const struct rpc_service *const *services, size_t n, struct buf *names)
{
        for (size_t s = 0; s < n; s++) {
                for (size_t i = 0; i < services[s]->n_methods; i++) {
                        if (services[s]->methods[i].http_verb != NULL) {
                                add_method(names, &services[s]->methods[i]);
                        }
                }
        }
}
