/* JSON text to a jansson tree, with a helpful problem if it is malformed. */
#ifndef JSON_SYNTAX_H
#define JSON_SYNTAX_H

#include <jansson.h>
#include "base/call.h"
#include "base/str.h"

#define JSON_MAX_DEPTH 16

/* *root belongs to the caller. Rejects what json_read_message documents. */
SN_CHECKED sn_status json_parse(struct rpc_call *c, struct str text, json_t **root);

#endif
