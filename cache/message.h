/* A message in a memo: the deep copy of one that a call made, immutable from then on. */
#ifndef CACHE_MESSAGE_H
#define CACHE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include "cache/memo.h"

struct memo_message {
        struct memo_object object;
        ProtobufCMessage *message;
};

/* The caller holds the one reference; NULL when memory is out. */
struct memo_message *memo_message_new(const ProtobufCMessage *message);

#endif
