/* Call: what one RPC is, from the moment that its caller is known: memory, actor, deadline, trace, and the problem if
 * it fails. Handlers get it from the dispatcher and hand it on to whatever they use. */
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

/* What a refusal for lack of a proof gives to go on with: a message that the method declares, whose fields are members
 * of the problem. */
struct rpc_challenge {
        const struct rpc_message *type;
        const struct ProtobufCMessage *message;
};

/* What went wrong, as people read it (RFC 9457; also in the gRPC trailer `sonet-problem-bin`). */
struct rpc_problem {
        sn_status status;
        const char *code;   /* stable, snake_case: "validation_failed"; NULL: derived from the status */
        const char *field;  /* the offending field, dotted, or NULL */
        const char *detail; /* one kind sentence: what was wrong and what to do */
        int retry_after_s;  /* > 0 where waiting helps */
        const struct rpc_challenge *challenge; /* of a 401: what to go on with; NULL: nothing */
};

/* The body of a method that takes bytes: all that came, in a file without a name. Belongs to the transport, which
 * closes it after the call; a handler that keeps the bytes copies or links them (base/spool.h). */
struct rpc_body {
        int fd; /* for reading, at its beginning */
        int64_t size;
        uint8_t sha256[32];    /* of these bytes */
        bool complete;         /* false: it broke off, and the method takes a part */
        const char *file_name; /* of multipart/form-data, as the client says it; "" when it says none */
        const char *mime_type; /* as the client says it; "" when it says none */
};

struct rpc_call;

/* The bytes of an answer that is a file. Whoever takes the call's answer closes fd. */
struct rpc_file {
        int fd;         /* -1: it is not opened yet */
        bool is_pipe;   /* the region comes through it as it is read, from elsewhere; it ends early when that fails */
        int64_t offset; /* of the region, in a file */
        int64_t length;
        const struct rpc_far_file *far; /* NULL: it is here */
};

/* A file of which a region can be fetched: open gives a pipe, which does not block, through which its bytes come. */
struct rpc_far_file {
        int64_t size;
        sn_status (*open)(struct rpc_call *c, const void *context, int64_t offset, int64_t length, int *fd);
        const void *context;
};

struct rpc_call {
        struct arena *arena;
        struct service *service;         /* whose handler runs */
        const struct rpc_method *method; /* NULL in jobs and consumers */
        const char *actor;               /* the member's id from a verified token; "" when nobody is logged in */
        const char *session;             /* the token's sid, or "" */
        int64_t epoch;                   /* of the member when the token was signed */
        const char *scope;               /* the token's scopes, space-separated, or "" */
        int64_t auth_time_s;             /* when the member last proved who they are, by the token; 0: not known */
        const char *caller;              /* the calling service's name from its service token; "" for the outside */
        bool from_process;               /* the caller is a service of this process: its lists of ids are well-formed */
        const char *bearer;              /* the member's token as it came, passed on to other services; "" when none */
        int64_t admitted_ms;             /* when the token was verified, of a call that then waited for a body: at that
                                           moment its expiry counts. 0: it counts now */
        const char *client_address;      /* canonical, without port; "" when unknown */
        const char *user_agent;          /* clean text (rpc_authenticate) */
        const char *trace_id;            /* 32 hex digits of the W3C trace context */
        const char *request_id;
        int64_t deadline_us;         /* monotonic; work past it is not started */
        int64_t now_ms;              /* wall clock, drawn once per call */
        const char *idempotency_key; /* NULL when the client gave none, or the method takes none */
        uint8_t body_hash[32];       /* SHA-256 of the packed request, for the key */
        const uint8_t *replayed;     /* after SN_REPLAYED: the stored answer, packed */
        size_t replayed_len;
        const struct rpc_body *body; /* of a method that takes one; NULL otherwise */
        struct rpc_file *file;       /* of an answer with bytes; NULL: none */
        bool retry;                  /* with SN_ABORTED: the transaction did not happen, run the handler again */
        bool committed;              /* a transaction of the call was: from then on it must not fail */
        int open_transactions;       /* debug builds abort an RPC, Redis, mail or file call while one is open */
        struct rpc_problem problem;
};

/* The initialisers of a call before its caller is known. */
#define CALL_OF_NOBODY .actor = "", .session = "", .scope = "", .caller = "", .bearer = ""

/* Records the problem (detail is formatted into the arena) and gives its status, for `return rpc_fail(...)`. field may
 * be NULL. */
sn_status rpc_fail(struct rpc_call *c, sn_status status, const char *field, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a stable code of its own. */
sn_status rpc_fail_code(struct rpc_call *c, sn_status status, const char *code, const char *field, const char *detail,
                        ...) __attribute__((format(printf, 5, 6)));
/* The same, SN_UNAUTHENTICATED, with what the method declares as its challenge. */
sn_status rpc_fail_challenge(struct rpc_call *c, const char *code, const struct ProtobufCMessage *challenge,
                             const char *detail);
#ifdef __clang_analyzer__ /* it sees one file at a time, and would follow failures whose status were SN_OK */
#define rpc_fail(c, status, ...)      ((void)rpc_fail((c), (status), __VA_ARGS__), (status))
#define rpc_fail_code(c, status, ...) ((void)rpc_fail_code((c), (status), __VA_ARGS__), (status))
#endif

/* What a handler returns whose answer is a file: gives away fd, a regular file. Its answer says what it is; which
 * region is sent is decided behind it. */
sn_status rpc_answer_file(struct rpc_call *c, int fd);
/* The same with a file that is not here: no more of it is fetched than is sent. It lives as long as the call. */
sn_status rpc_answer_far_file(struct rpc_call *c, const struct rpc_far_file *file);
/* Closes what rpc_answer_file was given, when it is not sent. */
void rpc_call_drop_file(struct rpc_call *c);

/* The trace id of a `traceparent` (W3C Trace Context); a new one when there is none, or it is malformed. */
const char *rpc_trace_id(struct arena *arena, struct str traceparent);

/* The client's own id of its request, for logs, when it has 1 to 64 letters, digits and "._-"; a new one otherwise. */
const char *rpc_request_id(struct arena *arena, struct str given);

bool rpc_call_expired(const struct rpc_call *c);
int64_t rpc_call_left_ms(const struct rpc_call *c); /* never negative */

/* A call that no client made: for jobs, consumers, start-up. It has an arena of its own; free it with rpc_call_free. */
struct rpc_call *rpc_call_new_background(struct service *service, int64_t deadline_ms);
void rpc_call_free(struct rpc_call *c);
void rpc_call_free_p(struct rpc_call **c);

/* Aborts in debug builds when a transaction is open: what talks to the outside says this first. */
#ifdef NDEBUG
#define CALL_ASSERT_NO_TRANSACTION(c) ((void)(c))
#else
#define CALL_ASSERT_NO_TRANSACTION(c) call_assert_no_transaction((c), __func__)
#endif
void call_assert_no_transaction(const struct rpc_call *c, const char *what);

#endif
