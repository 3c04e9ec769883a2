// Data exports while processes are killed and services do not respond, on a separate server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, must } from './client.mjs';
import { query, withheld } from './database.mjs';
import { mode } from './harness.mjs';
import { ownServer } from './own.mjs';

const net = ownServer();
const path = '/v1/users/me/export';
const NOTES = 3000; // of 500 bytes: three parts

const parts = (member) => Number(query(net.server.dir, 'user', `select parts from user_exports where user_id = '${member.id}'`));
const addNotes = (member) => query(net.server.dir, 'note', `insert into notes (id, author_id, text, visibility)
        select overlay(gen_random_uuid()::text placing lpad(to_hex(n), 8, '0') from 1 for 8)::uuid, '${member.id}', n || repeat(' x', 250), 1 from generate_series(1, ${NOTES}) n`);

test('an export of many parts is complete, although the process creating it is killed, and a service does not respond', async () => {
        const member = await net.register();
        addNotes(member);
        const release = await withheld(net.server.dir, 'messaging', 'messages, message_client_ids, chat_participants');
        const { id } = must(await member.post(path), 202);
        await eventually('the export is complete up to the blocked part', () => parts(member) >= 3, 120_000);
        assert.equal(must(await member.get(`${path}/${id}`)).ready_at, null);
        const before = parts(member);
        for (const role of mode === 'single' ? ['serve'] : ['user', 'messaging']) {
                assert.equal(net.server.kill(role), 1, role);
        }
        await release();
        const done = await eventually('it is ready', async () => {
                const { status, body } = await member.get(`${path}/${id}`).catch(() => ({}));
                return status === 200 && body.ready_at ? body : false;
        }, 120_000);
        assert.ok(parts(member) > before, 'it went on from there');
        const { url } = must(await member.post(path), 202);
        const text = await (await fetch(url)).text();
        assert.equal(Buffer.byteLength(text), done.size_bytes);
        const archive = JSON.parse(text);
        assert.equal(archive.items.length, done.items);
        const notes = archive.items.filter((i) => i.kind === 'notes').map((i) => parseInt(i.item.text, 10));
        assert.deepEqual(notes, Array.from({ length: NOTES }, (_, i) => i + 1), 'each once, in order');
        assert.equal(new Set(archive.items.map((i) => JSON.stringify(i))).size, archive.items.length, 'and nothing else twice');
});
