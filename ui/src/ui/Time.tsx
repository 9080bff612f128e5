import { useSyncExternalStore } from "react"

/** Milliseconds since 1970 of an API time: "2026-01-31 12:00:00[.123]" is UTC, ISO times are what they say. */
export function millis(time: string | number | null | undefined): number | null {
  if (time === null || time === undefined || time === "") return null
  if (typeof time === "number") return time < 1e11 ? time * 1000 : time
  const isZoned = /(Z|[+-]\d\d:?\d\d)$/.test(time)
  const value = Date.parse(isZoned ? time : `${time.replace(" ", "T")}Z`)
  return Number.isNaN(value) ? null : value
}

const listeners = new Set<() => void>()
let now = Date.now()
let ticker: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  now = Date.now()
  ticker ??= setInterval(() => {
    if (document.hidden) return
    now = Date.now()
    for (const one of listeners) one()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(ticker)
      ticker = undefined
    }
  }
}

/** The time now in ms, once a second, one timer for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

export function ago(ms: number): string {
  const isPast = ms >= 0
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 2) return isPast ? "just now" : "now"
  const text =
    seconds < 60
      ? `${seconds} s`
      : seconds < 3600
        ? `${Math.floor(seconds / 60)} min`
        : seconds < 172_800
          ? `${Math.floor(seconds / 3600)} h`
          : `${Math.floor(seconds / 86_400)} d`
  return isPast ? `${text} ago` : `in ${text}`
}

/** 0.34 s, 12.3 s, 4 min 05 s, 3 h 20 min, 2 d 4 h. */
export function durationText(ms: number): string {
  if (ms < 0) ms = 0
  if (ms < 1) return "< 1 ms"
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds)} s`
  const whole = Math.floor(seconds)
  const pad = (value: number) => String(value).padStart(2, "0")
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
})
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
})
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
})

export function exactText(ms: number): string {
  return exact.format(ms)
}

/** The clock time; with the day if it is not today. */
export function shortText(ms: number): string {
  const isToday = new Date(ms).toDateString() === new Date().toDateString()
  return (isToday ? clock : dayAndClock).format(ms)
}

type ApiTime = string | number | null | undefined

/** A moment: how long ago (live), the exact local and UTC time in the tooltip. `absolute` shows the time itself. */
export function Time({ at, absolute = false, fallback = "–" }: { at: ApiTime; absolute?: boolean; fallback?: string }) {
  const value = millis(at)
  if (value === null) return <span className="faint">{fallback}</span>
  return absolute ? (
    <time dateTime={new Date(value).toISOString()} title={titleOf(value)} className="nowrap">
      {shortText(value)}
    </time>
  ) : (
    <Ago value={value} />
  )
}

function Ago({ value }: { value: number }) {
  const current = useNow()
  return (
    <time dateTime={new Date(value).toISOString()} title={titleOf(value)} className="nowrap">
      {ago(Math.max(current, Date.now() - 1000) - value)}
    </time>
  )
}

function titleOf(value: number): string {
  return `${exactText(value)} (${new Date(value).toISOString().replace("T", " ").replace("Z", " UTC")})`
}

/** From `from` until `to`; with `to` missing it runs on, live. */
export function Duration({ from, to, isRunning = false }: { from: ApiTime; to: ApiTime; isRunning?: boolean }) {
  const start = millis(from)
  const end = millis(to)
  if (start === null) return <span className="faint">–</span>
  if (isRunning || end === null) return <Running since={start} />
  return <span className="nowrap">{wholeSeconds(end - start)}</span>
}

function Running({ since }: { since: number }) {
  return <span className="nowrap">{wholeSeconds(useNow() - since)}</span>
}

/** The v2 API tells whole seconds: 0 means "less than one". */
function wholeSeconds(ms: number): string {
  return ms < 1000 && ms % 1000 === 0 ? "< 1 s" : durationText(ms)
}
