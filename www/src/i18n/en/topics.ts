// Texts of the view of this name, in English.

export const topics = {
  'topics.placeholder': 'All topics as a tree, with counts, rates and the last value.',
} as const;
