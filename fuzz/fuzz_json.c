/* Text → json_read_message. Accepted text can be written and, except for the nulls of absent fields, read again to the
 * same message; and if that is valid, its packed bytes pass the scan and unpack to the same message. The first byte
 * selects the message. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "json/json.h"
#include "rpc/rpc.h"
#include "services/note/note.rpc.h"
#include "services/user/user.rpc.h"
#include "tools/testdata/example.rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_JSON = 1 << 22 };

static const struct rpc_message *choose(uint8_t byte)
{
        switch (byte % 4) {
        case 0:
                return &note__note__message;
        case 1:
                return &user__update_me_request__message;
        case 2:
                return &note__create_note_request__message;
        default:
                return &example__sample__message;
        }
}

static struct str write(struct rpc_call *c, const struct rpc_message *type, const ProtobufCMessage *message)
{
        struct buf out;
        buf_init(&out, MAX_JSON);
        json_write_message(&out, type, message);
        MUST(!out.overflow);
        struct str text = {arena_strndup(c->arena, out.data, out.len), out.len};
        buf_free(&out);
        return text;
}

static void drop_nulls(json_t *value)
{
        const char *name;
        json_t *member;
        void *next;
        size_t i;

        json_object_foreach_safe(value, next, name, member)
        {
                drop_nulls(member);
                if (json_is_null(member)) {
                        json_object_del(value, name);
                }
        }
        json_array_foreach(value, i, member)
        {
                drop_nulls(member);
        }
}

/* Responses have null for absent fields, and 0 for a number whose range begins at 1; requests must leave both out. */
static struct str as_request(struct rpc_call *c, struct str text)
{
        json_t *root = json_loadb(text.ptr, text.len, 0, NULL);
        MUST(root != NULL);
        drop_nulls(root);
        if (json_integer_value(json_object_get(root, "count")) == 0) {
                json_object_del(root, "count");
        }
        char *dumped = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
        struct str request = {arena_strdup(c->arena, dumped), strlen(dumped)};
        free(dumped);
        json_decref(root);
        return request;
}

static void check_bytes(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *message)
{
        size_t len;
        ProtobufCMessage *unpacked = NULL;
        if (rpc_validate(c, type, message) != SN_OK) {
                return;
        }
        struct str text = write(c, type, message); /* validation may have lowercased IDs */
        uint8_t *bytes = rpc_pack(c->arena, message, &len);
        MUST(rpc_unpack(c, type, bytes, len, &unpacked) == SN_OK);
        MUST(str_equal(write(c, type, unpacked), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0) {
                return 0;
        }
        const struct rpc_message *type = choose(data[0]);
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        ProtobufCMessage *message = contract_new_message(type, c->arena);
        if (json_read_message(c, (struct str){(const char *)data + 1, size - 1}, NULL, type, message) == SN_OK) {
                struct str text = write(c, type, message);
                ProtobufCMessage *again = contract_new_message(type, c->arena);
                MUST(json_read_message(c, as_request(c, text), NULL, type, again) == SN_OK);
                MUST(str_equal(write(c, type, again), text));
                check_bytes(c, type, message);
        } else {
                MUST(c->problem.status == SN_INVALID_ARGUMENT || c->problem.status == SN_RESOURCE_EXHAUSTED);
                MUST(c->problem.detail != NULL && utf8_valid(c->problem.detail, strlen(c->problem.detail)));
        }
        rpc_call_free(c);
        return 0;
}
