import { Icon } from "~/ui"
import type { Problem } from "~/execution/types"

const SHOWN = 50

/** What is wrong with the text, below the editor; each line leads to its place. */
export function Problems({
  problems,
  isCurrent,
  onGo,
}: {
  problems: readonly Problem[]
  isCurrent: boolean
  onGo: (line: number) => void
}) {
  const errors = problems.filter((problem) => problem.severity === "error").length
  const warnings = problems.length - errors
  return (
    <section className="problems" aria-label="Problems" data-problems={problems.length} data-current={isCurrent}>
      <p className="problems-head" role="status">
        {problems.length === 0 ? (
          <>
            <span className="tone-success">
              <Icon name="check" size={14} />
            </span>{" "}
            No problems
          </>
        ) : (
          [
            errors ? `${errors} ${errors === 1 ? "error" : "errors"}` : "",
            warnings ? `${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "",
          ]
            .filter(Boolean)
            .join(", ")
        )}
      </p>
      {problems.length ? (
        <ul className="problems-list" tabIndex={0} aria-label="List of problems">
          {problems.slice(0, SHOWN).map((problem, i) => (
            <li key={i}>
              <button type="button" className={`problem ${problem.severity}`} onClick={() => onGo(problem.line)}>
                <Icon name={problem.severity === "error" ? "error" : "warning"} size={14} />
                <span className="problem-place">{problem.line}</span>
                <span className="visually-hidden">{problem.severity}: </span>
                <span className="problem-text">
                  {problem.message}
                  {problem.hint ? <span className="soft"> {problem.hint}</span> : null}
                </span>
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  )
}
