/* A response that is a file from another process: the first message goes to the caller, the bytes after it through a
 * pipe to their reader. What is not read is not requested (HTTP/2 flow control).
 *
 * The caller and the loop's thread share it: the caller until it has read the first message, the thread until the
 * last byte is in the pipe, or the reader or the callee has gone. */
#ifndef RPC_GRPC_RELAY_H
#define RPC_GRPC_RELAY_H

#include "rpc/grpc_client.h"

enum {
        GRPC_RELAYS_MAX = 128,       /* per channel: half of what a callee accepts, which leaves room for calls */
        GRPC_RELAY_STALL_MS = 30000, /* how long a callee may send nothing although it could */
};

struct grpc_relay {
        struct grpc_call call; /* first */
        atomic_int holders;
        int read_fd, write_fd;
        uint32_t field;     /* that holds the bytes */
        bool answered;      /* the first message belongs to the caller, and reply is no longer touched */
        struct buf part;    /* of an incomplete message */
        struct buf pending; /* not yet accepted by the pipe */
        size_t pending_at;
        size_t held;   /* bytes received for which no window update was sent yet */
        bool complete; /* the callee has ended it successfully */
};

/* The caller's side. NULL: out of memory or descriptors. */
struct grpc_relay *grpc_relay_new(struct sonet_grpc_channel *channel, const struct rpc_method *m);
int grpc_relay_take_fd(struct grpc_relay *relay); /* the reader's end, which then belongs to the caller */
void grpc_relay_release(struct grpc_relay *relay);
void grpc_relay_abandon(struct grpc_relay *relay); /* instead of it, if the thread never got the call */

/* The thread's side. */
void grpc_relay_data(struct grpc_relay *relay, const uint8_t *bytes, size_t len);
void grpc_relay_event(struct grpc_relay *relay, uint32_t events); /* on the pipe */
/* False: it has waited for the callee long enough. */
bool grpc_relay_due(struct grpc_relay *relay, int64_t now_us);
void grpc_relay_ended(struct grpc_relay *relay, enum grpc_end end);
void grpc_relay_drop(struct grpc_relay *relay); /* whatever is left of it */

#endif
