// Shortens a failing script: removes steps as long as it still fails, in ever smaller portions (delta debugging: Zeller and
// Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002). The last step is the one that failed, and is kept.

// fails(script) → the script up to the failure, or null. Returns the shortest one found before `until`.
export async function shrink(script, fails, until) {
        let shortest = script;
        for (let size = Math.ceil(shortest.length / 2); size >= 1 && Date.now() < until; size = Math.floor(size / 2)) {
                for (let start = 0; start < shortest.length - 1 && Date.now() < until;) {
                        const kept = [...shortest.slice(0, start), ...shortest.slice(Math.min(start + size, shortest.length - 1))];
                        const failed = await fails(kept);
                        if (failed) {
                                shortest = failed;
                        } else {
                                start += size;
                        }
                }
        }
        return shortest;
}
