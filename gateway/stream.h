/* The stream: GET /v1/stream, over WebSocket or as server-sent events. What its files share; private to gateway/.
 *
 *   stream_page.c      the request: who asks, and the answer that makes the connection a stream
 *   stream.c           one stream on the I/O thread: its life, its limits
 *   stream_send.c      what it is sent, there too
 *   stream_command.c   what clients say, on workers
 *   stream_acknowledge.c  what clients say that they have taken, on workers
 *   stream_replay.c    what a subscription missed, on workers
 *   stream_table.c     who is subscribed to what; how many streams who has
 *   stream_deliver.c   from a log's events to streams, on the thread of the log's feed
 *   stream_signal.c    from signals to lossy channels, on their thread
 *   stream_targets.c, stream_batch.c  for both: whom an event may concern, what they are sent (stream_batch.h)
 *   stream_kept.c      the events that are kept for who comes back
 *   stream_apply.c     what came of a client's message, on the I/O thread
 *   stream_channels.c  the channels that the contracts declare
 *   stream_message.c   what is sent, as JSON
 *   stream_hub.c       start and stop, and what all streams share
 *
 * A stream belongs to the I/O thread. A worker has it while its command runs, one at a time; the I/O thread does not
 * read from its connection meanwhile. The hub's lock guards topics, their subscriptions and the events that are kept,
 * and each stream's viewer. */
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
        STREAM_MESSAGE_BYTES = 4096, /* of a client's message: an access token and some */
        STREAM_KEPT_EVENTS = 10000,  /* of a log, for who comes back */
        STREAM_KEPT_S = 600,         /* and for how long */
        STREAM_PING_S = 30,
        STREAM_CLOSE_MS = 3000, /* for the close handshake */
        STREAM_COMMAND_MS = 5000,
        STREAM_SHOWN_AT_ONCE = 250, /* events times viewers, in one call; fewer when they are large */
        STREAM_EVENTS_AT_ONCE = 3,  /* of a log; fewer than a service has connections to its database */
        STREAM_HELPERS = 4,         /* threads for those after the first, of all logs */
        STREAM_POSITION_SIZE = 128,
        STREAM_LOGS_MAX = 16,
};
#define STREAM_POSITIONS_SEPARATOR "." /* in the id of a server-sent event */

/* ---- Channels (stream_channels.c) ---- */

struct stream_channel {
        const struct rpc_method *subscribe, *route, *show;
        const struct rpc_method *acknowledge; /* NULL: none */
        struct str word;                      /* "user" of "user:{user_id}" */
        struct str variable;                  /* "user_id"; empty: none */
        struct stream_log *log;               /* NULL: it is lossy */
        size_t n_subscribed;                  /* of all streams; under the hub's lock */
};

/* One log that channels follow. */
struct stream_log {
        struct stream_hub *hub;
        const char *source;
        const struct rpc_method *read_outbox;
        struct bus_feed *feed; /* NULL: not begun */
        bool ready;            /* all that follows is known; under the hub's lock */
        char log_id[UUID_SIZE];
        int64_t position;          /* who subscribes is not owed the events up to here */
        int64_t delivered;         /* those up to here were posted to all who were subscribed */
        int64_t old_until;         /* ready from here on: what is older is kept for who resumes */
        int64_t kept_after;        /* the events behind this position are kept */
        struct stream_event *kept; /* a ring */
        size_t n_kept, first_kept;
};

/* An event that is kept. */
struct stream_event {
        int64_t position, seconds;
        int64_t version;
        char id[UUID_SIZE], aggregate_id[UUID_SIZE], object_id[UUID_SIZE], actor_id[UUID_SIZE];
        char type[32];
};

/* Of the contracts. SN_FAILED_PRECONDITION with a sentence when one does not hold together. */
SN_CHECKED sn_status stream_channels_find(struct stream_hub *hub, const struct rpc_service *const *contracts, size_t n,
                                          struct buf *error);
/* "user:ada": the channel and the request of its method, in the call's arena. SN_NOT_FOUND (channel_unknown). */
SN_CHECKED sn_status stream_channel_parse(struct rpc_call *c, struct stream_hub *hub, struct str name,
                                          struct stream_channel **channel, ProtobufCMessage **in);

/* What one viewer is shown of one event. */
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
        struct stream_sub *next; /* of the stream */
        struct stream *stream;
        struct stream_channel *channel;
        struct stream_entry *topic; /* NULL: not registered; under the hub's lock, as what follows */
        struct stream_sub *topic_next, **topic_at;
        int64_t from; /* events up to here were sent, or are not wanted */
        uint32_t number;
        bool personal; /* the topic ends by the viewer's id */
        char name[];   /* as the client wrote it */
};

struct stream {
        struct stream_hub *hub;
        struct http_upgraded *u; /* NULL: not begun, or ended */
        atomic_int references;   /* of the connection, and of a command */
        uint64_t id;             /* 0: not begun */
        bool is_sse, closing;
        bool counted_member; /* under the hub's lock */
        unsigned unanswered_pings;
        struct websocket websocket;
        struct stream_sub *subs;
        unsigned n_subs;
        uint32_t last_number;
        struct stream_command *command; /* with a worker, or waiting to go on */
        bool command_waits;             /* until the client has taken what it was sent */
        int64_t pinged_us;
        int64_t full_us;      /* since when it has left more unread than it may; 0: it has not */
        int64_t allowance_us; /* until when it has spent its messages */
        /* who it is; viewer under the hub's lock */
        char viewer[UUID_SIZE], session[UUID_SIZE], scope[64];
        char *bearer;
        int64_t expires_s, epoch;
        char address[ADDRESS_TEXT_SIZE]; /* of the client */
        char request_id[65];
        /* server-sent events */
        char *wanted; /* the channels that are still to be subscribed to */
        char *since;  /* the id with which it came back, or "" */
        char positions[]
                      [STREAM_POSITION_SIZE]; /* of each log, what it has passed for sure; "": no channel follows it */
};

/* Who a token says that a client is. */
struct stream_identity {
        const char *viewer, *session, *scope, *bearer; /* "" when nobody is logged in */
        int64_t expires_s, epoch;
};

/* Counts it for its address and its member. SN_RESOURCE_EXHAUSTED (too_many_streams). It ends by the upgrade's end. */
SN_CHECKED sn_status stream_new(struct rpc_call *c, struct stream_hub *hub, const struct stream_identity *identity,
                                bool is_sse, struct stream **s);
void stream_unref(struct stream *s);
extern const struct http_upgrade stream_upgrade;
/* Counts it for a member. SN_RESOURCE_EXHAUSTED (too_many_streams). */
SN_CHECKED sn_status stream_count_member(struct rpc_call *c, struct stream *s, const char *member);
/* Sending, on the I/O thread (stream_send.c). One JSON text message. */
void stream_send(struct stream *s, const char *text, size_t len);
/* One that is left out when the client has not taken what came before. */
void stream_send_lossy(struct stream *s, const char *text, size_t len);
/* One with which all events of the log up to a position have been sent; log NULL: of none. is_last: nothing older is to
 * be replayed on any channel, so that a server-sent event may have an id. */
void stream_send_at(struct stream *s, const char *text, size_t len, const struct stream_log *log, const char *position,
                    bool is_last);
/* Says why (problem NULL: in the close frame alone), and closes. */
void stream_end(struct stream *s, int code, const char *reason, const struct rpc_problem *problem);
void stream_end_token(struct stream *s, const char *code, const char *detail);
void stream_end_if_revoked(struct stream *s);
/* False: it is ending, or the client has left too much, and it ends now. */
bool stream_may_be_sent(struct stream *s);
void stream_send_frame(struct stream *s, enum websocket_opcode opcode, const void *bytes, size_t len);
void stream_close(struct stream *s, int code, const char *reason);
void stream_renew_due(struct stream *s); /* its token ends at another time */
struct stream_sub *stream_find_sub(const struct stream *s, uint32_t number);

/* ---- Commands (stream_command.c, stream_replay.c) ---- */

struct stream_command {
        struct work work; /* first */
        struct http_task task;
        struct stream *stream;
        struct buf out;                  /* messages: a position or nothing, a line end, the text, a NUL */
        struct stream_identity identity; /* what it changes: viewer NULL: nothing. Its texts are its own */
        struct stream_sub *sub;          /* a new subscription */
        struct stream_log *log;          /* of it */
        char *topic;                     /* of it */
        char *unsubscribe;               /* a channel's name */
        bool resumes;                    /* events after this position come first */
        bool again;                      /* there are more of them */
        bool fails;                      /* the stream ends, so that the client resumes */
        size_t at_once;                  /* so many events are shown in the next part */
        int64_t after;
        char log_id[UUID_SIZE];
        size_t len;
        char text[]; /* the message */
};

/* On a worker; and what it posts then. */
void stream_command_run(struct work *work, bool expired);
void stream_command_done(struct http_task *task);
/* On the I/O thread: hands it to a worker. False: it is refused, and the client told. */
bool stream_command_start(struct stream *s, struct str text);
/* Server-sent events: the next channel that was asked for. */
void stream_command_next(struct stream *s);
/* The client has taken what it was sent. */
void stream_command_go_on(struct stream *s);
/* Gives up a command that no worker has. */
void stream_command_drop(struct stream_command *command);
/* On a worker: around each message in out. */
void stream_command_begin_message(struct stream_command *command, const char *position);
void stream_command_end_message(struct stream_command *command);
/* Whether a channel could be subscribed to by c's actor. */
SN_CHECKED sn_status stream_check_channel(struct rpc_call *c, struct stream_hub *hub, const char *name);
/* On a worker: tells the service of a channel that the client has taken all up to a position. */
SN_CHECKED sn_status stream_acknowledge(struct rpc_call *c, const struct stream *s, const char *name,
                                        const char *position);
/* On a worker: writes the next part of what was missed. */
SN_CHECKED sn_status stream_replay(struct rpc_call *c, struct stream_command *command);

/* ---- By key (stream_table.c): under the hub's lock ---- */

struct stream_table;
struct stream_table *stream_table_new(void);
void stream_table_free(struct stream_table *table);
/* Subscriptions by their topic. */
void stream_table_add(struct stream_table *topics, const char *key, struct stream_sub *sub);
void stream_table_remove(struct stream_table *topics, struct stream_sub *sub); /* nothing, when it is not there */
/* The first of a topic's; NULL: none. */
struct stream_sub *stream_table_find(const struct stream_table *topics, const char *key);
/* How many an address or a member has. False: as many as they may. */
bool stream_table_count(struct stream_table *counts, const char *key, unsigned most);
void stream_table_discount(struct stream_table *counts, const char *key);

/* ---- The hub (stream_hub.c) ---- */

struct stream_metrics {
        struct metric *sockets, *event_sources, *subscriptions, *events, *slow, *dropped, *late;
};

struct stream_hub {
        struct gateway *gateway;
        struct http_server *server; /* NULL before it listens, and once it stops */
        struct stream_channel *channels;
        size_t n_channels;
        struct stream_log *logs;
        size_t n_logs;
        struct stream_metrics metrics;
        pthread_mutex_t lock;
        pthread_cond_t begun; /* a log is ready */
        int n_waiting;        /* workers, for that */
        struct stream_table *topics, *addresses, *members;
        bool stopping;
        int n_commands;      /* that workers have */
        pthread_cond_t idle; /* none */
        /* the I/O thread's alone */
        struct stream **streams; /* by slot: the low half of their ids */
        uint32_t n_slots, n_free, *free_slots;
        uint32_t generation;
        struct bus_signals *signals; /* NULL: no channel is lossy */
        const char **signal_sources; /* the services that have lossy channels */
        atomic_int signal_batches;   /* that the I/O thread has not sent yet */
        struct workers *helpers;     /* deliver what comes close together (stream_turns.c) */
        struct ticker *ticker;       /* begins the feeds, and looks for ended sessions */
        struct http_task ended_task;
        atomic_bool ended_posted;
        uint64_t revocations;
};

/* Under the lock. False: the hub stops, and the task is the caller's. */
bool stream_hub_post(struct stream_hub *hub, struct http_task *task);
/* Under the lock: those of a subscription that was registered, or not. */
void stream_hub_unregister(struct stream_hub *hub, struct stream_sub *sub);
void stream_hub_register(struct stream_hub *hub, struct stream_sub *sub, const char *topic, int64_t from);
struct stream_hub *stream_hub_new(struct gateway *gateway, struct buf *error);
void stream_hub_serve(struct stream_hub *hub, struct http_server *server); /* it listens */
/* Before the server stops: nothing is posted to it any more. */
void stream_hub_stop(struct stream_hub *hub);
void stream_hub_free(struct stream_hub *hub); /* after it; waits for commands. Takes NULL */
/* What a request for a stream is to rate limits and access checks. */
extern const struct rpc_method stream_method;
/* Who the caller is, and until when. */
SN_CHECKED sn_status stream_identity_of(struct rpc_call *c, struct stream_identity *identity);
/* GET /v1/stream, on a worker (stream_page.c). */
bool stream_render(struct gateway *gateway, struct http_request *r, struct http_response *response);
/* Waits for a moment until the log is followed. SN_UNAVAILABLE when it is not. */
SN_CHECKED sn_status stream_hub_wait(struct rpc_call *c, struct stream_log *log);
/* On the I/O thread. */
bool stream_hub_add(struct stream_hub *hub, struct stream *s);
void stream_hub_remove(struct stream_hub *hub, const struct stream *s);
struct stream *stream_hub_find(const struct stream_hub *hub, uint64_t id);

/* ---- Delivery (stream_deliver.c) ---- */

void stream_deliver(void *log, struct rpc_call *c, bus_event **events, size_t n, bool old);
void stream_begin_log(void *log, const char *log_id, int64_t position, int64_t old_until);
/* ---- Signals (stream_signal.c) ---- */

/* Listens to the services that have lossy channels; nothing, when there are none. */
void stream_signals_begin(struct stream_hub *hub);

/* ---- Kept events (stream_kept.c) ---- */

void stream_keep(struct stream_log *log, const bus_event *event); /* the next one; under the hub's lock */
/* Under the hub's lock: all events behind this position are kept. */
int64_t stream_kept_after(struct stream_log *log);
/* Under the hub's lock: the kept events behind a position, at most so many, as they were. */
bus_event **stream_kept_events(struct rpc_call *c, struct stream_log *log, int64_t after, size_t most, size_t *n);

/* ---- Messages (stream_message.c) ---- */

char *stream_position(struct rpc_call *c, const char *log_id, int64_t position);
/* What clients come back with: a position, or the id of a server-sent event, which has one for each log; "": none. */
struct stream_place {
        char log_id[UUID_SIZE];
        int64_t position;
};
struct stream_since {
        struct stream_place places[STREAM_LOGS_MAX];
        size_t n;
};
/* SN_INVALID_ARGUMENT on the field when it is neither. */
SN_CHECKED sn_status stream_since_read(struct rpc_call *c, const char *field, const char *text,
                                       struct stream_since *since);
void stream_write_problem(struct buf *out, struct rpc_call *c, const struct rpc_problem *problem,
                          const char *request_id);
void stream_write_authenticated(struct buf *out, const char *user_id, int64_t expires_s);
void stream_write_subscribed(struct buf *out, const char *channel, const char *position, bool resumed);
/* What follows `"channel":"…"` in an event's message. position "": it has none. */
void stream_write_event_rest(struct buf *out, const struct stream_shown *shown, const char *position);

#endif
