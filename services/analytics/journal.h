/* Journal: events on their way to the database, in files of this process below one folder. What journal_append
 * accepted is on disk; after a crash, any process of this installation stores what is left. Bounded in bytes. */
#ifndef SERVICES_ANALYTICS_JOURNAL_H
#define SERVICES_ANALYTICS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the folder when it is missing. False with errno. */
bool journal_start(const char *folder, int64_t max_bytes);
void journal_stop(void);

enum journal_result {
        JOURNAL_OK,
        JOURNAL_FULL,   /* the database has not stored the backlog yet: try later */
        JOURNAL_BROKEN, /* the disk fails; errno says why */
};

/* On disk when it returns JOURNAL_OK; those who append at one moment share one fdatasync. Any thread. */
enum journal_result journal_append(const void *record, size_t len);

/* A file that is no longer written, for this caller alone. */
struct journal_file {
        char path[512];
        int fd;
        uint8_t *bytes; /* of one record, as long as it is read */
};

/* The oldest one that nobody else reads. False when nothing waits. */
bool journal_take(struct journal_file *out);
enum journal_next {
        JOURNAL_RECORD,
        JOURNAL_END,     /* or where a crash cut it: nothing that follows was acknowledged */
        JOURNAL_DAMAGED, /* a record was changed that has others behind it */
        JOURNAL_UNREAD,  /* the disk or the memory fails for now; errno says why */
};

/* The next whole record. */
enum journal_next journal_read(struct journal_file *file, const uint8_t **record, size_t *len);
/* Renames a damaged file (.bad), so that it is not read again, for the operator to inspect. */
void journal_set_aside(struct journal_file *file);
/* done: the events are stored, and the file goes; whether it has gone. */
bool journal_release(struct journal_file *file, bool done);

#endif
