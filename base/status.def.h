/* clang-format off */
/* The statuses, one row each; whatever maps a status to something expands this table.
 *   STATUS(name, number, http, code, retry_after_s, detail)
 *     number          gRPC's code (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), so that no table maps them
 *     http            the status over REST
 *     code, detail    of a problem that says nothing more precise; details follow docs/api.md: one sentence for people
 *     retry_after_s   > 0: waiting that long helps
 *   STATUS_CODE(name, code, http)
 *     a code of that status which has an HTTP status of its own */
STATUS(OK,                   0, 200, "ok",                  0, "done")
STATUS(CANCELLED,            1, 500, "cancelled",           0, "the request was cancelled")
STATUS(UNKNOWN,              2, 500, "internal",            0, "something went wrong on our side")
STATUS(INVALID_ARGUMENT,     3, 422, "validation_failed",   0, "the request is not valid")
STATUS(DEADLINE_EXCEEDED,    4, 504, "deadline_exceeded",   0, "this took too long; try again")
STATUS(NOT_FOUND,            5, 404, "not_found",           0, "this does not exist, or you may not see it")
STATUS(ALREADY_EXISTS,       6, 409, "conflict",            0, "this already exists")
STATUS(PERMISSION_DENIED,    7, 403, "permission_denied",   0, "you may not do this")
STATUS(RESOURCE_EXHAUSTED,   8, 429, "rate_limited",        1, "too many requests; try again a little later")
STATUS(FAILED_PRECONDITION,  9, 409, "failed_precondition", 0, "this is not possible in the current state")
STATUS(ABORTED,             10, 409, "aborted",             0, "someone else changed this at the same time; try again")
STATUS(OUT_OF_RANGE,        11, 422, "out_of_range",        0, "a value is out of range")
STATUS(UNIMPLEMENTED,       12, 501, "unimplemented",       0, "no such method")
STATUS(INTERNAL,            13, 500, "internal",            0, "something went wrong on our side")
STATUS(UNAVAILABLE,         14, 503, "unavailable",         1, "the service is unavailable; try again shortly")
STATUS(DATA_LOSS,           15, 500, "internal",            0, "something went wrong on our side")
STATUS(UNAUTHENTICATED,     16, 401, "unauthenticated",     0, "please log in first")

STATUS_CODE(INVALID_ARGUMENT,   "malformed_json",    400)
STATUS_CODE(INVALID_ARGUMENT,   "malformed_request", 400)
STATUS_CODE(INVALID_ARGUMENT,   "cursor_invalid",    400)
STATUS_CODE(INVALID_ARGUMENT,   "query_invalid",     400)
STATUS_CODE(RESOURCE_EXHAUSTED, "queue_full",        503)
STATUS_CODE(CANCELLED,          "body_incomplete",   408)
STATUS_CODE(RESOURCE_EXHAUSTED, "spool_full",        503)
STATUS_CODE(FAILED_PRECONDITION, "upgrade_required", 426)
STATUS_CODE(INVALID_ARGUMENT,   "unsupported_media_type", 415)
STATUS_CODE(INVALID_ARGUMENT,   "file_too_large",    413)
STATUS_CODE(INVALID_ARGUMENT,   "checksum_mismatch", 460)
STATUS_CODE(FAILED_PRECONDITION, "tus_version",      412)
STATUS_CODE(RESOURCE_EXHAUSTED, "quota_exceeded",    507)
STATUS_CODE(RESOURCE_EXHAUSTED, "disk_full",         507)
STATUS_CODE(UNIMPLEMENTED,      "http_version",      505)
#undef STATUS
#undef STATUS_CODE
