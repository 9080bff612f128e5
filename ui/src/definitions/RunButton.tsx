import { lazy, Suspense, useState } from "react"
import { Button } from "~/ui"
import type { Definition, Kind } from "./kinds"

const StartOne = lazy(async () => ({ default: (await import("./StartOne")).StartOne }))
const RunAction = lazy(async () => ({ default: (await import("./RunAction")).RunAction }))

/** Starts what is saved, if its kind can be started. */
export function RunButton({
  kind,
  definition,
  disabled = false,
}: {
  kind: Kind
  definition: Definition
  disabled?: boolean
}) {
  const [isOpen, setOpen] = useState(false)
  if (kind === "workbook") return null
  const action = kind === "action" ? "action.run" : kind === "automation" ? "automation.run" : "execution.start"
  const close = () => setOpen(false)
  return (
    <>
      <Button
        icon="executions"
        action={action}
        disabled={disabled}
        title={disabled ? "Save first" : undefined}
        onClick={() => setOpen(true)}
      >
        {kind === "workflow" ? "Start …" : "Run …"}
      </Button>
      {isOpen ? (
        <Suspense fallback={null}>
          {kind === "action" ? (
            <RunAction action={definition} onClose={close} />
          ) : (
            <StartOne kind={kind} id={definition.id} onClose={close} />
          )}
        </Suspense>
      ) : null}
    </>
  )
}
