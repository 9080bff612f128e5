import type { Overview } from "~/api/types"
import { Card, durationText, shortText, millis } from "~/ui"

const WIDTH = 360
const HEIGHT = 64
const GAP = 1.2

/** Executions that ended in each minute of the last hour: succeeded below, failed on top. */
export function Throughput({ overview }: { overview: Overview }) {
  const { series } = overview
  const highest = Math.max(1, ...series.map((minute) => minute.succeeded + minute.failed))
  const succeeded = sum(series.map((minute) => minute.succeeded))
  const failed = sum(series.map((minute) => minute.failed))
  const step = WIDTH / Math.max(1, series.length)
  return (
    <Card title="Finished in the last hour" actions={<Peak text={`${highest.toLocaleString()} / min at most`} />}>
      <p className="figure">
        <span>{(succeeded + failed).toLocaleString()}</span>
        <span
          className={failed > 0 ? "figure-note is-error" : "figure-note"}
        >{`${failed.toLocaleString()} failed`}</span>
      </p>
      <svg
        className="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${succeeded} succeeded and ${failed} failed in the last hour, at most ${highest} in a minute.`}
      >
        <line className="chart-base" x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {series.map((minute, at) => {
          const good = (minute.succeeded / highest) * (HEIGHT - 4)
          const bad = (minute.failed / highest) * (HEIGHT - 4)
          return (
            <g key={minute.at}>
              <title>{`${clock(minute.at)}: ${minute.started} started, ${minute.succeeded} succeeded, ${minute.failed} failed`}</title>
              <rect className="chart-hit" x={at * step} y={0} width={step} height={HEIGHT} />
              <rect className="chart-good" x={at * step} y={HEIGHT - good} width={step - GAP} height={good} />
              <rect className="chart-bad" x={at * step} y={HEIGHT - good - bad} width={step - GAP} height={bad} />
            </g>
          )
        })}
      </svg>
      <Scale />
    </Card>
  )
}

/** How long the execution in the middle took, minute by minute. */
export function Latency({ overview }: { overview: Overview }) {
  const points = overview.series.map((minute, at) => ({ at, time: minute.at, ms: minute.p50_ms }))
  const known = points.filter((point): point is { at: number; time: string; ms: number } => point.ms !== null)
  const highest = Math.max(1, ...known.map((point) => point.ms))
  const last = known.at(-1)
  const step = WIDTH / Math.max(1, points.length)
  const x = (at: number) => (at + 0.5) * step
  const y = (ms: number) => HEIGHT - 4 - (ms / highest) * (HEIGHT - 12)
  return (
    <Card
      title="How long they take"
      actions={known.length > 0 ? <Peak text={`${durationText(highest)} at most`} /> : null}
    >
      <p className="figure">
        <span>{last ? durationText(last.ms) : "–"}</span>
        <span className="figure-note">{last ? `median at ${clock(last.time)}` : "nothing has finished"}</span>
      </p>
      <svg
        className="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={
          last
            ? `Median duration: ${durationText(last.ms)} now, ${durationText(highest)} at most.`
            : "No durations yet."
        }
      >
        <line className="chart-base" x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        <polyline className="chart-line" points={known.map((point) => `${x(point.at)},${y(point.ms)}`).join(" ")} />
        {known.map((point) => (
          <circle
            key={point.at}
            className="chart-dot"
            cx={x(point.at)}
            cy={y(point.ms)}
            r={known.length > 30 ? 1.4 : 2.2}
          >
            <title>{`${clock(point.time)}: ${durationText(point.ms)}`}</title>
          </circle>
        ))}
      </svg>
      <Scale />
    </Card>
  )
}

function Peak({ text }: { text: string }) {
  return <span className="faint small">{text}</span>
}

function Scale() {
  return (
    <p className="chart-scale" aria-hidden="true">
      <span>60 min ago</span>
      <span>now</span>
    </p>
  )
}

function clock(at: string): string {
  return shortText(millis(at) ?? 0)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
