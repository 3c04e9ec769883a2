/* The wall service, a gateway in front of it, and clients of its stream. */
#ifndef GATEWAY_TESTDATA_WALL_H
#define GATEWAY_TESTDATA_WALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/settings.h"
#include "gateway/gateway.h"

/* The behaviour of the service. */
extern atomic_int wall_show_status;  /* of each ShowEvents */
extern atomic_int wall_route_status; /* of each RouteEvents */
extern atomic_int wall_shows_left;   /* the number of ShowEvents answered before that; initially unlimited */
extern atomic_bool wall_log_is_away; /* ReadOutbox fails */
extern atomic_int wall_age_s;        /* the age of what is posted */

/* An event on a wall, or on the channel `mine` of one member ("to-3"); its post has this many bytes of text. It is in
 * the log at once, and in that of the service `floor`, which is an identical service with the channel floor:{name}. */
void wall_post(const char *wall, size_t bytes);
/* Not in a log: it is sent on glimpse:{wall} to current subscribers, for "to-3" to one member only. */
void wall_signal(const char *wall);
/* The latest acknowledgement on `mine`: "MEMBER SESSION LOG POSITION", initially "". */
void wall_acknowledged(char out[200]);
extern atomic_int wall_acknowledge_status; /* of each AcknowledgeMine */
/* Subscribing to the wall "gate", routing and showing its events waits inside until the gate opens. */
void wall_gate_close(void);
void wall_gate_open(void);
void wall_gate_await(int inside); /* returns when this many calls wait */

/* A gateway with the default settings, except those that the test changes before it starts. */
extern struct settings wall_settings;
void wall_start(void);
int wall_port(void);
void wall_stop(int grace_ms); /* opens the gate once the server has stopped */
void wall_restart(void);      /* keeps the log */

/* A token of one of ten members. */
const char *wall_token_of(int member, int life_s, const char *session);
const char *wall_token(int life_s, const char *session); /* of the first */

/* A client: all received data is in `in`. */
struct wall_client {
        int fd;
        struct buf in;
        size_t seen; /* up to where wall_wait has searched */
};
struct wall_client wall_open_events(const char *channels, const char *last_event_id, const char *token);
struct wall_client wall_open_socket(const char *token);
void wall_say(struct wall_client *client, const char *text); /* one message over WebSocket */
/* Waits for the text, after the one waited for before. Returns its position. */
const char *wall_wait(struct wall_client *client, const char *text);
void wall_wait_end(struct wall_client *client); /* until the server closes */
int wall_count(const struct wall_client *client, const char *text);
/* The latest `id:` before the text that was waited for last. */
const char *wall_last_id(const struct wall_client *client, char id[256]);
/* The latest "position". */
const char *wall_last_position(const struct wall_client *client, char position[256]);
void wall_close(struct wall_client *client);

#endif
