/* The contract at run time: what tools/protoc-gen-sonet emits for each service from its .proto. Plain tables, no
 * behaviour. */
#ifndef BASE_CONTRACT_H
#define BASE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "base/call.h"
#include "base/metrics.h"

#define RPC_CHUNK_BYTES (64 << 10) /* of a body or a file in one message of a stream, at most */

#define RPC_STEP_UP_S 300 /* how long a proof of who one is counts for methods that need it */

enum rpc_access { RPC_PUBLIC, RPC_SCOPE, RPC_INTERNAL };
enum rpc_rate { RPC_RATE_NONE, RPC_RATE_READ, RPC_RATE_WRITE, RPC_RATE_AUTH, RPC_RATE_COUNT };
enum rpc_idempotency { RPC_IDEMPOTENCY_NONE, RPC_IDEMPOTENCY_KEY };
enum rpc_lane { RPC_LANE_GENERAL, RPC_LANE_PASSWORD, RPC_LANE_COUNT };
enum rpc_body_kind { RPC_BODY_MESSAGE, RPC_BODY_BYTES, RPC_BODY_MULTIPART };
enum field_format {
        FIELD_FORMAT_NONE,
        FIELD_FORMAT_UUID,
        FIELD_FORMAT_EMAIL,
        FIELD_FORMAT_CURSOR,
        FIELD_FORMAT_LINE,
        FIELD_FORMAT_TEXT
};
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
        bool chunk;             /* bytes of a stream: never in JSON */
        bool trailer;           /* REST may have it behind the body, too */
        const char *header; /* where REST has the field of a request, or has that of an answer, too; NULL: nowhere */
        const char
            *default_value; /* what it is when nothing was chosen, as json_set_field takes it; NULL: nothing is said */
        const char *doc;    /* the leading comment, for OpenAPI */
};

/* What a field holds: the wire types of one C type are one kind. */
enum field_kind {
        KIND_I32,
        KIND_U32,
        KIND_I64,
        KIND_U64,
        KIND_FLOAT,
        KIND_DOUBLE,
        KIND_BOOL,
        KIND_ENUM,
        KIND_STRING,
        KIND_BYTES,
        KIND_MESSAGE,
        KIND_TIME, /* google.protobuf.Timestamp */
};
#define KIND_COUNT ((size_t)KIND_TIME + 1)

/* How a field says that it is there. */
enum field_shape {
        SHAPE_PLAIN, /* when it is not the zero value of its kind */
        SHAPE_ONEOF, /* the case holds its number */
        SHAPE_LIST,  /* n_x elements */
};

/* Text that can be copied RPC_PADDING bytes at a time, wherever it ends. */
enum { RPC_PADDING = 32 };
#define RPC_PADDED(literal)                                                                                            \
        {                                                                                                              \
                literal "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", sizeof(literal) - 1          \
        }

struct rpc_enum_value {
        int number;
        struct str quoted; /* "\"public\"", padded: lowercase, without the enum's own name */
        bool unspecified;  /* the zero value of that name: "not given", which nobody can choose by name */
};

struct rpc_enum {
        const struct rpc_enum_value *values; /* by number */
        size_t n;
        bool dense;          /* numbers follow each other, so that the number gives the index */
        const char *choices; /* "public, followers": the names that can be chosen */
};

/* One field: where it stands in the struct that protoc-c makes of its message, its limits, and how JSON has it. */
struct rpc_field {
        const char *name;
        struct str key;       /* `,"name":`, padded */
        struct str empty;     /* JSON of the empty or absent value, padded */
        const char *expected; /* what JSON takes for it, in words: "a whole number from 1 to 100" */
        enum field_kind kind;
        enum field_shape shape;
        ProtobufCWireType wire; /* of a single value */
        uint32_t number;
        uint32_t offset;
        uint32_t quantifier;               /* offset of n_x of a list, of the case of a oneof */
        uint32_t value_bytes;              /* sizeof one value */
        const struct rpc_enum *names;      /* of KIND_ENUM */
        const struct rpc_message *message; /* of KIND_MESSAGE and KIND_TIME */
        struct rpc_field_rule rule;
};

/* A message's name is that of protoc-c with `__message` behind it: note__note__message. */
struct rpc_message {
        const ProtobufCMessageDescriptor *descriptor;
        const struct rpc_field *fields; /* parallel to descriptor->fields (sorted by number) */
        uint32_t n_fields;
        const char *doc;
};

/* NULL when there is none of that name, or number. */
const struct rpc_field *contract_field(const struct rpc_message *message, struct str name);
const struct rpc_enum_value *contract_enum_value(const struct rpc_enum *names, int number);
/* An initialised message, in the arena. */
void *contract_new_message(const struct rpc_message *message, struct arena *arena);

struct rpc_service;

/* What became of the calls of a method in this process (rpc/stats.h). */
struct rpc_method_stats {
        struct metric_buckets seconds;
        _Atomic int64_t answers[SN_STATUS_COUNT];
        /* On I/O threads (rpc/inline.h): answers, attempts in a row that would have had to wait, and requests since
         * that went to workers; whether one that had to wait is with a worker still. */
        _Atomic int64_t inline_answers;
        _Atomic uint32_t waits_in_a_row, passed_over;
        _Atomic bool waits;
};

struct rpc_method {
        const struct rpc_service *service;
        const char *name;      /* "CreateNote" */
        const char *full_name; /* "/sonet.note.v1.NoteService/CreateNote": the gRPC path */
        const struct rpc_message *in, *out;
        const char *http_verb; /* "POST", or NULL: not on REST */
        const char *http_path; /* "/v1/notes/{id}/like" */
        enum rpc_access access;
        const char *scope; /* with RPC_SCOPE */
        bool step_up;      /* the member must have proved lately who they are (RPC_STEP_UP_S) */
        enum rpc_rate rate;
        enum rpc_idempotency idempotency;
        enum rpc_lane lane;
        uint32_t deadline_ms; /* with a body from when all of it is here */
        enum rpc_body_kind body;
        uint64_t max_body_bytes; /* of a body that is not a message; then in has a field that is a chunk */
        uint32_t stall_ms;       /* how long nothing of it may come */
        bool takes_part;         /* the handler also gets what came of a body that broke off */
        bool answers_file;       /* out is sonet.file.Chunk, and in has a sonet.file.Conditions */
        uint32_t success_status; /* 200, 201, 204 */
        bool empty_is_204;       /* an answer of which nothing is set is 204 on REST */
        const char *body_type;   /* the only Content-Type of a body of bytes; NULL: any */
        const char *const *headers, *const *options_headers; /* "Name: value", of all answers at the path, and of that
                                                                to OPTIONS; NULL-terminated, or NULL */
        bool method_override;       /* a POST may say by X-HTTP-Method-Override that it is this one */
        const char *channel;        /* of GET /v1/stream, "user:{user_id}": asked at a subscription; NULL: none */
        const char *channel_source; /* whose event log it follows; NULL: its own service's signals, not kept */
        const char
            *channel_acknowledge; /* the method of its service that is told what clients have taken; NULL: none */
        const struct rpc_message *challenge; /* that a 401 of it may carry; NULL: none */
        bool answer_is_secret;               /* a field of it, or below it, is secret: never compressed */
        const char *summary, *doc;           /* first sentence and the rest of the leading comment */
        struct rpc_method_stats *stats;
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
        const char *const *calls; /* names of the services that it may call; NULL-terminated, or NULL */
        const char *const *reads; /* names of the services whose event log it reads; the same */
        bool collects_exports;    /* it may call ReadExport of every service */
};

/* A request of such a method (public, RATE_AUTH) has its credentials in the message: a token beside them, which
 * clients send to every address and which may have ended, is not looked at. */
bool contract_ignores_token(const struct rpc_method *method);
/* Its request is a stream over gRPC, and over REST a body that is not JSON. */
bool contract_streams_body(const struct rpc_method *method);
/* Over REST the fields outside the path stand in the body, not in the query: of DELETE those of a request with a
 * secret.
 */
bool contract_takes_body(const struct rpc_method *method);
/* Makes a contract known, wherever its service runs. Called at start, before any thread; asking twice is harmless. */
void contract_register(const struct rpc_service *service);
/* The field of sonet.file.Conditions, and the one that says `chunk`; NULL: the message has none. */
const struct rpc_field *contract_conditions_field(const struct rpc_message *message);
const struct rpc_field *contract_chunk_field(const struct rpc_message *message);
size_t contract_services(const struct rpc_service *const **services);

#endif
