/* clang-format off */
/* Problems by HTTP status, one row each.
 *   PROBLEM(status, code, component, description)
 *     code         of a problem that has none of its own
 *     component    its name among the responses of /openapi.json; NULL: covered by "default", since HTTP refuses it whatever is asked for
 *     description  there, for people */
PROBLEM(400, "malformed_request", "Malformed", "The request cannot be read: broken JSON, a bad escape, a forged cursor.")
PROBLEM(401, "unauthenticated", "Unauthenticated", "There is no token, or it is not valid any more.")
PROBLEM(403, "permission_denied", "Forbidden", "The token lacks the scope, or the member may not do this.")
PROBLEM(404, "not_found", "NotFound", "This does not exist, or this reader may not see it.")
PROBLEM(405, "method_not_allowed", NULL, NULL)
PROBLEM(408, "request_timeout", NULL, NULL)
PROBLEM(409, "conflict", "Conflict", "It conflicts with the current state, or a request with the same idempotency key is still running.")
PROBLEM(411, "length_required", NULL, NULL)
PROBLEM(412, "precondition_failed", "PreconditionFailed", "The client speaks a version of the protocol that is not spoken here; the header that is named says which are.")
PROBLEM(413, "content_too_large", "TooLarge", "The body is over the limit.")
PROBLEM(414, "uri_too_long", NULL, NULL)
PROBLEM(415, "unsupported_media_type", "UnsupportedMediaType", "The body is not of the type that this address takes, or has a Content-Encoding.")
PROBLEM(416, "range_not_satisfiable", "RangeNotSatisfiable", "The range begins behind the end of the file; Content-Range says how long it is.")
PROBLEM(417, "expectation_failed", NULL, NULL)
PROBLEM(422, "validation_failed", "Invalid", "A field breaks its rules; `field` names it. Or the idempotency key was used with another body.")
PROBLEM(426, "upgrade_required", "UpgradeRequired", "This is a stream: it is spoken over WebSocket, or as server-sent events.")
PROBLEM(429, "rate_limited", "TooManyRequests", "Too many requests; Retry-After says when to come back.")
PROBLEM(431, "headers_too_large", NULL, NULL)
PROBLEM(460, "checksum_mismatch", "ChecksumMismatch", "The bytes are not those of which the checksum is (tus 1.0).")
PROBLEM(500, "internal", "Internal", "Something went wrong on the server; the request id helps its operator to find it.")
PROBLEM(501, "unimplemented", NULL, NULL)
PROBLEM(503, "unavailable", "Unavailable", "The server is overloaded or not ready; Retry-After says when to come back.")
PROBLEM(504, "deadline_exceeded", "TimedOut", "It took too long; it may have been done nevertheless.")
PROBLEM(505, "http_version", NULL, NULL)
PROBLEM(507, "quota_exceeded", "NoRoom", "There is no room for it: in the member's quota, or on the server.")
#undef PROBLEM
