/* Files: what a browser is shown, compiled in (web/). */
#ifndef GATEWAY_FILES_H
#define GATEWAY_FILES_H

#include "http/server.h"
#include "web/web.h"

/* Never waits: the bytes are in the program's memory, and are sent without a copy. */
void file_render(const struct web_file *file, const struct http_request *r, struct http_response *response);

#endif
