// Settings of members, and their schema.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, must, problem, randomName, register } from './shared.mjs';

const PATH = '/v1/users/me/settings';

// {privacy: {private: false}, language: 'en'} as [['privacy.private', false], ['language', 'en']].
const flat = (settings) => Object.entries(settings).flatMap(
        ([key, value]) => (typeof value === 'object' ? Object.entries(value).map(([name, v]) => [`${key}.${name}`, v]) : [[key, value]]));

test('a new member has the defaults of the schema, and the schema has every setting', async () => {
        const alice = await register();
        const schema = must(await api('GET', '/v1/settings/schema')).items;
        const settings = flat(must(await alice.get(PATH)));
        assert.deepEqual(settings.map(([key, value]) => [key, String(value)]), schema.map((s) => [s.key, s.default]));
        for (const setting of schema) {
                assert.ok(setting.help.length > 10, setting.key);
                assert.ok(['boolean', 'choice', 'text'].includes(setting.type), setting.key);
                assert.equal(setting.choices.length > 0, setting.type === 'choice', setting.key);
                assert.ok(setting.type !== 'choice' || setting.choices.includes(setting.default), setting.key);
        }
        for (const group of ['privacy.', 'appearance.', 'content.', 'notifications.', 'language', 'time_zone']) {
                assert.ok(schema.some((s) => s.key.startsWith(group)), group);
        }
});

test('given settings change, the others stay, and only for the caller', async () => {
        const [alice, bob] = [await register(), await register()];
        const before = must(await alice.get(PATH));
        const change = { appearance: { theme: 'dark' }, notifications: { likes: false }, language: 'pt-BR', time_zone: 'America/Argentina/Ushuaia' };
        const after = must(await alice.patch(PATH, change));
        const expected = { ...before, ...change, appearance: { ...before.appearance, theme: 'dark' }, notifications: { ...before.notifications, likes: false } };
        assert.deepEqual(after, expected);
        assert.deepEqual(must(await alice.patch(PATH, {})), expected);
        assert.deepEqual(must(await alice.get(PATH)), expected);
        assert.deepEqual(must(await bob.get(PATH)), before);
        must(await alice.patch(PATH, { notifications: { likes: true }, appearance: { theme: 'system' }, language: 'en', time_zone: 'UTC' }));
        assert.deepEqual(must(await alice.get(PATH)), before);
});

test('every setting accepts each of its values', async () => {
        const alice = await register();
        for (const { key, type, choices } of must(await api('GET', '/v1/settings/schema')).items) {
                const [group, name] = key.split('.');
                for (const value of type === 'boolean' ? [true, false, true] : choices) {
                        const settings = must(await alice.patch(PATH, { [group]: { [name]: value } }));
                        assert.equal(settings[group][name], value, key);
                }
        }
});

test('unknown settings and invalid values are rejected by name and change nothing', async () => {
        const alice = await register();
        const before = must(await alice.get(PATH));
        const refused = async (body, field) => problem(await alice.patch(PATH, { ...body, appearance: { theme: 'dark', ...body.appearance } }), 422, { field });
        await refused({ colour: 'red' }, 'colour');
        await refused({ privacy: { secret: true } }, 'privacy.secret');
        await refused({ privacy: { private: 'yes' } }, 'privacy.private');
        await refused({ privacy: { private: null } }, 'privacy.private');
        await refused({ privacy: { messages_from: 'friends' } }, 'privacy.messages_from');
        await refused({ privacy: { messages_from: 'unspecified' } }, 'privacy.messages_from');
        await refused({ privacy: true }, 'privacy');
        await refused({ appearance: { theme: '' } }, 'appearance.theme');
        for (const language of ['', 'e', 'english language', 'en_US', '-', 'de-', 7]) {
                await refused({ language }, 'language');
        }
        for (const zone of ['', 'Europe', 'Europe/Atlantis', '../../etc/passwd', '/etc/passwd', 'Europe//Berlin', 'zone.tab', 'tzdata.zi', 'leapseconds', `A${'a'.repeat(80)}`]) {
                await refused({ time_zone: zone }, 'time_zone');
        }
        assert.deepEqual(must(await alice.get(PATH)), before);
        problem(await api('GET', PATH), 401);
        problem(await api('PATCH', PATH, { body: {} }), 401);
});

test('members who are not discoverable are not found by a search, but still exist', async () => {
        const word = `w${randomName('').slice(1, 9)}`;
        const ada = await register({ display_name: `Ada ${word}` });
        const found = async () => [word, ada.username].map(async (query) => must(await api('GET', `/v1/users?query=${query}`)).items.map((u) => u.id));
        const all = async () => Promise.all(await found());
        assert.deepEqual(await all(), [[ada.id], [ada.id]]);
        must(await ada.patch(PATH, { privacy: { discoverable: false } }));
        assert.deepEqual(await all(), [[], []]);
        must(await ada.patch('/v1/users/me', { display_name: `Ada ${word} King` }));
        assert.deepEqual(await all(), [[], []], 'a new name does not show them either');
        assert.equal(must(await api('GET', `/v1/users/${ada.username}`)).id, ada.id);
        must(await ada.patch(PATH, { privacy: { discoverable: true } }));
        assert.deepEqual(await all(), [[ada.id], [ada.id]]);
});

test('concurrent changes do not overwrite each other', async () => {
        const alice = await register();
        await Promise.all([
                alice.patch(PATH, { notifications: { likes: false } }), alice.patch(PATH, { notifications: { follows: false } }),
                alice.patch(PATH, { appearance: { theme: 'light' } }), alice.patch(PATH, { language: 'de' }),
        ].map(async (change) => must(await change)));
        const settings = must(await alice.get(PATH));
        assert.deepEqual([settings.notifications.likes, settings.notifications.follows, settings.appearance.theme, settings.language], [false, false, 'light', 'de']);
});
