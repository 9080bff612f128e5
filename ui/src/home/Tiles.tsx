import { Link } from "react-router"
import type { Overview } from "~/api/types"
import { Icon, type IconName, type Tone } from "~/ui"

const DAY = "&since=24h"

/** The numbers that tell how things are; each leads to the list behind it. */
export function Tiles({ overview }: { overview: Overview }) {
  const { counts, capped } = overview
  const waiting = overview.attention.filter((one) => one.kind === "async_action").length
  const count = (state: string) => counts[state] ?? 0
  const shown = (state: string) => `${count(state).toLocaleString()}${capped.includes(state) ? "+" : ""}`
  return (
    <ul className="tiles">
      <Tile to="/executions?state=RUNNING" icon="executions" tone="running" value={shown("RUNNING")} label="running" />
      <Tile
        to={`/executions?state=ERROR${DAY}`}
        icon="error"
        tone={count("ERROR") > 0 ? "error" : "idle"}
        value={shown("ERROR")}
        label="failed in 24 hours"
      />
      <Tile
        to="/executions?state=PAUSED"
        icon="pause"
        tone={count("PAUSED") > 0 ? "paused" : "idle"}
        value={shown("PAUSED")}
        label="paused"
      />
      <Tile
        to="/executions?state=RUNNING"
        icon="person"
        tone={waiting > 0 ? "paused" : "idle"}
        value={waiting.toLocaleString()}
        label="waiting for somebody"
      />
      <Tile
        to={`/executions?state=SUCCESS${DAY}`}
        icon="check"
        tone="success"
        value={shown("SUCCESS")}
        label="succeeded in 24 hours"
      />
    </ul>
  )
}

function Tile({
  to,
  icon,
  tone,
  value,
  label,
}: {
  to: string
  icon: IconName
  tone: Tone
  value: string
  label: string
}) {
  return (
    <li>
      <Link to={to} className={`tile ${tone}`}>
        <span className="tile-value">
          <Icon name={icon} size={18} />
          {value}
        </span>
        <span className="soft">{label}</span>
      </Link>
    </li>
  )
}
