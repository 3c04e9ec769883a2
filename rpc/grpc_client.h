/* The gRPC client inside: one thread for all channels of the process, which callers give their calls and wait for.
 * grpc_client.c is the caller's side, grpc_loop.c the thread, grpc_channel.c a callee and the calls that wait for it,
 * grpc_link.c a connection to it, grpc_relay.c an answer that is a file. But for the caller's side all runs on that
 * thread, and a call that was given to it is its own until it is done. */
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
        GRPC_CONNECT_US = 2000000,      /* how long one attempt to connect may take, */
        GRPC_RETURN_US = 60000,         /* and how long a call waits for one to a callee that was away */
        GRPC_SILENCE_US = 1000000,      /* a callee that says nothing for so long is asked whether it is there, */
        GRPC_PING_US = 1500000,         /* and has so long for its answer */
        GRPC_IDLE_SILENCE_US = 2000000, /* the same while no call waits for it */
        GRPC_IDLE_PING_US = 3000000,
        GRPC_IDLE_LOOK_US = 1000000,        /* how often that is looked at */
        GRPC_LINK_WINDOW_BYTES = 256 << 10, /* that a callee may send of an answer before it is taken */
        GRPC_GONE_MS = 10000,               /* a peer whose kernel takes nothing for so long is gone */
};

struct grpc_loop;
struct grpc_relay;

/* What is done on the loop's thread, in the order in which it was given. */
struct grpc_task {
        struct grpc_task *next;
        void (*run)(struct grpc_task *task);
};

struct grpc_timer {
        struct http_timer timer; /* first */
        void (*due)(struct grpc_timer *timer, int64_t now_us);
};

enum grpc_end {
        GRPC_END_ANSWERED,  /* status and message are the callee's */
        GRPC_END_UNREACHED, /* it has certainly not seen the call */
        GRPC_END_LOST,      /* it may have */
        GRPC_END_DEADLINE,
        GRPC_END_TOO_LARGE, /* its answer */
        GRPC_END_REFUSED,   /* by us: it does not answer others */
};

struct grpc_call {
        struct grpc_task task; /* first */
        struct grpc_timer timer;
        struct sonet_grpc_channel *channel;
        struct grpc_call *next, **at; /* those that wait for the channel, or are on the link */
        struct grpc_link *link;       /* NULL: it waits */
        int32_t stream_id;
        bool written; /* at least its head */
        /* what is sent */
        struct arena *arena; /* its caller's, who waits */
        nghttp2_nv fields[GRPC_CALL_FIELDS_MAX];
        size_t n_fields;
        struct buf request;
        size_t sent;
        struct grpc_region body;     /* behind the request */
        int64_t stall_us, answer_us; /* with a body: how long nothing of it may be taken, and the answer take */
        int64_t deadline_us, connect_until_us;
        /* what came */
        enum grpc_end end;
        struct str status, message, problem;
        struct buf reply;
        struct grpc_relay *relay; /* of a call whose answer is a file (grpc_relay.h), or NULL */
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
        bool broken;   /* ends when its events have been seen to */
        struct buf out;
        size_t out_at;
        int64_t heard_us, asked_us; /* when it said anything last, or had nothing to say; when it was pinged, or 0 */
};

struct sonet_grpc_channel {
        struct grpc_task task;   /* of opening and closing */
        struct grpc_timer timer; /* of an attempt to connect */
        struct grpc_loop *loop;
        struct sonet_grpc_channel *next, **at;
        struct grpc_address address;
        char authority[sizeof(((struct grpc_address *)0)->host) + 16];
        struct tls_context *tls;
        struct grpc_link *links; /* all, */
        struct grpc_link *ready; /* and the one for new calls, or NULL */
        struct grpc_call *waiting, **waiting_end;
        bool attempting;
        int64_t attempt_until_us;
        struct gaicb lookup; /* of the name */
        bool looking_up;
        struct addrinfo *addresses, *next_address;
        atomic_bool away; /* the last attempt failed */
        atomic_int n_relays;
        struct grpc_call *draining; /* relays whose streams are over */
        struct callee_bound bound;
        sem_t done;
};

/* grpc_loop.c */
struct grpc_loop *grpc_loop_acquire(void); /* starts the thread with the first one; NULL: it cannot be started */
void grpc_loop_release(struct grpc_loop *loop);
void grpc_loop_give(struct grpc_loop *loop, struct grpc_task *task);                  /* from any thread */
int64_t grpc_loop_now_us(const struct grpc_loop *loop);                               /* when it woke up */
void grpc_loop_set(struct grpc_loop *loop, struct grpc_timer *timer, int64_t due_us); /* fires then, or sooner */
bool grpc_loop_watch(struct grpc_loop *loop, int fd, struct grpc_link *link);
bool grpc_loop_watch_relay(struct grpc_loop *loop, int fd, struct grpc_relay *relay); /* for writing */
void grpc_loop_add_channel(struct grpc_loop *loop, struct sonet_grpc_channel *channel);
void grpc_loop_remove_channel(struct sonet_grpc_channel *channel);

/* grpc_channel.c */
void grpc_channel_begin_call(struct grpc_task *call);
void grpc_channel_end_call(struct grpc_call *call, enum grpc_end end); /* its caller goes on */
void grpc_channel_link_ready(struct grpc_link *link);
void grpc_channel_link_ended(struct sonet_grpc_channel *channel, struct grpc_link *link, bool was_ready);
void grpc_channel_open(struct grpc_task *channel);
void grpc_channel_close(struct grpc_task *channel);

/* grpc_link.c */
struct grpc_link *grpc_link_connect(struct sonet_grpc_channel *channel, const struct addrinfo *address); /* or NULL */
void grpc_link_call(struct grpc_link *link, struct grpc_call *call);
void grpc_link_cancel(struct grpc_call *call);
void grpc_link_event(struct grpc_link *link, uint32_t events);
void grpc_link_flush(struct grpc_link *link); /* what is to be sent; and ends it when it is broken */
void grpc_link_end(struct grpc_link *link);

#endif
