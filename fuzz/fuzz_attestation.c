/* Attestation objects: for all inputs, the parsed parts are within the input. */
#include "fuzz/must.h"
#include "services/user/attestation_object.h"

static void within(const uint8_t *data, size_t size, const uint8_t *part, size_t len)
{
        MUST(part >= data && part <= data + size && len <= (size_t)(data + size - part));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new(1 << 16);
        struct attestation_object object;

        if (arena != NULL && attestation_object_read(arena, data, size, &object)) {
                MUST(object.format != NULL);
                within(data, size, object.authenticator_data, object.authenticator_data_len);
                within(data, size, object.statement, object.statement_len);
        }
        arena_free(arena);
        return 0;
}
