/* The context of one RPC, from the moment its caller is known: memory, actor, deadline, trace, and the problem if it
 * fails. Handlers get it from the dispatcher and pass it to everything they use. */
#ifndef BASE_CALL_H
#define BASE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "base/uuid.h"

struct service;
struct rpc_method;
struct rpc_message;
struct ProtobufCMessage;

/* What a rejected client needs to continue with authentication: a message declared by the method, whose fields
 * become members of the problem. */
struct rpc_challenge {
        const struct rpc_message *type;
        const struct ProtobufCMessage *message;
};

/* An error for humans and programs (RFC 9457; also in the gRPC trailer `sonet-problem-bin`). */
struct rpc_problem {
        sn_status status;
        const char *code;   /* stable, snake_case: "validation_failed"; NULL: derived from the status */
        const char *field;  /* the offending field, dotted, or NULL */
        const char *detail; /* one friendly sentence: what is wrong and what to do */
        int retry_after_s;  /* > 0 where waiting helps */
        const struct rpc_challenge *challenge; /* of a 401; NULL: none */
};

/* The body of a method that takes bytes: everything received, in an unnamed file. The transport owns it and closes
 * it after the call; a handler that keeps the bytes copies or links them (base/spool.h). */
struct rpc_body {
        int fd; /* for reading, positioned at the start */
        int64_t size;
        uint8_t sha256[32];    /* of the bytes */
        bool complete;         /* false: it was truncated, and the method accepts that */
        const char *file_name; /* of multipart/form-data, as sent by the client; "" if absent */
        const char *mime_type; /* as sent by the client; "" if absent */
};

struct rpc_call;

/* The bytes of a response that is a file. Whoever consumes the response closes fd. */
struct rpc_file {
        int fd;         /* -1: not opened yet */
        bool is_pipe;   /* the region is read through a pipe, which ends early if the source fails */
        int64_t offset; /* of the region, in a file */
        int64_t length;
        const struct rpc_far_file *far; /* NULL: a local file */
};

/* A file of which a region can be fetched: open returns a non-blocking pipe that delivers its bytes. */
struct rpc_far_file {
        int64_t size;
        sn_status (*open)(struct rpc_call *c, const void *context, int64_t offset, int64_t length, int *fd);
        const void *context;
};

struct rpc_call {
        struct arena *arena;
        struct service *service;         /* whose handler is running */
        const struct rpc_method *method; /* NULL in jobs and consumers */
        const char *actor;               /* the member's ID from a verified token; "" when not logged in */
        const char *session;             /* the token's sid, or "" */
        int64_t epoch;                   /* of the member when the token was signed */
        const char *scope;               /* the token's scopes, space-separated, or "" */
        int64_t auth_time_s;             /* when the member last authenticated, from the token; 0: unknown */
        const char *caller;  /* the calling service's name from its service token; "" for external callers */
        bool from_process;   /* the caller is a service in this process: its lists of IDs are well-formed */
        const char *bearer;  /* the member's token as received, passed on to other services; "" if none */
        int64_t admitted_ms; /* when the token was verified, if the call then waited for a body; its expiry is checked
                                at that time. 0: now */
        const char *client_address; /* canonical, without port; "" when unknown */
        const char *user_agent;     /* sanitised text (rpc_authenticate) */
        const char *trace_id;       /* 32 hex digits of the W3C trace context */
        const char *request_id;
        int64_t deadline_us;         /* monotonic; no work is started after it */
        int64_t now_ms;              /* wall clock, drawn once per call */
        const char *idempotency_key; /* NULL if the client sent none, or the method takes none */
        uint8_t body_hash[32];       /* SHA-256 of the packed request, for the key */
        const uint8_t *replayed;     /* after SN_REPLAYED: the stored response, packed */
        size_t replayed_len;
        const struct rpc_body *body; /* of a method with a body; NULL otherwise */
        struct rpc_file *file;       /* of a response with bytes; NULL: none */
        bool retry;                  /* with SN_ABORTED: the transaction was rolled back, run the handler again */
        bool committed;              /* a transaction of the call was committed: it must not fail any more */
        int open_transactions;       /* debug builds abort an RPC, Redis, mail or file call while one is open */
        struct rpc_problem problem;
};

/* Initialisers for a call whose caller is not known yet. */
#define CALL_OF_NOBODY .actor = "", .session = "", .scope = "", .caller = "", .bearer = ""

/* Records the problem (detail is formatted into the arena) and returns its status, for `return rpc_fail(...)`. field
 * may be NULL. */
sn_status rpc_fail(struct rpc_call *c, sn_status status, const char *field, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with its own stable code. */
sn_status rpc_fail_code(struct rpc_call *c, sn_status status, const char *code, const char *field, const char *detail,
                        ...) __attribute__((format(printf, 5, 6)));
/* The same for SN_UNAUTHENTICATED, with the challenge that the method declares. */
sn_status rpc_fail_challenge(struct rpc_call *c, const char *code, const struct ProtobufCMessage *challenge,
                             const char *detail);
#ifdef __clang_analyzer__ /* it sees one file at a time, and would follow failures whose status were SN_OK */
#define rpc_fail(c, status, ...)      ((void)rpc_fail((c), (status), __VA_ARGS__), (status))
#define rpc_fail_code(c, status, ...) ((void)rpc_fail_code((c), (status), __VA_ARGS__), (status))
#endif

/* For handlers whose response is a file: gives away fd, which must be a regular file. The response message describes
 * it; which region is sent is decided later. */
sn_status rpc_answer_file(struct rpc_call *c, int fd);
/* The same for a remote file: only what is sent is fetched. It must live as long as the call. */
sn_status rpc_answer_far_file(struct rpc_call *c, const struct rpc_far_file *file);
/* Closes what rpc_answer_file was given, if it is not sent. */
void rpc_call_drop_file(struct rpc_call *c);

/* The trace ID of a `traceparent` (W3C Trace Context); a new one if it is missing or malformed. */
const char *rpc_trace_id(struct arena *arena, struct str traceparent);

/* The client's own request ID, for logs, if it has 1 to 64 characters from letters, digits and "._-"; otherwise a
 * new one. */
const char *rpc_request_id(struct arena *arena, struct str given);

bool rpc_call_expired(const struct rpc_call *c);
int64_t rpc_call_left_ms(const struct rpc_call *c); /* never negative */

/* A call without a client: for jobs, consumers and startup. It has its own arena; free it with rpc_call_free. */
struct rpc_call *rpc_call_new_background(struct service *service, int64_t deadline_ms);
void rpc_call_free(struct rpc_call *c);
void rpc_call_free_p(struct rpc_call **c);

/* Aborts in debug builds if a transaction is open: call it before communicating with the outside. */
#ifdef NDEBUG
#define CALL_ASSERT_NO_TRANSACTION(c) ((void)(c))
#else
#define CALL_ASSERT_NO_TRANSACTION(c) call_assert_no_transaction((c), __func__)
#endif
void call_assert_no_transaction(const struct rpc_call *c, const char *what);

#endif
