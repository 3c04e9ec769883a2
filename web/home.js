// The start page: whether the server is ready, part by part, and the commands with this server's own address.
const commands = document.querySelector('#commands');
commands.textContent = commands.textContent.replace('http://127.0.0.1:8080', window.location.origin);

async function showHealth() {
        const status = document.querySelector('#status');
        const parts = document.querySelector('#parts');
        try {
                const answer = await fetch('/readyz');
                status.textContent = answer.ok ? 'Ready.' : 'Not ready: a part of the server is unavailable.';
                status.className = answer.ok ? 'good' : 'bad';
                parts.textContent = await answer.text();
                parts.hidden = false;
        } catch {
                status.textContent = 'The server is not responding.';
                status.className = 'bad';
        }
}
showHealth();
