import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { packageRoot } from '../package-root';

/** Module of fillsafe's workflow interceptors; it must be in the bundle of every worker that runs workflows with effects. */
export const WORKFLOW_INTERCEPTORS = require.resolve('../interceptors/workflow/index');

/** Bundles fillsafe's own workflows with their interceptors. */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/index'),
    workflowInterceptorModules: [WORKFLOW_INTERCEPTORS],
    // Webpack's report of what it packed is of no interest to anybody here.
    logger: new DefaultLogger('WARN'),
  });
}

/** The bundle of the build where there is one: it saves webpack's memory and a second at start. */
export async function workflowBundle(): Promise<{ codePath: string } | WorkflowBundleWithSourceMap> {
  const codePath = join(packageRoot, 'dist', 'workflow-bundle.js');
  const built = __filename.startsWith(join(packageRoot, 'dist')) && existsSync(codePath);
  return built ? { codePath } : bundleWorkflows();
}
