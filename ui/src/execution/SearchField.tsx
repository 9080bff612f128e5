import { Icon } from "~/ui"
import "./search.css"

interface Props {
  label: string
  placeholder: string
  value: string
  onChange: (text: string) => void
}

export function SearchField({ label, placeholder, value, onChange }: Props) {
  return (
    <label className="search-field">
      <Icon name="search" size={14} />
      <span className="visually-hidden">{label}</span>
      <input
        className="input"
        type="search"
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}
