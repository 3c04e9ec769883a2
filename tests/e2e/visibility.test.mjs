// The leak matrix: every kind of reader × every visibility × every route that could show a note.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, ids, must, problem, randomKey, registerMany } from './shared.mjs';

const VISIBILITIES = ['public', 'followers', 'only_me'];
const ROLES = ['anonymous', 'stranger', 'follower', 'followed', 'blocked', 'blocker', 'muter', 'muted', 'formerFollower', 'author'];
const GONE = '01890000-0000-7000-8000-000000000000';

// Who may read: the specification, written down by hand.
const mayRead = (role, visibility) => {
        if (role === 'author') {
                return true;
        }
        if (role === 'blocked' || role === 'blocker' || visibility === 'only_me') {
                return false;
        }
        return visibility === 'public' || role === 'follower' || role === 'muter';
};

const net = {}; // role → Member; anonymous has only get()
const notes = {}; // visibility → the author's note
const comments = {}; // visibility → a comment by the author on it
const tag = `leak${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
let elsewhere; // the author's comment on a third member's public note
let between; // a member whom everyone follows, who renotes the public note
let betweenNote;

before(async () => {
        const members = await registerMany(ROLES.length);
        ROLES.forEach((role, i) => (net[role] = members[i]));
        const { author, follower, followed, blocked, blocker, muter, muted, formerFollower } = net;
        between = members[0];
        net.anonymous = { get: (path, options) => api('GET', path, options) };
        await author.follow(followed);
        for (const fan of [follower, blocked, blocker, muter, muted, formerFollower]) {
                await fan.follow(author); // the two blocks below end their follows
        }
        await muted.unrelate(author, 'follow');
        await muter.relate(author, 'mute');
        await author.relate(muted, 'mute');
        for (const role of ROLES.slice(1)) {
                await net[role].follow(between);
        }
        betweenNote = await between.note('the house of all');
        elsewhere = await author.comment(betweenNote.id, `by the author #${tag}`);
        for (const visibility of VISIBILITIES) {
                notes[visibility] = await author.note(`secret-${visibility} #${tag}`, visibility);
                comments[visibility] = await author.comment(notes[visibility].id, `comment-${visibility}`);
        }
        await between.react(notes.public.id, 'renote');
        for (const fan of [blocked, blocker, formerFollower]) {
                for (const visibility of ['public', 'followers']) {
                        await fan.react(notes[visibility].id, 'bookmark');
                }
        }
        await eventually('the fan-out', async () => {
                const home = await follower.homeIds();
                return home.includes(notes.followers.id) && home.includes((await between.home())[0].id);
        });
        await author.relate(blocked, 'block');
        await blocker.relate(author, 'block');
        await formerFollower.unrelate(author, 'follow');
});

const leaks = (answer, note) => answer.text.includes(note.text) || answer.text.includes(note.id);
const list = async (role, path) => {
        const answer = await net[role].get(path);
        must(answer);
        return answer;
};

// Each route is requested as a role, and returns whether the note was shown.
const ROADS = {
        'the note itself': async (role, note) => read(role, `/v1/notes/${note.id}`, note),
        'its thread': async (role, note) => read(role, `/v1/notes/${note.id}/thread`, note),
        'its list of comments': async (role, note, visibility) => read(role, `/v1/notes/${note.id}/comments`, comments[visibility]),
        'its comment': async (role, note, visibility) => read(role, `/v1/notes/${comments[visibility].id}`, comments[visibility]),
        'the thread of its comment': async (role, note, visibility) => read(role, `/v1/notes/${comments[visibility].id}/thread`, note),
        'the author\'s timeline': async (role, note) => {
                const answer = await net[role].get(`/v1/timelines/users/${net.author.id}?limit=100`);
                return answer.status === 200 ? leaks(answer, note) : (problem(answer, 404), false);
        },
};

// A hidden object must look exactly like one that never existed.
async function read(role, path, note) {
        const answer = await net[role].get(path);
        if (answer.status === 200) {
                assert.ok(leaks(answer, note), 'a good answer shows it');
                return true;
        }
        const hidden = problem(answer, 404);
        const nothing = problem(await net[role].get(path.replace(/notes\/[0-9a-f-]{36}/, `notes/${GONE}`)), 404);
        assert.deepEqual([hidden.code, hidden.title, hidden.detail, hidden.field], [nothing.code, nothing.title, nothing.detail, nothing.field]);
        assert.equal(answer.headers.etag, undefined);
        return false;
}

for (const [road, shows] of Object.entries(ROADS)) {
        for (const visibility of VISIBILITIES) {
                test(`on ${road}, a ${visibility} note is visible to exactly those who may read it`, async () => {
                        for (const role of ROLES) {
                                assert.equal(await shows(role, notes[visibility], visibility), mayRead(role, visibility), role);
                        }
                });
        }
}

test('it is on the home timelines of the author and of followers who do not mute', async () => {
        for (const role of ROLES.slice(1)) {
                const answer = await list(role, '/v1/timelines/home?limit=100');
                for (const visibility of VISIBILITIES) {
                        const holds = answer.body.items.some((n) => (n.renote_of ?? n).id === notes[visibility].id);
                        const comes = role === 'author' || role === 'follower' || visibility === 'public'; // all follow a member who renotes the public one
                        assert.equal(holds, comes && mayRead(role, visibility) && role !== 'muter', `${role} ${visibility}`);
                }
        }
        problem(await api('GET', '/v1/timelines/home'), 401);
});

test('a hashtag timeline has only the public one, but not across a block or for members who mute its author', async () => {
        for (const role of ROLES) {
                const answer = await list(role, `/v1/timelines/hashtags/${tag}?limit=100`);
                for (const visibility of VISIBILITIES) {
                        const expected = visibility === 'public' && mayRead(role, 'public') && role !== 'muter';
                        assert.equal(answer.body.items.some((n) => n.id === notes[visibility].id), expected, `${role} ${visibility}`);
                }
        }
});

test('bookmarks of notes that have become invisible show nothing', async () => {
        for (const role of ['blocked', 'blocker']) {
                const answer = await list(role, '/v1/bookmarks');
                VISIBILITIES.forEach((v) => assert.ok(!leaks(answer, notes[v]), `${role} ${v}`));
        }
        const answer = await list('formerFollower', '/v1/bookmarks');
        assert.deepEqual(ids(answer.body.items), [notes.public.id]);
        assert.ok(!leaks(answer, notes.followers));
});

test('another member\'s renote does not show a note across a block', async () => {
        for (const role of ROLES) {
                const answers = [await list(role, `/v1/timelines/users/${between.id}?limit=100`)];
                if (role !== 'anonymous') {
                        answers.push(await eventually(`home of ${role}`, async () => {
                                const home = await list(role, '/v1/timelines/home?limit=100');
                                return home.body.items.some((n) => n.id === betweenNote.id) && home;
                        }));
                }
                for (const answer of answers) {
                        const shown = answer.body.items.some((n) => n.renote_of?.id === notes.public.id);
                        if (['blocked', 'blocker'].includes(role)) {
                                assert.ok(!leaks(answer, notes.public), role);
                        } else if (answer === answers[0]) {
                                assert.ok(shown, `${role} sees the renote on the timeline of who made it`);
                        }
                }
        }
});

test('a comment on a third member\'s note is not visible across a block', async () => {
        for (const role of ROLES) {
                for (const path of [`/v1/notes/${betweenNote.id}/comments`, `/v1/notes/${betweenNote.id}/thread`]) {
                        assert.equal(leaks(await list(role, path), elsewhere), mayRead(role, 'public') && role !== 'muter', `${role} ${path}`);
                }
                assert.equal(await read(role, `/v1/notes/${elsewhere.id}`, elsewhere), mayRead(role, 'public'), role);
        }
});

test('notes that you may not read cannot be reacted to, commented on, changed or removed', async () => {
        for (const role of ROLES.slice(1).filter((r) => r !== 'author')) {
                for (const visibility of VISIBILITIES.filter((v) => !mayRead(role, v))) {
                        const path = `/v1/notes/${notes[visibility].id}`;
                        for (const what of ['like', 'renote', 'bookmark']) {
                                problem(await net[role].put(`${path}/${what}`), 404);
                        }
                        problem(await net[role].post(`${path}/comments`, { text: 'x' }), 404);
                        problem(await net[role].patch(path, { text: 'x' }), 404);
                        problem(await net[role].del(path), 404);
                }
        }
        for (const visibility of VISIBILITIES) {
                const seen = await net.author.read(notes[visibility].id);
                assert.deepEqual([seen.counts.likes, seen.counts.comments, seen.text], [0, 1, notes[visibility].text]);
        }
});

test('an entity tag from before a note became invisible does not get 304', async () => {
        const good = await net.author.get(`/v1/notes/${notes.followers.id}`);
        for (const etag of [good.headers.etag, '*', '"x"'].filter(Boolean)) {
                for (const role of ['anonymous', 'stranger', 'blocked']) {
                        problem(await net[role].get(`/v1/notes/${notes.followers.id}`, { headers: { 'if-none-match': etag } }), 404);
                }
        }
});

// ---- Cursors ----

// Two worlds with the same visible items; the second one also has hidden items before, between and after them. Both must respond to a reader in the
// same way: as many items per page, a cursor where the other has one, and as many bytes.
const HIDDEN_EACH = 6;
const OPEN = 4;

// Creates visible and hidden items alternately; without hide() only visible ones. Returns the IDs that must not be revealed.
async function fillWorld(open, hide) {
        const secrets = [];
        for (let i = 0; i <= OPEN; i++) {
                for (let k = 0; hide && k < HIDDEN_EACH; k++) {
                        secrets.push(await hide());
                }
                if (i < OPEN) {
                        await open(i);
                }
        }
        return secrets;
}

// What an outsider can measure on all pages of a list. (The note of a thread counts its comments, including hidden ones.)
async function shapeOf(get, path, limit, secrets) {
        const shape = [];
        for (let cursor = null; shape.length < 50;) {
                const answer = await get(`${path}?limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`);
                const size = answer.text.replace(/"comments":\d+/g, '').length;
                const { items, next_cursor: next, prev_cursor: prev } = must(answer);
                for (const token of [next, prev].filter(Boolean)) {
                        const bytes = Buffer.from(token, 'base64url').toString('hex');
                        for (const secret of secrets) { // neither the ID nor the time in it
                                assert.ok(!bytes.includes(secret.replaceAll('-', '').slice(0, 10)), `${path} gives a hidden id away`);
                        }
                }
                shape.push({ texts: items.map((n) => n.text.split(' #')[0]), next: next?.length, prev: prev !== undefined,
                             bytes: size - (prev?.length ?? 0) }); // prev_cursor grows with items shown within half a minute
                if (!next) {
                        return shape;
                }
                cursor = next;
        }
        throw new Error(`${path} does not end`);
}

// Lists → how to create a world for it: {open(i), hide(), path, get}. hide() returns the ID of an item that get's reader may not see.
const anonymous = (path) => api('GET', path);
const WORLDS = {
        'a user timeline, read by anybody': async () => {
                const [author] = await registerMany(1);
                return { open: (i) => author.note(`open ${i}`), hide: async () => (await author.note('hidden', 'only_me')).id,
                         path: `/v1/timelines/users/${author.id}`, get: anonymous };
        },
        'a user timeline of followers\' notes': async () => {
                const [author] = await registerMany(1);
                return { open: (i) => author.note(`open ${i}`), hide: async () => (await author.note('hidden', 'followers')).id,
                         path: `/v1/timelines/users/${author.id}`, get: anonymous };
        },
        'a user timeline of renotes of a blocked member': async () => {
                const [author, blocked, reader] = await registerMany(3);
                await blocked.relate(reader, 'block');
                return { open: (i) => author.note(`open ${i}`), hide: async () => {
                        const { id } = await blocked.note('hidden');
                        await author.react(id, 'renote');
                        return id;
                }, path: `/v1/timelines/users/${author.id}`, get: (path) => reader.get(path) };
        },
        'a user timeline of renotes of what was deleted': async () => {
                const [author, other] = await registerMany(2);
                return { open: (i) => author.note(`open ${i}`), hide: async () => {
                        const { id } = await other.note('hidden');
                        await author.react(id, 'renote');
                        must(await other.del(`/v1/notes/${id}`), 204);
                        return id;
                }, path: `/v1/timelines/users/${author.id}`, get: anonymous };
        },
        'home, by a follower': async () => {
                const [author, reader] = await registerMany(2);
                await reader.follow(author);
                return { open: async (i) => {
                        const { id } = await author.note(`open ${i}`);
                        await eventually('arrival', async () => (await reader.homeIds()).includes(id));
                }, hide: async () => (await author.note('hidden', 'only_me')).id, path: '/v1/timelines/home', get: (path) => reader.get(path) };
        },
        'home, of renotes of a blocked member': async () => {
                const [author, reader, blocked] = await registerMany(3);
                await reader.follow(author);
                await blocked.relate(reader, 'block');
                return { open: async (i) => {
                        const { id } = await author.note(`open ${i}`);
                        await eventually('arrival', async () => (await reader.homeIds()).includes(id));
                }, hide: async () => {
                        const { id } = await blocked.note('hidden');
                        await author.react(id, 'renote');
                        return id;
                }, path: '/v1/timelines/home', get: (path) => reader.get(path) };
        },
        'a hashtag timeline, read by anybody': async () => {
                const [author] = await registerMany(1);
                const name = `w${randomKey()}`;
                return { open: (i) => author.note(`open ${i} #${name}`), hide: async () => (await author.note(`hidden #${name}`, 'only_me')).id,
                         path: `/v1/timelines/hashtags/${name}`, get: anonymous };
        },
        'a hashtag timeline with notes of a blocked member': async () => {
                const [author, reader, blocked] = await registerMany(3);
                await reader.relate(blocked, 'block');
                const name = `w${randomKey()}`;
                return { open: (i) => author.note(`open ${i} #${name}`), hide: async () => (await blocked.note(`hidden #${name}`)).id,
                         path: `/v1/timelines/hashtags/${name}`, get: (path) => reader.get(path) };
        },
        'comments, by a blocked member and deleted ones': async () => worldBelowNote('comments'),
        'a thread, with answers by a blocked member and deleted ones': async () => worldBelowNote('thread'),
        'a comment\'s thread': async () => worldBelowNote('thread', true),
        'bookmarks': async () => {
                const [author, reader] = await registerMany(2);
                return { open: async (i) => reader.react((await author.note(`open ${i}`)).id, 'bookmark'), hide: async () => {
                        const { id } = await author.note('hidden');
                        await reader.react(id, 'bookmark');
                        must(await author.del(`/v1/notes/${id}`), 204);
                        return id;
                }, path: '/v1/bookmarks', get: (path) => reader.get(path) };
        },
};

async function worldBelowNote(list, ofComment = false) {
        const [author, reader, blocked] = await registerMany(3);
        await blocked.relate(reader, 'block');
        let top = await author.note('top');
        top = ofComment ? await author.comment(top.id, 'answer') : top;
        let odd = false;
        return { open: (i) => author.comment(top.id, `open ${i}`), hide: async () => {
                odd = !odd;
                const { id } = await (odd ? blocked : author).comment(top.id, 'hidden');
                if (!odd) {
                        must(await author.del(`/v1/notes/${id}`), 204);
                }
                return id;
        }, path: `/v1/notes/${top.id}/${list}`, get: (path) => reader.get(path) };
}

for (const [name, makeWorld] of Object.entries(WORLDS)) {
        test(`pages and cursors reveal nothing about hidden items: ${name}`, async () => {
                const [plain, haunted] = [await makeWorld(), await makeWorld()];
                await fillWorld(plain.open, null);
                const secrets = await fillWorld(haunted.open, haunted.hide);
                for (const limit of [1, 2, OPEN, 100]) {
                        const expected = await shapeOf(plain.get, plain.path, limit, []);
                        const seen = await shapeOf(haunted.get, haunted.path, limit, secrets);
                        assert.deepEqual(seen, expected, `limit=${limit}`);
                        assert.equal(seen.flatMap((page) => page.texts).length, OPEN);
                }
        });
}
