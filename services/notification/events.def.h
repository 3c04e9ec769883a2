/* Which event notifies whom of what. A row makes notifications of one more event, also of a service that comes later; a
 * new type needs a row of types.def.h and its words as well.
 * EVENT(source, event, kind, TYPE, recipient, actor, key, note)
 * source, event: the service and its event.
 * kind: NEWS, or UNDONE: what the actor did before is no more, and nobody is notified of it any longer.
 * recipient: the member that the event names as AGGREGATE or OBJECT; of the note that it is about the AUTHOR, the
 *   author of the note that it answers (PARENT_AUTHOR), or all that it mentions (MENTIONED; not who is notified as
 *   PARENT_AUTHOR). Of what is undone ANYBODY who was notified.
 * actor: who did it, by the event's ACTOR, AGGREGATE or OBJECT, or the AUTHOR of the note that it is about. Of the
 *   types of one's own account (types.def.h) the recipient.
 * key: events with the same id (AGGREGATE, OBJECT) make one notification; EVENT: each is told by itself.
 * note: the note that it is about, by AGGREGATE or OBJECT; NOTHING: it is about none, or the note does not matter.
 * Recipients that another service must be asked for, by the thousand perhaps, have consumers of their own
 * (message_events.c, new_notes.c, saved_searches.c). */
EVENT(note, "note.liked", NEWS, LIKE, AUTHOR, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.unliked", UNDONE, LIKE, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(note, "renote.created", NEWS, RENOTE, AUTHOR, ACTOR, OBJECT, OBJECT)
EVENT(note, "renote.deleted", UNDONE, RENOTE, ANYBODY, ACTOR, OBJECT, NOTHING)
EVENT(note, "comment.created", NEWS, COMMENT, PARENT_AUTHOR, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.created", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.deleted", UNDONE, COMMENT, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(note, "comment.deleted", UNDONE, MENTION, ANYBODY, ACTOR, AGGREGATE, NOTHING)
/* By the author of a note above it: the comment stays, for its own author alone. */
EVENT(note, "comment.removed", UNDONE, COMMENT, ANYBODY, AUTHOR, AGGREGATE, AGGREGATE)
EVENT(note, "comment.removed", UNDONE, MENTION, ANYBODY, AUTHOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.created", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.edited", NEWS, MENTION, MENTIONED, ACTOR, AGGREGATE, AGGREGATE)
EVENT(note, "note.deleted", UNDONE, MENTION, ANYBODY, ACTOR, AGGREGATE, NOTHING)
EVENT(follow, "follow.created", NEWS, FOLLOW, OBJECT, AGGREGATE, OBJECT, NOTHING)
EVENT(follow, "follow.deleted", UNDONE, FOLLOW, ANYBODY, AGGREGATE, OBJECT, NOTHING)
EVENT(follow, "follow.requested", NEWS, FOLLOW_REQUEST, OBJECT, AGGREGATE, EVENT, NOTHING)
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
/* No service emits it yet: there is no way to report anything. Aggregate: the report; object: its author. */
EVENT(user, "report.resolved", NEWS, REPORT_RESOLVED, OBJECT, OBJECT, AGGREGATE, NOTHING)
