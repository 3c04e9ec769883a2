/* One call on one connection of its own, straight over the library. */
#include "rpc/testdata/raw_grpc.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw {
        grpc_channel *channel;
        grpc_completion_queue *queue;
        grpc_call *call;
        grpc_byte_buffer *message, *reply;
        grpc_metadata header;
        grpc_metadata_array initial, trailing;
        grpc_status_code status;
        grpc_slice detail;
};

static grpc_channel *open_channel(int port, bool compressed)
{
        grpc_arg args[] = {
            {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
            {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
            {.type = GRPC_ARG_INTEGER,
             .key = (char *)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
             .value.integer = GRPC_COMPRESS_GZIP},
        };
        char target[64];
        snprintf(target, sizeof(target), "ipv4:127.0.0.1:%d", port);
        grpc_channel_args list = {compressed ? 3 : 2, args};
        grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
        grpc_channel *channel = grpc_channel_create(target, credentials, &list);
        grpc_channel_credentials_release(credentials);
        return channel;
}

static void raw_begin(struct raw *raw, const struct raw_request *request)
{
        grpc_init();
        *raw = (struct raw){.detail = grpc_empty_slice()};
        grpc_metadata_array_init(&raw->initial);
        grpc_metadata_array_init(&raw->trailing);
        raw->channel = open_channel(request->port, request->compressed);
        raw->queue = grpc_completion_queue_create_for_pluck(NULL);
        gpr_timespec deadline =
            gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                         gpr_time_from_millis(request->timeout_ms > 0 ? request->timeout_ms : 5000, GPR_TIMESPAN));
        raw->call = grpc_channel_create_call(raw->channel, NULL, 0, raw->queue,
                                             grpc_slice_from_static_string(request->path), NULL, deadline, NULL);
        if (request->bytes != NULL) {
                grpc_slice bytes = grpc_slice_from_copied_buffer(request->bytes, request->len);
                raw->message = grpc_raw_byte_buffer_create(&bytes, 1);
                grpc_slice_unref(bytes);
        }
}

static void raw_end(struct raw *raw)
{
        if (raw->message != NULL) {
                grpc_byte_buffer_destroy(raw->message);
        }
        if (raw->reply != NULL) {
                grpc_byte_buffer_destroy(raw->reply);
        }
        grpc_metadata_array_destroy(&raw->initial);
        grpc_metadata_array_destroy(&raw->trailing);
        grpc_slice_unref(raw->detail);
        grpc_call_unref(raw->call);
        grpc_completion_queue_shutdown(raw->queue);
        while (grpc_completion_queue_pluck(raw->queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
               GRPC_QUEUE_SHUTDOWN) {
        }
        grpc_completion_queue_destroy(raw->queue);
        grpc_channel_destroy(raw->channel);
        grpc_shutdown();
}

static void raw_run(struct raw *raw, const struct raw_request *request)
{
        grpc_op ops[6] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                          {.op = GRPC_OP_RECV_INITIAL_METADATA}, {.op = GRPC_OP_RECV_MESSAGE},
                          {.op = GRPC_OP_RECV_STATUS_ON_CLIENT}, {.op = GRPC_OP_SEND_MESSAGE}};
        if (request->metadata[0] != NULL) {
                raw->header.key = grpc_slice_from_static_string(request->metadata[0]);
                raw->header.value = grpc_slice_from_static_string(request->metadata[1]);
                ops[0].data.send_initial_metadata.count = 1;
                ops[0].data.send_initial_metadata.metadata = &raw->header;
        }
        ops[2].data.recv_initial_metadata.recv_initial_metadata = &raw->initial;
        ops[3].data.recv_message.recv_message = &raw->reply;
        ops[4].data.recv_status_on_client.trailing_metadata = &raw->trailing;
        ops[4].data.recv_status_on_client.status = &raw->status;
        ops[4].data.recv_status_on_client.status_details = &raw->detail;
        ops[5].data.send_message.send_message = raw->message;
        if (grpc_call_start_batch(raw->call, ops, raw->message != NULL ? 6 : 5, raw, NULL) != GRPC_CALL_OK) {
                abort();
        }
        (void)grpc_completion_queue_pluck(raw->queue, raw, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
}

static void copy_text(grpc_slice from, char *to, size_t size)
{
        size_t len = GRPC_SLICE_LENGTH(from);
        len = len < size ? len : size - 1;
        memcpy(to, GRPC_SLICE_START_PTR(from), len);
        to[len] = '\0';
}

static void take_trailer(const grpc_metadata *trailer, struct raw_answer *answer)
{
        if (grpc_slice_str_cmp(trailer->key, "sonet-problem-bin") == 0) {
                answer->has_problem = true;
        } else if (grpc_slice_str_cmp(trailer->key, "ratelimit") == 0) {
                copy_text(trailer->value, answer->rate_limit, sizeof(answer->rate_limit));
        } else if (grpc_slice_str_cmp(trailer->key, "ratelimit-policy") == 0) {
                copy_text(trailer->value, answer->rate_limit_policy, sizeof(answer->rate_limit_policy));
        }
}

void raw_grpc_call(const struct raw_request *request, struct raw_answer *answer)
{
        struct raw raw;
        raw_begin(&raw, request);
        raw_run(&raw, request);
        *answer = (struct raw_answer){.status = (int)raw.status};
        copy_text(raw.detail, answer->detail, sizeof(answer->detail));
        for (size_t i = 0; i < raw.trailing.count; i++) {
                take_trailer(&raw.trailing.metadata[i], answer);
        }
        raw_end(&raw);
}
