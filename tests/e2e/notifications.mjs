// A member's notifications.
import { eventually, must } from './shared.mjs';

export const PATH = '/v1/notifications';
export const list = async (member, query = '') => must(await member.get(`${PATH}${query}`)).items;
export const count = async (member) => must(await member.get(`${PATH}/unread_count`));
export const names = (item) => item.actors.map((actor) => actor.username);

// Waits until the list is as expected.
export async function until(what, member, matches, query) {
        let items = [];
        try {
                await eventually(what, async () => matches(items = await list(member, query)));
        } catch (error) {
                throw new Error(`${error.message}; there is ${JSON.stringify(items)}`);
        }
        return items;
}
export const untilTypes = (member, ...types) => until(types.join(), member, (items) => items.map((i) => i.type).join() === types.join());
export const untilCount = (member, n) => until(`${n} actors`, member, (items) => items[0]?.actors_count === n);
