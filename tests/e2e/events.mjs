// Analytics events, as a page or an app sends them.
import { randomUUID } from 'node:crypto';
import { api } from './shared.mjs';

export const event = (name, properties, rest = {}) => ({ id: randomUUID(), name, at: new Date().toISOString(), ...(properties ? { properties } : {}), ...rest });
export const send = (events, { token, headers } = {}) => api('POST', '/v1/analytics/events', { token, body: { events }, headers });
