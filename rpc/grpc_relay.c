/* Relays: bytes from the messages of a stream into a pipe. */
#include "rpc/grpc_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/grpc_chunk.h"

enum {
        ARENA_BYTES = 4 * GRPC_HEADER_BYTES, /* for the callee's headers */
        PART_BYTES = 2 * (GRPC_PREFIX_BYTES + GRPC_CHUNK_HEAD_BYTES + GRPC_CHUNK_BYTES),
        PENDING_BYTES = 2 * GRPC_LINK_WINDOW_BYTES,
};

/* ---- Both sides ---- */

struct grpc_relay *grpc_relay_new(struct sonet_grpc_channel *channel, const struct rpc_method *m)
{
        struct grpc_relay *relay = calloc(1, sizeof(*relay));
        int fds[2] = {-1, -1};
        struct arena *arena = arena_new(ARENA_BYTES);
        if (relay == NULL || arena == NULL || pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
                free(relay);
                arena_free(arena);
                return NULL;
        }
        relay->call.relay = relay;
        relay->call.channel = channel;
        relay->call.arena = arena;
        relay->holders = 2;
        relay->read_fd = fds[0];
        relay->write_fd = fds[1];
        relay->field = contract_chunk_field(m->out)->number;
        buf_init(&relay->part, PART_BYTES);
        buf_init(&relay->pending, PENDING_BYTES);
        atomic_fetch_add(&channel->n_relays, 1);
        return relay;
}

int grpc_relay_take_fd(struct grpc_relay *relay)
{
        int fd = relay->read_fd;
        relay->read_fd = -1;
        return fd;
}

static void release_holders(struct grpc_relay *relay, int n)
{
        if (atomic_fetch_sub(&relay->holders, n) > n) {
                return;
        }
        if (relay->read_fd >= 0) {
                close(relay->read_fd);
        }
        buf_free(&relay->call.request);
        buf_free(&relay->call.reply);
        buf_free(&relay->part);
        buf_free(&relay->pending);
        arena_free(relay->call.arena);
        free(relay);
}

/* Without a reader the writing end, which may outlive this, learns that the rest is not wanted. */
void grpc_relay_release(struct grpc_relay *relay)
{
        if (relay->read_fd >= 0) {
                close(relay->read_fd);
                relay->read_fd = -1;
        }
        release_holders(relay, 1);
}

static void close_pipe(struct grpc_relay *relay)
{
        close(relay->write_fd);
        atomic_fetch_sub(&relay->call.channel->n_relays, 1);
}

static void end_writing(struct grpc_relay *relay)
{
        close_pipe(relay);
        release_holders(relay, 1);
}

void grpc_relay_abandon(struct grpc_relay *relay)
{
        close_pipe(relay);
        release_holders(relay, 2);
}

/* ---- Into the pipe ---- */

static size_t pending_left(const struct grpc_relay *relay)
{
        return relay->pending.len - relay->pending_at;
}

/* False: the reader has gone. */
static bool write_pending(struct grpc_relay *relay)
{
        while (pending_left(relay) > 0) {
                ssize_t n = write(relay->write_fd, relay->pending.data + relay->pending_at, pending_left(relay));
                if (n < 0 && errno != EINTR) {
                        return errno == EAGAIN;
                }
                relay->pending_at += n > 0 ? (size_t)n : 0;
        }
        relay->pending.len = relay->pending_at = 0;
        return true;
}

/* Lets the callee send as much as was read. */
static void give_room(struct grpc_relay *relay)
{
        struct grpc_link *link = relay->call.link;
        size_t left = pending_left(relay);
        if (link != NULL && relay->held > left) {
                (void)nghttp2_session_consume_stream(link->session, relay->call.stream_id, relay->held - left);
                relay->held = left;
                link->to_flush = true;
        }
}

static void keep_bytes(struct grpc_relay *relay, struct str bytes)
{
        if (relay->pending_at > 0) {
                memmove(relay->pending.data, relay->pending.data + relay->pending_at, pending_left(relay));
                relay->pending.len -= relay->pending_at;
                relay->pending_at = 0;
        }
        buf_append(&relay->pending, bytes.ptr, bytes.len);
}

/* ---- Decoding messages ---- */

static bool take_chunk(struct grpc_relay *relay, struct str message)
{
        CLEANUP(buf_free) struct buf others;
        struct str bytes;
        buf_init(&others, GRPC_CHUNK_FIELDS_BYTES);
        if (!grpc_chunk_split(message, relay->field, &bytes, &others)) {
                return false;
        }
        keep_bytes(relay, bytes);
        return true;
}

/* False: not what our services send. */
static bool take_chunks(struct grpc_relay *relay)
{
        size_t used = 0;
        struct str message;
        bool compressed;
        enum grpc_frame frame;
        while ((frame = grpc_frame_read((struct str){relay->part.data + used, relay->part.len - used}, &compressed,
                                        &message)) == GRPC_FRAME_WHOLE) {
                if (compressed || !take_chunk(relay, message)) {
                        return false;
                }
                used += GRPC_PREFIX_BYTES + message.len;
        }
        if (used > 0) {
                memmove(relay->part.data, relay->part.data + used, relay->part.len - used);
                relay->part.len -= used;
        }
        return frame == GRPC_FRAME_PART && !relay->part.overflow && !relay->pending.overflow;
}

/* The first message is complete, and its caller continues. False: the pipe cannot be watched. */
static bool answer_caller(struct grpc_relay *relay, size_t message_bytes)
{
        struct grpc_call *call = &relay->call;
        buf_append(&relay->part, call->reply.data + message_bytes, call->reply.len - message_bytes);
        call->reply.len = message_bytes;
        relay->answered = true;
        sem_post(&call->done);
        return grpc_loop_watch_relay(call->channel->loop, relay->write_fd, relay);
}

static void fail_relay(struct grpc_relay *relay)
{
        struct grpc_call *call = &relay->call;
        log_event(LOG_LEVEL_WARN, "a file transfer over gRPC was cut off",
                  LOG_STR("server.address", call->channel->authority));
        grpc_link_cancel(call);
        grpc_channel_end_call(call, GRPC_END_LOST);
}

static void cancel(struct grpc_relay *relay)
{
        if (relay->call.link != NULL) {
                grpc_link_cancel(&relay->call);
                grpc_channel_end_call(&relay->call, GRPC_END_LOST);
        } else {
                grpc_relay_drop(relay);
        }
}

void grpc_relay_data(struct grpc_relay *relay, const uint8_t *bytes, size_t len)
{
        struct grpc_call *call = &relay->call;
        struct buf *into = relay->answered ? &relay->part : &call->reply;
        bool compressed;
        struct str message;
        buf_append(into, bytes, len);
        relay->held += len;
        if (into->overflow) {
                fail_relay(relay);
                return;
        }
        if (!relay->answered) {
                struct str all = {call->reply.data, call->reply.len};
                if (grpc_frame_read(all, &compressed, &message) != GRPC_FRAME_WHOLE) {
                        give_room(relay);
                        return;
                }
                if (!answer_caller(relay, GRPC_PREFIX_BYTES + message.len)) {
                        fail_relay(relay);
                        return;
                }
        }
        call->deadline_us = grpc_loop_now_us(call->channel->loop) + GRPC_RELAY_STALL_MS * INT64_C(1000);
        if (!take_chunks(relay)) {
                fail_relay(relay);
        } else if (!write_pending(relay)) {
                cancel(relay);
        } else {
                give_room(relay);
        }
}

/* ---- Events ---- */

void grpc_relay_event(struct grpc_relay *relay, uint32_t events)
{
        if ((events & EPOLLERR) != 0 || !write_pending(relay)) {
                cancel(relay);
        } else if (relay->complete && pending_left(relay) == 0) {
                grpc_relay_drop(relay);
        } else {
                give_room(relay);
        }
}

/* If bytes are pending, the reader is slow, and its own transport has the timeout for that. */
bool grpc_relay_due(struct grpc_relay *relay, int64_t now_us)
{
        if (!relay->answered || pending_left(relay) == 0) {
                return false;
        }
        relay->call.deadline_us = now_us + GRPC_RELAY_STALL_MS * INT64_C(1000);
        return true;
}

/* The stream has ended; pending bytes still go into the pipe. */
void grpc_relay_ended(struct grpc_relay *relay, enum grpc_end end)
{
        struct sonet_grpc_channel *channel = relay->call.channel;
        relay->call.link = NULL;
        if (!relay->answered) {
                relay->call.end = end;
                sem_post(&relay->call.done);
        }
        relay->complete = relay->answered && end == GRPC_END_ANSWERED && str_equal_c(relay->call.status, "0");
        relay->call.next = channel->draining;
        relay->call.at = &channel->draining;
        if (relay->call.next != NULL) {
                relay->call.next->at = &relay->call.next;
        }
        channel->draining = &relay->call;
        if (!relay->complete || pending_left(relay) == 0) {
                grpc_relay_drop(relay);
        }
}

void grpc_relay_drop(struct grpc_relay *relay)
{
        struct grpc_call *call = &relay->call;
        *call->at = call->next;
        if (call->next != NULL) {
                call->next->at = call->at;
        }
        end_writing(relay);
}
