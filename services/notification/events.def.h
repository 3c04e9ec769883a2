/* Which event notifies whom of what. Adding a row makes notifications of another event, including those of new
 * services; a new type also needs a row in types.def.h and its texts.
 * EVENT(source, event, kind, TYPE, recipient, actor, key, note)
 * source, event: the service and its event.
 * kind: NEWS, or UNDONE if the actor undid something, which removes the notifications of it.
 * recipient: the event's AGGREGATE or OBJECT if that is a member; the AUTHOR of the note that the event is about, the
 *   author of the note that it replies to (PARENT_AUTHOR), or all that it mentions (MENTIONED, except those notified as
 *   PARENT_AUTHOR). ANYBODY: with UNDONE, everyone who was notified.
 * actor: who did it: the event's ACTOR, AGGREGATE or OBJECT, or the AUTHOR of the note that the event is about. For
 *   account types (types.def.h) the recipient.
 * key: events with the same id (AGGREGATE, OBJECT) share a notification; EVENT: each event has its own.
 * note: the note that the event is about, as AGGREGATE or OBJECT; NOTHING: there is none, or it does not matter.
 * Events whose recipients (possibly thousands) must be fetched from another service have their own consumers
 * (message_events.c, new_notes.c, saved_searches.c). */
EVENT(note, "note.liked", NEWS, LIKE, AUTHOR, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.unliked", UNDONE, LIKE, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(note, "renote.created", NEWS, RENOTE, AUTHOR, ACTOR, OBJECT, OBJECT)
EVENT(note, "renote.deleted", UNDONE, RENOTE, ANYBODY, ACTOR, OBJECT, NOTHING)
EVENT(note, "comment.created", NEWS, COMMENT, PARENT_AUTHOR, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.created", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.deleted", UNDONE, COMMENT, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(note, "comment.deleted", UNDONE, MENTION, ANYBODY, ACTOR, AGGREGATE, NOTHING)
/* Removed by the author of a note above it: the comment remains visible to its own author only. */
EVENT(note, "comment.removed", UNDONE, COMMENT, ANYBODY, AUTHOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.removed", UNDONE, MENTION, ANYBODY, AUTHOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.created", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.edited", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.deleted", UNDONE, MENTION, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(follow, "follow.created", NEWS, FOLLOW, OBJECT, AGGREGATE, OBJECT, NOTHING)
EVENT(follow, "follow.deleted", UNDONE, FOLLOW, ANYBODY, AGGREGATE, OBJECT, NOTHING)
/* No event says that a request was withdrawn or refused, but requests repeated within a day notify only once. */
EVENT(follow, "follow.requested", NEWS, FOLLOW_REQUEST, OBJECT, AGGREGATE, AGGREGATE, NOTHING)
EVENT(user, "security.new_device", NEWS, NEW_DEVICE, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.password_changed", NEWS, PASSWORD_CHANGED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.email_change_asked", NEWS, EMAIL_CHANGE_ASKED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.email_changed", NEWS, EMAIL_CHANGED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.factor_added", NEWS, FACTOR_ADDED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.factor_removed", NEWS, FACTOR_REMOVED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.recovery_codes_made", NEWS, RECOVERY_CODES_MADE, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.recovery_code_used", NEWS, RECOVERY_CODE_USED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.refresh_token_reused", NEWS, REFRESH_TOKEN_REUSED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
EVENT(user, "security.passkey_cloned", NEWS, PASSKEY_CLONED, AGGREGATE, AGGREGATE, EVENT, NOTHING)
/* Reserved: no service emits this event yet. Aggregate: the report; object: its author. */
EVENT(user, "report.resolved", NEWS, REPORT_RESOLVED, OBJECT, OBJECT, AGGREGATE, NOTHING)
