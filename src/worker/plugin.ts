import type { BundleOptions, BundlerPlugin, WorkerOptions, WorkerPlugin } from '@temporalio/worker';
import { createActivities } from '../../activities';
import { AdmissionInterceptor } from '../interceptors/admission';
import { ClassificationInterceptor } from '../interceptors/classification';
import { MetricsInterceptor } from '../interceptors/metrics';
import { WORKFLOW_INTERCEPTORS } from './bundle';
import type { Services } from './services';

/**
 * Gives a worker fillsafe's activities and interceptors. Order, outermost first: metrics, classification, admission, then
 * the worker's own interceptors, so that nothing stands between the guard and the outer world's answer but what it admits.
 *
 * A worker with a prebuilt workflow bundle needs the plugin at bundling too: `bundleWorkflowCode({plugins: [plugin]})`.
 */
export class FillsafePlugin implements WorkerPlugin, BundlerPlugin {
  readonly name = 'fillsafe';

  constructor(
    private readonly services: Services,
    private readonly options: { searchAttributes: boolean },
  ) {}

  configureWorker(options: WorkerOptions): WorkerOptions {
    const { runtime } = this.services;
    const theirs = options.interceptors ?? {};
    return {
      ...options,
      activities: { ...options.activities, ...createActivities(runtime, this.options) },
      interceptors: {
        ...theirs,
        activity: [
          (context) => ({ inbound: new MetricsInterceptor(context, runtime) }),
          (context) => ({ inbound: new ClassificationInterceptor(context, runtime) }),
          (context) => ({ inbound: new AdmissionInterceptor(context, runtime) }),
          ...(theirs.activity ?? []),
        ],
      },
    };
  }

  configureBundler(options: BundleOptions): BundleOptions {
    const modules = options.workflowInterceptorModules ?? [];
    return modules.includes(WORKFLOW_INTERCEPTORS)
      ? options
      : { ...options, workflowInterceptorModules: [...modules, WORKFLOW_INTERCEPTORS] };
  }
}
