/* gRPC metadata values: for all inputs, timeouts are in range, texts and binary values survive encoding and decoding,
 * and problems are valid text. */
#include <string.h>

#include "base/text.h"
#include "fuzz/must.h"
#include "rpc/grpc_wire.h"
#include "services/user/user.rpc.h"

#define DAY_US (INT64_C(86400) * 1000000)

static void timeout(struct arena *arena, struct str value)
{
        int64_t us, again;
        if (grpc_timeout_read(value, &us)) {
                MUST(us >= 0 && us <= DAY_US);
                MUST(grpc_timeout_read(str_of(grpc_timeout_write(arena, us)), &again));
                MUST(again <= us && us - again < 1000);
        }
}

static void text(struct arena *arena, struct str value)
{
        char *decoded = grpc_text_read(arena, value);
        MUST(strlen(decoded) <= value.len);
        char *sent = grpc_text_write(arena, decoded);
        MUST(grpc_is_plain_value(sent) || sent[0] == '\0' || sent[0] == ' ' || sent[strlen(sent) - 1] == ' ');
        MUST(strlen(sent) <= (size_t)GRPC_TEXT_BYTES * 3);
        if (strlen(decoded) < GRPC_TEXT_BYTES) {
                MUST(strcmp(grpc_text_read(arena, str_of(sent)), decoded) == 0);
        }
}

static void binary(struct arena *arena, struct str value)
{
        struct str bytes, again;
        MUST(grpc_binary_read(arena, str_of(grpc_binary_write(arena, value)), &again));
        MUST(again.len == value.len && memcmp(again.ptr, value.ptr, value.len) == 0);
        if (grpc_binary_read(arena, value, &bytes)) {
                MUST(bytes.len <= value.len);
        }
}

static void problem(struct rpc_call *c, struct str value)
{
        struct rpc_problem read = {.status = SN_INTERNAL};
        grpc_problem_read(c, &user_methods[USER_LOG_IN], value, &read);
        grpc_problem_read(c, &user_methods[USER_LOG_IN], str_of(grpc_binary_write(c->arena, value)), &read);
        MUST(read.detail == NULL || utf8_valid(read.detail, strlen(read.detail)));
        MUST(read.code == NULL || utf8_valid(read.code, strlen(read.code)));
        MUST(read.retry_after_s >= 0 && read.retry_after_s <= 3600);
        (void)grpc_problem_write(c->arena, &read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        char *kept = arena_strndup(c->arena, (const char *)data, size); /* NUL-terminated, like a header value */
        struct str value = {kept, size};
        timeout(c->arena, value);
        text(c->arena, value);
        binary(c->arena, value);
        problem(c, value);
        (void)grpc_is_content_type(kept);
        (void)grpc_is_plain_value(kept);
        rpc_call_free(c);
        return 0;
}
