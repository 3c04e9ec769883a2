/* Owns mapping the contract's tables to settings with a key and a text value. */
#include "services/user/setting.h"

#include <string.h>
#include "json/json.h"

static void add_group(struct arena *arena, const struct rpc_field *group, struct setting *list, size_t *n)
{
        for (uint32_t i = 0; i < group->message->n_fields; i++) {
                const struct rpc_field *field = &group->message->fields[i];

                list[(*n)++] = (struct setting){arena_printf(arena, "%s.%s", group->name, field->name), group, field};
        }
}

static size_t count(const struct rpc_message *all)
{
        size_t n = 0;

        for (uint32_t i = 0; i < all->n_fields; i++) {
                n += all->fields[i].kind == KIND_MESSAGE ? all->fields[i].message->n_fields : 1;
        }
        return n;
}

struct setting *setting_list(struct arena *arena, size_t *n)
{
        const struct rpc_message *all = &user__settings__message;
        struct setting *list = ARENA_ARRAY(arena, struct setting, count(all));

        *n = 0;
        for (uint32_t i = 0; i < all->n_fields; i++) {
                const struct rpc_field *field = &all->fields[i];

                if (field->kind == KIND_MESSAGE) {
                        add_group(arena, field, list, n);
                } else {
                        list[(*n)++] = (struct setting){field->name, NULL, field};
                }
        }
        return list;
}

static ProtobufCMessage **group_of(const struct setting *s, const User__Settings *settings)
{
        return (ProtobufCMessage **)((char *)settings + s->group->offset);
}

static bool is_given(const struct rpc_field *field, const char *holder)
{
        return field->shape == SHAPE_ONEOF ? *(const uint32_t *)(holder + field->quantifier) == field->number
                                           : *(const int32_t *)(holder + field->offset) != 0; /* a choice */
}

const char *setting_read(struct arena *arena, const struct setting *s, const User__Settings *settings)
{
        const char *holder = s->group != NULL ? (const char *)*group_of(s, settings) : (const char *)settings;
        const char *at = holder + s->field->offset;

        if (holder == NULL || !is_given(s->field, holder)) {
                return NULL;
        }
        if (s->field->kind == KIND_BOOL) {
                return *(const protobuf_c_boolean *)at ? "true" : "false";
        }
        if (s->field->kind == KIND_STRING) {
                return *(const char *const *)at;
        }
        const struct rpc_enum_value *value = contract_enum_value(s->field->names, *(const int32_t *)at);

        return value == NULL ? NULL : arena_strndup(arena, value->quoted.ptr + 1, value->quoted.len - 2);
}

sn_status setting_write(struct rpc_call *c, const struct setting *s, const char *value, User__Settings *settings)
{
        if (s->group == NULL) {
                return json_set_field(c, &user__settings__message, &settings->base, str_of(s->field->name),
                                      str_of(value));
        }
        ProtobufCMessage **group = group_of(s, settings);

        if (*group == NULL) {
                *group = contract_new_message(s->group->message, c->arena);
        }
        return json_set_field(c, s->group->message, *group, str_of(s->field->name), str_of(value));
}
