/* The JSON of a message, kept next to it (json/kept.c). */
#ifndef JSON_KEPT_H
#define JSON_KEPT_H

#include "base/contract.h"

struct json_kept {
        const struct rpc_message *type;
        const ProtobufCMessage *original;
        const char *text; /* of all fields, each with a comma in front */
        uint32_t ends[];  /* of each field's text */
};

/* Of the message, or of the one that it was copied from; NULL: none is kept. */
static inline const struct json_kept *json_kept_of(const struct rpc_message *type, const ProtobufCMessage *message)
{
        const struct json_kept *kept = message->n_unknown_fields == 0 ? (const void *)message->unknown_fields : NULL;
        return kept != NULL && kept->type == type ? kept : NULL;
}

/* Appends all fields, each with a comma in front; ends[i] is where field i ends (json/write.c). */
void json_write_fields(struct buf *out, const struct rpc_message *type, const ProtobufCMessage *message,
                       uint32_t *ends);

/* The number of fields from `first` on that have the same value as in the original. What pointers refer to never
 * changes, so the same pointer is the same value. */
uint32_t json_kept_same(const struct json_kept *kept, const ProtobufCMessage *message, uint32_t first);

static inline struct str json_kept_text(const struct json_kept *kept, uint32_t first, uint32_t n)
{
        uint32_t start = first == 0 ? 0 : kept->ends[first - 1];
        return (struct str){kept->text + start, n == 0 ? 0 : kept->ends[first + n - 1] - start};
}

#endif
