/* The contract at run time: what tools/protoc-gen-sonet emits for each service from its .proto. Plain tables, no
 * behaviour. */
#ifndef BASE_CONTRACT_H
#define BASE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "base/call.h"

enum rpc_access { RPC_PUBLIC, RPC_SCOPE, RPC_INTERNAL };
enum rpc_rate { RPC_RATE_NONE, RPC_RATE_READ, RPC_RATE_WRITE, RPC_RATE_AUTH, RPC_RATE_COUNT };
enum rpc_idempotency { RPC_IDEMPOTENCY_NONE, RPC_IDEMPOTENCY_KEY };
enum rpc_lane { RPC_LANE_GENERAL, RPC_LANE_PASSWORD, RPC_LANE_COUNT };
enum field_format { FIELD_FORMAT_NONE, FIELD_FORMAT_UUID, FIELD_FORMAT_EMAIL, FIELD_FORMAT_CURSOR };
enum field_empty { FIELD_EMPTY_SHOW, FIELD_EMPTY_NULL, FIELD_EMPTY_OMIT };

struct rpc_field_rule {
        uint32_t min_length,
            max_length;     /* code points of a string (each element of a list), bytes of bytes; 0: no limit */
        uint32_t max_items; /* of a list; the generator refuses a list without it */
        int64_t min, max;   /* of a number, when has_range */
        bool has_range;
        bool required; /* present and not empty */
        bool secret;   /* never logged, never kept in an idempotency answer, never compressed */
        enum field_format format;
        enum field_empty empty; /* how JSON shows the empty value */
        const char *pattern;    /* POSIX extended regular expression, anchored; NULL: none */
        const char *doc;        /* the leading comment, for OpenAPI */
};

struct rpc_message_rules {
        const ProtobufCMessageDescriptor *descriptor;
        const struct rpc_field_rule *fields; /* parallel to descriptor->fields (sorted by number) */
        const char *doc;
};

struct rpc_service;

struct rpc_method {
        const struct rpc_service *service;
        const char *name;      /* "CreateNote" */
        const char *full_name; /* "/sonet.note.v1.NoteService/CreateNote": the gRPC path */
        const ProtobufCMessageDescriptor *in, *out;
        const char *http_verb; /* "POST", or NULL: not on REST */
        const char *http_path; /* "/v1/notes/{id}/like" */
        enum rpc_access access;
        const char *scope; /* with RPC_SCOPE */
        enum rpc_rate rate;
        enum rpc_idempotency idempotency;
        enum rpc_lane lane;
        uint32_t deadline_ms;
        uint32_t success_status;    /* 200, 201, 204 */
        bool empty_is_204;          /* an answer of which nothing is set is 204 on REST */
        const char *channel;        /* of GET /v1/stream, "user:{user_id}": asked at a subscription; NULL: none */
        const char *channel_source; /* whose event log it follows */
        bool answer_is_secret;      /* a field of it, or below it, is secret: never compressed */
        const char *summary, *doc;  /* first sentence and the rest of the leading comment */
        /* Calls the service's handler with its own types; handlers is the generated struct of function pointers. */
        sn_status (*invoke)(const void *handlers, struct rpc_call *c, const ProtobufCMessage *in,
                            ProtobufCMessage *out);
};

struct rpc_service {
        const char *name;    /* "note" */
        const char *package; /* "sonet.note.v1" */
        const char *doc;
        const struct rpc_method *methods;
        size_t n_methods;
        const char *const *calls;                 /* names of the services that it may call; NULL-terminated, or NULL */
        const char *const *reads;                 /* names of the services whose event log it reads; the same */
        const struct rpc_message_rules *messages; /* every message of the file */
        size_t n_messages;
};

/* Who asks such a method for a token (public, RATE_AUTH) has its credentials in the message: a token beside them, which
 * clients send to every address and which may have ended, is not looked at. */
bool contract_ignores_token(const struct rpc_method *method);
/* Over REST the fields outside the path stand in the body, not in the query. */
bool contract_takes_body(const struct rpc_method *method);
/* Makes the rules of a service's messages findable by descriptor. Called once per service at start, before any thread.
 */
void contract_register(const struct rpc_service *service);
/* The rules of a message; NULL for one of no contract (google.protobuf.Timestamp, Empty). */
const struct rpc_message_rules *contract_rules(const ProtobufCMessageDescriptor *descriptor);
size_t contract_services(const struct rpc_service *const **services);

#endif
