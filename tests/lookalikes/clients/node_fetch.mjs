// Node's own fetch and WebSocket: a GET and a POST with a key, an event stream as it comes, a message sent back.
const base = process.argv[2] ?? 'https://echo.example';
const headers = { authorization: `Bearer ${process.env.TOKEN ?? 'none'}` };

async function events() {
  const answer = await fetch(`${base}/events?count=3&delay=0.1`);
  const times = [];
  for await (const _ of answer.body) times.push(performance.now());
  return { pieces: times.length, milliseconds: Math.round(times.at(-1) - times[0]) };
}

function socket() {
  if (typeof WebSocket === 'undefined') return 'none in this Node';
  return new Promise((resolve) => {
    const wire = new WebSocket(`${base.replace('https', 'wss')}/socket?pieces=3`);
    wire.onopen = () => wire.send('hello socket');
    wire.onmessage = (message) => { resolve(message.data); wire.close(); };
    wire.onerror = (why) => resolve(`error: ${why.message ?? why.error}`);
  });
}

let found;
try {
  const got = await (await fetch(`${base}/reflect?encode=gzip`, { headers })).json();
  const body = JSON.stringify({ rows: [1, 2, 3] });
  const posted = await (await fetch(`${base}/reflect`, { method: 'POST', headers, body })).json();
  found = { got, posted, events: await events(), socket: await socket() };
} catch (why) {
  found = { error: `${why.message}: ${why.cause?.message ?? ''}` };
}
console.log(JSON.stringify({ client: 'node', version: process.version, ...found }));
