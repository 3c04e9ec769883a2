// Command lines of the tools here and in bench/: --help explains, and whatever is unknown or not a valid value is an error of one line.
import { parseArgs } from 'node:util';

// Options: a default value (a function: drawn for each run), the name of the value and an explanation for the help, and a check that returns the value,
// or undefined.
export const number = (value, help, name = 'N') => ({ value, name, help, check: (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined) });
export const oneOf = (values, value, help) => ({ value, name: values.join('|'), help, check: (text) => (values.includes(text) ? text : undefined) });
export const listOf = (isItem, read, value, help, name) => ({ value, name, help, check: (text) => (text.split(',').every(isItem) ? text.split(',').map(read) : undefined) });
export const text = (name, help) => ({ name, help, check: (word) => word });
export const flag = (help) => ({ value: false, help });

export function describeOptions(declared) {
        return Object.entries(declared).map(([key, { value, name, help }]) => {
                const standard = ['undefined', 'boolean', 'function'].includes(typeof value) ? '' : ` (${Array.isArray(value) ? value.join() : value.toLocaleString('en')})`;
                return `  ${`--${key}${name ? ` ${name}` : ''}`.padEnd(30)} ${help}${standard}`;
        }).join('\n');
}

export function refuse(tool, message) {
        console.error(`${tool}: ${message}; see ${tool} --help`);
        process.exit(2);
}

function readValue(tool, key, { value, name, check }, given) {
        if (given === undefined || !name) {
                return given ?? (typeof value === 'function' ? value() : value);
        }
        return check(given) ?? refuse(tool, `--${key} ${given}: expected ${name}`);
}

// Returns {options, operands}.
export function commandLine(tool, help, declared, { operands = false, args = process.argv.slice(2) } = {}) {
        if (args.includes('--help') || args.includes('-h')) {
                console.log(help);
                process.exit(0);
        }
        const types = Object.fromEntries(Object.entries(declared).map(([key, { name }]) => [key, { type: name ? 'string' : 'boolean' }]));
        try {
                const { values, positionals } = parseArgs({ args, options: types, allowPositionals: operands });
                return { options: Object.fromEntries(Object.entries(declared).map(([key, option]) => [key, readValue(tool, key, option, values[key])])), operands: positionals };
        } catch (error) {
                const [sentence] = error.message.split('. ');
                const known = Object.keys(declared).map((key) => `--${key}`).join(', ') || 'no options';
                return refuse(tool, `${sentence[0].toLowerCase()}${sentence.slice(1)}; it takes ${known}`);
        }
}
