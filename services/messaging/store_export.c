/* Owns the SQL of what messaging_service exports about a member: their chats and their own messages, without what
 * others wrote in those chats, such as titles. */
#include "services/messaging/messaging.h"

#define AFTER(column) column " > coalesce(nullif($2, '')::uuid, '" NOBODY "')"

DB_STATEMENT(EXPORT_CHATS, "messaging_service", NULL,
             "select p.chat_id::text as position, jsonb_build_object('id', c.id, 'kind', (array['direct', 'group',"
             " 'channel'])[c.kind], 'peer_id', nullif(coalesce(nullif(c.peer_low, $1), c.peer_high), $1), 'role',"
             " (array['owner', 'administrator', 'member', 'reader'])[p.role], 'state', (array['in', 'requested',"
             " 'out', 'declined'])[p.state], 'archived', p.archived, 'pinned', p.pinned, 'muted_until',"
             " p.muted_until, 'draft', p.draft, 'created_at', p.created_at)::text as json"
             " from chat_participants p join chats c on c.id = p.chat_id where p.user_id = $1 and " AFTER(
                 "p.chat_id") " order by p.chat_id limit $3");

/* Messages are found by their client ids, which all messages have. */
DB_STATEMENT(
    EXPORT_MESSAGES, "messaging_service", NULL,
    "select s.client_id::text as position, jsonb_build_object('id', m.id, 'chat_id', m.chat_id, 'text',"
    " m.text, 'earlier_texts', (select jsonb_agg(e.text order by e.seq) from message_edits e"
    " where e.message_id = m.id), 'reply_to_id', m.reply_to_id, 'note_id', m.note_id, 'media_ids', (select"
    " jsonb_agg(a.media_id order by a.position) from message_attachments a where a.message_id = m.id), 'forwarded',"
    " m.forwarded, 'created_at', m.created_at, 'edited_at', m.edited_at, 'expires_at', m.expires_at,"
    " 'deleted_at', m.deleted_at)::text as json"
    " from message_client_ids s join messages m on m.id = s.message_id where s.sender_id = $1 and " AFTER(
        "s.client_id") " order by s.client_id limit $3");

DB_STATEMENT(EXPORT_REACTIONS, "messaging_service", NULL,
             "select message_id || ' ' || emoji as position, jsonb_build_object('message_id', message_id, 'emoji',"
             " emoji, 'created_at', created_at)::text as json from message_reactions where user_id = $1"
             " and (message_id, emoji) > (coalesce(nullif(left($2, 36), '')::uuid, '" NOBODY "'), substr($2, 38))"
             " order by message_id, emoji limit $3");

DB_STATEMENT(EXPORT_HIDDEN, "messaging_service", NULL,
             "select message_id::text as position, jsonb_build_object('message_id', message_id, 'created_at',"
             " created_at)::text as json from message_hides where user_id = $1 and " AFTER(
                 "message_id") " order by message_id limit $3");

DB_STATEMENT(EXPORT_PRESENCE, "messaging_service", NULL,
             "select user_id::text as position, jsonb_build_object('last_seen_at', seen_at)::text as json from presence"
             " where user_id = $1 and " AFTER("user_id") " order by user_id limit $3");

const struct service_export messaging_exports[] = {
    {"chats", &EXPORT_CHATS},         {"messages", &EXPORT_MESSAGES},
    {"reactions", &EXPORT_REACTIONS}, {"hidden_messages", &EXPORT_HIDDEN},
    {"presence", &EXPORT_PRESENCE},   {0}};
