// The official Node client against weir: `node client.mjs BASE_URL KEY`. Each scenario prints its
// name and "ok"; the first that fails ends the program with its error. What upstream answers is
// scripted in openai_node_test.py.
import assert from 'node:assert/strict';
import OpenAI, { AuthenticationError, NotFoundError, RateLimitError, BadRequestError } from 'openai';

const [baseURL, apiKey, chosen] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20000 });
const messages = [{ role: 'user', content: 'Hi' }];
const model = 'gpt-test';

const scenarios = {
  async whole() {
    const answer = await client.chat.completions.create({ model, messages });
    assert.equal(answer.choices[0].message.content, 'Hello there');
    assert.equal(answer.usage.total_tokens, 7);
    assert.ok(answer._request_id);
  },

  async streamed() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    let text = '';
    for await (const chunk of stream) {
      assert.equal(chunk.choices.length, 1);
      text += chunk.choices[0].delta.content ?? '';
    }
    assert.equal(text, 'Hello there');
  },

  async streamed_with_usage() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    let usage = null;
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    assert.equal(usage.total_tokens, 7);
  },

  async tools() {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: {} } }];
    const answer = await client.chat.completions.create({ model, messages, tools });
    assert.equal(answer.choices[0].message.tool_calls[0].function.arguments, '{"city":"Paris"}');
    const stream = await client.chat.completions.create({ model, messages, tools, stream: true });
    let streamed = '';
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.tool_calls?.[0].function.arguments ?? '';
    }
    assert.equal(streamed, '{"city":"Paris"}');
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ['a', 'b'] });
    assert.deepEqual(answer.data.map((each) => Array.from(each.embedding)), [[1, 2, 3], [1, 2, 3]]);
  },

  async models() {
    const names = [];
    for await (const each of client.models.list()) names.push(each.id);
    assert.ok(names.includes('gpt-test') && names.includes('renamed'));
    assert.equal((await client.models.retrieve('gpt-test')).id, 'gpt-test');
  },

  async errors() {
    const stranger = new OpenAI({ baseURL, apiKey: 'sk-weir-unknown', maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create({ model, messages }), (error) => {
      assert.ok(error instanceof AuthenticationError);
      return error.code === 'invalid_api_key';
    });
    await assert.rejects(client.chat.completions.create({ model: 'nobody', messages }), (error) => {
      assert.ok(error instanceof NotFoundError);
      return error.code === 'model_not_found';
    });
    await assert.rejects(client.chat.completions.create({ model, messages: 7 }), BadRequestError);
    await assert.rejects(client.chat.completions.create({ model, messages, user: 'limited' }),
      RateLimitError);
  },

  async broken() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, user: 'broken',
    });
    let text = '';
    await assert.rejects(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    });
    assert.equal(text, 'Hel');
  },

  async aborted() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, user: 'endless',
    });
    for await (const chunk of stream) {
      if (chunk) break; // leaving the loop aborts the request
    }
    stream.controller.abort();
  },
};

for (const name of chosen ? [chosen] : Object.keys(scenarios)) {
  await scenarios[name]();
  console.log(`${name} ok`);
}
