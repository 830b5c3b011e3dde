/** Search attributes of fillsafe's workflows, all of type Keyword. A server that does not know one wedges the workflow. */
export const SEARCH_ATTRIBUTES = [
  'FillsafeJobType',
  'FillsafeVenue',
  'FillsafeSymbol',
  'FillsafeIntent',
  'FillsafeOutcome',
] as const;
