// CPU time and memory of processes, by component, from the kernel.
import fs from 'node:fs';
import os from 'node:os';

const TICK_S = 0.01; // USER_HZ, fixed on Linux

const groupOf = (role) => (role === 'redis' ? 'redis' : role === 'postmaster' || role === 'postgres' ? 'postgresql' : role === 'supervisor' ? 'supervisor' : 'sonet');

function readStat(pid) {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
        return { own: (f[11] + f[12]) * TICK_S, children: (f[13] + f[14]) * TICK_S };
}

// CPU seconds of each process so far; the postmaster's include those of its ended backends.
export function cpuNow(server) {
        const all = new Map();
        for (const p of server.processes()) {
                try {
                        const { own, children } = readStat(p.pid);
                        all.set(p.pid, { group: groupOf(p.role), role: p.role, seconds: own + (p.role === 'postmaster' ? children : 0) });
                } catch {
                        // it has exited
                }
        }
        return all;
}

export function cpuBetween(before, after) {
        const sum = { sonet: 0, postgresql: 0, redis: 0 };
        for (const [pid, now] of after) {
                if (now.group in sum) {
                        sum[now.group] += now.seconds - (before.get(pid)?.seconds ?? 0);
                }
        }
        // Backends that have exited count towards the postmaster's children with all their CPU time, so subtract what they had used before.
        for (const [pid, then] of before) {
                if (then.role === 'postgres' && !after.has(pid)) {
                        sum.postgresql -= then.seconds;
                }
        }
        return sum;
}

// CPU seconds used on the whole machine, including the kernel and interrupts.
export function machineBusy() {
        const [user, nice, system, , , irq, softirq] = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
        return (user + nice + system + irq + softirq) * TICK_S;
}

// MiB of each group: rss counts shared pages in each process, pss divides them.
export function memoryNow(server) {
        const sum = {};
        for (const p of server.processes()) {
                try {
                        const text = fs.readFileSync(`/proc/${p.pid}/smaps_rollup`, 'utf8');
                        const mib = (name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]) / 1024;
                        const group = (sum[groupOf(p.role)] ??= { rss: 0, pss: 0, processes: 0 });
                        group.rss += mib('Rss');
                        group.pss += mib('Pss');
                        group.processes++;
                } catch {
                        // it has exited
                }
        }
        return sum;
}

export function describeMachine() {
        const cpus = os.cpus();
        return { date: new Date().toISOString().slice(0, 10), cpus: cpus.length, model: cpus[0].model.trim(), memory_gib: Math.round(os.totalmem() / 2 ** 30),
                 kernel: os.release(), load_average: os.loadavg()[0],
                 system: fs.readFileSync('/etc/os-release', 'utf8').match(/PRETTY_NAME="(.*)"/)?.[1] };
}
