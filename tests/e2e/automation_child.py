"""A process that runs an automation and may be killed: `python -m tests.e2e.automation_child DATABASE EXECUTION FILE`.

The first time it starts the execution, afterwards it only goes on with it. Prints the final state.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from ostro.app import open_core
from ostro.config import Settings, database_url
from ostro.engine.owner import Owner
from ostro.lang.automation import generated_definition, parse_automation
from ostro.model.commands import ANYONE, StartExecution
from ostro.testing import rows


async def main(database: str, execution_id: str, automation: str) -> None:
    settings = msgspec.structs.replace(Settings(), database=database_url(database))
    async with open_core(settings) as core:
        assert isinstance(core.engine, Owner)
        if await core.store.get_execution(execution_id, ANYONE) is None:
            spec = parse_automation(automation)
            record = rows.workflow(spec.workflow_name, definition=generated_definition(spec), namespace="automation")
            await core.store.save_workflows([record], [], [rows.revision(record)])
            await core.engine.submit(
                StartExecution(
                    root_id=execution_id,
                    workflow=spec.workflow_name,
                    namespace="automation",
                    input={"INPUT": {"v": list(range(6))}},
                )
            )
        while True:
            execution = await core.store.get_execution(execution_id, ANYONE)
            assert execution is not None
            if execution.finished_at is not None:
                print(execution.state, execution.state_info or "")
                return
            await core.engine.wait_finished(execution_id, execution_id, 0.2)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_text()))
