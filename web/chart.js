// A line chart as SVG: pure, from points to elements. A day without a number is a gap: too few people, or nobody.
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [640, 220, 52, 24, 12, 12];

function element(name, attributes, ...children) {
        const made = document.createElementNS(SVG, name);
        Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
        made.append(...children);
        return made;
}

// The next number with a round half.
export function roundUp(value) {
        const power = 10 ** Math.floor(Math.log10(value || 1));
        return [1, 2, 4, 6, 8, 10].find((n) => n * power >= value) * power;
}

// Runs of days that have numbers, each as one list.
export function runs(points) {
        return points.reduce((all, point) => {
                if (point.value === null) {
                        return [...all, []];
                }
                all.at(-1).push(point);
                return all;
        }, [[]]).filter((run) => run.length);
}

// points: {day: '2026-11-27', value: number or null}, one per day. label: for screen readers.
export function chart(points, label, format) {
        const top = roundUp(Math.max(...points.map((p) => p.value ?? 0)));
        const x = (i) => LEFT + (WIDTH - LEFT - RIGHT) * (points.length > 1 ? i / (points.length - 1) : 0.5);
        const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
        const placed = points.map((p, i) => ({ ...p, x: x(i).toFixed(1), y: p.value === null ? 0 : y(p.value).toFixed(1) }));
        const lines = [0, top / 2, top].flatMap((value) => [
                element('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
                element('text', { x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end' }, format(value))]);
        const days = [[0, 'start'], [points.length - 1, 'end']].filter(([i], n) => n === 0 || i > 0).map(([i, anchor]) =>
                element('text', { x: x(i), y: HEIGHT - 6, 'text-anchor': anchor }, points[i].day));
        const drawn = runs(placed).map((run) => (run.length > 1 ? element('polyline', { class: 'line', points: run.map((p) => `${p.x},${p.y}`).join(' ') })
                : element('circle', { class: 'dot', cx: run[0].x, cy: run[0].y, r: 3.5 })));
        const nothing = drawn.length ? [] : [element('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT / 2 - 20, 'text-anchor': 'middle' }, 'too few people on every day')];
        return element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label }, ...(drawn.length ? lines : []), ...days, ...drawn, ...nothing);
}
