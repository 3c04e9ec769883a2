// A network of members with timelines, and a backlog of notes for it, written by SQL; the timelines are in Redis.
import { psql } from './psql.mjs';
import { redisCommand } from './redisclient.mjs';

export const MEMBERS = 2_000, FOLLOWERS = 36;

const MEMBER = "('01900000-0000-7000-8000-' || lpad(to_hex(%), 12, '0'))::uuid";
const member = (n) => MEMBER.replace('%', n);

// Executes Lua for the key of each member's cached timeline: a header of 45 bytes (services/timeline/home_cache.c) and entries of 32, which begin with the
// note's ID. Returns the sum of `count`.
async function onTimelines(server, lua) {
        const reply = await redisCommand(server, 'EVAL', `local count, notes = 0, {} for n = 1, ${MEMBERS} do local key = string.format('tl:home:01900000-0000-7000-8000-%012x', n) ${lua} end return count`, '0');
        if (!/^:\d+$/.test(reply)) {
                throw new Error(reply);
        }
        return Number(reply.slice(1));
}

const EACH_ENTRY = (lua) => `local list, seen = redis.call('GET', key) or '', {} for at = 46, #list, 32 do local note = list:sub(at, at + 15) ${lua} end`;

export async function fillNetwork(server) {
        await psql(server, 'user_service', `insert into users (id, username, username_key, email, email_key, password_hash, display_name)
                select ${member('n')}, 'b' || n, 'b' || n, 'b' || n || '@example.org', 'b' || n || '@example.org', 'x', 'B' from generate_series(1, ${MEMBERS}) n;
                insert into user_stats (user_id) select ${member('n')} from generate_series(1, ${MEMBERS}) n`);
        await psql(server, 'follow_service', `insert into user_relationships (follower_id, followee_id)
                select ${member(`1 + (n + k * 53) % ${MEMBERS}`)}, ${member('1 + n')} from generate_series(0, ${MEMBERS - 1}) n, generate_series(1, ${FOLLOWERS}) k`);
        await onTimelines(server, "redis.call('SET', key, 's' .. string.rep('\\0', 44))");
        for (const database of ['user_service', 'follow_service']) {
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

// How far delivery has stored that it came, in events; how many notes are on timelines; and how many entries these have, each note counted once.
export const storedPosition = (server) => number(server, 'timeline_service', "select coalesce(max(position), 0) from consumer_positions where source = 'note' and consumer = 'deliver'");
export const countDelivered = (server) => onTimelines(server, EACH_ENTRY('if not notes[note] then notes[note] = true count = count + 1 end'));
export const countEntries = (server) => onTimelines(server, EACH_ENTRY('if not seen[note] then seen[note] = true count = count + 1 end'));
// Of the services, with the timelines' database.
export const countSessions = (server) => number(server, 'timeline_service', "select count(*) from pg_stat_activity where datname = current_database() and usename = 'timeline_service'");

// Events that delivery has not taken yet, as far as it has stored.
export async function countWaiting(server) {
        const written = await number(server, 'note_service', 'select (select position from outbox_head) + (select count(*) from outbox where position is null)');
        return written - await storedPosition(server);
}
