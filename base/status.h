/* Status: the result of everything that can fail. The values are gRPC's status codes. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

typedef enum {
#define STATUS(name, number, http, code, retry_after_s, detail) SN_##name = (number),
#define STATUS_CODE(name, code, http)
#include "base/status.def.h"
        SN_STATUS_COUNT,
        /* Internal: db_begin found the stored response of an idempotent call (rpc/dispatch.c returns it). */
        SN_REPLAYED = 100,
} sn_status;

/* For declarations of all fallible functions: the compiler warns if the status is ignored. */
#define SN_CHECKED __attribute__((warn_unused_result))

/* The only macro that hides a return. */
#define TRY(expression)                                                                                                \
        do {                                                                                                           \
                sn_status try_status_ = (expression);                                                                  \
                if (try_status_ != SN_OK) {                                                                            \
                        return try_status_;                                                                            \
                }                                                                                                      \
        } while (0)

/* Runs fn(&variable) when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The external meaning of a status (base/status.def.h). */
struct sn_status_row {
        const char *name; /* "NOT_FOUND", as gRPC spells it */
        int http;
        const char *code;
        int retry_after_s; /* 0: waiting does not help */
        const char *detail;
};
/* Never NULL: anything that is not a gRPC status counts as UNKNOWN. */
const struct sn_status_row *sn_status_row(sn_status status);
const char *sn_status_name(sn_status status);
/* The HTTP status of a problem; code may be NULL. */
int sn_status_http(sn_status status, const char *code);

#endif
