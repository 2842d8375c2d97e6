/** What went wrong, as a sentence that can be put away. */
export function Notice({ text, onDismiss }: { text: string; onDismiss: () => void }) {
  return (
    <p class="notice" role="alert">
      <span>{text}</span>
      <button type="button" class="quiet" aria-label="Dismiss" onClick={onDismiss}>
        ×
      </button>
    </p>
  );
}
