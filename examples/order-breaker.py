"""Orders a breaker by plain JSON: no fillsafe library is needed. `pip install temporalio`, then
TEMPORAL_ADDRESS=127.0.0.1:7233 python order-breaker.py paper/order.place open "venue maintenance" 900"""
import asyncio, getpass, os, sys
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy


async def main(scope: str, action: str, reason: str, seconds: str = "") -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    order = {"action": action, "reason": reason, "actor": getpass.getuser()}
    if seconds:  # what is forced must end by itself; a kill does not
        order["forSeconds"] = int(seconds)
    control = WithStartWorkflowOperation("breakerControl", id=f"breaker:{scope}", task_queue="fillsafe",
                                         id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    try:
        state = await client.execute_update_with_start_workflow("override", order, start_workflow_operation=control)
    except WorkflowUpdateFailedError as error:
        sys.exit(f"refused: {error.cause}")
    print(f"{scope}: {state['standing']}, order {state['number']}: {state['meaning']}")


asyncio.run(main(*sys.argv[1:]))
