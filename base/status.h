/* Status: the result of everything that can fail. The values are the gRPC status codes, so that no table maps them. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

typedef enum {
        SN_OK = 0,
        SN_CANCELLED = 1,
        SN_UNKNOWN = 2,
        SN_INVALID_ARGUMENT = 3,
        SN_DEADLINE_EXCEEDED = 4,
        SN_NOT_FOUND = 5,
        SN_ALREADY_EXISTS = 6,
        SN_PERMISSION_DENIED = 7,
        SN_RESOURCE_EXHAUSTED = 8,
        SN_FAILED_PRECONDITION = 9,
        SN_ABORTED = 10,
        SN_OUT_OF_RANGE = 11,
        SN_UNIMPLEMENTED = 12,
        SN_INTERNAL = 13,
        SN_UNAVAILABLE = 14,
        SN_DATA_LOSS = 15,
        SN_UNAUTHENTICATED = 16,
        /* Never leaves the process: db_begin found the stored answer of an idempotent call (rpc/dispatch.c answers with
           it). */
        SN_REPLAYED = 100,
} sn_status;

/* Every fallible function is declared with it: the compiler warns when its status is ignored. */
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

/* "NOT_FOUND": the field's standard spelling. */
const char *sn_status_name(sn_status status);

#endif
