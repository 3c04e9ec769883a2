/* The registry of contracts: services in order, and a hash table from message descriptors to their rules. Written at
 * start only, so reading takes no lock. */
#include "base/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SERVICES = 32 };

static const struct rpc_service *services[MAX_SERVICES];
static size_t n_services;

static const struct rpc_message_rules **table; /* open addressing, at most half full */
static size_t table_size;                      /* a power of two */
static size_t table_used;

static size_t slot_of(const struct rpc_message_rules *const *in, size_t size,
                      const ProtobufCMessageDescriptor *descriptor)
{
        size_t slot = (size_t)(((uintptr_t)descriptor >> 4) * 0x9e3779b97f4a7c15u >> 32) & (size - 1);
        while (in[slot] != NULL && in[slot]->descriptor != descriptor) {
                slot = (slot + 1) & (size - 1);
        }
        return slot;
}

static void table_grow(void)
{
        size_t size = table_size == 0 ? 256 : table_size * 2;
        const struct rpc_message_rules **larger = calloc(size, sizeof(*larger));
        if (larger == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        for (size_t i = 0; i < table_size; i++) {
                if (table[i] != NULL) {
                        larger[slot_of(larger, size, table[i]->descriptor)] = table[i];
                }
        }
        free(table);
        table = larger;
        table_size = size;
}

static void table_put(const struct rpc_message_rules *rules)
{
        if ((table_used + 1) * 2 > table_size) {
                table_grow();
        }
        size_t slot = slot_of(table, table_size, rules->descriptor);
        if (table[slot] == NULL) {
                table_used++;
        }
        table[slot] = rules;
}

bool contract_ignores_token(const struct rpc_method *method)
{
        return method != NULL && method->access == RPC_PUBLIC && method->rate == RPC_RATE_AUTH;
}

bool contract_takes_body(const struct rpc_method *method)
{
        return strcmp(method->http_verb, "POST") == 0 || strcmp(method->http_verb, "PUT") == 0 ||
               strcmp(method->http_verb, "PATCH") == 0;
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
        for (size_t i = 0; i < service->n_messages; i++) {
                table_put(&service->messages[i]);
        }
}

const struct rpc_message_rules *contract_rules(const ProtobufCMessageDescriptor *descriptor)
{
        return table_size == 0 ? NULL : table[slot_of(table, table_size, descriptor)];
}

size_t contract_services(const struct rpc_service *const **out)
{
        *out = services;
        return n_services;
}
