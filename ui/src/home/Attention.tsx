import { Link } from "react-router"
import type { Attention as Item } from "~/api/types"
import { plain, readStateInfo } from "~/execution/model/stateInfo"
import { Card, Empty, Icon, Time, type IconName, type Tone } from "~/ui"

const KINDS: Record<Item["kind"], { icon: IconName; tone: Tone; label: string }> = {
  error: { icon: "error", tone: "error", label: "Failed" },
  paused: { icon: "pause", tone: "paused", label: "Paused" },
  async_action: { icon: "person", tone: "paused", label: "Waits for somebody" },
  trigger: { icon: "clock", tone: "error", label: "Trigger failed" },
}

interface Group {
  item: Item
  count: number
}

/** Items that say the same of the same are one line: the newest, with how many they are. */
function grouped(items: Item[]): Group[] {
  const groups = new Map<string, Group>()
  for (const item of items) {
    const key = item.kind === "error" ? `${item.name} ${textOf(item)}` : `${item.kind} ${item.id}`
    const group = groups.get(key)
    if (group) group.count += 1
    else groups.set(key, { item, count: 1 })
  }
  return [...groups.values()]
}

/** What somebody has to look at: errors with their cause, pauses, actions that wait, triggers that failed. */
export function Attention({ items }: { items: Item[] }) {
  return (
    <Card
      flush
      title="Needs attention"
      actions={items.length > 0 ? <span className="count">{items.length}</span> : null}
    >
      {items.length === 0 ? (
        <Empty icon="check" title="All is well">
          No failures, nothing paused, nothing that waits for somebody.
        </Empty>
      ) : (
        <ul className="lines attention" tabIndex={0} aria-label="Needs attention">
          {grouped(items).map(({ item, count }) => (
            <li key={`${item.kind}-${item.id}`}>
              <Link to={count > 1 ? listOf(item) : linkOf(item)} className="line">
                <span className={`mark ${KINDS[item.kind].tone}`} title={KINDS[item.kind].label}>
                  <Icon name={KINDS[item.kind].icon} size={15} />
                  <span className="visually-hidden">{`${KINDS[item.kind].label}: `}</span>
                </span>
                <span className="grow">
                  <span className="row">
                    <span className="line-name ellipsis">{titleOf(item)}</span>
                    {count > 1 ? <span className="count">{`${count} times`}</span> : null}
                    <span className="grow" />
                    <span className="soft small">
                      <Time at={item.at} />
                    </span>
                  </span>
                  <span className={`line-text ${KINDS[item.kind].tone === "error" ? "is-error" : "soft"}`}>
                    {textOf(item)}
                  </span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function linkOf(item: Item): string {
  if (item.kind === "trigger") return `/cron/${item.id}`
  return `/executions/${item.execution_id ?? item.id}`
}

function listOf(item: Item): string {
  return `/executions?${new URLSearchParams({ state: "ERROR", workflow: item.name })}`
}

function textOf(item: Item): string {
  if (item.kind === "error") {
    const info = readStateInfo(item.message)
    const task = info.tasks.at(-1)?.name
    const cause = info.cause ?? plain(info.headline)
    return task ? `${task}: ${cause}` : cause
  }
  if (item.kind === "async_action" && item.task_name) return `${item.task_name} waits for somebody to complete it`
  return item.message || KINDS[item.kind].label
}

/** An action that waits is told by its workflow: the action's name says little. */
function titleOf(item: Item): string {
  return item.workflow_name || item.name
}
