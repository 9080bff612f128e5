import { NavLink } from "react-router"
import { Icon, type IconName } from "./Icon"

export interface Tab {
  to: string
  label: string
  icon?: IconName
  count?: number | string
  /** Only this very address, not what is below it. */
  end?: boolean
}

/** Tabs as links: every tab has an address. */
export function Tabs({ tabs, label }: { tabs: Tab[]; label: string }) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <NavLink key={tab.to} to={tab.to} end={tab.end ?? false} className="tab" preventScrollReset>
          {tab.icon ? <Icon name={tab.icon} size={15} /> : null}
          {tab.label}
          {tab.count === undefined ? null : <span className="count">{tab.count}</span>}
        </NavLink>
      ))}
    </nav>
  )
}
