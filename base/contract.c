/* Lookups in the tables of contracts, and the list of known contracts: written only at start, so reading takes no
 * lock. */
#include "base/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SERVICES = 32 };

static const struct rpc_service *services[MAX_SERVICES];
static size_t n_services;

const struct rpc_field *contract_field(const struct rpc_message *message, struct str name)
{
        const size_t around = sizeof(",\"\":") - 1; /* in its key */
        for (uint32_t i = 0; i < message->n_fields; i++) {
                const struct str key = message->fields[i].key;
                if (key.len == name.len + around && memcmp(key.ptr + 2, name.ptr, name.len) == 0) {
                        return &message->fields[i];
                }
        }
        return NULL;
}

const struct rpc_enum_value *contract_enum_value(const struct rpc_enum *names, int number)
{
        if (names->dense) {
                int64_t index = (int64_t)number - names->values[0].number;
                return index >= 0 && index < (int64_t)names->n ? &names->values[index] : NULL;
        }
        for (size_t i = 0; i < names->n; i++) {
                if (names->values[i].number == number) {
                        return &names->values[i];
                }
        }
        return NULL;
}

void *contract_new_message(const struct rpc_message *message, struct arena *arena)
{
        ProtobufCMessage *made = arena_alloc(arena, message->descriptor->sizeof_message);
        protobuf_c_message_init(message->descriptor, made);
        return made;
}

bool contract_ignores_token(const struct rpc_method *method)
{
        return method != NULL && method->access == RPC_PUBLIC && method->rate == RPC_RATE_AUTH;
}

bool contract_streams_body(const struct rpc_method *method)
{
        return method != NULL && method->body != RPC_BODY_MESSAGE;
}

/* Query strings end up in logs and histories. */
static bool is_secret(const struct rpc_message *message)
{
        for (uint32_t i = 0; i < message->n_fields; i++) {
                if (message->fields[i].rule.secret) {
                        return true;
                }
        }
        return false;
}

bool contract_takes_body(const struct rpc_method *method)
{
        return strcmp(method->http_verb, "POST") == 0 || strcmp(method->http_verb, "PUT") == 0 ||
               strcmp(method->http_verb, "PATCH") == 0 ||
               (strcmp(method->http_verb, "DELETE") == 0 && is_secret(method->in));
}

void contract_register(const struct rpc_service *service)
{
        for (size_t i = 0; i < n_services; i++) {
                if (services[i] == service) {
                        return;
                }
        }
        if (n_services == MAX_SERVICES) {
                fputs("sonet: too many services\n", stderr);
                abort();
        }
        services[n_services++] = service;
}

const struct rpc_field *contract_conditions_field(const struct rpc_message *message)
{
        for (uint32_t i = 0; i < message->n_fields; i++) {
                const struct rpc_field *field = &message->fields[i];
                if (field->kind == KIND_MESSAGE &&
                    strcmp(field->message->descriptor->name, "sonet.file.Conditions") == 0) {
                        return field;
                }
        }
        return NULL;
}

const struct rpc_field *contract_chunk_field(const struct rpc_message *message)
{
        for (uint32_t i = 0; i < message->n_fields; i++) {
                if (message->fields[i].rule.chunk) {
                        return &message->fields[i];
                }
        }
        return NULL;
}

size_t contract_services(const struct rpc_service *const **out)
{
        *out = services;
        return n_services;
}
