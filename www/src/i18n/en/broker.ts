// Texts of the view of this name, in English.

export const broker = {
  'broker.placeholder': 'Sessions, subscriptions, queues and retained messages inside the broker.',
} as const;
