// The leak matrix: every kind of reader × every visibility × every road on which a note could show.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, ids, must, problem, registerMany } from './shared.mjs';

const VISIBILITIES = ['public', 'followers', 'only_me'];
const ROLES = ['anonymous', 'stranger', 'follower', 'followed', 'blocked', 'blocker', 'muter', 'muted', 'formerFollower', 'author'];
const GONE = '01890000-0000-7000-8000-000000000000';

// Who may read: what the issue says, written down once more by hand.
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
let elsewhere; // the author's comment on a public note of somebody in between
let between; // somebody whom all know, who passes the public note on
let betweenNote;

before(async () => {
        const members = await registerMany(ROLES.length);
        ROLES.forEach((role, i) => (net[role] = members[i]));
        const { author, follower, followed, blocked, blocker, muter, muted, formerFollower } = net;
        between = members[0];
        net.anonymous = { get: (path, options) => api('GET', path, options) };
        await author.follow(followed);
        for (const fan of [follower, blocked, blocker, muter, muted, formerFollower]) {
                await fan.follow(author); // the two blocks below end theirs
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
                return home.includes(notes.followers.id) && home.includes(notes.public.id);
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

// Each road asks as a role, and says whether the note showed.
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

// A hidden thing must look exactly like one that never was.
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
                test(`on ${road}, a ${visibility} note shows to exactly those who may read it`, async () => {
                        for (const role of ROLES) {
                                assert.equal(await shows(role, notes[visibility], visibility), mayRead(role, visibility), role);
                        }
                });
        }
}

test('home timelines hold it for the author and for followers who do not mute', async () => {
        for (const role of ROLES.slice(1)) {
                const answer = await list(role, '/v1/timelines/home?limit=100');
                for (const visibility of VISIBILITIES) {
                        const own = answer.body.items.some((n) => n.id === notes[visibility].id);
                        const expected = role === 'author' || (role === 'follower' && visibility !== 'only_me');
                        assert.equal(own, expected, `${role} ${visibility}`);
                }
        }
        problem(await api('GET', '/v1/timelines/home'), 401);
});

test('a hashtag timeline holds the public one only, and neither across a block nor for who mutes its author', async () => {
        for (const role of ROLES) {
                const answer = await list(role, `/v1/timelines/hashtags/${tag}?limit=100`);
                for (const visibility of VISIBILITIES) {
                        const expected = visibility === 'public' && mayRead(role, 'public') && role !== 'muter';
                        assert.equal(answer.body.items.some((n) => n.id === notes[visibility].id), expected, `${role} ${visibility}`);
                }
        }
});

test('bookmarks made before the door closed show nothing after', async () => {
        for (const role of ['blocked', 'blocker']) {
                const answer = await list(role, '/v1/bookmarks');
                VISIBILITIES.forEach((v) => assert.ok(!leaks(answer, notes[v]), `${role} ${v}`));
        }
        const answer = await list('formerFollower', '/v1/bookmarks');
        assert.deepEqual(ids(answer.body.items), [notes.public.id]);
        assert.ok(!leaks(answer, notes.followers));
});

test('somebody else\'s renote does not carry a note across a block', async () => {
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

test('a comment on neutral ground does not show across a block', async () => {
        for (const role of ROLES) {
                for (const path of [`/v1/notes/${betweenNote.id}/comments`, `/v1/notes/${betweenNote.id}/thread`]) {
                        assert.equal(leaks(await list(role, path), elsewhere), mayRead(role, 'public') && role !== 'muter', `${role} ${path}`);
                }
                assert.equal(await read(role, `/v1/notes/${elsewhere.id}`, elsewhere), mayRead(role, 'public'), role);
        }
});

test('what one may not read one cannot react to, answer, change or remove', async () => {
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

test('an entity tag from better days answers nothing', async () => {
        const good = await net.author.get(`/v1/notes/${notes.followers.id}`);
        for (const etag of [good.headers.etag, '*', '"x"'].filter(Boolean)) {
                for (const role of ['anonymous', 'stranger', 'blocked']) {
                        problem(await net[role].get(`/v1/notes/${notes.followers.id}`, { headers: { 'if-none-match': etag } }), 404);
                }
        }
});
