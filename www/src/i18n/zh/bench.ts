// Texts of the view of this name, in Chinese.

export const bench = {
  'bench.placeholder': '每秒多少条消息，每条有多快。',
} as const;
