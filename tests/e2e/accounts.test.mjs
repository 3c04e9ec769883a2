// Deleting one's own account: nobody sees anything of it any more, until its member logs in again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, api, assertTokenIsRefused, eventually, ids, logIn, must, problem, randomName, register, registerMany } from './shared.mjs';

const remove = (member, body = { password: PASSWORD }) => member.del('/v1/users/me', { body });

// Ada with all that others can see of a member, and the ways to it: [what must be not found, what must not say anything of her].
async function known() {
        const word = randomName('w').replace('_', '');
        const ada = await register({ display_name: `Ada ${word}` });
        const [fan, other] = await registerMany(2);
        await fan.follow(ada);
        await ada.follow(fan);
        const note = await ada.note(`${word} #${word}`);
        const of = await fan.note(`what does @${ada.username} say?`);
        const comment = await ada.comment(of.id, `${word} says`);
        await ada.react(of.id, 'renote');
        await fan.react(note.id, 'bookmark');
        await eventually('it arrives', async () => (await fan.homeIds()).includes(note.id));
        const gone = [`/v1/users/${ada.id}`, `/v1/users/${ada.username}`, `/v1/notes/${note.id}`, `/v1/notes/${comment.id}`, `/v1/timelines/users/${ada.id}`,
                      `/v1/users/${ada.id}/followers`, `/v1/users/${ada.username}/following`];
        const silent = [`/v1/users?query=${word}`, `/v1/users?query=${ada.username}`, `/v1/timelines/hashtags/${word}`, `/v1/notes/${of.id}/comments`, `/v1/notes/${of.id}/thread`,
                        `/v1/users/${fan.id}/followers`, `/v1/users/${fan.id}/following`, '/v1/timelines/home', '/v1/bookmarks'];
        // Whatever names her, but for what others wrote in their own words.
        const says = (answer) => [ada.id, word, note.id, comment.id].some((s) => answer.text.includes(s)) ||
                answer.text.replaceAll(`@${ada.username}`, '').includes(ada.username);
        return { ada, fan, other, note, of, word, gone, silent, says };
}

test('a deleted account is not there for anybody, at once and by every road', async () => {
        const { ada, fan, other, note, of, gone, silent, says } = await known();
        for (const path of silent) {
                assert.ok(says(must(await fan.get(path)) && await fan.get(path)) || path.includes('/following') === false, path);
        }
        must(await remove(ada), 204);
        await assertTokenIsRefused(ada.token);
        problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: ada.refreshToken } }), 401);
        for (const reader of [fan, other]) {
                for (const path of gone) {
                        problem(await reader.get(path), 404);
                }
                for (const path of silent) {
                        const answer = await reader.get(path);
                        must(answer);
                        assert.ok(!says(answer), `${path}: ${answer.text}`);
                }
        }
        assert.deepEqual((await fan.read(of.id)).mentions, []);
        for (const what of ['follow', 'block', 'mute']) {
                problem(await other.put(`/v1/users/${ada.id}/${what}`), 404);
        }
        problem(await fan.put(`/v1/notes/${note.id}/like`), 404);
        problem(await fan.post(`/v1/notes/${note.id}/comments`, { text: 'where are you?' }), 404);
        const relation = must(await fan.get(`/v1/relationships?user_ids=${ada.id}`)).items[0];
        assert.deepEqual([relation.following, relation.followed_by], [false, false]);
        const later = await fan.note(`@${ada.username} left`);
        assert.deepEqual(later.mentions, []);
        problem(await api('POST', '/v1/auth/register', { body: { username: ada.username, email: `x${ada.username}@example.org`, password: PASSWORD } }), 409, { code: 'username_taken' });
});

test('who logs in again has it all back', async () => {
        const { ada, fan, note, of, gone, silent, says } = await known();
        const before = await Promise.all([...gone, ...silent].map(async (path) => says(await fan.get(path))));
        must(await remove(ada), 204);
        problem(await api('POST', '/v1/auth/login', { body: { login: ada.username, password: 'not the password' } }), 401, { code: 'credentials_wrong' });
        problem(await fan.get(`/v1/users/${ada.id}`), 404);
        const back = await logIn(ada.username);
        assert.equal(back.id, ada.id);
        assert.deepEqual(await Promise.all([...gone, ...silent].map(async (path) => says(await fan.get(path)))), before);
        assert.deepEqual(ids((await fan.read(of.id)).mentions), [ada.id]);
        assert.ok((await back.homeIds()).includes(of.id) || (await back.homeIds()).length > 0);
        assert.equal((await back.read(note.id)).author.id, ada.id);
        await assertTokenIsRefused(ada.token);
});

test('deleting an account needs its password', async () => {
        const ada = await register();
        problem(await remove(ada, { password: 'wrong password' }), 401, { code: 'credentials_wrong', field: 'password' });
        problem(await remove(ada, {}), 422, { field: 'password' });
        problem(await ada.del('/v1/users/me'), 422, { field: 'password' });
        problem(await ada.del(`/v1/users/me?password=${PASSWORD.replaceAll(' ', '+')}`), [400, 422]);
        problem(await api('DELETE', '/v1/users/me', { body: { password: PASSWORD } }), 401);
        must(await ada.get('/v1/users/me'));
});

test('deleting twice at the same time deletes once', async () => {
        const ada = await register();
        const answers = await Promise.all([remove(ada), remove(ada), remove(ada)]);
        assert.ok(answers.some((a) => a.status === 204));
        answers.filter((a) => a.status !== 204).forEach((a) => problem(a, [401, 404]));
        assert.equal((await logIn(ada.username)).id, ada.id);
});
