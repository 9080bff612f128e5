import { describe, expect, it } from "vitest"
import { keysAt, valuesAt, type Schema } from "./schema"
import { placeAt, tasksAround } from "./yamlPlace"

const at = (marked: string) => placeAt(marked.replace("|", ""), marked.indexOf("|"))

describe("placeAt", () => {
  it("knows the keys around", () => {
    expect(at("w:\n  tasks:\n    a:\n      action: std.noop\n      re|")).toMatchObject({
      path: ["w", "tasks", "a"],
      isKey: true,
      prefix: "re",
      siblings: ["action"],
    })
  })

  it("knows the key of a value", () => {
    expect(at("w:\n  tasks:\n    a:\n      action: std.|")).toMatchObject({
      path: ["w", "tasks", "a"],
      isKey: false,
      key: "action",
      prefix: "std.",
    })
  })

  it("counts entries of lists", () => {
    expect(at("w:\n  tasks:\n    a:\n      on-success:\n        - b|").path).toEqual([
      "w",
      "tasks",
      "a",
      "on-success",
      "-",
    ])
    expect(at("w:\n  tasks:\n    a:\n      on-success:\n      - b|").path).toEqual([
      "w",
      "tasks",
      "a",
      "on-success",
      "-",
    ])
    expect(at("steps:\n  - name: a\n    apispec:\n      u|").path).toEqual(["steps", "-", "apispec"])
    expect(at("steps:\n  - name: a\n    ou|")).toMatchObject({ path: ["steps", "-"], siblings: ["name"] })
  })

  it("is at the top without indentation", () => {
    expect(at("version: '2.0'\nna|")).toMatchObject({ path: [], isKey: true, siblings: ["version"] })
  })
})

describe("tasksAround", () => {
  it("are those of the same workflow", () => {
    const text = "a:\n  tasks:\n    one: {}\n\n    two:\n      on-success: x\nb:\n  tasks:\n    three: {}\n"
    expect(tasksAround(text, text.indexOf("x"))).toEqual(["one", "two"])
    expect(tasksAround(text, text.indexOf("{}", 50))).toEqual(["three"])
    expect(tasksAround(text, 0)).toEqual([])
  })
})

describe("the schema", () => {
  const schema: Schema = {
    additionalProperties: { $ref: "#/$defs/workflow" },
    properties: { version: { enum: ["2.0"] } },
    $defs: {
      workflow: {
        properties: {
          type: { enum: ["direct", "reverse"], description: "How." },
          tasks: { type: "object", additionalProperties: { $ref: "#/$defs/task" } },
        },
        required: ["tasks"],
      },
      task: {
        anyOf: [
          {
            properties: {
              retry: { anyOf: [{ type: "string" }, { type: "object", properties: { count: { type: "number" } } }] },
              "safe-rerun": { type: "boolean" },
            },
          },
        ],
      },
    },
  }

  it("offers keys through references and alternatives", () => {
    expect(keysAt(schema, ["w"]).map((k) => [k.name, k.isRequired, k.isContainer])).toEqual([
      ["type", false, false],
      ["tasks", true, true],
    ])
    expect(keysAt(schema, ["w", "tasks", "a"]).map((k) => k.name)).toEqual(["retry", "safe-rerun"])
    expect(keysAt(schema, ["w", "tasks", "a", "retry"]).map((k) => k.name)).toEqual(["count"])
  })

  it("offers values", () => {
    expect(valuesAt(schema, ["w", "type"])).toEqual(["direct", "reverse"])
    expect(valuesAt(schema, ["w", "tasks", "a", "safe-rerun"])).toEqual(["true", "false"])
    expect(valuesAt(schema, ["version"])).toEqual(["'2.0'"])
  })
})
