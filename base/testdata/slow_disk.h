/* A disk that stands still when a test says so: pwrite of the whole program waits. For executables that are linked with
 * -Wl,--wrap=pwrite64. */
#ifndef BASE_TESTDATA_SLOW_DISK_H
#define BASE_TESTDATA_SLOW_DISK_H

void slow_disk_stop(void);
void slow_disk_await(void); /* returns when somebody waits for it */
void slow_disk_go_on(void);

#endif
