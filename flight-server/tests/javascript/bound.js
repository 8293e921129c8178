// Prepared statements with values, spoken by grpc-js, apache-arrow and the messages that GizmoSQL's package has generated
// from Arrow's definitions: neither client binds values. A port, a login and an office go in, answers come out.
"use strict";

const grpc = require("@grpc/grpc-js");
const arrow = require("apache-arrow");
const { Any } = require("google-protobuf/google/protobuf/any_pb");
const { FlightServiceClient } = require("@gizmodata/gizmosql-client/dist/generated/proto/Flight_grpc_pb");
const flight = require("@gizmodata/gizmosql-client/dist/generated/proto/Flight_pb");
const sql = require("@gizmodata/gizmosql-client/dist/generated/proto/FlightSql_pb");

const TYPE = "type.googleapis.com/arrow.flight.protocol.sql.";

function packed(name, message) {
  const any = new Any();
  any.setTypeUrl(TYPE + name);
  any.setValue(message.serializeBinary());
  return any.serializeBinary();
}

function command(name, message) {
  const descriptor = new flight.FlightDescriptor();
  descriptor.setType(flight.FlightDescriptor.DescriptorType.CMD);
  descriptor.setCmd(packed(name, message));
  return descriptor;
}

/** All that a stream of answers brings, and its first headers. */
function collected(call) {
  return new Promise((resolve, reject) => {
    const messages = [];
    let headers;
    call.on("metadata", (found) => (headers = found));
    call.on("data", (message) => messages.push(message));
    call.on("error", reject);
    call.on("end", () => resolve({ messages, headers }));
  });
}

async function bearer(client, { username, password }) {
  const basic = new grpc.Metadata();
  basic.set("authorization", "Basic " + Buffer.from(`${username}:${password}`).toString("base64"));
  const call = client.handshake(basic);
  const answered = collected(call);
  call.write(new flight.HandshakeRequest());
  call.end();
  const metadata = new grpc.Metadata();
  metadata.set("authorization", (await answered).headers.get("authorization")[0]);
  return metadata;
}

async function prepare(client, metadata, query) {
  const request = new sql.ActionCreatePreparedStatementRequest();
  request.setQuery(query);
  const action = new flight.Action();
  action.setType("CreatePreparedStatement");
  action.setBody(packed("ActionCreatePreparedStatementRequest", request));
  const { messages } = await collected(client.doAction(action, metadata));
  const result = Any.deserializeBinary(messages[0].getBody_asU8()).getValue_asU8();
  return sql.ActionCreatePreparedStatementResult.deserializeBinary(result).getPreparedStatementHandle_asU8();
}

/** A table as the messages of a Flight: an IPC stream is a mark, the length of a header, the header and a body, and again. */
function* messages(table) {
  const stream = Buffer.from(arrow.tableToIPC(table, "stream"));
  for (let at = 0; at < stream.length; ) {
    const start = at + 8;
    const end = start + stream.readUInt32LE(at + 4);
    if (end === start) return;
    const header = stream.subarray(start, end);
    at = end + Number(arrow.Message.decode(header).bodyLength);
    const data = new flight.FlightData();
    data.setDataHeader(header);
    data.setDataBody(stream.subarray(end, at));
    yield data;
  }
}

/** Gives a prepared statement its values; its handle, which is another where the server says so. */
async function bind(client, metadata, name, message, table) {
  const call = client.doPut(metadata);
  const answered = collected(call);
  let first = true;
  for (const data of messages(table)) {
    if (first) data.setFlightDescriptor(command(name, message));
    first = false;
    call.write(data);
  }
  call.end();
  return (await answered).messages[0].getAppMetadata_asU8();
}

async function rows(client, metadata, descriptor) {
  const info = await new Promise((resolve, reject) =>
    client.getFlightInfo(descriptor, metadata, (error, found) => (error ? reject(error) : resolve(found))),
  );
  const { messages: parts } = await collected(client.doGet(info.getEndpointList()[0].getTicket(), metadata));
  return arrow.tableFromIPC(parts.map(ipc)).toArray().map((row) => Object.values(row.toJSON()).map(String));
}

/** A message of a Flight as one of an IPC stream: a mark, the length of the header, the header, the body. */
function ipc(data) {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0xffffffff, 0);
  head.writeUInt32LE(data.getDataHeader_asU8().length, 4);
  return Buffer.concat([head, data.getDataHeader_asU8(), data.getDataBody_asU8()]);
}

async function ask(client, metadata, query, table) {
  const message = new sql.CommandPreparedStatementQuery();
  message.setPreparedStatementHandle(await prepare(client, metadata, query));
  const result = await bind(client, metadata, "CommandPreparedStatementQuery", message, table);
  const renewed = sql.DoPutPreparedStatementResult.deserializeBinary(result).getPreparedStatementHandle_asU8();
  if (renewed.length > 0) message.setPreparedStatementHandle(renewed);
  return rows(client, metadata, command("CommandPreparedStatementQuery", message));
}

async function answers(port, login, office) {
  const client = new FlightServiceClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const metadata = await bearer(client, login);
  const offices = (value) => arrow.tableFromArrays({ office: [value] });
  const counting = "select count(*) from fact_item where office_id = ?";
  const told = {
    known: await ask(client, metadata, counting, offices(office)),
    unknown: await ask(client, metadata, counting, offices("no such office")),
    number: await ask(client, metadata, "select cast(? as bigint) + 1", arrow.tableFromArrays({ n: BigInt64Array.of(41n) })),
  };
  client.close();
  return told;
}

module.exports = { answers };
