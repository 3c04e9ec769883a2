/* The stream: GET /v1/stream, over WebSocket or as server-sent events. Shared by its files; private to gateway/.
 *
 *   stream_page.c      the request: authentication, and the response that turns the connection into a stream
 *   stream.c           one stream on the I/O thread: its lifetime and limits
 *   stream_send.c      sending messages, on the I/O thread
 *   stream_command.c   commands of clients, on workers
 *   stream_acknowledge.c  acknowledgements of clients, on workers
 *   stream_replay.c    events that a subscription missed, on workers
 *   stream_table.c     subscriptions by topic; numbers of streams per address and member
 *   stream_deliver.c   from a log's events to streams, on the thread of the log's feed
 *   stream_signal.c    from signals to lossy channels, on their own thread
 *   stream_targets.c, stream_batch.c  used by both: the viewers concerned, and their messages (stream_batch.h)
 *   stream_kept.c      the buffer of recent events, for clients that resume
 *   stream_apply.c     applying the result of a command, on the I/O thread
 *   stream_channels.c  the channels that the contracts declare
 *   stream_message.c   messages to clients, as JSON
 *   stream_hub.c       start, stop, and the state shared by all streams
 *
 * A stream belongs to the I/O thread. A worker owns it while it runs a command, one at a time; meanwhile the I/O thread
 * does not read from its connection. The hub's lock guards the topics, their subscriptions, the kept events, and each
 * stream's viewer. */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/address.h"
#include "base/service.h"
#include "base/ticker.h"
#include "base/workers.h"
#include "bus/feed.h"
#include "bus/signals.h"
#include "gateway/exchange.h"
#include "http/upgrade.h"
#include "http/websocket.h"

enum {
        STREAM_NAME_BYTES = 200,     /* of a channel, as clients write it */
        STREAM_MESSAGE_BYTES = 4096, /* of a client's message: an access token and a little more */
        STREAM_KEPT_EVENTS = 10000,  /* per log, for clients that resume */
        STREAM_KEPT_S = 600,         /* and for how long */
        STREAM_PING_S = 30,
        STREAM_CLOSE_MS = 3000, /* for the close handshake */
        STREAM_COMMAND_MS = 5000,
        STREAM_SHOWN_AT_ONCE = 250, /* most events times viewers in one call; fewer if they are large */
        STREAM_EVENTS_AT_ONCE = 3,  /* per log; must be fewer than a service's database connections */
        STREAM_HELPERS = 4,         /* extra delivery threads, shared by all logs */
        STREAM_POSITION_SIZE = 128,
        STREAM_LOGS_MAX = 16,
};
#define STREAM_POSITIONS_SEPARATOR "." /* in the id of a server-sent event */

/* ---- Channels (stream_channels.c) ---- */

struct stream_channel {
        const struct rpc_method *subscribe, *route, *show;
        const struct rpc_method *acknowledge; /* NULL: acknowledgements are not accepted */
        struct str word;                      /* "user" of "user:{user_id}" */
        struct str variable;                  /* "user_id"; empty: none */
        struct stream_log *log;               /* NULL: the channel is lossy */
        size_t n_subscribed;                  /* on all streams; guarded by the hub's lock */
};

/* One log that channels follow. */
struct stream_log {
        struct stream_hub *hub;
        const char *source;
        const struct rpc_method *read_outbox;
        struct bus_feed *feed; /* NULL: not started */
        bool ready;            /* everything below is known; guarded by the hub's lock */
        char log_id[UUID_SIZE];
        int64_t position;   /* new subscribers do not get events up to here */
        int64_t delivered;  /* events up to here were posted to all subscribers */
        int64_t old_until;  /* the log is ready from here on; older events are only kept for clients that resume */
        int64_t kept_after; /* events after this position are kept */
        struct stream_event *kept; /* a ring buffer */
        size_t n_kept, first_kept;
};

/* A kept event. */
struct stream_event {
        int64_t position, seconds;
        int64_t version;
        char id[UUID_SIZE], aggregate_id[UUID_SIZE], object_id[UUID_SIZE], actor_id[UUID_SIZE];
        char type[32];
};

/* Collects the channels of the contracts. SN_FAILED_PRECONDITION with a sentence if one is inconsistent. */
SN_CHECKED sn_status stream_channels_find(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                                          struct buf *error);
/* Parses "user:ada" to the channel and the request of its method, in the call's arena. SN_NOT_FOUND
 * (channel_unknown). */
SN_CHECKED sn_status stream_channel_parse(struct rpc_call *c, struct stream_hub *hub, struct str name,
                                          struct stream_channel **channel, ProtobufCMessage **in);

/* What one viewer sees of one event. */
struct stream_shown {
        uint32_t event, viewer;
        const char *name; /* "note.created" */
        const struct rpc_message *type;
        const ProtobufCMessage *data;
};
/* Asks the channel's service. */
SN_CHECKED sn_status stream_channel_show(struct rpc_call *c, const struct stream_channel *channel, const char *topic,
                                         bus_event **events, size_t n_events, char **viewers, size_t n_viewers,
                                         struct stream_shown **shown, size_t *n_shown);

/* ---- Streams (stream.c) ---- */

struct stream_sub {
        struct stream_sub *next; /* of the same stream */
        struct stream *stream;
        struct stream_channel *channel;
        struct stream_entry *topic; /* NULL: not registered; guarded by the hub's lock, like the fields below */
        struct stream_sub *topic_next, **topic_at;
        int64_t from; /* events up to here were sent or are not wanted */
        uint32_t number;
        bool personal; /* the topic ends with the viewer's ID */
        char name[];   /* as given by the client */
};

struct stream {
        struct stream_hub *hub;
        struct http_upgraded *u; /* NULL: not started, or ended */
        atomic_int references;   /* held by the connection and by a command */
        uint64_t id;             /* 0: not started */
        bool is_sse, closing;
        bool counted_member; /* under the hub's lock */
        unsigned unanswered_pings;
        struct websocket websocket;
        struct stream_sub *subs;
        unsigned n_subs;
        uint32_t last_number;
        struct stream_command *command; /* with a worker, or waiting to continue */
        bool command_waits;             /* until the client has read what was sent */
        int64_t pinged_us;
        int64_t full_us;      /* since when the client has left more unread than allowed; 0: it has not */
        int64_t allowance_us; /* when its message allowance is replenished */
        /* who it is; viewer under the hub's lock */
        char viewer[UUID_SIZE], session[UUID_SIZE], scope[64];
        char *bearer;
        int64_t expires_s, epoch;
        char address[ADDRESS_TEXT_SIZE]; /* of the client */
        char request_id[65];
        /* for server-sent events */
        char *wanted;                           /* the channels still to be subscribed to */
        char *since;                            /* the client's Last-Event-ID, or "" */
        char positions[][STREAM_POSITION_SIZE]; /* per log, what the client has certainly passed; "": not followed */
};

/* The identity that a token gives a client. */
struct stream_identity {
        const char *viewer, *session, *scope, *bearer; /* "" when not logged in */
        int64_t expires_s, epoch;
};

/* Counts the stream for its address and member. SN_RESOURCE_EXHAUSTED (too_many_streams). It is freed when the
 * upgraded connection ends. */
SN_CHECKED sn_status stream_new(struct rpc_call *c, struct stream_hub *hub, const struct stream_identity *identity,
                                bool is_sse, struct stream **s);
void stream_unref(struct stream *s);
extern const struct http_upgrade stream_upgrade;
/* Counts the stream for a member. SN_RESOURCE_EXHAUSTED (too_many_streams). */
SN_CHECKED sn_status stream_count_member(struct rpc_call *c, struct stream *s, const char *member);
/* Sending, on the I/O thread (stream_send.c). Sends one JSON text message. */
void stream_send(struct stream *s, const char *text, size_t len);
/* Sends a message that is dropped if the client has not read the previous ones. */
void stream_send_lossy(struct stream *s, const char *text, size_t len);
/* Sends a message after which all events of the log up to a position have been sent; log NULL: none. is_last:
 * nothing older remains to be replayed on any channel, so a server-sent event may have an id. */
void stream_send_at(struct stream *s, const char *text, size_t len, const struct stream_log *log, const char *position,
                    bool is_last);
/* Sends the problem (NULL: the reason is in the close frame only), and closes the stream. */
void stream_end(struct stream *s, int code, const char *reason, const struct rpc_problem *problem);
void stream_end_token(struct stream *s, const char *code, const char *detail);
void stream_end_if_revoked(struct stream *s);
/* False if the stream is ending, or ends now because the client has left too much unread. */
bool stream_may_be_sent(struct stream *s);
void stream_send_frame(struct stream *s, enum websocket_opcode opcode, const void *bytes, size_t len);
void stream_close(struct stream *s, int code, const char *reason);
void stream_renew_due(struct stream *s); /* the expiry of its token has changed */
struct stream_sub *stream_find_sub(const struct stream *s, uint32_t number);

/* ---- Commands (stream_command.c, stream_replay.c) ---- */

struct stream_command {
        struct work work; /* first */
        struct http_task task;
        struct stream *stream;
        struct buf out;                  /* messages: a position or nothing, a line feed, the text, a NUL */
        struct stream_identity identity; /* the new identity; viewer NULL: unchanged. It owns its texts */
        struct stream_sub *sub;          /* a new subscription */
        struct stream_log *log;          /* its log */
        char *topic;                     /* its topic */
        char *unsubscribe;               /* the name of a channel */
        bool resumes;                    /* events after this position are replayed first */
        bool again;                      /* more of them remain */
        bool fails;                      /* close the stream, so that the client resumes */
        size_t at_once;                  /* events to replay in the next part */
        int64_t after;
        char log_id[UUID_SIZE];
        size_t len;
        char text[]; /* the message */
};

/* On a worker; posts its result to the I/O thread. */
void stream_command_run(struct work *work, bool expired);
void stream_command_done(struct http_task *task);
/* On the I/O thread: hands the message to a worker. False: it was rejected, and the client informed. */
bool stream_command_start(struct stream *s, struct str text);
/* Server-sent events: subscribes to the next requested channel. */
void stream_command_next(struct stream *s);
/* Called when the client has read what was sent. */
void stream_command_go_on(struct stream *s);
/* Drops a command that no worker has. */
void stream_command_drop(struct stream_command *command);
/* On a worker: starts a message in out. */
void stream_command_begin_message(struct stream_command *command, const char *position);
void stream_command_end_message(struct stream_command *command);
/* Checks that c's actor may subscribe to a channel. */
SN_CHECKED sn_status stream_check_channel(struct rpc_call *c, struct stream_hub *hub, const char *name);
/* On a worker: tells the channel's service that the client has received everything up to a position. */
SN_CHECKED sn_status stream_acknowledge(struct rpc_call *c, const struct stream *s, const char *name,
                                        const char *position);
/* On a worker: writes the next part of the missed events. */
SN_CHECKED sn_status stream_replay(struct rpc_call *c, struct stream_command *command);

/* ---- By key (stream_table.c): under the hub's lock ---- */

struct stream_table;
struct stream_table *stream_table_new(void);
void stream_table_free(struct stream_table *table);
/* Subscriptions by their topic. */
void stream_table_add(struct stream_table *topics, const char *key, struct stream_sub *sub);
void stream_table_remove(struct stream_table *topics, struct stream_sub *sub); /* does nothing if it is not there */
/* The first subscription to a topic; NULL: none. */
struct stream_sub *stream_table_find(const struct stream_table *topics, const char *key);
/* Counts one more for an address or a member. False if the limit is reached. */
bool stream_table_count(struct stream_table *counts, const char *key, unsigned most);
void stream_table_discount(struct stream_table *counts, const char *key);

/* ---- The hub (stream_hub.c) ---- */

struct stream_metrics {
        struct metric *sockets, *event_sources, *subscriptions, *events, *slow, *dropped, *late;
};

struct stream_hub {
        struct gateway *gateway;
        struct http_server *server; /* NULL before it listens and once it is stopping */
        struct stream_channel *channels;
        size_t n_channels;
        struct stream_log *logs;
        size_t n_logs;
        struct stream_metrics metrics;
        pthread_mutex_t lock;
        pthread_cond_t begun; /* signalled when a log becomes ready */
        int n_waiting;        /* workers waiting for that */
        struct stream_table *topics, *addresses, *members;
        bool stopping;
        int n_commands;      /* held by workers */
        pthread_cond_t idle; /* signalled when there are none */
        /* owned by the I/O thread */
        struct stream **streams; /* by slot: the low half of their IDs */
        uint32_t n_slots, n_free, *free_slots;
        uint32_t generation;
        struct bus_signals *signals; /* NULL: no lossy channels */
        const char **signal_sources; /* the services with lossy channels */
        atomic_int signal_batches;   /* not yet sent by the I/O thread */
        struct workers *helpers;     /* deliver events that arrive close together (stream_turns.c) */
        struct ticker *ticker;       /* starts the feeds and checks for ended sessions */
        struct http_task ended_task;
        atomic_bool ended_posted;
        uint64_t revocations;
};

/* Under the lock. False: the hub is stopping, and the caller keeps the task. */
bool stream_hub_post(struct stream_hub *hub, struct http_task *task);
/* Under the lock: unregisters a subscription, if it was registered. */
void stream_hub_unregister(struct stream_hub *hub, struct stream_sub *sub);
void stream_hub_register(struct stream_hub *hub, struct stream_sub *sub, const char *topic, int64_t from);
struct stream_hub *stream_hub_new(struct gateway *gateway, struct buf *error);
void stream_hub_serve(struct stream_hub *hub, struct http_server *server); /* once it listens */
/* Before the server stops: from now on nothing is posted to it. */
void stream_hub_stop(struct stream_hub *hub);
void stream_hub_free(struct stream_hub *hub); /* after the server is freed; waits for commands. Takes NULL */
/* The method under which requests for streams are rate-limited and checked for access. */
extern const struct rpc_method stream_method;
/* The caller's identity and its expiry. */
SN_CHECKED sn_status stream_identity_of(struct rpc_call *c, struct stream_identity *identity);
/* GET /v1/stream, on a worker (stream_page.c). */
bool stream_render(struct gateway *gateway, struct http_request *r, struct http_response *response);
/* Waits briefly until the log is being followed. SN_UNAVAILABLE if it is not. */
SN_CHECKED sn_status stream_hub_wait(struct rpc_call *c, struct stream_log *log);
/* On the I/O thread. */
bool stream_hub_add(struct stream_hub *hub, struct stream *s);
void stream_hub_remove(struct stream_hub *hub, const struct stream *s);
struct stream *stream_hub_find(const struct stream_hub *hub, uint64_t id);

/* ---- Delivery (stream_deliver.c) ---- */

void stream_deliver(void *log, struct rpc_call *c, bus_event **events, size_t n, bool old);
void stream_begin_log(void *log, const char *log_id, int64_t position, int64_t old_until);
/* ---- Signals (stream_signal.c) ---- */

/* Listens to the services with lossy channels; does nothing if there are none. */
void stream_signals_begin(struct stream_hub *hub);

/* ---- Kept events (stream_kept.c) ---- */

void stream_keep(struct stream_log *log, const bus_event *event); /* events in order; under the hub's lock */
/* Under the hub's lock: all events after this position are kept. */
int64_t stream_kept_after(struct stream_log *log);
/* Under the hub's lock: at most `most` kept events after a position. */
bus_event **stream_kept_events(struct rpc_call *c, struct stream_log *log, int64_t after, size_t most, size_t *n);

/* ---- Messages (stream_message.c) ---- */

char *stream_position(struct rpc_call *c, const char *log_id, int64_t position);
/* What a client resumes from: a position, or a server-sent event's id, which holds a position per log; "": nothing. */
struct stream_log_position {
        char log_id[UUID_SIZE];
        int64_t position;
};
struct stream_since {
        struct stream_log_position positions[STREAM_LOGS_MAX];
        size_t n;
};
/* SN_INVALID_ARGUMENT on the field if it is neither. */
SN_CHECKED sn_status stream_since_read(struct rpc_call *c, const char *field, const char *text,
                                       struct stream_since *since);
void stream_write_problem(struct buf *out, struct rpc_call *c, const struct rpc_problem *problem,
                          const char *request_id);
void stream_write_authenticated(struct buf *out, const char *user_id, int64_t expires_s);
void stream_write_subscribed(struct buf *out, const char *channel, const char *position, bool resumed);
/* The rest of an event message after `"channel":"…"`. position "": none. */
void stream_write_event_rest(struct buf *out, const struct stream_shown *shown, const char *position);

#endif
