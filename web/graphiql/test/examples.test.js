import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import {
  buildSchema,
  coerceInputValue,
  GraphQLScalarType,
  Kind,
  parse,
  typeFromAST,
  validate,
  validateSchema,
} from 'graphql'

import { examples } from '../src/examples.js'

const sdl = process.env.SCHEMA ?? new URL('../../../api/schema.graphql', import.meta.url)
const schema = buildSchema(readFileSync(sdl, 'utf8'))

// The SDL cannot say how a scalar reads; all of the API's own are strings in JSON.
for (const type of Object.values(schema.getTypeMap())) {
  if (type instanceof GraphQLScalarType && !['Int', 'Float', 'Boolean', 'ID', 'String'].includes(type.name)) {
    type.parseValue = (value) => {
      assert.equal(typeof value, 'string', `${type.name} is a string in JSON`)
      return value
    }
  }
}

/** The one operation of a tab, as GraphiQL would run it. */
function operationOf(example) {
  const document = parse(example.query)
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  assert.equal(operations.length, 1, 'a tab holds one operation')
  return { document, operation: operations[0] }
}

test('the schema is valid', () => {
  assert.deepEqual(validateSchema(schema), [])
})

test('the tabs show what a first visitor needs', () => {
  const names = examples.map((example) => operationOf(example).operation.name.value)
  assert.deepEqual(names, ['AddExpense', 'ListExpenses', 'Summary', 'Changes', 'Replicas'])
})

for (const example of examples) {
  const { document, operation } = operationOf(example)

  test(`${operation.operation} ${operation.name.value} is valid against the schema`, () => {
    assert.deepEqual(validate(schema, document), [])
  })

  test(`${operation.operation} ${operation.name.value} has variables that the schema accepts`, () => {
    const variables = JSON.parse(example.variables ?? '{}')
    const declared = new Map(operation.variableDefinitions.map((each) => [each.variable.name.value, each.type]))
    for (const [name, value] of Object.entries(variables)) {
      assert.ok(declared.has(name), `$${name} is declared`)
      coerceInputValue(value, typeFromAST(schema, declared.get(name)))
    }
    for (const [name, type] of declared) {
      assert.ok(type.kind !== Kind.NON_NULL_TYPE || name in variables, `$${name} is given`)
    }
  })
}
