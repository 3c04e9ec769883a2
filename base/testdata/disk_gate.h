/* The gate of a disk that a test stops: what reads or writes waits there until the test opens it again. Closed and
 * opened by one thread, passed by any. */
#ifndef BASE_TESTDATA_DISK_GATE_H
#define BASE_TESTDATA_DISK_GATE_H

#include <stdbool.h>

void disk_gate_close(void);
void disk_gate_await(void); /* returns when a thread waits at the closed gate */
void disk_gate_open(void);
bool disk_gate_is_closed(void);
void disk_gate_pass(void); /* waits while it is closed */

#endif
