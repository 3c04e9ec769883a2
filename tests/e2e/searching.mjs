// Searches for notes as members and as nobody in particular.
import { api, eventually, must, randomName } from './shared.mjs';

export const path = (query, more = {}) => `/v1/search?${new URLSearchParams({ query, ...more })}`;
export const notes = async (who, query, more) => must(await who.get(path(query, { type: 'notes', ...more })));
export const found = async (who, query, more) => (await notes(who, query, more)).items.map((item) => item.note.id);
export const nobody = { get: (where) => api('GET', where) };
// A word that no other test uses.
export const rare = () => `w${randomName().slice(2).replace(/[0-9]/g, (digit) => 'ghijklmnop'[digit])}x`;
export const write = async (who, text, visibility) => must(await who.post('/v1/notes', { text, visibility }), 201).id;
export const until = (who, query, expected, more) => eventually(`${query} finds ${expected.length}`,
        async () => JSON.stringify((await found(who, query, more)).sort()) === JSON.stringify([...expected].sort()), 20_000);
