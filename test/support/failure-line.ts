import type { FailureInput } from '../../src/failures/categories';

/** `spot place 400 -2010 "Duplicate order sent."`: the parts of a failure, anything left out is absent. */
export function failureOf(line: string): FailureInput {
  const [, market = '', operation = '', status = '', code = '', message] =
    /^(\w+) (\w+) (\S+) (\S+)(?: "(.*)")?$/.exec(line) ?? [];
  return {
    exchange: 'binance',
    market,
    operation: operation as FailureInput['operation'],
    phase: 'response',
    httpStatus: status === '-' ? undefined : Number(status),
    code: code === '-' ? undefined : Number(code),
    message,
  };
}
