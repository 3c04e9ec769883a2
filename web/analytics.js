// Counts views, visible time and clicks on what has data-event, and keeps nothing in the browser.
//   <script src="/analytics.js" data-consent="on" defer></script>
// Without consent, or with Do-Not-Track or Global Privacy Control, it does nothing at all.
{
        const script = document.currentScript;
        if (script.dataset.consent === 'on' && !navigator.globalPrivacyControl && navigator.doNotTrack !== '1') {
                const path = location.pathname.slice(0, 200);
                const source = document.referrer && new URL(document.referrer).hostname.slice(0, 100);
                const id = () => '10000000-1000-4000-8000-100000000000'
                        .replace(/[018]/g, (c) => (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));
                let queue = [], shown = performance.now();
                const add = (name, properties) => queue.push({ id: id(), name, at: new Date(), properties: { path, ...properties } });
                const send = () => {
                        if (queue.length) {
                                navigator.sendBeacon(new URL('/v1/analytics/events', script.src), new Blob([JSON.stringify({ events: queue.splice(0, 500) })], { type: 'application/json' }));
                        }
                };
                add('page_view', source ? { referrer: source } : {});
                document.addEventListener('click', ({ target }) => {
                        const found = target.closest('[data-event]');
                        if (found) {
                                add('click', { target: found.dataset.event.slice(0, 20) });
                        }
                });
                document.addEventListener('visibilitychange', () => {
                        if (document.hidden) {
                                add('page_leave', { visible_ms: Math.round(performance.now() - shown) });
                                send();
                        } else {
                                shown = performance.now();
                        }
                });
                setInterval(send, 5000);
        }
}
