// What this browser keeps, for all pages that are open in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPublicationDraft } from '../src/model/publication-draft.ts';
import { memoryStore } from '../src/model/store.ts';
import { Templates } from '../src/model/templates.ts';

test('what two pages save and remove in turn is kept as both left it', () => {
  const store = memoryStore();
  const [here, there] = [new Templates(store), new Templates(store)];
  here.save('b', newPublicationDraft({ topic: '1' }));
  there.save('a', newPublicationDraft({ topic: '2' }));
  here.save('b', newPublicationDraft({ topic: '3' }));
  there.save('c', newPublicationDraft({ topic: '4' }));
  here.remove('c');
  const kept = [['a', '2'], ['b', '3']];
  assert.deepEqual(new Templates(store).all.value.map(({ name, draft }) => [name, draft.topic]), kept);
  assert.deepEqual(here.all.value.map(({ name, draft }) => [name, draft.topic]), kept);
});
