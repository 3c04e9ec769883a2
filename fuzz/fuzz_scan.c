/* Raw bytes → rpc_scan. Accepted bytes must unpack, and every text in them must be complete and valid UTF-8. The first
 * byte selects the message. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/must.h"
#include "rpc/rpc.h"
#include "services/note/note.rpc.h"
#include "services/user/user.rpc.h"
#include "sonet/events.rpc.h"
#include "sonet/file.rpc.h"
#include "tools/testdata/example.rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Records the size of each allocation of protobuf-c, so that a text truncated at a NUL is detected. */
static void *sized_alloc(void *context, size_t bytes)
{
        (void)context;
        char *memory = malloc(bytes + sizeof(max_align_t));
        MUST(memory != NULL);
        memcpy(memory, &bytes, sizeof(bytes));
        return memory + sizeof(max_align_t);
}

static void sized_free(void *context, void *memory)
{
        (void)context;
        if (memory != NULL) {
                free((char *)memory - sizeof(max_align_t));
        }
}

static ProtobufCAllocator sized = {sized_alloc, sized_free, NULL};

static void check_message(const struct rpc_message *type, const ProtobufCMessage *message);

static void check_value(const struct rpc_field *field, const char *at)
{
        if (field->message != NULL) {
                const ProtobufCMessage *inner = *(ProtobufCMessage *const *)at;
                if (inner != NULL) {
                        check_message(field->message, inner);
                }
        } else if (field->kind == KIND_STRING) {
                const char *text = *(const char *const *)at;
                if (text != NULL && text != protobuf_c_empty_string) {
                        size_t bytes;
                        memcpy(&bytes, text - sizeof(max_align_t), sizeof(bytes));
                        MUST(strlen(text) + 1 == bytes);
                        MUST(utf8_valid(text, bytes - 1));
                }
        }
}

static void check_message(const struct rpc_message *type, const ProtobufCMessage *message)
{
        const char *base = (const char *)message;
        for (unsigned i = 0; i < type->n_fields; i++) {
                const struct rpc_field *field = &type->fields[i];
                if (field->shape == SHAPE_LIST) {
                        size_t n = *(const size_t *)(base + field->quantifier);
                        MUST(n <= field->rule.max_items);
                        bool pointers = field->message != NULL || field->kind == KIND_STRING;
                        for (size_t j = 0; j < n && pointers; j++) {
                                check_value(field, *(char *const *)(base + field->offset) + j * sizeof(void *));
                        }
                } else if (field->shape != SHAPE_ONEOF ||
                           *(const uint32_t *)(base + field->quantifier) == field->number) {
                        check_value(field, base + field->offset);
                }
        }
}

static const struct rpc_message *choose(uint8_t byte)
{
        switch (byte % 4) {
        case 0:
                return &note__thread__message;
        case 1:
                return &events__read_outbox_response__message;
        case 2:
                return &user__update_me_request__message;
        default:
                return &example__sample__message;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0) {
                return 0;
        }
        const struct rpc_message *type = choose(data[0]);
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        if (rpc_scan(c, type, data + 1, size - 1) == SN_OK) {
                ProtobufCMessage *message = protobuf_c_message_unpack(type->descriptor, &sized, size - 1, data + 1);
                MUST(message != NULL);
                check_message(type, message);
                protobuf_c_message_free_unpacked(message, &sized);
                MUST(rpc_unpack(c, type, data + 1, size - 1, &message) == SN_OK || arena_exhausted(c->arena));
                sn_status ignored = rpc_validate(c, type, message);
                (void)ignored;
        } else {
                MUST(c->problem.detail != NULL);
        }
        rpc_call_free(c);
        return 0;
}
