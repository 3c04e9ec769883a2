/* The messages of the tests of json/. */
#ifndef JSON_TEST_KINDS_H
#define JSON_TEST_KINDS_H

#include <stdlib.h>
#include "json/test_kinds.rpc.h"

static inline const struct rpc_message *type_of(const ProtobufCMessage *message)
{
        static const struct rpc_message *const types[] = {&json_test__kinds__message, &json_test__inner__message,
                                                          &json_test__inner2__message, &json_test__rules__message};
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                if (types[i]->descriptor == message->descriptor) {
                        return types[i];
                }
        }
        abort();
}

#endif
