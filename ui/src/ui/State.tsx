import { Icon, type IconName } from "./Icon"

export type Tone = "success" | "error" | "running" | "paused" | "idle"

const LOOKS: Record<string, { icon: IconName; tone: Tone; label: string }> = {
  SUCCESS: { icon: "check", tone: "success", label: "Success" },
  ERROR: { icon: "error", tone: "error", label: "Error" },
  RUNNING: { icon: "executions", tone: "running", label: "Running" },
  RUNNING_DELAYED: { icon: "delay", tone: "running", label: "Delayed" },
  DELAYED: { icon: "delay", tone: "running", label: "Delayed" },
  PAUSED: { icon: "pause", tone: "paused", label: "Paused" },
  WAITING: { icon: "wait", tone: "idle", label: "Waiting" },
  IDLE: { icon: "dot", tone: "idle", label: "Idle" },
  CANCELLED: { icon: "stop", tone: "idle", label: "Cancelled" },
  SKIPPED: { icon: "skip", tone: "idle", label: "Skipped" },
}

export const EXECUTION_STATES = ["RUNNING", "PAUSED", "ERROR", "SUCCESS", "CANCELLED", "IDLE"] as const
const UNFINISHED = new Set(["RUNNING", "PAUSED", "IDLE", "WAITING", "RUNNING_DELAYED", "DELAYED"])

export function isUnfinished(state: string): boolean {
  return UNFINISHED.has(state)
}

export function stateLook(state: string): { icon: IconName; tone: Tone; label: string } {
  return LOOKS[state] ?? { icon: "dot", tone: "idle", label: state }
}

/** A state as icon and word: never told by colour alone. */
export function State({ state, compact = false }: { state: string; compact?: boolean }) {
  const look = stateLook(state)
  return (
    <span
      className={`state ${look.tone} ${compact ? "compact" : ""}`}
      data-state={state}
      title={compact ? look.label : undefined}
    >
      <Icon name={look.icon} size={13} />
      <span className={compact ? "visually-hidden" : ""}>{look.label}</span>
    </span>
  )
}
