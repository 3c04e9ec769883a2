// The pages that mails link to: a form for one request to the API. The fragment of the link is a secret, which is sent
// with the request and removed from the address bar at once.
const token = window.location.hash.slice(1);
const outcome = document.querySelector('#outcome');

window.history.replaceState(null, '', window.location.pathname);
for (const form of document.querySelectorAll('form')) {
        form.hidden = token ? !form.dataset.token : form.id !== 'no-token';
        form.addEventListener('submit', (event) => {
                event.preventDefault();
                send(form);
        });
}
const missing = document.querySelector('p#no-token');
if (missing) {
        missing.hidden = token !== '';
}

function say(text, good) {
        outcome.textContent = text;
        outcome.className = good ? 'good' : 'bad';
        outcome.focus();
}

// At the field that it is about, or below the form.
function showProblem(form, problem) {
        form.querySelector(`[data-for="${problem.code}"]`)?.removeAttribute('hidden');
        const input = problem.field ? form.elements[problem.field] : null;
        if (!input) {
                say(problem.detail ?? 'Something went wrong; please try again later.', false);
                return;
        }
        const label = form.querySelector(`label[for="${input.id}"]`).textContent;
        document.querySelector(`#${input.id}-error`).textContent = `${label}: ${problem.detail}.`;
        input.setAttribute('aria-invalid', 'true');
        input.focus();
}

function clear(form) {
        outcome.textContent = '';
        for (const input of form.querySelectorAll('[aria-invalid]')) {
                input.removeAttribute('aria-invalid');
                document.querySelector(`#${input.id}-error`).textContent = '';
        }
}

function bodyOf(form) {
        const body = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
        return form.dataset.token && token ? { ...body, [form.dataset.token]: token } : body;
}

async function send(form) {
        const button = form.querySelector('button');
        clear(form);
        button.disabled = true;
        try {
                const answer = await fetch(form.dataset.post.replace('{token}', encodeURIComponent(token)), { method: 'POST', headers: { 'Content-Type': 'application/json' },
                                                                body: JSON.stringify(bodyOf(form)) });
                const text = await answer.text();
                const json = text ? JSON.parse(text) : {};
                if (answer.ok) {
                        form.hidden = true;
                        say(json.awaits_approval ? form.dataset.waits : form.dataset.done, true);
                } else {
                        showProblem(form, json);
                }
        } catch {
                say('The server is not responding; please try again later.', false);
        } finally {
                button.disabled = false;
        }
}
