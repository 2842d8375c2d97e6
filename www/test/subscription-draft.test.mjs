// Subscriptions as the form has them, and as a connection wants them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkSubscriptionDraft, fromSubscription, newSubscriptionDraft, toSubscription } from '../src/model/subscription-draft.ts';

describe('the draft of a subscription', () => {
  test('says nothing that is at its default', () => {
    assert.deepEqual(toSubscription(newSubscriptionDraft({ filter: 'a/+', qos: 1 }), true), { filter: 'a/+', qos: 1 });
  });

  test('is the same after a way there and back', () => {
    const drafts = [
      newSubscriptionDraft({ filter: 'a', qos: 2, group: 'g', retainAsPublished: true, retainHandling: 'doNotSend', identifier: 5, colour: 3 }),
      newSubscriptionDraft({ filter: '/a/#', group: 'g' }),
      newSubscriptionDraft({ filter: 'a', noLocal: true, retainHandling: 'sendIfNew' }),
    ];
    for (const draft of drafts) assert.deepEqual(fromSubscription(toSubscription(draft, true)), draft);
  });

  test('leaves out what MQTT 3.1.1 does not have', () => {
    const draft = newSubscriptionDraft({ filter: 'a', group: 'g', noLocal: true, identifier: 5, colour: 1 });
    assert.deepEqual(toSubscription(draft, false), { filter: 'a', qos: 0, colour: 1 });
  });

  test('has a group without wildcards, no No Local when it is shared, and an identifier within the limits', () => {
    const faults = (known) => checkSubscriptionDraft(newSubscriptionDraft({ filter: 'a', ...known }));
    assert.deepEqual(faults({ group: 'g', identifier: 1 }), {});
    assert.deepEqual(faults({ noLocal: true }), {});
    for (const group of ['a/b', '+', 'a#']) assert.deepEqual(faults({ group }), { group: 'badShareName' });
    assert.deepEqual(faults({ group: 'g', noLocal: true }), { noLocal: 'noLocalShared' });
    assert.deepEqual(faults({ filter: '$share/g/a', noLocal: true }), { noLocal: 'noLocalShared' });
    for (const identifier of [0, 134_217_728, Number.NaN]) assert.deepEqual(faults({ identifier }), { identifier: 'notWhole' });
  });
});
