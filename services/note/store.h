/* The SQL of note_service. All take an open transaction or read. */
#ifndef SERVICES_NOTE_STORE_H
#define SERVICES_NOTE_STORE_H

#include "db/db.h"
#include "services/media/media.rpc.h"
#include "services/note/note.rpc.h"
#include "services/note/note_rows.rpc.h"
#include "services/entities.h"
#include "services/page.h"

/* A note as it is written. */
struct draft {
        char *id;
        const char *author_id;
        const char *text;
        const User__Author *author; /* once draft_author asked for them */
        int visibility;             /* note.proto, Visibility */
        const char *audience_owner; /* of a note that is not public */
        bool narrowed;              /* to those who follow the author too */
        bool uncounted;             /* an answer, or a renote, that not all see who see the note itself */
        const char *parent_id;      /* of a comment, else "" */
        const char *root_id;
        const char *renote_of_id; /* of a renote, else "" */
        struct entities entities;
        Note__Mention **mentions; /* of members that exist */
        size_t n_mentions;
        char **media_ids;
        size_t n_media_ids;
        Media__Media **media; /* what they are */
};

/* The note with its audience, place in the conversation, hashtags and mentions. */
SN_CHECKED sn_status store_insert_note(struct db_tx *tx, const struct draft *draft);
/* *version is the new one; SN_NOT_FOUND when it is deleted or not the author's. */
SN_CHECKED sn_status store_update_text(struct db_tx *tx, const struct draft *draft, int64_t *version);
/* *deleted is false when it was deleted before; shows_media: NULL of a renote. Its hashtags go, so that lists need not
 * pass over it. */
SN_CHECKED sn_status store_delete_note(struct db_tx *tx, const char *id, const char *author_id, bool *deleted,
                                       bool *shows_media);

/* Locks a comment that is there, against its deletion and its removal at once. *below: it answers the note, at whatever
 * depth (of a longer way up the nearest 100, and the first note). */
SN_CHECKED sn_status store_lock_comment(struct db_tx *tx, const char *id, const char *note_id, bool *below);
/* By the actor; *removed is false when it was removed before. *counted: until then it counted under its parent. */
SN_CHECKED sn_status store_remove_comment(struct db_tx *tx, const char *id, bool *removed, bool *counted);
/* Whether it counts under its parent: it was not removed, and is for all who see that. */
SN_CHECKED sn_status store_is_counted(struct db_tx *tx, const char *id, bool *counted);
/* Complete rows of those that exist and are not deleted, in no order. */
SN_CHECKED sn_status store_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__StoredNote ***rows);
/* The same of those that are deleted, or were removed: as they were. */
SN_CHECKED sn_status store_deleted_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                         NoteRows__StoredNote ***rows);
/* One row for each pair, in the order asked. */
SN_CHECKED sn_status store_marks(struct db_tx *tx, char **viewers, char **ids, size_t n, size_t *n_rows,
                                 NoteRows__Mark ***rows);

/* Of the notes that somebody passed on, the newest 50 each, in no order of notes. */
SN_CHECKED sn_status store_renoters(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__Renoters ***rows);

/* For erasing a member: some ids of what they wrote and is not deleted, liked, bookmarked. */
SN_CHECKED sn_status store_written(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
SN_CHECKED sn_status store_liked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
SN_CHECKED sn_status store_bookmarked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Deletes some mentions of them; ids: of the notes. */
SN_CHECKED sn_status store_erase_mentions(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Takes them out of some notes of others whose audience they own; ids: of the notes. */
SN_CHECKED sn_status store_erase_audience(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Takes text and author out of some deleted notes, whose rows stay where answers hang from them. *n: how many. */
SN_CHECKED sn_status store_erase_texts(struct db_tx *tx, const char *user_id, size_t limit, size_t *n);
/* What is few. */
SN_CHECKED sn_status store_erase_removals(struct db_tx *tx, const char *user_id);

/* Reactions: *changed tells whether there was anything to do. */
SN_CHECKED sn_status store_insert_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_delete_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_insert_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_delete_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_insert_renote(struct db_tx *tx, const struct draft *renote, bool *changed);
/* *renote_id is the note that passed it on, "" when there is none; *counted: among the renotes of the note. */
SN_CHECKED sn_status store_delete_renote(struct db_tx *tx, const char *user_id, const char *note_id,
                                         const char **renote_id, bool *counted);
/* Adds to the counters of a note, in a slot drawn at random. */
SN_CHECKED sn_status store_count_reactions(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta);

/* Lists: at most scan->limit beyond its position; ascending when it is newer, else descending. */
/* seen_as: note.proto, Visibility: the widest audience that the reader belongs to. scan->except: whose notes no renote
 * passes on. */
SN_CHECKED sn_status store_ids_by_authors(struct db_tx *tx, char **authors, size_t n_authors, int seen_as,
                                          const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* What was removed is listed for its author alone; the viewer is "" when nobody is logged in. */
SN_CHECKED sn_status store_ids_by_hashtag(struct db_tx *tx, const char *tag_key, const char *viewer,
                                          const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* For the actor. Always ascending, like all that is below a note. */
SN_CHECKED sn_status store_comment_ids(struct db_tx *tx, const char *parent_id, const struct page_scan *scan, size_t *n,
                                       Note__NoteRef ***refs);
SN_CHECKED sn_status store_bookmarks(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                     NoteRows__Bookmark ***rows);
SN_CHECKED sn_status store_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, NoteRows__Bookmark *row,
                                    bool *found);
/* From the first note down to the parent; the nearest 100. */
SN_CHECKED sn_status store_ancestors(struct db_tx *tx, const char *id, size_t *n, Note__NoteRef ***refs);
/* All below a note, ascending; root tells that it is no comment itself. Of a comment, 100 levels down. */
SN_CHECKED sn_status store_descendants(struct db_tx *tx, const char *id, bool root, const struct page_scan *scan,
                                       size_t *n, Note__NoteRef ***refs);

/* All notes in order of id. */
SN_CHECKED sn_status store_ids_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n,
                                     Note__NoteRef ***refs);

#endif
