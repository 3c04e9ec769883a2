// The scenario with the client that @hey-api/openapi-ts generates.
import { createClient } from './generated/hey/client/index.js';
import * as sonet from './generated/hey/sdk.gen.js';
import type { Problem } from './generated/hey/types.gen.js';
import { run, type Member, type Network, type Refusal } from './scenario.js';

function refused({ error, response }: { error?: Problem; response?: Response }): Refusal {
        if (!error) {
                throw new Error(`${response?.status} is no refusal`);
        }
        return { status: error.status, code: error.code, ...(error.field === undefined ? {} : { field: error.field }) };
}

function memberOf(baseUrl: string, id: string, token: string): Member {
        const client = createClient({ baseUrl, auth: token });
        const and = { client, throwOnError: true } as const;
        return {
                id,
                post: async (text, key) => (await sonet.noteCreateNote({ ...and, body: { text }, headers: { 'Idempotency-Key': key } })).data,
                page: async (limit, cursor) => (await sonet.timelineGetUserTimeline({
                        ...and, path: { user_id: id }, query: cursor === undefined ? { limit } : { limit, cursor } })).data,
                like: async (noteId) => (await sonet.noteLikeNote({ ...and, path: { id: noteId } })).data,
                unlike: async (noteId) => {
                        const { data, response } = await sonet.noteUnlikeNote({ ...and, path: { id: noteId } });
                        return response.status === 204 ? undefined : data ?? undefined;
                },
                follow: async (userId) => (await sonet.followFollowUser({ ...and, path: { user_id: userId } })).data.following,
                relationships: async (userIds) => (await sonet.followListRelationships({ ...and, query: { user_ids: userIds } })).data.items.map((r) => r.following),
                remove: async (noteId) => {
                        await sonet.noteDeleteNote({ ...and, path: { id: noteId } });
                },
                refusal: async (noteId) => refused(await sonet.noteGetNote({ client, path: { id: noteId } })),
                invalid: async () => refused(await sonet.noteCreateNote({ client, body: { text: '' } })),
        };
}

export function scenario(baseUrl: string, suffix: string): Promise<unknown> {
        const client = createClient({ baseUrl });
        const network: Network = {
                register: async (username) => {
                        const { data } = await sonet.userRegister({ client, throwOnError: true,
                                                                    body: { username, email: `${username}@example.org`, password: 'correct horse' } });
                        return memberOf(baseUrl, data.user.id, data.access_token);
                },
        };
        return run(network, suffix);
}
