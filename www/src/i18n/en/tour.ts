// Texts of the view of this name, in English.

export const tour = {
  'tour.placeholder': 'Client, broker, topic, wildcard, QoS, retained messages, will and session: each shown by doing it.',
} as const;
