// Chats and their messages, by REST.
import { randomUUID } from 'node:crypto';
import { must } from './shared.mjs';

export const direct = async (one, other) => must(await one.post('/v1/chats', { kind: 'direct', user_ids: [other.id] }), 201);
export const group = async (owner, ...others) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id) }), 201);
export const ask = (member, chat, more) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), ...more });
export const send = async (member, chat, text, more) => must(await ask(member, chat, { text, ...more }), 201);
export const of = (chat, message, what = '') => `/v1/chats/${chat.id}/messages/${message.id}${what}`;
export const page = async (member, chat, query = '') => must(await member.get(`/v1/chats/${chat.id}/messages${query}`));
export const texts = (list) => list.items.map((m) => m.text);
