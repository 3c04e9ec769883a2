/* What the private PostgreSQL and Redis read: their settings. Written by children that run as their account, at every
 * start, so that a newer binary brings its own. */
#ifndef CMD_UP_EMBEDDED_FILES_H
#define CMD_UP_EMBEDDED_FILES_H

#include "cmd/up/embedded.h"

/* For process_spec.run; context is the struct embedded. Each says on standard error what went wrong and gives an exit
 * code. */
int embedded_files_prepare(
    void *context); /* Redis' settings; for a fresh cluster: an empty place and the password for initdb */
int embedded_files_finish(void *context); /* PostgreSQL's settings; a fresh cluster takes its place */

#endif
