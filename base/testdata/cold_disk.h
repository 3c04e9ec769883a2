/* A disk whose files are not in memory, and that gives nothing, when a test says so: for executables that are linked
 * with -Wl,--wrap of pread64, preadv64v2 and sendfile64. */
#ifndef BASE_TESTDATA_COLD_DISK_H
#define BASE_TESTDATA_COLD_DISK_H

void cold_disk_stop(void);
void cold_disk_await(void); /* returns when somebody waits for it */
void cold_disk_go_on(void);

#endif
