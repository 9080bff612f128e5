import { Tabs } from "~/ui"
import { linkOf, type Definition, type KindInfo } from "./kinds"

/** Parts of one definition; what ran of it is in the list of executions. */
export function DefinitionTabs({ info, definition }: { info: KindInfo; definition: Definition }) {
  const at = linkOf(info, definition)
  const isStarted = info.kind === "workflow" || info.kind === "automation"
  if (!isStarted) return null
  const name = info.kind === "automation" ? `automation.${definition.id}` : definition.name
  return (
    <Tabs
      label={`Parts of the ${info.one}`}
      tabs={[
        { to: at, label: "Definition", icon: "edit", end: true },
        { to: `${at}/revisions`, label: "Revisions", icon: "clock" },
        { to: `/executions?workflow=${encodeURIComponent(name)}`, label: "Executions", icon: "executions" },
      ]}
    />
  )
}
