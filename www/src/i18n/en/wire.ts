// Texts of the view of this name, in English.

export const wire = {
  'wire.placeholder': 'Every packet between a client and the broker, field by field.',
} as const;
