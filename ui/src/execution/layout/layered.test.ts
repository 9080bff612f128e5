import { describe, expect, it } from "vitest"
import { layered } from "./layered"
import type { Box, Line } from "./types"

const box = (id: string): Box => ({ id, width: 200, height: 60 })
const line = (from: string, to: string): Line => ({ id: `${from}>${to}`, from, to })
const layout = (names: string[], pairs: [string, string][], direction: "down" | "right" = "down") =>
  layered({ boxes: names.map(box), lines: pairs.map(([a, b]) => line(a, b)), direction })

const overlaps = (at: Record<string, { x: number; y: number }>): boolean => {
  const all = Object.values(at)
  return all.some((a, i) => all.some((b, j) => i < j && Math.abs(a.x - b.x) < 200 && Math.abs(a.y - b.y) < 60))
}

describe("layered", () => {
  it("puts what follows below", () => {
    const { at } = layout(
      ["a", "b", "c"],
      [
        ["a", "b"],
        ["b", "c"],
      ],
    )
    expect(at["a"]!.y).toBeLessThan(at["b"]!.y)
    expect(at["b"]!.y).toBeLessThan(at["c"]!.y)
    expect(new Set([at["a"]!.x, at["b"]!.x, at["c"]!.x]).size).toBe(1)
  })

  it("centres a fork and its join", () => {
    const { at } = layout(
      ["a", "l", "r", "j"],
      [
        ["a", "l"],
        ["a", "r"],
        ["l", "j"],
        ["r", "j"],
      ],
    )
    expect(at["a"]!.x).toBeCloseTo((at["l"]!.x + at["r"]!.x) / 2)
    expect(at["j"]!.x).toBeCloseTo(at["a"]!.x)
    expect(at["l"]!.y).toBe(at["r"]!.y)
  })

  it("goes to the right if asked to", () => {
    const { at } = layout(["a", "b"], [["a", "b"]], "right")
    expect(at["b"]!.x).toBeGreaterThan(at["a"]!.x + 200)
    expect(at["b"]!.y).toBe(at["a"]!.y)
  })

  it("survives cycles, loops to itself and lines to nowhere", () => {
    const { at } = layout(
      ["a", "b", "c"],
      [
        ["a", "b"],
        ["b", "c"],
        ["c", "a"],
        ["b", "b"],
        ["c", "gone"],
      ],
    )
    expect(at["a"]!.y).toBeLessThan(at["c"]!.y)
    expect(overlaps(at)).toBe(false)
  })

  it("is nothing for nothing", () => {
    expect(layout([], [])).toMatchObject({ at: {}, width: 0, height: 0 })
  })

  it("never lets boxes overlap", () => {
    let seed = 7
    const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n
    for (let round = 0; round < 20; round++) {
      const names = Array.from({ length: 5 + random(60) }, (_, i) => `t${i}`)
      const pairs = Array.from({ length: random(120) }, (): [string, string] => [
        names[random(names.length)]!,
        names[random(names.length)]!,
      ])
      expect(overlaps(layout(names, pairs).at)).toBe(false)
    }
  })

  it("wraps a very wide layer into a block", () => {
    const names = Array.from({ length: 1000 }, (_, i) => `t${i}`)
    const { at, width, height } = layout(
      ["a", ...names, "z"],
      names.flatMap((n): [string, string][] => [
        ["a", n],
        [n, "z"],
      ]),
    )
    expect(overlaps(at)).toBe(false)
    expect(width / height).toBeLessThan(6)
    expect(at["z"]!.y).toBeGreaterThan(Math.max(...names.map((n) => at[n]!.y)))
  })

  it("lays out a chain of 5,000", () => {
    const names = Array.from({ length: 5000 }, (_, i) => `t${i}`)
    const { at } = layout(
      names,
      names.slice(1).map((n, i): [string, string] => [names[i]!, n]),
    )
    expect(at["t4999"]!.y).toBeGreaterThan(at["t4998"]!.y)
  })
})
