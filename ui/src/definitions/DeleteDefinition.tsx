import { useQueryClient } from "@tanstack/react-query"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import { ConfirmDialog } from "~/execution/actions/ConfirmDialog"
import { useChange } from "~/execution/actions/useChange"
import { curlLine, quoted } from "~/ui"
import { addressOf, type Definition, type KindInfo } from "./kinds"

/** What a deletion leaves behind, by kind. */
const STAYS = {
  workflow: "Its executions stay and go on.",
  workbook: "The workflows and actions that were made from it stay.",
  action: "Workflows that name it fail when they come to it.",
  automation: "It can be restored; running ones finish.",
}

export function DeleteDefinition({
  info,
  definition,
  onClose,
}: {
  info: KindInfo
  definition: Definition
  onClose: () => void
}) {
  const { run, isBusy, error } = useChange()
  const client = useQueryClient()
  const navigate = useNavigate()
  const id = info.kind === "workbook" ? definition.name : definition.id
  const address = addressOf(info, id)
  return (
    <ConfirmDialog
      title={`Delete ${definition.name}`}
      verb="Delete it"
      action={info.verbs.delete.action}
      isDanger
      commands={{
        cli: `ostro ${info.kind} delete ${quoted(info.kind === "automation" ? definition.id : definition.name)}`,
        curl: curlLine("DELETE", address),
      }}
      isBusy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={() =>
        void run(async () => {
          await api.delete(address)
          return true
        }, `${definition.name} is deleted.`).then((done) => {
          if (!done) return
          void client.invalidateQueries({ queryKey: ["definitions", info.kind] })
          onClose()
          void navigate(info.path)
        })
      }
    >
      <p>
        The {info.one} <strong>{definition.name}</strong> will be deleted. {STAYS[info.kind]}
      </p>
    </ConfirmDialog>
  )
}
