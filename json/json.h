/* JSON (RFC 8259) to messages and back, driven by the tables of the contract (base/contract.h): type is always the
 * table of the message. snake_case, ids as
 * strings, 64-bit integers as numbers, bytes as base64, google.protobuf.Timestamp as RFC 3339 UTC with milliseconds,
 * enums as lower_snake names without their prefix. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buf.h"
#include "base/call.h"
#include "base/contract.h"
#include "base/str.h"

/* Appends the message. A field whose rule says `empty: NULL` is null when empty, `OMIT` leaves it out; otherwise the
 * empty value is shown ("", 0, false, []); an absent sub-message or oneof member is null then too. */
void json_write_message(struct buf *out, const struct rpc_message *type, const ProtobufCMessage *message);
/* Appends "text" with quotes; invalid UTF-8 is replaced by U+FFFD. */
void json_write_string(struct buf *out, const char *text, size_t len);

/* Reads one object into an initialised message; all memory in the call's arena. Fails with SN_INVALID_ARGUMENT and the
 * field on: malformed JSON (code malformed_json, with line and column: HTTP 400), and with code validation_failed (HTTP
 * 422) on unknown fields, duplicate keys, wrong types, numbers out of range, invalid UTF-8, NUL characters, depth
 * over 16, and null wherever it stands: what is not given is left out. Fields named in skip (those that the path gives;
 * NULL-terminated) count as unknown. A number is held to the range of its rule here, 0 too: afterwards it would look as
 * if it had not been given. */
SN_CHECKED sn_status json_read_message(struct rpc_call *c, struct str text, const char *const *skip,
                                       const struct rpc_message *type, ProtobufCMessage *out);
/* Sets one field from text, as paths and queries carry it: numbers, booleans, enums, strings; a list takes
 * comma-separated elements. SN_INVALID_ARGUMENT with the field when it does not fit or is unknown. */
SN_CHECKED sn_status json_set_field(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *out,
                                    struct str name, struct str value);

#endif
