/** Line icons on a 16-unit grid, drawn for this page. Decorative: the text beside them tells the same. */

const PATHS = {
  home: "M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z",
  executions: "M5 3.5v9l7.5-4.5z",
  workflow: "M2.5 2.5h4v4h-4zM9.5 9.5h4v4h-4zM6.5 4.5h3a2 2 0 0 1 2 2v3",
  workbook: "M3 2.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9.5H4.5A1.5 1.5 0 0 1 3 12zM3 12a1.5 1.5 0 0 1 1.5-1.5H13",
  action: "M8.7 1.8 3.5 9H8l-.7 5.2L12.5 7H8z",
  automation: "M2.5 8h3l1.5-4 2.5 8L11 8h2.5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5",
  event: "M8 14a1.6 1.6 0 0 0 1.5-1.2h-3A1.6 1.6 0 0 0 8 14zM3 11.5h10l-1.2-2V7a3.8 3.8 0 1 0-7.6 0v2.5z",
  environment: "M2 5l6-3 6 3-6 3zM2 8.2l6 3 6-3M2 11.2l6 3 6-3",
  secret: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2M8 10v1.5",
  service: "M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01",
  token: "M10.5 9.5a4 4 0 1 0-3.4-1.9L2.5 12.2v1.3H5v-1.5h1.5v-1.5l1.4-1.4a4 4 0 0 0 2.6.4zM11 5h.01",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  error: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.5M8 11h.01",
  warning: "M8 2.5 14.5 13.5h-13zM8 6.5v3M8 11.5h.01",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  stop: "M4 4h8v8H4z",
  skip: "M3.5 4l5 4-5 4zM12 4v8",
  delay: "M4.5 2.5h7M4.5 13.5h7M5 2.5c0 3 6 4 6 5.5s-6 2.5-6 5.5M11 2.5C11 5.500 5 6.500 5 8s6 2.500 6 5.500",
  dot: "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  rerun: "M13 8a5 5 0 1 1-1.6-3.7M13 2.500v2.500h-2.500",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.6 9h5.800l.6-9M6.700 7v4M9.300 7v4",
  edit: "M3 13l.6-2.700 7.400-7.300 2 2L5.700 12.400zM9.700 4.300l2 2",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  right: "M6 4l4 4-4 4",
  left: "M10 4 6 8l4 4",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  terminal: "M2.500 3h11v10h-11zM5 6l2 2-2 2M8.500 10.500H11",
  filter: "M2.500 3.500h11L9.500 8.500v4l-3 1v-5z",
  sun: "M8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z",
  system: "M2 3h12v8H2zM5.500 13.500h5M8 11v2.500",
  menu: "M2.500 4h11M2.500 8h11M2.500 12h11",
  user: "M8 8a2.700 2.700 0 1 0 0-5.400A2.700 2.700 0 0 0 8 8zM3 13.500c.5-2.500 2.500-3.700 5-3.700s4.500 1.200 5 3.700",
  out: "M6.500 2.500h-4v11h4M6 8h8M11 5l3 3-3 3",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.200 6.300A1.800 1.800 0 1 1 8 8.300v.7M8 11.300h.01",
  external: "M9.500 2.500h4v4M13.500 2.500 7.500 8.500M11.500 9v4.500h-9v-9H7",
  expand: "M9.500 2.500h4v4M6.500 13.500h-4v-4M13.500 2.500l-4.500 4.500M2.500 13.500 7 9",
  wait: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.500 8h.01M8 8h.01M10.500 8h.01",
  person:
    "M8 8a2.700 2.700 0 1 0 0-5.400A2.700 2.700 0 0 0 8 8zM3 13.500c.5-2.500 2.500-3.700 5-3.700s4.500 1.200 5 3.700",
  graph:
    "M3 8a1.500 1.500 0 1 0 0 .01M13 3.500a1.500 1.500 0 1 0 0 .01M13 12.500a1.500 1.500 0 1 0 0 .01M4.500 7.500 10 4.200M4.500 8.500l5.500 3.300",
  list: "M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.01M2.500 8h.01M2.500 12h.01",
  timeline: "M2.500 4h5M5.500 8h6M9.500 12h4",
  data: "M6 2.500C4 2.500 5 7 2.500 8 5 9 4 13.500 6 13.500M10 2.500c2 0 1 4.500 3.500 5.500-2.500 1-1.500 5.500-3.500 5.500",
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16, className = "" }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      className={`icon ${className}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
