// The API reference: a list of all routes by service, and one service with its details at a time, in the reader's
// preferred colour scheme. A token entered here stays in this page only. Not everything at once, since Swagger UI is
// slow with so many routes.
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

const here = document.getElementById('reference');

function element(name, properties, ...children) {
        const made = Object.assign(document.createElement(name), properties);
        made.append(...children);
        return made;
}

// The operations of a service: [verb, path, operation].
const operationsOf = (spec, tag) => Object.entries(spec.paths).flatMap(([path, verbs]) =>
        Object.entries(verbs).filter(([, o]) => o.tags?.includes(tag)).map(([verb, o]) => [verb, path, o]));

function routeOf([verb, path, { summary }]) {
        const route = element('li', {}, element('code', { textContent: `${verb.toUpperCase()} ${path}` }), ` ${summary ?? ''}`);
        route.dataset.path = path;
        return route;
}

function showAll(spec) {
        here.replaceChildren(...spec.tags.map((tag) => element('section', {},
                element('h2', {}, element('a', { href: `#${tag.name}`, textContent: tag.name })), element('p', { textContent: tag.description ?? '' }),
                element('ul', {}, ...operationsOf(spec, tag.name).map(routeOf)))));
}

function showOne(spec, tag) {
        const paths = {};
        for (const [verb, path, operation] of operationsOf(spec, tag)) {
                (paths[path] ??= {})[verb] = operation;
        }
        const details = element('div', { id: 'details' });
        here.replaceChildren(element('p', {}, element('a', { href: '#', textContent: 'All routes' })), details);
        window.SwaggerUIBundle({
                spec: { ...spec, paths, tags: spec.tags.filter((t) => t.name === tag) },
                domNode: details,
                docExpansion: 'list',
                defaultModelsExpandDepth: 0,
                persistAuthorization: false,
                validatorUrl: null, // it would ask another server
        });
}

const spec = await (await fetch('/openapi.json')).json();
const show = () => {
        const tag = decodeURIComponent(location.hash.slice(1));
        return spec.tags.some((t) => t.name === tag) ? showOne(spec, tag) : showAll(spec);
};
window.addEventListener('hashchange', show);
show();
