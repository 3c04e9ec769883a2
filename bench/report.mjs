// The table for people: Markdown, as used in docs/benchmarks.md.
const number = (n) => (n === undefined || Number.isNaN(n) ? '–' : n >= 100 ? Math.round(n).toLocaleString('en') : n.toFixed(n >= 10 ? 1 : 2));
const ms = (us) => (us === undefined ? '–' : (us / 1000).toFixed(us < 10_000 ? 2 : 1));
const percent = (x) => (x === undefined ? '–' : `${Math.round(x * 100)} %`);
const ratio = (a, b) => (b ? (a / b).toFixed(2) : '–');

function row(cells, widths) {
        return `| ${cells.map((c, i) => (i === 0 ? String(c).padEnd(widths[i]) : String(c).padStart(widths[i]))).join(' | ')} |`;
}

export const percentile = (values, p) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(p * values.length))];
export const median = (values) => percentile(values, 0.5);

export function table(head, rows) {
        const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => String(r[i]).length)));
        const line = `|${widths.map((w, i) => (i === 0 ? '-'.repeat(w + 2) : `${'-'.repeat(w + 1)}:`)).join('|')}|`;
        return [row(head, widths), line, ...rows.map((r) => row(r, widths))].join('\n');
}

const cpu = (m, group) => (m.cpu ? number((m.cpu[group] * 1e6) / m.requests) : '–');

function measured(mode) {
        return Object.entries(mode.measured).map(([name, m]) => [
                name, number(m.per_s), ms(m.p50_us), ms(m.p99_us), cpu(m, 'sonet'), cpu(m, 'postgresql'), cpu(m, 'redis'),
                ratio(m.per_s, mode.nginx?.per_s), ratio(m.per_s, mode.pgbench?.per_s),
                percent(m.others)]);
}

function memory(mode) {
        const line = (name, m) => [name, ...['sonet', 'postgresql', 'redis'].flatMap((g) => [number(m[g]?.rss), number(m[g]?.pss)])];
        return table(['memory, MiB', 'sonet RSS', 'PSS', 'PostgreSQL RSS', 'PSS', 'Redis RSS', 'PSS'],
                     [line('idle, after the start', mode.memory.idle), line('after all loads', mode.memory.loaded)]);
}

export function report(results) {
        const { machine, network, modes } = results;
        const out = [`${machine.date}; ${machine.cpus} × ${machine.model}, ${machine.memory_gib} GiB, ${machine.system}, Linux ${machine.kernel}; `
                + `load average at the start ${machine.load_average.toFixed(2)}`,
                     `network: ${network.name}: ${number(network.members)} members, ${number(network.ties)} ties, ${number(network.notes)} notes; imported in ${number(network.seconds)} s`, ''];
        for (const [name, mode] of Object.entries(modes)) {
                out.push(`### ${name === 'single' ? 'All services in one process' : 'One process per service'}`, '',
                         table(['', 'per second', 'p50 ms', 'p99 ms', 'sonet µs', 'PostgreSQL µs', 'Redis µs', 'to nginx', 'to pgbench', 'others'],
                               [...measured(mode), ['nginx, the same bytes as files', number(mode.nginx.per_s), ms(mode.nginx.p50_us), ms(mode.nginx.p99_us), '–', '–', '–', '1.00', ratio(mode.nginx.per_s, mode.pgbench.per_s), '–'],
                                ['pgbench -S -M prepared', number(mode.pgbench.per_s), '–', '–', '–', '–', '–', ratio(mode.pgbench.per_s, mode.nginx.per_s), '1.00', '–']]), '',
                         memory(mode), '', `ready after ${number(mode.ready_ms)} ms (median of ${mode.ready_runs}${mode.first_ready_ms ? `; the first start took ${number(mode.first_ready_ms)} ms` : ''})`,
                         `streams: ${number(mode.streams.streams)} idle ones, authenticated, cost ${number(mode.streams.bytes)} bytes each in the processes of SoNet`,
                         `delivery: ${Object.entries(mode.delivery).map(([what, d]) => `${what}: ${d}`).join('; ')}`, '');
        }
        return out.join('\n');
}
