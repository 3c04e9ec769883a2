/* Static files for browsers, compiled into the program (web/). */
#ifndef GATEWAY_FILES_H
#define GATEWAY_FILES_H

#include "http/server.h"
#include "web/web.h"

/* Never blocks: the bytes are in the program's memory and are sent without copying. */
void file_render(const struct web_file *file, const struct http_request *r, struct http_response *response);

#endif
