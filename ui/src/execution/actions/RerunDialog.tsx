/** Runs a failed task again, as it was or with another environment, or skips it. */
import { useState } from "react"
import { api } from "~/api/client"
import { Checkbox, curlLine, quoted, readObject, TextArea } from "~/ui"
import { contextOf } from "../model/tasks"
import type { TaskDetail } from "../types"
import { ConfirmDialog } from "./ConfirmDialog"
import { useChange } from "./useChange"

export function RerunDialog({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const [env, setEnv] = useState("")
  const [isReset, setReset] = useState(true)
  const { run, isBusy, error } = useChange()
  const read = readObject(env)
  const hasEnv = env.trim() !== "" && read.value !== null
  const body = { state: "RUNNING", reset: isReset, ...(hasEnv ? { env: read.value } : {}) }
  const isItems = contextOf(task).with_items !== undefined
  const cli = [
    "ostro task rerun",
    task.id,
    ...(isReset ? [] : ["--no-reset"]),
    ...(hasEnv ? ["-e", quoted(JSON.stringify(read.value))] : []),
  ]
  return (
    <ConfirmDialog
      title={`Rerun ${task.name}`}
      verb="Rerun"
      action="task.rerun"
      commands={{ cli: cli.join(" "), curl: curlLine("PUT", `/v2/tasks/${task.id}`, body) }}
      isBusy={isBusy}
      isReady={read.error === null}
      error={error}
      onClose={onClose}
      onConfirm={() => {
        void run(() => api.put(`/v2/tasks/${task.id}`, body), `${task.name} runs again.`).then((done) => {
          if (done !== undefined) onClose()
        })
      }}
    >
      <p>The task runs again, and the execution goes on from there.</p>
      {isItems ? (
        <Checkbox
          label="All items, also those that succeeded"
          checked={isReset}
          onChange={(event) => setReset(event.target.checked)}
        />
      ) : null}
      <TextArea
        label="Environment (JSON)"
        hint="Merged into the environment of the execution. Empty: as it is."
        error={read.error}
        placeholder="{}"
        rows={4}
        value={env}
        onChange={(event) => setEnv(event.target.value)}
      />
    </ConfirmDialog>
  )
}

export function SkipDialog({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const { run, isBusy, error } = useChange()
  const body = { state: "SKIPPED" }
  return (
    <ConfirmDialog
      title={`Skip ${task.name}`}
      verb="Skip"
      action="task.skip"
      commands={{ cli: `ostro task skip ${task.id}`, curl: curlLine("PUT", `/v2/tasks/${task.id}`, body) }}
      isBusy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={() => {
        void run(() => api.put(`/v2/tasks/${task.id}`, body), `${task.name} is skipped.`).then((done) => {
          if (done !== undefined) onClose()
        })
      }}
    >
      <p>
        The task is left in error for good: it counts as skipped, <code>publish-on-skip</code> and <code>on-skip</code>{" "}
        apply, and the execution goes on.
      </p>
    </ConfirmDialog>
  )
}
