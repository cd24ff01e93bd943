// What the official client hears through the gateway: node openai.mjs BASE_URL. Each step is one line; the exit code is 1 when one failed.
import OpenAI from 'openai';
import assert from 'node:assert/strict';
const baseURL = process.argv[2];
const plain = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const messages = [{ role: 'user', content: 'hello' }];
const ask = (more, fault) => plain.chat.completions.create({ model: 'org/m', messages, ...more }, fault ? { headers: { 'x-simulate': fault } } : undefined);
const step = async (name, work) => { try { await work(); console.log('ok', name); } catch (e) { console.log('FAILED', name, e?.constructor?.name, e?.message); process.exitCode = 1; } };

await step('chat', async () => { const a = await ask({ max_tokens: 5 }); assert.equal(a.choices[0].message.role, 'assistant'); assert.equal(a.usage.completion_tokens, 5); });
await step('stream without usage', async () => { let text = ''; for await (const e of await ask({ stream: true })) { assert.equal(e.choices.length, 1); assert.equal(e.usage, undefined); text += e.choices[0].delta.content ?? ''; } assert.ok(text.length); });
await step('stream with usage', async () => { let usage; for await (const e of await ask({ stream: true, max_tokens: 7, stream_options: { include_usage: true } })) usage = e.usage ?? usage; assert.equal(usage.completion_tokens, 7); });
await step('tools', async () => { const a = await ask({ tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } }], tool_choice: 'required' }); assert.equal(typeof JSON.parse(a.choices[0].message.tool_calls[0].function.arguments).city, 'string'); });
await step('response_format', async () => { const a = await ask({ response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false } } } }); assert.equal(typeof JSON.parse(a.choices[0].message.content).n, 'number'); });
await step('embeddings as base64', async () => { const a = await plain.embeddings.create({ model: 'org/m', input: ['a', 'b'] }); assert.equal(a.data.length, 2); assert.equal(typeof a.data[0].embedding[0], 'number'); });
await step('models', async () => { const ids = []; for await (const m of plain.models.list()) ids.push(m.id); assert.deepEqual(ids, ['org/m', 'fast']); assert.equal((await plain.models.retrieve('org/m')).id, 'org/m'); });
await step('responses', async () => { const a = await plain.responses.create({ model: 'org/m', input: 'hello' }); assert.ok(a.output_text.length); });
await step('responses stream', async () => { const seen = []; for await (const e of await plain.responses.create({ model: 'org/m', input: 'hello', stream: true })) seen.push(e.type); assert.equal(seen.at(-1), 'response.completed'); });
await step('request id', async () => { const { request_id } = await ask({}).withResponse(); assert.match(request_id, /^req_/); });
await step('404', () => assert.rejects(plain.chat.completions.create({ model: 'nobody', messages }), (e) => e instanceof OpenAI.NotFoundError && e.code === 'model_not_found'));
await step('400', () => assert.rejects(ask({ stream: 'yes' }), (e) => e instanceof OpenAI.BadRequestError && e.code === 'invalid_type'));
await step('429', () => assert.rejects(ask({}, 'status=429; retry-after=1'), (e) => e instanceof OpenAI.RateLimitError && e.headers.get('retry-after') === '1'));
await step('500', () => assert.rejects(ask({}, 'status=500'), (e) => e instanceof OpenAI.InternalServerError && e.headers.get('x-should-retry') === 'false'));
for (const fault of ['reset-after=3', 'end-after=3', 'error-after=3', 'malformed-after=3'])
  await step('cut stream raises: ' + fault, () => assert.rejects(async () => { for await (const _ of await ask({ stream: true, max_tokens: 20 }, fault)); }, OpenAI.APIError));
await step('first event an error is a status', () => assert.rejects(ask({ stream: true }, 'error-first'), (e) => e.status >= 500));
await step('abort', async () => { const s = await ask({ stream: true, max_tokens: 20000 }, 'stall-after=3'); for await (const e of s) { s.controller.abort(); } });
await step('responses cut raises', () => assert.rejects(async () => { for await (const _ of await plain.responses.create({ model: 'org/m', input: 'hello', stream: true }, { headers: { 'x-simulate': 'reset-after=3' } })); }, OpenAI.APIError));
await step('its own tries', async () => { const own = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 2 }); const a = await own.chat.completions.create({ model: 'fast', messages }); assert.equal(a.object, 'chat.completion'); });
