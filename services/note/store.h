/* The SQL of note_service. All functions take an open transaction or read. */
#ifndef SERVICES_NOTE_STORE_H
#define SERVICES_NOTE_STORE_H

#include "db/db.h"
#include "services/media/media.rpc.h"
#include "services/note/note.rpc.h"
#include "services/note/note_rows.rpc.h"
#include "services/entities.h"
#include "services/page.h"

/* A note to be written. */
struct draft {
        char *id;
        const char *author_id;
        const char *trace_id; /* of the call */
        int64_t created_ms;
        const char *text;
        const User__Author *author; /* set by draft_author */
        int visibility;             /* note.proto, Visibility */
        const char *audience_owner; /* if it is not public */
        bool narrowed;              /* also to the author's followers */
        bool uncounted;             /* a comment or renote that is not visible to everyone who sees the note itself */
        const char *parent_id;      /* of a comment, otherwise "" */
        const char *root_id;
        const char *renote_of_id; /* of a renote, otherwise "" */
        struct entities entities;
        Note__Mention **mentions; /* of existing members */
        size_t n_mentions;
        char **media_ids;
        size_t n_media_ids;
        Media__Media **media; /* loaded from media_service */
};

/* Inserts the notes with their audiences, positions in the conversation, media, hashtags and mentions. */
SN_CHECKED sn_status store_insert_notes(struct db_tx *tx, const struct draft *const *drafts, size_t n);
/* *version is the new one; SN_NOT_FOUND if it is deleted or not the author's. */
SN_CHECKED sn_status store_update_text(struct db_tx *tx, const struct draft *draft, int64_t *version);
/* *deleted is false if it was deleted before; shows_media: NULL for a renote. Deletes its hashtags, so that lists
 * need not skip it. */
SN_CHECKED sn_status store_delete_note(struct db_tx *tx, const char *id, const char *author_id, bool *deleted,
                                       bool *shows_media);

/* Locks an existing comment against deletion and removal. *below: it is below the note, at any depth (for deep ones
 * the nearest 100 ancestors and the first note are checked). */
SN_CHECKED sn_status store_lock_comment(struct db_tx *tx, const char *id, const char *note_id, bool *below);
/* By the actor; *removed is false if it was removed before. *counted: it was counted as a comment of its parent. */
SN_CHECKED sn_status store_remove_comment(struct db_tx *tx, const char *id, bool *removed, bool *counted);
/* Whether it counts as a comment of its parent: not removed, and visible to everyone who sees the parent. */
SN_CHECKED sn_status store_is_counted(struct db_tx *tx, const char *id, bool *counted);
/* Complete rows of existing, undeleted notes, in no particular order. */
SN_CHECKED sn_status store_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__StoredNote ***rows);
/* The same for deleted or removed notes, as they were. */
SN_CHECKED sn_status store_deleted_notes(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                         NoteRows__StoredNote ***rows);
/* One row per pair, in the requested order. */
SN_CHECKED sn_status store_marks(struct db_tx *tx, char **viewers, char **ids, size_t n, size_t *n_rows,
                                 NoteRows__Mark ***rows);
/* Those to which anybody has reacted. */
SN_CHECKED sn_status store_reacted(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, Note__NoteRef ***rows);

/* The newest 50 of each renoted note, in no particular order of notes. */
SN_CHECKED sn_status store_renoters(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NoteRows__Renoters ***rows);

/* For erasing a member: some IDs of their undeleted notes, likes, bookmarks. */
SN_CHECKED sn_status store_written(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
SN_CHECKED sn_status store_liked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
SN_CHECKED sn_status store_bookmarked(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Deletes some mentions of the member; ids: the notes. */
SN_CHECKED sn_status store_erase_mentions(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Removes the member as the audience's owner from some notes of others; ids: the notes. */
SN_CHECKED sn_status store_erase_audience(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);
/* Removes text and author from some deleted notes, whose rows stay because of comments. *n: how many. */
SN_CHECKED sn_status store_erase_texts(struct db_tx *tx, const char *user_id, size_t limit, size_t *n);
/* Erases everything else, of which there is little. */
SN_CHECKED sn_status store_erase_removals(struct db_tx *tx, const char *user_id);

/* Reactions: *changed tells whether anything was changed. */
SN_CHECKED sn_status store_insert_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_delete_like(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_insert_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_delete_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, bool *changed);
SN_CHECKED sn_status store_insert_renote(struct db_tx *tx, const struct draft *renote, bool *changed);
/* *renote_id is the renoting note, "" if there is none; *counted: it counts as a renote of the note. */
SN_CHECKED sn_status store_delete_renote(struct db_tx *tx, const char *user_id, const char *note_id,
                                         const char **renote_id, bool *counted);
/* Adds to a note's counters, in a random slot. */
SN_CHECKED sn_status store_count_reactions(struct db_tx *tx, const char *note_id, const Note__NoteCounts *delta);

/* Lists: at most scan->limit beyond its position; ascending for newer items, otherwise descending. */
/* seen_as: note.proto, Visibility: the widest audience that the reader belongs to. scan->except: leaves out renotes
 * of these authors. */
SN_CHECKED sn_status store_ids_by_authors(struct db_tx *tx, char **authors, size_t n_authors, int seen_as,
                                          const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* The newest note (no comment) of each author in each audience, in no particular order. */
SN_CHECKED sn_status store_newest_ids(struct db_tx *tx, char **authors, size_t n_authors, int seen_as, size_t *n,
                                      Note__NoteRef ***refs);
/* A removed comment is listed only for its author; the viewer is "" when not logged in. */
SN_CHECKED sn_status store_ids_by_hashtag(struct db_tx *tx, const char *tag_key, const char *viewer,
                                          const struct page_scan *scan, size_t *n, Note__NoteRef ***refs);
/* For the actor. Always ascending, like everything below a note. */
SN_CHECKED sn_status store_comment_ids(struct db_tx *tx, const char *parent_id, const struct page_scan *scan, size_t *n,
                                       Note__NoteRef ***refs);
SN_CHECKED sn_status store_bookmarks(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                                     NoteRows__Bookmark ***rows);
SN_CHECKED sn_status store_bookmark(struct db_tx *tx, const char *user_id, const char *note_id, NoteRows__Bookmark *row,
                                    bool *found);
/* From the first note down to the parent; the nearest 100. */
SN_CHECKED sn_status store_ancestors(struct db_tx *tx, const char *id, size_t *n, Note__NoteRef ***refs);
/* Everything below a note, ascending; root: the note is not itself a comment. Below a comment: 100 levels. */
SN_CHECKED sn_status store_descendants(struct db_tx *tx, const char *id, bool root, const struct page_scan *scan,
                                       size_t *n, Note__NoteRef ***refs);

/* All notes ordered by ID. */
SN_CHECKED sn_status store_ids_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n,
                                     Note__NoteRef ***refs);

#endif
