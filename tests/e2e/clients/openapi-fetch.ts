// The scenario with openapi-fetch, on types by openapi-typescript.
import createClient from 'openapi-fetch';
import type { components, paths } from './generated/types.js';
import { run, type Member, type Network, type Refusal } from './scenario.js';

type Problem = components['schemas']['Problem'];

interface Result<T> {
        data?: T;
        error?: unknown;
        response: Response;
}

function must<T>({ data, error, response }: Result<T>): T {
        if (data === undefined) {
                throw new Error(`${response.status}: ${JSON.stringify(error)}`);
        }
        return data;
}

function refused({ error, response }: { error?: Problem; response: Response }): Refusal {
        if (!error) {
                throw new Error(`${response.status} is no refusal`);
        }
        return { status: error.status, code: error.code, ...(error.field === undefined ? {} : { field: error.field }) };
}

function memberOf(baseUrl: string, id: string, token: string): Member {
        const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
        return {
                id,
                post: async (text, key) => must(await client.POST('/v1/notes', { params: { header: { 'Idempotency-Key': key } }, body: { text } })),
                page: async (limit, cursor) => must(await client.GET('/v1/timelines/users/{user_id}', {
                        params: { path: { user_id: id }, query: cursor === undefined ? { limit } : { limit, cursor } } })),
                like: async (noteId) => must(await client.PUT('/v1/notes/{id}/like', { params: { path: { id: noteId } } })),
                unlike: async (noteId) => {
                        const result = await client.DELETE('/v1/notes/{id}/like', { params: { path: { id: noteId } } });
                        return result.response.status === 204 ? undefined : must(result);
                },
                follow: async (userId) => must(await client.PUT('/v1/users/{user_id}/follow', { params: { path: { user_id: userId } } })).following,
                relationships: async (userIds) => must(await client.GET('/v1/relationships', { params: { query: { user_ids: userIds } } })).items.map((r) => r.following),
                remove: async (noteId) => {
                        const { error } = await client.DELETE('/v1/notes/{id}', { params: { path: { id: noteId } } });
                        if (error) {
                                throw new Error(error.code);
                        }
                },
                refusal: async (noteId) => refused(await client.GET('/v1/notes/{id}', { params: { path: { id: noteId } } })),
                invalid: async () => refused(await client.POST('/v1/notes', { body: { text: '' } })),
        };
}

export function scenario(baseUrl: string, suffix: string): Promise<unknown> {
        const client = createClient<paths>({ baseUrl });
        const network: Network = {
                register: async (username) => {
                        const login = must(await client.POST('/v1/auth/register', { body: { username, email: `${username}@example.org`, password: 'correct horse' } }));
                        return memberOf(baseUrl, login.user.id, login.access_token);
                },
        };
        return run(network, suffix);
}
