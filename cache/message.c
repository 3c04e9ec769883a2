/* Owns the deep copies of messages that memos keep. */
#include "cache/message.h"

#include <stdlib.h>

static void message_free(struct memo_object *object)
{
        struct memo_message *m = (struct memo_message *)object;

        protobuf_c_message_free_unpacked(m->message, NULL);
        free(m);
}

/* A copy by way of the wire format: the one deep copy that protobuf-c has. Its parts are about three times as large in
 * memory. */
struct memo_message *memo_message_new(const ProtobufCMessage *message)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = malloc(len + 1);
        struct memo_message *m = calloc(1, sizeof(*m));

        if (packed != NULL && m != NULL) {
                protobuf_c_message_pack(message, packed);
                m->message = protobuf_c_message_unpack(message->descriptor, NULL, len, packed);
        }
        free(packed);
        if (m == NULL || m->message == NULL) {
                free(m);
                return NULL;
        }
        m->object = (struct memo_object){.references = 1, .bytes = sizeof(*m) + 3 * len, .free = message_free};
        return m;
}
