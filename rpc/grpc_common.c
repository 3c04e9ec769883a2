/* The parts of gRPC that are neither client nor server. */
#include "rpc/grpc_common.h"

#include <arpa/inet.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sonet/problem.pb-c.h"

/* ---- The library ---- */

/* The library reports every broken connection as an error, with its address: that is for those who look for it. */
static void forward_log(gpr_log_func_args *args)
{
        log_event(LOG_LEVEL_DEBUG, "grpc", LOG_STR("error.message", args->message),
                  LOG_STR("log.origin.file.name", args->file), LOG_INT("log.origin.file.line", args->line));
}

static void setup_once(void)
{
        gpr_set_log_function(forward_log);
}

void sonet_grpc_acquire(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, setup_once);
        grpc_init();
}

void sonet_grpc_block_signals(sigset_t *before)
{
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, before);
}

void sonet_grpc_release(void)
{
        grpc_shutdown();
}

/* ---- Addresses ---- */

static struct str host_of(const char *host_and_port)
{
        struct str s = str_of(host_and_port);
        if (s.len > 0 && s.ptr[0] == '[') {
                const char *end = memchr(s.ptr, ']', s.len);
                return end == NULL ? (struct str){0} : (struct str){s.ptr + 1, (size_t)(end - s.ptr) - 1};
        }
        const char *colon = memrchr(s.ptr, ':', s.len);
        return colon == NULL ? s : (struct str){s.ptr, (size_t)(colon - s.ptr)};
}

bool sonet_grpc_is_loopback(const char *host_and_port)
{
        struct str host = host_of(host_and_port);
        char text[64];
        struct in_addr v4;
        struct in6_addr v6;
        if (host.len == 0 || host.len >= sizeof(text)) {
                return false;
        }
        memcpy(text, host.ptr, host.len);
        text[host.len] = '\0';
        if (inet_pton(AF_INET, text, &v4) == 1) {
                return ntohl(v4.s_addr) >> 24 == 127;
        }
        if (inet_pton(AF_INET6, text, &v6) == 1) {
                return IN6_IS_ADDR_LOOPBACK(&v6);
        }
        return str_equal_nocase(host, STR("localhost"));
}

/* ---- Arguments ---- */

void sonet_grpc_args_int(struct sonet_grpc_args *args, const char *key, int value)
{
        if (args->n == SONET_GRPC_ARGS) {
                abort(); /* a list in our own sources is too long */
        }
        args->list[args->n++] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

/* Filters that we do not need cost time in every call: compression, channel statistics, bandwidth probes, idleness. */
void sonet_grpc_args_common(struct sonet_grpc_args *args)
{
        args->n = 0;
        sonet_grpc_args_int(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, SONET_GRPC_MESSAGE_BYTES);
        sonet_grpc_args_int(args, GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
        sonet_grpc_args_int(args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
        sonet_grpc_args_int(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
        sonet_grpc_args_int(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
        sonet_grpc_args_int(args, GRPC_ARG_HTTP2_BDP_PROBE, 0);
        sonet_grpc_args_int(args, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 256 * 1024);
        sonet_grpc_args_int(args, GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
}

/* ---- Slices ---- */

struct str sonet_grpc_view(const grpc_slice *slice)
{
        return (struct str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

grpc_slice sonet_grpc_pack(const ProtobufCMessage *message)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        grpc_slice slice = grpc_slice_malloc(len);
        protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
        return slice;
}

bool sonet_grpc_bytes(grpc_byte_buffer *message, grpc_slice *bytes)
{
        grpc_byte_buffer_reader reader;
        if (message->type != GRPC_BB_RAW || message->data.raw.compression != GRPC_COMPRESS_NONE ||
            grpc_byte_buffer_length(message) > SONET_GRPC_MESSAGE_BYTES ||
            !grpc_byte_buffer_reader_init(&reader, message)) {
                return false;
        }
        const grpc_slice_buffer *parts = &message->data.raw.slice_buffer;
        *bytes = parts->count == 1 ? grpc_slice_ref(parts->slices[0]) : grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
        return true;
}

/* ---- Problems ---- */

/* Clients refuse trailers over 8 KiB, so texts are cut, between code points. */
static char *cut_text(const char *text, char out[SONET_GRPC_TEXT_BYTES])
{
        size_t len = text != NULL ? strnlen(text, SONET_GRPC_TEXT_BYTES) : 0;
        if (len == SONET_GRPC_TEXT_BYTES) {
                len--;
                while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80) {
                        len--;
                }
        }
        if (len > 0) {
                memcpy(out, text, len);
        }
        out[len] = '\0';
        return out;
}

grpc_slice sonet_grpc_text(const char *text)
{
        char cut[SONET_GRPC_TEXT_BYTES];
        return grpc_slice_from_copied_string(cut_text(text, cut));
}

grpc_slice sonet_grpc_problem_pack(const struct rpc_problem *problem)
{
        char code[SONET_GRPC_TEXT_BYTES], field[SONET_GRPC_TEXT_BYTES], detail[SONET_GRPC_TEXT_BYTES];
        Sonet__Problem message = SONET__PROBLEM__INIT;
        message.status = (uint32_t)problem->status;
        message.code = cut_text(problem->code, code);
        message.field = cut_text(problem->field, field);
        message.detail = cut_text(problem->detail, detail);
        message.retry_after_s = (uint32_t)problem->retry_after_s;
        return sonet_grpc_pack(&message.base);
}

void sonet_grpc_problem_unpack(struct rpc_call *c, struct str bytes, struct rpc_problem *problem)
{
        ProtobufCMessage *unpacked;
        if (rpc_unpack(c, &sonet__problem__descriptor, (const uint8_t *)bytes.ptr, bytes.len, &unpacked) != SN_OK) {
                return; /* the status stands, with its usual sentence */
        }
        const Sonet__Problem *message = (const Sonet__Problem *)unpacked;
        problem->code = message->code[0] != '\0' ? message->code : NULL;
        problem->field = message->field[0] != '\0' ? message->field : NULL;
        problem->detail = message->detail[0] != '\0' ? message->detail : NULL;
        problem->retry_after_s = message->retry_after_s <= 3600 ? (int)message->retry_after_s : 3600;
}
