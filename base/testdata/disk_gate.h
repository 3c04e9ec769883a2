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

/* What direct writes to the slow disk do: all of it, nothing (EINVAL), or only the first part. Returns how many there
 * were since the last call. */
enum slow_disk_direct { SLOW_DISK_DIRECT, SLOW_DISK_REFUSES_DIRECT, SLOW_DISK_CUTS_DIRECT };
int slow_disk_direct(enum slow_disk_direct direct);

#endif
