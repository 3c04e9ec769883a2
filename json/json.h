/* Conversion between JSON (RFC 8259) and messages, driven by the tables of the contract (base/contract.h): type is
 * always the table of the message. Names are snake_case, IDs strings, 64-bit integers numbers, bytes base64,
 * google.protobuf.Timestamp RFC 3339 in UTC with milliseconds, enums lower_snake names without their prefix. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buf.h"
#include "base/call.h"
#include "base/contract.h"
#include "base/str.h"

/* Appends the message. An empty field whose rule says `empty: NULL` is null, and with `OMIT` it is left out;
 * otherwise empty values are shown ("", 0, false, []), and an absent sub-message or oneof member is null. */
void json_write_message(struct buf *out, const struct rpc_message *type, const ProtobufCMessage *message);
/* For a message on the heap that is shared by many responses, and never changes again: its JSON is written now, and
 * json_write_message copies it, and of copies of the message in which some fields were replaced, the rest. It is freed
 * with the message, by protobuf_c_message_free_unpacked. Returns the bytes that it takes, 0 if it is not kept. */
size_t json_keep(const struct rpc_message *type, ProtobufCMessage *message);
/* Called once by a process that answers with JSON; before that, and in all others, nothing is kept. */
void json_keep_start(void);
/* Appends "text" with quotes; invalid UTF-8 becomes U+FFFD. */
void json_write_string(struct buf *out, const char *text, size_t len);

/* Reads one object into an initialised message; all memory is in the call's arena. Fails with SN_INVALID_ARGUMENT
 * and the field: malformed JSON (code malformed_json, with line and column: HTTP 400); code validation_failed (HTTP
 * 422) for unknown fields, duplicate keys, wrong types, numbers out of range, invalid UTF-8, NUL characters, depth
 * over 16, and null anywhere. Fields named in skip (those in the path; NULL-terminated) count as unknown. Numbers
 * are checked against their rule's range here, since an explicit 0 cannot be told from an absent one afterwards. */
SN_CHECKED sn_status json_read_message(struct rpc_call *c, struct str text, const char *const *skip,
                                       const struct rpc_message *type, ProtobufCMessage *out);
/* Sets one field from text, as in paths and queries: numbers, booleans, enums, strings; a list takes comma-separated
 * elements. SN_INVALID_ARGUMENT with the field if it does not fit or is unknown. */
SN_CHECKED sn_status json_set_field(struct rpc_call *c, const struct rpc_message *type, ProtobufCMessage *out,
                                    struct str name, struct str value);

#endif
