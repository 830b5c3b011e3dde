import { Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes';

const HOUR_MS = 3_600_000;
const GRPC_NOT_FOUND = 5;
const GRPC_ALREADY_EXISTS = 6;
const KEYWORD = 2;

/** Whether the server takes workflows: its frontend, the namespace and the history service behind them answer. */
export async function temporalAnswers(address: string, { namespace = 'default' } = {}): Promise<boolean> {
  return withConnection(address, async ({ workflowService }) => {
    await workflowService.describeNamespace({ namespace });
    // Only the history service knows that there is no such workflow. It comes up after the frontend.
    await workflowService
      .describeWorkflowExecution({ namespace, execution: { workflowId: 'fillsafe-ready-check' } })
      .catch((error: unknown) => {
        if (!hasGrpcCode(error, GRPC_NOT_FOUND)) throw error;
      });
    return true;
  });
}

/**
 * Registers what is missing of fillsafe's search attributes, and raises the retention to `retentionHours` (default 72, the
 * life of a guard record) if it is lower. Doing it again changes nothing.
 */
export async function prepareNamespace(options: {
  address: string;
  namespace?: string;
  retentionHours?: number;
}): Promise<void> {
  const { address, namespace = 'default', retentionHours = 72 } = options;
  await withConnection(address, async ({ workflowService, operatorService }) => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = SEARCH_ATTRIBUTES.filter((name) => customAttributes?.[name] === undefined);
    if (missing.length > 0) {
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
      await operatorService.addSearchAttributes({ namespace, searchAttributes }).catch((error: unknown) => {
        if (!hasGrpcCode(error, GRPC_ALREADY_EXISTS)) throw error;
      });
    }
    const { config } = await workflowService.describeNamespace({ namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    if (seconds * 1000 >= retentionHours * HOUR_MS) return;
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(retentionHours * HOUR_MS) },
    });
  });
}

async function withConnection<T>(address: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    return await connection.withDeadline(Date.now() + 5_000, () => use(connection));
  } finally {
    await connection.close();
  }
}

function hasGrpcCode(error: unknown, code: number): boolean {
  return isGrpcServiceError(error) && Number(error.code) === code;
}
