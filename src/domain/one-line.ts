/** More than anybody reads; a page of HTML in place of an answer has a hundred times as much. */
const MOST_KEPT_CHARACTERS = 500;

/** What others say, as one line that is not long: it stands in records, histories, logs and tables, for days. */
export function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= MOST_KEPT_CHARACTERS ? line : `${line.slice(0, MOST_KEPT_CHARACTERS - 1)}…`;
}
