/* Owns keeping the JSON of messages that many responses contain. It is where protobuf-c has a message's unknown fields,
 * of which shared messages have none: so it is freed with the message, and copies of the message have it, too. */
#include "json/kept.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "json/json.h"
#include "json/out.h"

enum { MAX_BYTES = 64 << 10 }; /* a longer text is not kept */

static atomic_bool keeping;

void json_keep_start(void)
{
        atomic_store(&keeping, true);
}

static bool is_same_value(uint32_t bytes, const char *a, const char *b)
{
        switch (bytes) {
        case sizeof(uint32_t):
                return memcmp(a, b, sizeof(uint32_t)) == 0;
        case sizeof(uint64_t):
                return memcmp(a, b, sizeof(uint64_t)) == 0;
        default:
                return memcmp(a, b, bytes) == 0;
        }
}

static bool is_same_field(const struct rpc_field *f, const char *a, const char *b)
{
        switch (f->shape) {
        case SHAPE_PLAIN:
                break;
        case SHAPE_ONEOF:
                if (memcmp(a + f->quantifier, b + f->quantifier, sizeof(uint32_t)) != 0) {
                        return false;
                }
                break;
        case SHAPE_LIST:
                return memcmp(a + f->quantifier, b + f->quantifier, sizeof(size_t)) == 0 &&
                       memcmp(a + f->offset, b + f->offset, sizeof(void *)) == 0;
        }
        return is_same_value(f->value_bytes, a + f->offset, b + f->offset);
}

uint32_t json_kept_same(const struct json_kept *kept, const ProtobufCMessage *message, uint32_t first)
{
        uint32_t n_fields = kept->type->n_fields, i = first;
        if (message == kept->original) {
                return n_fields - first;
        }
        while (i < n_fields &&
               is_same_field(&kept->type->fields[i], (const char *)message, (const char *)kept->original)) {
                i++;
        }
        return i - first;
}

size_t json_keep(const struct rpc_message *type, ProtobufCMessage *message)
{
        size_t ends_bytes = type->n_fields * sizeof(uint32_t), bytes = 0;
        uint32_t *ends = malloc(ends_bytes);
        struct buf text;
        if (ends == NULL || !atomic_load_explicit(&keeping, memory_order_relaxed) || message->unknown_fields != NULL) {
                free(ends);
                return 0;
        }
        buf_init(&text, MAX_BYTES);
        json_write_fields(&text, type, message, ends);
        struct json_kept *kept = text.len > 0 && !text.overflow ? malloc(sizeof(*kept) + ends_bytes + text.len) : NULL;
        if (kept != NULL) {
                bytes = sizeof(*kept) + ends_bytes + text.len;
                *kept = (struct json_kept){type, message, (char *)kept + sizeof(*kept) + ends_bytes};
                memcpy(kept->ends, ends, ends_bytes);
                memcpy((char *)kept + sizeof(*kept) + ends_bytes, text.data, text.len);
                message->unknown_fields = (void *)kept;
        }
        buf_free(&text);
        free(ends);
        return bytes;
}
