// Profile details, and changing a username.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, ids, logIn, must, problem, randomName, register } from './shared.mjs';

const ADA = { location: 'London', website: 'https://ada.example/notes?a=1', pronouns: 'she/her', birthday: '1815-12-10',
              fields: [{ name: 'Engine', value: 'Analytical' }, { name: 'Page', value: 'https://ada.example' }] };

test('a profile shows the latest details to everyone, but the birthday only to its owner', async () => {
        const [ada, bob] = [await register(), await register()];
        const empty = { location: '', website: '', pronouns: '', fields: [] };
        assert.deepEqual(must(await ada.get('/v1/users/me')).profile, empty);
        assert.deepEqual(must(await ada.put('/v1/users/me/profile', { body: ADA })).profile, ADA);
        assert.deepEqual(must(await ada.get(`/v1/users/${ada.username}`)).profile, ADA);
        const { birthday, ...shown } = ADA;
        for (const answer of [await bob.get(`/v1/users/${ada.id}`), await api('GET', `/v1/users/${ada.username}`)]) {
                assert.deepEqual(must(answer).profile, shown);
                assert.ok(!answer.text.includes(birthday));
        }
        assert.ok(!('profile' in must(await bob.get(`/v1/users?query=${ada.username}`)).items[0]));
        const less = { pronouns: 'they/them', fields: [{ name: 'Empty', value: '' }] };
        assert.deepEqual(must(await ada.put('/v1/users/me/profile', { body: less })).profile, { ...empty, ...less });
        assert.deepEqual(must(await ada.put('/v1/users/me/profile', { body: {} })).profile, empty);
});

test('an invalid profile is rejected as a whole, and the error names the field', async () => {
        const ada = await register();
        must(await ada.put('/v1/users/me/profile', { body: ADA }));
        const many = Array.from({ length: 9 }, (_, i) => ({ name: `n${i}`, value: 'v' }));
        for (const [body, field] of [[{ website: 'javascript:alert(1)' }, 'website'], [{ website: 'https://' }, 'website'], [{ website: 'https://a b.example' }, 'website'],
                                     [{ website: 'https://bank.example@evil.example/' }, 'website'], [{ website: 'ada.example' }, 'website'],
                                     [{ website: `https://${'a'.repeat(200)}` }, 'website'], [{ website: 'https://a.example/"><b>' }, 'website'],
                                     [{ birthday: '2023-02-29' }, 'birthday'], [{ birthday: '10.12.1815' }, 'birthday'], [{ birthday: '0000-01-01' }, 'birthday'], [{ birthday: '9999-01-01' }, 'birthday'],
                                     [{ birthday: '2024-13-01' }, 'birthday'], [{ birthday: '2024-2-9' }, 'birthday'],
                                     [{ location: 'a\nb' }, 'location'], [{ location: 'a\u202eb' }, 'location'], [{ pronouns: 'x'.repeat(41) }, 'pronouns'],
                                     [{ fields: many }, 'fields'], [{ fields: [{ value: 'v' }] }, 'fields[0].name'],
                                     [{ fields: [{ name: 'a', value: 'v' }, { name: 'b', value: 'a\u0007' }] }, 'fields[1].value'],
                                     [{ shoe_size: 38 }, 'shoe_size']]) {
                problem(await ada.put('/v1/users/me/profile', { body }), 422, { field });
        }
        assert.deepEqual(must(await ada.get('/v1/users/me')).profile, ADA);
        assert.deepEqual(must(await ada.put('/v1/users/me/profile', { body: { birthday: '2024-02-29' } })).profile.birthday, '2024-02-29');
});

test('the old username leads to the new one, and nobody else can take it', async () => {
        const [ada, bob] = [await register({ display_name: 'Somebody' }), await register()];
        const [old, next] = [ada.username, randomName('New')];
        must(await bob.put(`/v1/users/${ada.id}/follow`));
        const changed = must(await ada.put('/v1/users/me/username', { body: { username: next } }));
        assert.equal(changed.username, next);
        const note = await ada.note('Under my new name');
        assert.equal(note.author.username, next);
        for (const name of [old, old.toUpperCase(), next]) {
                assert.equal(must(await bob.get(`/v1/users/${name}`)).username, next);
        }
        assert.equal(must(await bob.get(`/v1/timelines/users/${old}`)).items[0].author.username, next);
        assert.equal(must(await bob.del(`/v1/users/${old}/follow`)).user_id, ada.id);
        assert.deepEqual((await bob.note(`Hello @${old}`)).mentions.map((m) => m.user_id ?? m.id), [ada.id]);
        assert.deepEqual(ids(must(await bob.get(`/v1/users?query=${next}`)).items), [ada.id]);
        assert.deepEqual(must(await bob.get(`/v1/users?query=${old}`)).items, []);
        await logIn(next);
        problem(await api('POST', '/v1/auth/login', { body: { login: old, password: ada.password } }), 401);
        problem(await api('POST', '/v1/auth/register', { body: { username: old.toUpperCase(), email: `${old}@a.example`, password: ada.password } }), 409, { code: 'username_taken' });
        problem(await bob.put('/v1/users/me/username', { body: { username: old } }), 409, { code: 'username_taken' });
        problem(await ada.put('/v1/users/me/username', { body: { username: old } }), 409, { code: 'username_changed_lately', field: 'username' });
});

test('a username can be changed to an available, valid one, by one of several concurrent members', async () => {
        const [ada, bob] = [await register(), await register()];
        problem(await ada.put('/v1/users/me/username', { body: { username: bob.username.toUpperCase() } }), 409, { code: 'username_taken' });
        for (const username of ['admin', 'a', 'not one', 'né', '']) {
                problem(await ada.put('/v1/users/me/username', { body: { username } }), 422, { field: 'username' });
        }
        assert.equal(must(await ada.get('/v1/users/me')).username, ada.username);
        const wanted = randomName('race');
        const answers = await Promise.all([ada.put('/v1/users/me/username', { body: { username: wanted } }), bob.put('/v1/users/me/username', { body: { username: wanted } }),
                                           api('POST', '/v1/auth/register', { body: { username: wanted, email: `${wanted}@example.org`, password: ada.password } })]);
        assert.equal(answers.filter((a) => a.status < 300).length, 1, answers.map((a) => a.status).join());
        const spelled = must(await register().then(async (m) => m.put('/v1/users/me/username', { body: { username: m.username.toUpperCase() } })));
        assert.equal(spelled.username, spelled.username.toUpperCase());
});
