import { useEffect, useId, useRef, useState, type ReactNode } from "react"
import { Button, type ButtonProps } from "./Button"
import { Icon, type IconName } from "./Icon"
import { useMay } from "./permission"

const GAP = 4

export interface MenuItem {
  label: ReactNode
  icon?: IconName
  onSelect: () => void
  isDanger?: boolean
  disabled?: boolean
  action?: string
}

/** A button that opens a list of things to do, of those that the caller may do. Arrow keys move, Escape closes. */
export function Menu({
  label,
  items: all,
  button = {},
}: {
  label: string
  items: MenuItem[]
  button?: Partial<ButtonProps>
}) {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const may = useMay()
  const items = all.filter((item) => may(item.action))

  useEffect(() => {
    const shown = list.current
    const button = root.current?.getBoundingClientRect()
    if (!isOpen || !shown || !button) return
    // In the top layer: no table or card around it can cut it off.
    shown.showPopover()
    const { width, height } = shown.getBoundingClientRect()
    const hasRoomBelow = button.bottom + height + GAP < window.innerHeight
    shown.style.left = `${Math.max(GAP, Math.min(button.right - width, window.innerWidth - width - GAP))}px`
    shown.style.top = `${hasRoomBelow ? button.bottom + GAP : Math.max(GAP, button.top - height - GAP)}px`
    shown.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus()
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    const onScroll = () => setOpen(false)
    document.addEventListener("pointerdown", onPointer)
    document.addEventListener("scroll", onScroll, true)
    return () => {
      document.removeEventListener("pointerdown", onPointer)
      document.removeEventListener("scroll", onScroll, true)
    }
  }, [isOpen])

  const close = () => {
    setOpen(false)
    root.current?.querySelector<HTMLElement>("button")?.focus()
  }
  const move = (by: number) => {
    const entries = [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])]
    const at = entries.indexOf(document.activeElement as HTMLElement)
    entries[(at + by + entries.length) % entries.length]?.focus()
  }
  if (items.length === 0) return null
  return (
    <div
      className="menu"
      ref={root}
      onKeyDown={(event) => {
        if (!isOpen) return
        if (event.key === "Escape") close()
        else if (event.key === "ArrowDown") move(1)
        else if (event.key === "ArrowUp") move(-1)
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
    >
      <Button
        icon="more"
        kind="quiet"
        aria-label={button.children === undefined ? label : undefined}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={(event) => {
          event.stopPropagation()
          setOpen(!isOpen)
        }}
        {...button}
      />
      {isOpen ? (
        <div className="menu-list" popover="manual" role="menu" id={id} ref={list} aria-label={label}>
          {items.map((item, at) => (
            <button
              key={at}
              type="button"
              role="menuitem"
              tabIndex={-1}
              className={`menu-item ${item.isDanger ? "danger" : ""}`}
              disabled={item.disabled ?? false}
              {...(item.action ? { "data-action": item.action } : {})}
              onClick={(event) => {
                event.stopPropagation()
                close()
                item.onSelect()
              }}
            >
              {item.icon ? <Icon name={item.icon} size={15} /> : <span className="icon-gap" />}
              <span>{item.label}</span>
            </button>
          ))}
        </div>
      ) : null}
    </div>
  )
}
