// A network of members with timelines, and a backlog of notes for it, written by SQL.
import { psql } from './psql.mjs';

export const MEMBERS = 2_000, FOLLOWERS = 36;

const MEMBER = "('01900000-0000-7000-8000-' || lpad(to_hex(%), 12, '0'))::uuid";
const member = (n) => MEMBER.replace('%', n);

export async function fillNetwork(server) {
        await psql(server, 'user_service', `insert into users (id, username, username_key, email, email_key, password_hash, display_name)
                select ${member('n')}, 'b' || n, 'b' || n, 'b' || n || '@example.org', 'b' || n || '@example.org', 'x', 'B' from generate_series(1, ${MEMBERS}) n;
                insert into user_stats (user_id) select ${member('n')} from generate_series(1, ${MEMBERS}) n`);
        await psql(server, 'follow_service', `insert into user_relationships (follower_id, followee_id)
                select ${member(`1 + (n + k * 53) % ${MEMBERS}`)}, ${member('1 + n')} from generate_series(0, ${MEMBERS - 1}) n, generate_series(1, ${FOLLOWERS}) k`);
        await psql(server, 'timeline_service', `insert into timeline_cache (owner_id, relations_version, built_at) select ${member('n')}, 1000000, now() from generate_series(1, ${MEMBERS}) n`);
        for (const database of ['user_service', 'follow_service', 'timeline_service']) {
                await psql(server, database, 'vacuum analyze');
        }
}

// All in one transaction, as if delivery had not run while they were written.
export async function writeBacklog(server, notes) {
        await psql(server, 'note_service', `begin; set local synchronous_commit = off;
                create temporary table written on commit drop as select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                        || '8' || substr(md5(random()::text), 1, 15))::uuid as id, ${member(`1 + (n * 7919) % ${MEMBERS}`)} as author_id, n from generate_series(1::bigint, ${notes}) n;
                insert into notes (id, author_id, text, visibility) select id, author_id, 'A note of the backlog, number ' || n, 1 from written order by n;
                insert into outbox (event_id, type, aggregate_id, actor_id, version, occurred_at) select gen_random_uuid(), 'note.created', id, author_id, 1, now() from written order by n;
                commit`);
}

const number = async (server, database, text) => Number((await psql(server, database, text))[0][0]);

// How far delivery has stored that it came, in events; and how many notes are on timelines.
export const storedPosition = (server) => number(server, 'timeline_service', "select coalesce(max(position), 0) from consumer_positions where source = 'note' and consumer = 'deliver'");
export const countDelivered = (server) => number(server, 'timeline_service', 'select count(distinct note_id) from timeline_entries');
export const countEntries = (server) => number(server, 'timeline_service', 'select count(*) from timeline_entries');
// Of the services, with the timelines' database.
export const countSessions = (server) => number(server, 'timeline_service', "select count(*) from pg_stat_activity where datname = current_database() and usename = 'timeline_service'");

// Events that delivery has not taken yet, as far as it has stored.
export async function countWaiting(server) {
        const written = await number(server, 'note_service', 'select (select position from outbox_head) + (select count(*) from outbox where position is null)');
        return written - await storedPosition(server);
}
