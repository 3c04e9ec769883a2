/* clang-format off */
/* Problems by HTTP status, one row each.
 *   PROBLEM(status, code, component, description)
 *     code         the default code of problems with this status
 *     component    its name among the responses of /openapi.json; NULL: covered by "default", as HTTP itself rejects such requests
 *     description  of that component, for humans */
PROBLEM(400, "malformed_request", "Malformed", "The request cannot be parsed: broken JSON, an invalid percent-escape, a forged cursor.")
PROBLEM(401, "unauthenticated", "Unauthenticated", "The access token is missing or no longer valid.")
PROBLEM(403, "permission_denied", "Forbidden", "The token lacks the scope, or the member is not allowed to do this.")
PROBLEM(404, "not_found", "NotFound", "This does not exist, or the caller may not see it.")
PROBLEM(405, "method_not_allowed", NULL, NULL)
PROBLEM(408, "request_timeout", NULL, NULL)
PROBLEM(409, "conflict", "Conflict", "It conflicts with the current state, or a request with the same idempotency key is still running.")
PROBLEM(411, "length_required", NULL, NULL)
PROBLEM(412, "precondition_failed", "PreconditionFailed", "The client uses a protocol version that this server does not support; the named header lists the supported ones.")
PROBLEM(413, "content_too_large", "TooLarge", "The body exceeds the size limit.")
PROBLEM(414, "uri_too_long", NULL, NULL)
PROBLEM(415, "unsupported_media_type", "UnsupportedMediaType", "This endpoint does not accept the body's Content-Type, or the body has a Content-Encoding.")
PROBLEM(416, "range_not_satisfiable", "RangeNotSatisfiable", "The range starts beyond the end of the file; Content-Range gives its length.")
PROBLEM(417, "expectation_failed", NULL, NULL)
PROBLEM(422, "validation_failed", "Invalid", "A field is invalid; `field` names it. Or the idempotency key was already used with a different body.")
PROBLEM(426, "upgrade_required", "UpgradeRequired", "This is a stream: connect with WebSocket, or request server-sent events.")
PROBLEM(429, "rate_limited", "TooManyRequests", "Too many requests; Retry-After says when to retry.")
PROBLEM(431, "headers_too_large", NULL, NULL)
PROBLEM(460, "checksum_mismatch", "ChecksumMismatch", "The bytes do not match the checksum (tus 1.0).")
PROBLEM(500, "internal", "Internal", "Something went wrong on the server; the request ID helps its operator find it.")
PROBLEM(501, "unimplemented", NULL, NULL)
PROBLEM(503, "unavailable", "Unavailable", "The server is overloaded or not ready; Retry-After says when to retry.")
PROBLEM(504, "deadline_exceeded", "TimedOut", "It took too long; it may have taken effect nevertheless.")
PROBLEM(505, "http_version", NULL, NULL)
PROBLEM(507, "quota_exceeded", "NoRoom", "The member's quota or the server's storage is exhausted.")
#undef PROBLEM
