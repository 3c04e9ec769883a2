/* The sandbox of children that decode untrusted files: no file system, no network, no other process; bounded memory
 * and time. */
#ifndef SERVICES_MEDIA_SANDBOX_H
#define SERVICES_MEDIA_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Sanitizers map terabytes for their shadow, and ask for the affinity of threads by their ids: their builds
 * alone allow that. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX_SANITIZED = true };
#else
enum { SANDBOX_SANITIZED = false };
#endif

/* At the very start of the child. file_bytes: the largest file that it may write; cpu_s: of processor time. */
bool sandbox_limit(int64_t file_bytes, int cpu_s);
/* Once everything is loaded, before the first byte of input is read: from then on only descriptors that are open can
 * be used. Any other system call kills the process. */
bool sandbox_close(void);

#endif
