// Texts of the view of this name, in English.

export const bench = {
  'bench.placeholder': 'How many messages a second, and how fast each.',
} as const;
