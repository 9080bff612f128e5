/**
 * The one way in which the page talks to its server: JSON over fetch, same origin, errors as `ApiError`.
 * The session is an HttpOnly cookie; the page holds only the CSRF token, in memory.
 */

export type Query = Record<string, string | number | boolean | null | undefined>

export interface RequestOptions {
  query?: Query
  /** Sent as JSON. */
  json?: unknown
  /** Sent as text: definitions. */
  text?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** What the server answered in place of what was asked for; status 0: no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
    this.name = "ApiError"
  }
}

let csrfToken: string | null = null
let onUnauthenticated: () => void = () => {}

export function setCsrfToken(token: string | null): void {
  csrfToken = token
}

/** Called for every 401 of a request that is not about the session itself. */
export function setUnauthenticatedHandler(handler: () => void): void {
  onUnauthenticated = handler
}

/** `/v2/executions` with its query; fields that are null, undefined or empty are left out. */
export function address(path: string, query: Query = {}): string {
  const fields = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "")
  if (fields.length === 0) return path
  return `${path}?${new URLSearchParams(fields.map(([name, value]) => [name, String(value)]))}`
}

/** Raises ApiError. A 204 or an empty answer is `undefined`; a text answer is its text. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers }
  let body: string | undefined
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json"
    body = JSON.stringify(options.json)
  } else if (options.text !== undefined) {
    headers["Content-Type"] = "text/plain; charset=utf-8"
    body = options.text
  }
  if (method !== "GET" && csrfToken !== null) headers["X-CSRF-Token"] = csrfToken
  let response: Response
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error
    throw new ApiError(0, "The server cannot be reached. It may be restarting.")
  }
  const text = await response.text()
  const isJson = (response.headers.get("content-type") ?? "").includes("json")
  const content: unknown = isJson && text ? JSON.parse(text) : text || undefined
  if (response.ok) return content as T
  if (response.status === 401 && !path.startsWith("/v2/session")) onUnauthenticated()
  throw new ApiError(response.status, messageOf(content, response.status), isRecord(content) ? content : {})
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    request<T>("GET", path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) }),
  post: <T>(path: string, json?: unknown, query?: Query) =>
    request<T>("POST", path, { json: json ?? {}, ...(query ? { query } : {}) }),
  put: <T>(path: string, json?: unknown, query?: Query) =>
    request<T>("PUT", path, { json: json ?? {}, ...(query ? { query } : {}) }),
  delete: (path: string, query?: Query) => request<void>("DELETE", path, query ? { query } : {}),
  /** Uploads a definition. */
  upload: <T>(method: "POST" | "PUT", path: string, text: string, query?: Query) =>
    request<T>(method, path, { text, ...(query ? { query } : {}) }),
}

function messageOf(content: unknown, status: number): string {
  if (isRecord(content)) {
    for (const name of ["faultstring", "detail", "message", "error"]) {
      const value = content[name]
      if (typeof value === "string" && value) return value
    }
  }
  return status === 502 || status === 503 || status === 504
    ? "The server cannot answer now. Try again soon."
    : `The server answered with status ${status}.`
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Reads a JSON text of the v2 API (`input`, `output`, ...); what is none stays as it is. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}
