/** The timeline: a row for each task, with its attempts and waits as bars; only rows in sight are drawn. */
import { useQuery } from "@tanstack/react-query"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent } from "react"
import { Button, Empty, ErrorNote, Icon, isUnfinished, Loading, stateLook, useNow } from "~/ui"
import { timelineQuery } from "../data"
import { useExecution } from "../ExecutionPage"
import { offsetText, ticks, timelineOf, type Bar, type Row, type Timeline } from "../model/timeline"
import "./timeline.css"

const ROW = 30
const WIDEST = 64

export function TimelineTab() {
  const { execution, taskId, select } = useExecution()
  const { data, error, refetch } = useQuery(timelineQuery(execution.id))
  const isOpen = isUnfinished(execution.state)
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading label="Reading the timeline" />
  if (data.tasks.length === 0) return <Empty icon="timeline" title="No task has begun yet" />
  return isOpen ? (
    <Live data={data} taskId={taskId} select={select} />
  ) : (
    <Still data={data} taskId={taskId} select={select} />
  )
}

interface Props {
  data: { tasks: Parameters<typeof timelineOf>[0]; more: number }
  taskId: string | null
  select: (taskId: string) => void
}

/** Bars of what goes on grow with the time. */
function Live({ data, ...rest }: Props) {
  const now = useNow()
  const timeline = useMemo(() => timelineOf(data.tasks, now), [data, now])
  return <Chart timeline={timeline} more={data.more} {...rest} />
}

function Still({ data, ...rest }: Props) {
  const timeline = useMemo(() => timelineOf(data.tasks, 0), [data])
  return <Chart timeline={timeline} more={data.more} {...rest} />
}

function Chart({ timeline, more, taskId, select }: Omit<Props, "data"> & { timeline: Timeline; more: number }) {
  const scroller = useRef<HTMLDivElement>(null)
  const [zoom, setZoom] = useState(1)
  const { rows, from, to } = timeline
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
    scrollMargin: 28,
  })
  const marks = useMemo(() => ticks(to - from, 8 * zoom), [to, from, zoom])
  const at = rows.findIndex((row) => row.id === taskId)
  const shown = useRef(taskId)
  useEffect(() => {
    if (at >= 0 && shown.current !== taskId) virtualizer.scrollToIndex(at)
    shown.current = taskId
  }, [at, taskId, virtualizer])
  const walk = (event: KeyboardEvent) => {
    const by =
      event.key === "j" || event.key === "ArrowDown" ? 1 : event.key === "k" || event.key === "ArrowUp" ? -1 : 0
    if (!by) return
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))]
    if (row) {
      select(row.id)
      virtualizer.scrollToIndex(rows.indexOf(row))
    }
    event.preventDefault()
    event.stopPropagation()
  }
  const change = (by: number) => setZoom(Math.max(1, Math.min(WIDEST, zoom * by)))
  return (
    <div className="timeline">
      <div className="timeline-tools">
        <span className="soft">
          {rows.length} tasks in {offsetText(to - from)}
          {more ? `; ${more} more are not shown` : ""}
        </span>
        <Legend />
        <span className="row">
          <Button small icon="minus" aria-label="Less wide" disabled={zoom <= 1} onClick={() => change(0.5)} />
          <Button small icon="plus" aria-label="Wider" disabled={zoom >= WIDEST} onClick={() => change(2)} />
        </span>
      </div>
      <div
        className="timeline-frame"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label="Timeline: j and k walk the tasks"
        onKeyDown={walk}
      >
        <div
          className="timeline-plane"
          style={{ "--zoom": zoom, height: virtualizer.getTotalSize() + 28 } as CSSProperties}
        >
          <div className="timeline-axis" aria-hidden="true">
            {marks.map((mark) => (
              <span key={mark} className="timeline-mark" style={{ left: `${(mark / (to - from)) * 100}%` }}>
                {offsetText(mark)}
              </span>
            ))}
          </div>
          {virtualizer.getVirtualItems().map((item) => {
            const row = rows[item.index] as Row
            return (
              <Line
                key={row.id}
                row={row}
                from={from}
                span={to - from}
                top={item.start}
                isSelected={row.id === taskId}
                onSelect={select}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}

function Legend() {
  return (
    <span className="legend" aria-hidden="true">
      {(["SUCCESS", "ERROR", "RUNNING"] as const).map((state) => (
        <span key={state} className="legend-entry">
          <span className={`bar-sample ${stateLook(state).tone}`} /> {stateLook(state).label}
        </span>
      ))}
      <span className="legend-entry">
        <span className="bar-sample is-wait" /> Waiting
      </span>
    </span>
  )
}

interface LineProps {
  row: Row
  from: number
  span: number
  top: number
  isSelected: boolean
  onSelect: (taskId: string) => void
}

function Line({ row, from, span, top, isSelected, onSelect }: LineProps) {
  const look = stateLook(row.state)
  const took = row.from === null ? "not begun" : offsetText(row.to - row.from)
  const end = row.from === null ? 0 : ((row.to - from) / span) * 100
  return (
    <div
      className={`timeline-row ${isSelected ? "is-selected" : ""}`}
      style={{ transform: `translateY(${top}px)` }}
      data-task={row.name}
    >
      <button
        type="button"
        className="timeline-name"
        onClick={() => onSelect(row.id)}
        title={row.name}
        aria-pressed={isSelected}
      >
        <span className={`tone-${look.tone}`}>
          <Icon name={look.icon} size={13} />
        </span>
        <span className="visually-hidden">{look.label}: </span>
        <span className="ellipsis">{row.name}</span>
        {row.round ? <span className="mark">{row.round}</span> : null}
        <span className="visually-hidden">, {took}</span>
      </button>
      <div className="timeline-bars" onClick={() => onSelect(row.id)} aria-hidden="true">
        {row.bars.map((bar, i) => (
          <span
            key={i}
            className={barClass(bar)}
            style={{ left: `${((bar.from - from) / span) * 100}%`, width: `${((bar.to - bar.from) / span) * 100}%` }}
            title={`${bar.title} · ${offsetText(bar.to - bar.from)}`}
          />
        ))}
        {row.from === null ? null : (
          <span
            className={`bar-time ${end > 85 ? "inside" : ""}`}
            style={end > 85 ? { right: `${100 - ((row.from - from) / span) * 100}%` } : { left: `${end}%` }}
          >
            {took}
          </span>
        )}
      </div>
    </div>
  )
}

const barClass = (bar: Bar): string =>
  `bar ${bar.kind === "wait" ? "is-wait" : stateLook(bar.state).tone} ${bar.isOpen ? "is-open" : ""}`
