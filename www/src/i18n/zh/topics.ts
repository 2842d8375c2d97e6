// Texts of the view of this name, in Chinese.

export const topics = {
  'topics.placeholder': '以树的形式展示所有主题，附带计数、速率和最新值。',
} as const;
