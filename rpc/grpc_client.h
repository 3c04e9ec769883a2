/* Internals of the gRPC client: one thread serves all channels of the process; callers hand it their calls and wait.
 * grpc_client.c is the caller's side, grpc_loop.c the thread, grpc_channel.c a callee and its queued calls,
 * grpc_link.c a connection to it, grpc_relay.c a response that is a file. Except for the caller's side everything
 * runs on that thread, which owns a call from hand-over until it is done. */
#ifndef RPC_GRPC_CLIENT_H
#define RPC_GRPC_CLIENT_H

#include <netdb.h>
#include <nghttp2/nghttp2.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "http/tls.h"
#include "http/wheel.h"
#include "rpc/callee_bound.h"
#include "rpc/grpc_address.h"
#include "rpc/grpc_chunk.h"
#include "rpc/grpc_wire.h"

enum {
        GRPC_CALL_FIELDS_MAX = 21,
        GRPC_CONNECT_US = 2000000,      /* most time for one attempt to connect */
        GRPC_RETURN_US = 60000,         /* how long a call waits for a connection to a callee that was unreachable */
        GRPC_SILENCE_US = 1000000,      /* after this silence a callee is pinged */
        GRPC_PING_US = 1500000,         /* and must respond within this time */
        GRPC_IDLE_SILENCE_US = 2000000, /* the same while no call is waiting for it */
        GRPC_IDLE_PING_US = 3000000,
        GRPC_IDLE_LOOK_US = 1000000,        /* how often that is checked */
        GRPC_LINK_WINDOW_BYTES = 256 << 10, /* how much of a response a callee may send before it is read */
        GRPC_GONE_MS = 10000,               /* a peer whose kernel accepts nothing for this long is considered gone */
};

struct grpc_loop;
struct grpc_relay;

/* Work for the loop's thread, run in the order submitted. */
struct grpc_task {
        struct grpc_task *next;
        void (*run)(struct grpc_task *task);
};

struct grpc_timer {
        struct http_timer timer; /* first */
        void (*due)(struct grpc_timer *timer, int64_t now_us);
};

enum grpc_end {
        GRPC_END_ANSWERED,  /* status and message are from the callee */
        GRPC_END_UNREACHED, /* the callee has certainly not seen the call */
        GRPC_END_LOST,      /* the callee may have seen it */
        GRPC_END_DEADLINE,
        GRPC_END_TOO_LARGE, /* the response */
        GRPC_END_REFUSED,   /* by us: the callee is not responding to other calls */
};

struct grpc_call {
        struct grpc_task task; /* first */
        struct grpc_timer timer;
        struct sonet_grpc_channel *channel;
        struct grpc_call *next, **at; /* calls queued on the channel, or active on the link */
        struct grpc_link *link;       /* NULL: queued */
        int32_t stream_id;
        bool written; /* at least its headers */
        /* what is sent */
        struct arena *arena; /* of its caller, who is waiting */
        nghttp2_nv fields[GRPC_CALL_FIELDS_MAX];
        size_t n_fields;
        struct buf request;
        size_t sent;
        struct grpc_region body;     /* sent after the request */
        int64_t stall_us, answer_us; /* with a body: how long it may stall, and how long the response may take */
        int64_t deadline_us, connect_until_us;
        /* what was received */
        enum grpc_end end;
        struct str status, message, problem, stamps;
        struct buf reply;
        struct grpc_relay *relay; /* for a response that is a file (grpc_relay.h), or NULL */
        sem_t done;
};

enum grpc_link_state { GRPC_CONNECTING, GRPC_SECURING, GRPC_GREETING, GRPC_READY, GRPC_DRAINING };

/* A connection. */
struct grpc_link {
        struct grpc_timer timer; /* first */
        struct sonet_grpc_channel *channel;
        struct grpc_link *next, **at; /* of the channel */
        enum grpc_link_state state;
        int fd;
        struct tls *tls;
        nghttp2_session *session;
        struct grpc_call *calls;
        int n_calls;
        bool to_flush; /* the session may have something to send */
        bool broken;   /* close it after its events are processed */
        struct buf out;
        size_t out_at;
        int64_t heard_us, asked_us; /* when it last sent anything or owed nothing; when it was pinged, or 0 */
};

struct sonet_grpc_channel {
        struct grpc_task task;   /* to open and close */
        struct grpc_timer timer; /* for an attempt to connect */
        struct grpc_loop *loop;
        struct sonet_grpc_channel *next, **at;
        struct grpc_address address;
        char authority[sizeof(((struct grpc_address *)0)->host) + 16];
        struct tls_context *tls;
        struct grpc_link *links; /* all of them */
        struct grpc_link *ready; /* the one for new calls, or NULL */
        struct grpc_call *waiting, **waiting_end;
        bool attempting;
        int64_t attempt_until_us;
        struct gaicb lookup; /* name resolution */
        bool looking_up;
        struct addrinfo *addresses, *next_address;
        atomic_bool away; /* the last attempt to connect failed */
        atomic_int n_relays;
        struct grpc_call *draining; /* relays whose streams have ended */
        struct callee_bound bound;
        sem_t done;
};

/* grpc_loop.c */
struct grpc_loop *grpc_loop_acquire(void); /* starts the thread on first use; NULL: cannot start it */
void grpc_loop_release(struct grpc_loop *loop);
void grpc_loop_give(struct grpc_loop *loop, struct grpc_task *task);                  /* any thread */
int64_t grpc_loop_now_us(const struct grpc_loop *loop);                               /* when it last woke up */
void grpc_loop_set(struct grpc_loop *loop, struct grpc_timer *timer, int64_t due_us); /* at that time or earlier */
bool grpc_loop_watch(struct grpc_loop *loop, int fd, struct grpc_link *link);
bool grpc_loop_watch_relay(struct grpc_loop *loop, int fd, struct grpc_relay *relay); /* for writing */
void grpc_loop_add_channel(struct grpc_loop *loop, struct sonet_grpc_channel *channel);
void grpc_loop_remove_channel(struct sonet_grpc_channel *channel);

/* grpc_channel.c */
void grpc_channel_begin_call(struct grpc_task *call);
void grpc_channel_end_call(struct grpc_call *call, enum grpc_end end); /* and wakes its caller */
void grpc_channel_link_ready(struct grpc_link *link);
void grpc_channel_link_ended(struct sonet_grpc_channel *channel, struct grpc_link *link, bool was_ready);
void grpc_channel_open(struct grpc_task *channel);
void grpc_channel_close(struct grpc_task *channel);

/* grpc_link.c */
struct grpc_link *grpc_link_connect(struct sonet_grpc_channel *channel, const struct addrinfo *address); /* or NULL */
void grpc_link_call(struct grpc_link *link, struct grpc_call *call);
void grpc_link_cancel(struct grpc_call *call);
void grpc_link_event(struct grpc_link *link, uint32_t events);
void grpc_link_flush(struct grpc_link *link); /* sends what is pending; closes a broken link */
void grpc_link_end(struct grpc_link *link);

#endif
