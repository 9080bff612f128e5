/** The timeline: rows of bars over time, as fractions of what is shown. Moments are milliseconds since the epoch. */

export interface Attempt {
  n: number
  id?: string
  kind?: "action" | "workflow"
  /** Of the item, in a with-items task. */
  index?: number
  name?: string
  started_at: string | null
  taken_at?: string | null
  finished_at: string | null
  state: string
  info?: string | null
}

export interface Wait {
  state: string
  from: string
  to: string | null
}

export interface TimelineTask {
  task_id: string
  name: string
  type?: string
  state: string
  created_at: string
  started_at: string | null
  finished_at: string | null
  attempts: Attempt[]
  attempts_total?: number
  waits: Wait[]
}

export interface Bar {
  kind: "attempt" | "wait" | "task"
  state: string
  from: number
  to: number
  /** It goes on: `to` is now. */
  isOpen: boolean
  title: string
}

export interface Row {
  id: string
  name: string
  /** Which time it runs, if it runs more than once; else 0. */
  round: number
  state: string
  from: number | null
  to: number
  isOpen: boolean
  bars: Bar[]
}

export interface Timeline {
  rows: Row[]
  from: number
  to: number
}

/** Milliseconds of `YYYY-MM-DD HH:MM:SS[.ffffff]` or ISO 8601, both UTC; null for what is none. */
export function moment(text: string | null | undefined): number | null {
  if (!text) return null
  const iso = text.includes("T") ? text : text.replace(" ", "T")
  const value = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`)
  return Number.isNaN(value) ? null : value
}

export function timelineOf(tasks: readonly TimelineTask[], now: number): Timeline {
  const rows = tasks.map((task) => rowOf(task, now))
  rows.sort((a, b) => (a.from ?? Infinity) - (b.from ?? Infinity) || (a.id < b.id ? -1 : 1))
  countRounds(rows)
  let [from, to] = [Infinity, -Infinity]
  for (const row of rows) {
    if (row.from === null) continue
    from = Math.min(from, row.from)
    to = Math.max(to, row.to)
  }
  if (from === Infinity) [from, to] = [now, now]
  return { rows, from, to: Math.max(to, from + 1) }
}

function countRounds(rows: Row[]): void {
  const last = new Map<string, Row>()
  for (const row of rows) {
    const former = last.get(row.name)
    if (former) {
      former.round ||= 1
      row.round = former.round + 1
    }
    last.set(row.name, row)
  }
}

const ENDS = new Set(["SUCCESS", "ERROR", "CANCELLED", "SKIPPED"])

function rowOf(task: TimelineTask, now: number): Row {
  const isOpen = !ENDS.has(task.state)
  const bars: Bar[] = []
  for (const attempt of task.attempts) {
    const from = moment(attempt.started_at)
    if (from === null) continue
    const end = moment(attempt.finished_at)
    const isRunning = end === null && !ENDS.has(attempt.state)
    bars.push({
      kind: "attempt",
      state: attempt.state,
      from,
      to: end ?? (isRunning ? now : from),
      isOpen: isRunning,
      title: titleOf(attempt),
    })
  }
  for (const wait of task.waits) {
    const from = moment(wait.from)
    if (from === null) continue
    const end = moment(wait.to)
    const isWaiting = end === null && isOpen
    bars.push({
      kind: "wait",
      state: wait.state,
      from,
      to: end ?? (isWaiting ? now : from),
      isOpen: isWaiting,
      title: wait.state.toLowerCase(),
    })
  }
  const from = moment(task.started_at) ?? (bars.length ? Math.min(...bars.map((bar) => bar.from)) : null)
  const to = moment(task.finished_at) ?? (isOpen ? now : Math.max(from ?? now, ...bars.map((bar) => bar.to)))
  if (!bars.some((bar) => bar.kind === "attempt") && from !== null) {
    bars.push({ kind: "task", state: task.state, from, to, isOpen, title: task.state })
  }
  bars.sort((a, b) => a.from - b.from)
  return { id: task.task_id, name: task.name, round: 0, state: task.state, from, to, isOpen, bars }
}

function titleOf({ n, index, info, name }: Attempt): string {
  const what = index === undefined || index === 0 ? `Attempt ${n}` : `Item ${index + 1}, attempt ${n}`
  return [what, name, info].filter(Boolean).join(" · ")
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
]

/** Offsets of the axis' marks in milliseconds from the start: about `count` round ones. */
export function ticks(span: number, count: number): number[] {
  const wish = span / Math.max(1, count)
  const step = STEPS.find((s) => s >= wish) ?? Math.ceil(wish / 86_400_000) * 86_400_000
  const found: number[] = []
  for (let at = 0; at <= span; at += step) found.push(at)
  return found
}

/** `0`, `250 ms`, `1.5 s`, `2 m 30 s`, `3 h 5 m`, `2 d 1 h`. */
export function offsetText(ms: number): string {
  if (ms <= 0) return "0"
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${+(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1_000, "s"],
  ]
  const first = units.findIndex(([size]) => ms >= size)
  const [size, name] = units[first]!
  const rest = units[first + 1]
  const whole = Math.floor(ms / size)
  const part = rest ? Math.floor((ms % size) / rest[0]) : 0
  return part && rest ? `${whole} ${name} ${part} ${rest[1]}` : `${whole} ${name}`
}
