// What goes in: port and password of a running server and an office of its items, as JSON on standard input. What comes
// out: one line of JSON with the answers that clients from npm have got, by the name of the question; test_javascript.py
// says what they should be.
"use strict";

const fs = require("node:fs");
const { FlightSQLClient } = require("@gizmodata/gizmosql-client");
const lancedb = require("@lancedb/arrow-flight-sql-client");
const bound = require("./bound");

const { port, password, office } = JSON.parse(fs.readFileSync(0, "utf8"));
const login = { username: "haetae", password };

const TYPES = `select cast(12.34 as decimal(9, 2)) as decimal, arrow_cast('x', 'Utf8View') as view,
    arrow_cast('y', 'Dictionary(Int32, Utf8)') as dictionary, date '2020-06-01' as day,
    cast('2020-06-01T12:30:00' as timestamp) as moment, cast(9007199254740993 as bigint) as big, true as truth,
    cast(null as varchar) as nothing, 1.5 as real, cast(1.5 as double) as double,
    array_agg(value) as list from generate_series(1, 2)`;

/** Names and Arrow types of columns, and their values in a form that JSON has. */
function told(table) {
  const columns = table.schema.fields.map((field) => [field.name, String(field.type)]);
  const rows = table.toArray().map((row) => Object.values(row.toJSON()).map(plain));
  return { columns, rows };
}

function plain(value) {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint32Array) return value[Symbol.toPrimitive]("string");
  if (value && typeof value.toArray === "function") return Array.from(value.toArray(), plain);
  return value;
}

async function failure(run) {
  try {
    return { unexpected: await run() };
  } catch (error) {
    return { error: error.message };
  }
}

/** GizmoSQL's client: queries, types, errors, and what the server has. */
async function gizmosql() {
  const connect = (options) => new FlightSQLClient({ host: "127.0.0.1", port, plaintext: true, ...options });
  const client = connect(login);
  const answers = {
    types: told(await client.execute(TYPES)),
    large: (await client.execute("select value, repeat('x', 50) as text from generate_series(1, 200000)")).numRows,
    items: told(await client.execute("select count(*) as n, min(item_no) as first from fact_item")),
    empty: told(await client.execute("select office_id from dim_office where false")),
    wrong_sql: await failure(() => client.execute("select importer from fact_item")),
    after_an_error: told(await client.execute("select 1 as one")).rows,
    catalogs: await client.getCatalogs(),
    schemas: (await client.getSchemas("haetae")).map((schema) => schema.schema),
    tables: (await client.getTables("haetae", "customs", "dim_%")).map((table) => table.tableName),
    table_types: await client.getTableTypes(),
    server: (await client.getSqlInfo([0])).get(0),
    // A defect of this client: it sends a bare message, without saying which it is.
    bare_message: await failure(() => client.getPrimaryKeys("haetae", "customs", "fact_item")),
  };
  await client.close();
  answers.wrong_password = await failure(() => connect({ ...login, password: "wrong" }).execute("select 1"));
  return answers;
}

/** LanceDB's client, which has queries alone. */
async function lance() {
  const client = await lancedb.Client.connect({ host: `127.0.0.1:${port}`, insecure: true, ...login });
  const rows = await (await client.query("select office_id from dim_office order by office_id limit 3")).collectToObjects();
  return { rows };
}

async function main() {
  const answers = { gizmosql: await gizmosql(), lance: await lance(), bound: await bound.answers(port, login, office) };
  console.log(JSON.stringify(answers));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
