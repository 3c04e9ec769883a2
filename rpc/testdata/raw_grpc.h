/* A gRPC client for raw data that our own client would never send. */
#ifndef RPC_TESTDATA_RAW_GRPC_H
#define RPC_TESTDATA_RAW_GRPC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct raw_request {
        int port;
        const char *path;
        const void *bytes; /* NULL: no message at all */
        size_t len;
        bool framed;              /* bytes are messages with their prefixes, instead of one without */
        bool compressed;          /* with gzip */
        const char *metadata[6];  /* further headers: name and value, name and value */
        const char *content_type; /* NULL: that of gRPC */
        int timeout_ms;           /* 0: 5 s */
        size_t hold_at;           /* > 0: after this many bytes of the message with its prefix, */
        void (*held)(void);       /* this is called before the rest is sent, */
        bool never_ends;          /* and the client's side stays open after it */
};

struct raw_answer {
        int status; /* SN_UNAVAILABLE if the connection ended without one */
        char detail[256];
        bool has_problem;                           /* there was a trailer sonet-problem-bin */
        char rate_limit[64], rate_limit_policy[64]; /* the trailers of that name, or "" */
        char message[4096];                         /* with its prefix, as much as fits */
        size_t message_len;
};

void raw_grpc_call(const struct raw_request *request, struct raw_answer *answer);

#endif
