/* A disk that a test can stop: reads or writes wait at the gate until the test opens it. Closed and opened by one
 * thread, passed by any. */
#ifndef BASE_TESTDATA_DISK_GATE_H
#define BASE_TESTDATA_DISK_GATE_H

#include <stdbool.h>

void disk_gate_close(void);
void disk_gate_await(void); /* returns once a thread waits at the closed gate */
void disk_gate_open(void);
bool disk_gate_is_closed(void);
void disk_gate_pass(void); /* waits while it is closed */

#endif
