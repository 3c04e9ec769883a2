/* Bidirectional streaming in the gRPC server: each message is answered by one message, in order, before the next one is
 * looked at. For answers that take no time: they are made on the I/O thread. */
#ifndef RPC_GRPC_CONVERSATION_H
#define RPC_GRPC_CONVERSATION_H

#include "rpc/grpc_request.h"

enum {
        CONVERSATIONS_MAX = 64,            /* at a time, and */
        CONVERSATIONS_OF_ONE_MAX = 8,      /* of one address */
        CONVERSATION_IDLE_MS = 60000,      /* without a message; their deadline is the method's */
        CONVERSATION_MESSAGE_BYTES = 4096, /* of the client's, each */
};

/* On failure the call's problem says why, and ends the conversation. */
typedef sn_status conversation_answer(struct rpc_call *c, struct str message, ProtobufCMessage **answer);

struct conversation;
/* Those of a server; the I/O thread's. */
struct conversations {
        struct conversation *first;
        int n;
};

/* Fills in the response to a request whose head is there. Each message takes from the rate of who sends it. */
void conversation_begin(struct conversations *all, struct grpc_request *r, conversation_answer *answer,
                        struct http_response *response);

#endif
