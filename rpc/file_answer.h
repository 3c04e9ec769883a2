/* Chooses the region of a file to send, from the conditions of the request (RFC 9110, 13.2.2 and 14). It is the same
 * for both transports and runs where the file is, so a service sends only the requested bytes. */
#ifndef RPC_FILE_ANSWER_H
#define RPC_FILE_ANSWER_H

#include "base/call.h"
#include "sonet/file.rpc.h"

/* Sets outcome, offset and length of the answer from its size and etag. conditions NULL: none. */
void file_choose_region(const File__Conditions *conditions, File__Chunk *answer);
/* The same for a call whose handler has returned a file: also sets size, and restricts c->file to the region or
 * closes it if no bytes are to be sent. SN_INTERNAL if there is no file. */
SN_CHECKED sn_status rpc_choose_region(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out);

#endif
