/* The settings files of the private PostgreSQL and Redis. Written at every start, so that a newer binary brings its
 * own, by children that run under their account. */
#ifndef CMD_UP_EMBEDDED_FILES_H
#define CMD_UP_EMBEDDED_FILES_H

#include "cmd/up/embedded.h"

/* For process_spec.run; context is the struct embedded. Errors are printed on standard error; returns an exit code. */
int embedded_files_prepare(
    void *context); /* Redis' settings; for a new cluster: an empty folder and the password for initdb */
int embedded_files_finish(void *context); /* PostgreSQL's settings; moves a new cluster into place */

#endif
