/* Which region of a file answers a request, by its conditions (RFC 9110, 13.2.2 and 14). The same for both transports,
 * and where the file is: a service sends no byte that was not asked for. */
#ifndef RPC_FILE_ANSWER_H
#define RPC_FILE_ANSWER_H

#include "base/call.h"
#include "sonet/file.rpc.h"

/* Sets outcome, offset and length of the answer from its size and etag. conditions NULL: none. */
void file_choose_region(const File__Conditions *conditions, File__Chunk *answer);
/* The same for a call whose handler has answered with a file: also sets size, and c->file to the region, or drops the
 * file when no byte of it is to be sent. SN_INTERNAL when there is no file. */
SN_CHECKED sn_status rpc_choose_region(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out);

#endif
