// Compares a response with what the model expects. Returns null, or {what, late}: `late` if it may become right after deliveries.
import { isDeepStrictEqual } from 'node:util';

const EVENTUAL = new Set(['home', 'profile']); // updated by events

const show = (value) => JSON.stringify(value);

// The first place where two values differ, as "path: expected … but got …".
function firstDifference(expected, got, path = '') {
        if (isDeepStrictEqual(expected, got)) {
                return null;
        }
        const inner = [expected, got].every((v) => v !== null && typeof v === 'object');
        for (const key of inner ? new Set([...Object.keys(expected), ...Object.keys(got)]) : []) {
                const found = firstDifference(expected[key], got[key], `${path}/${key}`);
                if (found) {
                        return found;
                }
        }
        return `${path || 'the answer'}: expected ${show(expected)} but got ${show(got)}`;
}

const places = (items) => items.map((item) => item.id).join(' ');

// Only items of `late` are missing: the others are in order and correct.
function isSubsequence(items, of) {
        let at = 0;
        return items.every((item) => (at = of.findIndex((o, i) => i >= at && isDeepStrictEqual(o, item)) + 1) > 0);
}

// first: only the first page was requested.
// older: the positions of notes that a newer renote moves up, if that has not arrived yet.
function compareItems({ first, older = [], ascending, ...expected }, got) {
        const order = ascending ? (a, b) => a.when - b.when : (a, b) => b.when - a.when;
        const all = (older.length > 0 ? [...expected.items, ...older].sort(order) : expected.items).map((item) => item.view);
        expected.items = expected.items.slice(0, first);
        const must = expected.items.filter((item) => !expected.optional?.(item.when)).map((item) => item.view);
        const may = expected.items.map((item) => item.view);
        const missing = must.find((view) => !got.some((item) => item.id === view.id));
        if (missing) {
                return { what: `${missing.id} is missing: expected ${places(must)}, got ${places(got)}`, late: isSubsequence(got, all) };
        }
        const extra = got.find((item) => !may.some((view) => view.id === item.id));
        if (extra) {
                return { what: `${extra.id} must not be there: expected ${places(may)}, got ${places(got)}: ${show(extra)}`, late: older.length > 0 && isSubsequence(got, all) };
        }
        const wanted = may.filter((view) => got.some((item) => item.id === view.id));
        const what = firstDifference(wanted, got);
        return what && { what: `${what}; expected the order ${places(wanted)}, got ${places(got)}` };
}

// Pages are filled with visible items: each is full except the last, and none follows the end. Anything else would reveal hidden items.
function comparePages(expected, pages, limit) {
        if (expected.ascending) {
                return null;
        }
        const total = expected.items.length;
        const wanted = expected.first ? Math.min(total, limit) : total;
        if (!expected.optional?.length && pages.flatMap((p) => p.items).length === wanted) {
                const short = pages.slice(0, -1).find((page) => page.items.length !== limit);
                if (short) {
                        return { what: `a page of ${short.items.length} in the middle, for limit ${limit}` };
                }
                if (pages.length > 1 && pages.at(-1).items.length === 0) {
                        return { what: 'an empty page at the end: the cursor before it tells of something hidden' };
                }
                if (expected.first && (pages[0].cursor !== undefined) !== total > limit) {
                        return { what: `${total} items for limit ${limit}, and ${pages[0].cursor ? 'a' : 'no'} cursor` };
                }
        }
        return null;
}

function compareList(expected, got, limit) {
        const what = firstDifference([expected.note, expected.ancestors], [got.note, got.ancestors]);
        return what ? { what } : compareItems(expected, got.pages.flatMap((p) => p.items)) ?? comparePages(expected, got.pages, limit);
}

export function compare(step, expected, got, limit) {
        const late = EVENTUAL.has(step.do) || EVENTUAL.has(step.list);
        if (expected.status !== got.status) {
                return { what: `expected status ${expected.status} but got ${got.status}` };
        }
        if (!expected.items) {
                const what = firstDifference(expected, got);
                return what && { what, late };
        }
        const found = compareList(expected, got, limit);
        return found && { ...found, late: found.late && late };
}
