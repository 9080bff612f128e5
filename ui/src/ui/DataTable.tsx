import { useVirtualizer } from "@tanstack/react-virtual"
import { useEffect, useRef, type CSSProperties, type ReactNode } from "react"
import { useNavigate } from "react-router"
import { useKeys } from "./keys"
import { Icon } from "./Icon"

export interface Column<Row> {
  key: string
  title: string
  cell: (row: Row) => ReactNode
  /** Of `grid-template-columns`: "minmax(12rem, 2fr)", "7rem". */
  width: string
  align?: "end"
  /** The server's sort key; missing: not sortable. */
  sort?: string
  /** Left out on narrow screens. */
  isExtra?: boolean
}

export interface Sorting {
  key: string
  dir: "asc" | "desc"
}

export interface Selection {
  ids: ReadonlySet<string>
  onChange: (ids: ReadonlySet<string>) => void
}

export interface DataTableProps<Row> {
  label: string
  columns: Column<Row>[]
  rows: readonly Row[]
  idOf: (row: Row) => string
  /** Where Enter or a click on the row leads. */
  linkOf?: (row: Row) => string
  onOpen?: (row: Row) => void
  sorting?: Sorting
  onSort?: (sorting: Sorting) => void
  selection?: Selection
  /** Called when the last rows come into sight, if more can be had. */
  onEnd?: (() => void) | undefined
  rowHeight?: number
  empty?: ReactNode
  footer?: ReactNode
  /** Grows with its rows up to this height; without it, it fills its parent. */
  maxHeight?: string
  /** Classes for a row, such as to mark what is new. */
  rowClass?: (row: Row) => string
}

/**
 * Rows of equal height in a grid that scrolls inside itself; only those in sight are in the document, so a list of
 * any length stays fluid. j/k or the arrow keys move, Enter opens, x selects.
 */
export function DataTable<Row>({
  label,
  columns,
  rows,
  idOf,
  linkOf,
  onOpen,
  sorting,
  onSort,
  selection,
  onEnd,
  rowHeight = 36,
  empty,
  footer,
  maxHeight,
  rowClass,
}: DataTableProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null)
  const current = useRef(-1)
  const navigate = useNavigate()
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (at) => idOf(rows[at] as Row),
    overscan: 12,
  })
  const items = virtualizer.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  useEffect(() => {
    if (onEnd && last >= rows.length - 15) onEnd()
  }, [last, rows.length, onEnd])

  const open = (row: Row) => {
    if (onOpen) onOpen(row)
    else if (linkOf) void navigate(linkOf(row))
  }
  const focusRow = (at: number) => {
    if (rows.length === 0) return
    const to = Math.max(0, Math.min(rows.length - 1, at))
    current.current = to
    virtualizer.scrollToIndex(to)
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus())
  }
  const toggle = (id: string) => {
    if (!selection) return
    const ids = new Set(selection.ids)
    if (!ids.delete(id)) ids.add(id)
    selection.onChange(ids)
  }
  useKeys({
    j: () => focusRow(current.current + 1),
    k: () => focusRow(current.current - 1),
  })

  const template = `${selection ? "2.25rem " : ""}${columns.map((column) => column.width).join(" ")}`
  const narrow = `${selection ? "1.4rem " : ""}${columns
    .filter((column) => !column.isExtra)
    .map((column) => column.width.replace(/^minmax\([^,]+,/, "minmax(0,"))
    .join(" ")}`
  const style = {
    "--columns": template,
    "--columns-narrow": narrow,
    "--row": `${rowHeight}px`,
    maxHeight,
  } as CSSProperties
  const areAllSelected = selection !== undefined && rows.length > 0 && rows.every((row) => selection.ids.has(idOf(row)))
  return (
    <div
      className={`table ${maxHeight ? "bounded" : ""}`}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={style}
      ref={scroller}
      tabIndex={rows.length === 0 ? undefined : 0}
    >
      <div className="table-head" role="rowgroup">
        <div className="table-row" role="row">
          {selection ? (
            <span role="columnheader" className="cell cell-select">
              <input
                type="checkbox"
                aria-label="Select all rows that are loaded"
                checked={areAllSelected}
                onChange={() => selection.onChange(areAllSelected ? new Set() : new Set(rows.map(idOf)))}
              />
            </span>
          ) : null}
          {columns.map((column) => (
            <HeadCell
              key={column.key}
              column={column}
              {...(sorting ? { sorting } : {})}
              {...(onSort ? { onSort } : {})}
            />
          ))}
        </div>
      </div>
      {rows.length === 0 ? (
        <div role="rowgroup">
          <div role="row">
            <div role="cell">{empty}</div>
          </div>
        </div>
      ) : (
        <div role="rowgroup" className="table-body" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index] as Row
            const id = idOf(row)
            const isSelected = selection?.ids.has(id) ?? false
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                data-index={item.index}
                data-id={id}
                tabIndex={-1}
                className={`table-row ${isSelected ? "is-selected" : ""} ${linkOf || onOpen ? "is-link" : ""} ${rowClass?.(row) ?? ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onFocus={() => (current.current = item.index)}
                onClick={(event) => {
                  if ((event.target as HTMLElement).closest("a, button, input, dialog")) return
                  if (hasSelection(event.currentTarget)) return
                  open(row)
                }}
                onKeyDown={(event) => {
                  if (event.target !== event.currentTarget) return
                  if (event.key === "Enter") open(row)
                  else if (event.key === "ArrowDown") focusRow(item.index + 1)
                  else if (event.key === "ArrowUp") focusRow(item.index - 1)
                  else if (event.key === "x") toggle(id)
                  else return
                  event.preventDefault()
                }}
              >
                {selection ? (
                  <span role="cell" className="cell cell-select">
                    <input
                      type="checkbox"
                      aria-label="Select this row"
                      checked={isSelected}
                      onChange={() => toggle(id)}
                    />
                  </span>
                ) : null}
                {columns.map((column) => (
                  <span
                    key={column.key}
                    role="cell"
                    className={`cell ${column.align === "end" ? "end" : ""} ${column.isExtra ? "extra" : ""}`}
                  >
                    {column.cell(row)}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      )}
      {footer}
    </div>
  )
}

/** Whether somebody has marked text in it, to copy it: then a click does not open it. */
function hasSelection(element: HTMLElement): boolean {
  const selection = document.getSelection()
  return selection !== null && !selection.isCollapsed && selection.containsNode(element, true)
}

function HeadCell<Row>({
  column,
  sorting,
  onSort,
}: {
  column: Column<Row>
  sorting?: Sorting
  onSort?: (sorting: Sorting) => void
}) {
  const isSorted = sorting !== undefined && sorting.key === column.sort
  const className = `cell ${column.align === "end" ? "end" : ""} ${column.isExtra ? "extra" : ""}`
  const { sort } = column
  if (sort === undefined || !onSort) {
    return (
      <span role="columnheader" className={className}>
        {column.title}
      </span>
    )
  }
  return (
    <span
      role="columnheader"
      className={className}
      aria-sort={isSorted ? (sorting.dir === "asc" ? "ascending" : "descending") : "none"}
    >
      <button
        type="button"
        className="sort"
        onClick={() => onSort({ key: sort, dir: isSorted && sorting.dir === "desc" ? "asc" : "desc" })}
      >
        {column.title}
        {isSorted ? <Icon name={sorting.dir === "asc" ? "up" : "down"} size={12} /> : null}
      </button>
    </span>
  )
}
