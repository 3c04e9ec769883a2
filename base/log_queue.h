/* Log lines that are written by another thread. Only base/log.c uses it. */
#ifndef BASE_LOG_QUEUE_H
#define BASE_LOG_QUEUE_H

#include <stddef.h>

/* Once before the first line, by a thread that may still block. */
void log_queue_prepare(void);
/* Never blocks. */
void log_queue_put(const char *line, size_t len);

/* log.c: writes to standard error, as slowly as it is read. */
void log_write(const char *bytes, size_t len);

#endif
