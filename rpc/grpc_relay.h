/* An answer that is a file and comes from another process: its first message goes to the caller, the bytes behind it
 * through a pipe to whoever reads them, at that one's pace: what is not read is not asked for (HTTP/2's flow control).
 *
 * The caller and the loop's thread have it together: the caller until it has read the first message, the thread until
 * the last byte is in the pipe, or the reader or the callee has gone. */
#ifndef RPC_GRPC_RELAY_H
#define RPC_GRPC_RELAY_H

#include "rpc/grpc_client.h"

enum {
        GRPC_RELAYS_MAX = 128,       /* of a channel: half of what a callee takes, so that calls get through */
        GRPC_RELAY_STALL_MS = 30000, /* how long a callee may send nothing while it could */
};

struct grpc_relay {
        struct grpc_call call; /* first */
        atomic_int holders;
        int read_fd, write_fd;
        uint32_t field;     /* that has the bytes */
        bool answered;      /* the first message is the caller's: reply is not touched any more */
        struct buf part;    /* of a message that is not all there */
        struct buf pending; /* what the pipe did not take */
        size_t pending_at;
        size_t held;   /* of what came, and the callee was not told that it was taken */
        bool complete; /* the callee has ended it well */
};

/* The caller's side. NULL: no memory or descriptors. */
struct grpc_relay *grpc_relay_new(struct sonet_grpc_channel *channel, const struct rpc_method *m);
int grpc_relay_take_fd(struct grpc_relay *relay); /* the reader's end, which is the caller's from now on */
void grpc_relay_release(struct grpc_relay *relay);
void grpc_relay_abandon(struct grpc_relay *relay); /* instead, when the thread never got the call */

/* The thread's. */
void grpc_relay_data(struct grpc_relay *relay, const uint8_t *bytes, size_t len);
void grpc_relay_event(struct grpc_relay *relay, uint32_t events); /* of the pipe */
/* False: it has waited for the callee, and waits no longer. */
bool grpc_relay_due(struct grpc_relay *relay, int64_t now_us);
void grpc_relay_ended(struct grpc_relay *relay, enum grpc_end end);
void grpc_relay_drop(struct grpc_relay *relay); /* whatever is left of it */

#endif
