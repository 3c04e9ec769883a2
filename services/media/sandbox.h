/* The sandbox of children that decode untrusted files: no file system, network or other processes; limited memory and
 * time. */
#ifndef SERVICES_MEDIA_SANDBOX_H
#define SERVICES_MEDIA_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Sanitizers map terabytes of shadow memory and query the affinity of threads by their ids. Only their builds allow
 * that. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX_SANITIZED = true };
#else
enum { SANDBOX_SANITIZED = false };
#endif

/* Call it at the very start of the child. file_bytes: the largest file that it may write. cpu_s: CPU time. */
bool sandbox_limit(int64_t file_bytes, int cpu_s);
/* Call it once everything is loaded, before the first byte of input is read. From then on only open descriptors can be
 * used, and any other system call kills the process. */
bool sandbox_close(void);

#endif
