/* Journal: events on their way to the database, in files of this process below one folder. What journal_append has
 * accepted is on disk; after a crash, any process of this installation stores what is left. Its size is limited. */
#ifndef SERVICES_ANALYTICS_JOURNAL_H
#define SERVICES_ANALYTICS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Creates the folder if it is missing. False with errno. */
bool journal_start(const char *folder, int64_t max_bytes);
void journal_stop(void);

enum journal_result {
        JOURNAL_OK,
        JOURNAL_FULL,   /* the database has not stored the backlog yet: try later */
        JOURNAL_BROKEN, /* the disk has failed; errno says why */
};

/* The record is on disk when this returns JOURNAL_OK. Concurrent calls share an fdatasync. Thread-safe. */
enum journal_result journal_append(const void *record, size_t len);

/* A file that is no longer written, locked for this caller. */
struct journal_file {
        char path[512];
        int fd;
        uint8_t *bytes; /* the current record */
};

/* Takes the oldest file that nobody else is reading. False if there is none. */
bool journal_take(struct journal_file *out);
enum journal_next {
        JOURNAL_RECORD,
        JOURNAL_END,     /* or a record truncated by a crash, after which nothing was acknowledged */
        JOURNAL_DAMAGED, /* a corrupted record that is followed by others */
        JOURNAL_UNREAD,  /* a temporary failure of disk or memory; errno says why */
};

/* Reads the next complete record. */
enum journal_next journal_read(struct journal_file *file, const uint8_t **record, size_t *len);
/* Renames a damaged file (.bad), so that it is not read again, for the operator to inspect. */
void journal_set_aside(struct journal_file *file);
/* done: the events are stored, so the file is removed. Returns whether it was removed. */
bool journal_release(struct journal_file *file, bool done);

#endif
