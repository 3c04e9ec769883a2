/* Owns the deep copies of messages that caches hold. */
#include "cache/message.h"

#include <stdlib.h>

struct cached_message {
        struct cache_object object;
        ProtobufCMessage *message;
};

static void free_message(struct cache_object *object)
{
        struct cached_message *m = (struct cached_message *)object;

        protobuf_c_message_free_unpacked(m->message, NULL);
        free(m);
}

/* A copy by way of the wire format: the one deep copy that protobuf-c has. Its parts are about three times as large in
 * memory. */
static struct cached_message *copy_message(const ProtobufCMessage *message)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = malloc(len + 1);
        struct cached_message *m = calloc(1, sizeof(*m));

        if (packed != NULL && m != NULL) {
                protobuf_c_message_pack(message, packed);
                m->message = protobuf_c_message_unpack(message->descriptor, NULL, len, packed);
        }
        free(packed);
        if (m == NULL || m->message == NULL) {
                free(m);
                return NULL;
        }
        m->object = (struct cache_object){.references = 1, .bytes = sizeof(*m) + 3 * len, .free = free_message};
        return m;
}

static struct cached_message *copy_shown(const ProtobufCMessage *row, size_t (*keep_json)(ProtobufCMessage *row))
{
        struct cached_message *m = copy_message(row);

        if (m != NULL && keep_json != NULL) {
                m->object.bytes += keep_json(m->message);
        }
        return m;
}

sn_status cache_fill_shown_message(struct rpc_call *c, struct cache_item *const *missing, size_t n, const char *id,
                                   const ProtobufCMessage *row, size_t (*keep_json)(ProtobufCMessage *row))
{
        struct cache_item *item = cache_find(missing, n, (struct cache_key){.id = id});

        if (item == NULL || item->value.object != NULL) {
                return rpc_fail(c, SN_INTERNAL, NULL,
                                "something went wrong on our side"); /* a row that was not asked for */
        }
        item->value.object = copy_shown(row, keep_json);
        return item->value.object != NULL ? SN_OK
                                          : rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
}

struct added_row {
        const ProtobufCMessage *row;
        size_t (*keep_json)(ProtobufCMessage *row);
};

static struct cache_object *make_added(const void *context)
{
        const struct added_row *added = context;
        struct cached_message *m = copy_shown(added->row, added->keep_json);

        return m != NULL ? &m->object : NULL;
}

void cache_shown_message_added(struct cache *cache, struct db_tx *tx, const char *id, const ProtobufCMessage *row,
                               size_t (*keep_json)(ProtobufCMessage *row))
{
        struct added_row *added = ARENA_NEW(db_arena(tx), struct added_row);

        *added = (struct added_row){row, keep_json};
        cache_added(cache, tx, (struct cache_key){.id = id}, make_added, added);
}

sn_status cache_fill_message(struct rpc_call *c, struct cache_item *const *missing, size_t n, const char *id,
                             const ProtobufCMessage *row)
{
        return cache_fill_shown_message(c, missing, n, id, row, NULL);
}

sn_status cache_get_messages(struct rpc_call *c, struct cache *cache, enum read_from from, char *const *ids, size_t n,
                             void *out)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);
        ProtobufCMessage **messages = out;

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = ids[i]};
        }
        TRY(cache_get(c, cache, from, items, n));
        for (size_t i = 0; i < n; i++) {
                const struct cached_message *m = items[i].value.object;

                messages[i] = m != NULL ? m->message : NULL;
        }
        return SN_OK;
}
