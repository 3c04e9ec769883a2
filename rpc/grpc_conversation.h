/* Bidirectional streaming in the gRPC server: each message is answered by one message, in order, before the next one
 * is read. Answers are computed on the I/O thread and must be quick. */
#ifndef RPC_GRPC_CONVERSATION_H
#define RPC_GRPC_CONVERSATION_H

#include "rpc/grpc_request.h"

enum {
        CONVERSATIONS_MAX = 64,            /* at a time, in total */
        CONVERSATIONS_OF_ONE_MAX = 8,      /* per address */
        CONVERSATION_IDLE_MS = 60000,      /* without a message; their deadline is the method's */
        CONVERSATION_MESSAGE_BYTES = 4096, /* of each client message */
};

/* On failure the call's problem describes it, and the conversation ends. */
typedef sn_status conversation_answer(struct rpc_call *c, struct str message, ProtobufCMessage **answer);

struct conversation;
/* The conversations of a server; owned by the I/O thread. */
struct conversations {
        struct conversation *first;
        int n;
};

/* Fills in the response to a request whose head has arrived. Each message counts against its sender's rate limit. */
void conversation_begin(struct conversations *all, struct grpc_request *r, conversation_answer *answer,
                        struct http_response *response);

#endif
