"""seeds.py FOLDER: writes what the fuzzer begins with, a folder for each target: good files, messages, commands.

The first byte of an input chooses: a table (`TABLES` of src/readers.rs), a call (src/wire.rs).
"""

import hashlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "python"))

import pyarrow as pa  # noqa: E402  (our folder comes on the path first)
import pyarrow.csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from haetae_testing import BIN  # noqa: E402

TABLES = ["fact_item", "fact_inspection", "fact_partner_export", "dim_importer", "dim_office", "dim_hs", "dim_courier"]
KCS = """Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,\
Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,\
Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud
97061800,2020-01-01,30,B,11,21,11,10,D1,I1,S1,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0
85945189,2020-01-01,40,B,11,21,11,40,D2,I2,S2,C1,10129,CN,DE,8.0,A,Y,11352.0,375751.2,1,1
"""
MESSAGE = (Path(__file__).parent / "message.xml").read_text()
STATEMENTS = [
    "select 1",
    "select * from fact_item where office_id = '40' order by item_price_krw desc limit 3",
    "select origin_country, count(*), avg(duty_rate) from fact_item group by 1 having count(*) > 1",
    "with a as (select * from dim_office) select a.office_id, row_number() over (order by office_id) from a",
    "explain select * from fact_item join dim_importer using (importer_id)",
    "describe fact_item",
    "select ?::bigint + $2, 'ünï', date '2020-01-01' - interval '1' month, cast(1.5 as decimal(9, 2))",
]
CHANGES = ["insert into work.t values (1, 'x')", "delete from work.t where n = ?", "update work.t set n = 2 where n = 1"]


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, value):
    """A field of a protobuf message: bytes, a text or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(name, body=b""):
    """A message of Flight SQL in an `Any`."""
    return field(1, f"type.googleapis.com/arrow.flight.protocol.sql.{name}") + field(2, body)


def piece(content):
    return len(content).to_bytes(2, "little") + content


def pieces(table):
    """The messages of an IPC stream: header and body of each, with their lengths."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream, at, found = sink.getvalue(), 0, b""
    while length := int.from_bytes(stream[at + 4 : at + 8], "little"):
        header = stream[at + 8 : at + 8 + length]
        size = pa.ipc.read_message(pa.py_buffer(stream[at:])).body
        size = size.size if size is not None else 0
        at += 8 + length + size
        found += piece(header) + piece(stream[at - size : at])
    return found


def commands():
    """Calls of the server, each with the kind of the call in front."""
    reads = [packed("CommandStatementQuery", field(1, sql)) for sql in STATEMENTS]
    reads += [packed(name) for name in ("CommandGetCatalogs", "CommandGetTableTypes", "CommandGetXdbcTypeInfo")]
    reads += [
        packed("CommandGetDbSchemas", field(1, "haetae") + field(2, "c%")),
        packed("CommandGetTables", field(2, "customs") + field(3, "dim_%") + field(4, "TABLE") + field(5, 1)),
        packed("CommandGetSqlInfo", field(1, varint(0) + varint(500))),
        packed("CommandGetXdbcTypeInfo", field(1, 4)),
        packed("CommandStatementSubstraitPlan", field(1, field(1, b"plan") + field(2, "0.60"))),
        packed("CommandPreparedStatementQuery", field(1, b"handle")),
    ]
    keys = field(2, "customs") + field(3, "fact_item")
    reads += [packed(f"CommandGet{kind}Keys", keys) for kind in ("Primary", "Exported", "Imported")]
    reads.append(packed("CommandGetCrossReference", keys + field(5, "customs") + field(6, "dim_office")))
    yield from (bytes([kind]) + read for read in reads for kind in range(3))
    bodies = [
        packed("ActionCreatePreparedStatementRequest", field(1, STATEMENTS[-1])),
        packed("ActionClosePreparedStatementRequest", field(1, b"handle")),
        field(1, field(1, b"schema") + field(3, field(1, field(1, b"ticket")))),
        packed("ActionCancelQueryRequest", field(1, field(3, b""))),
        field(1, field(1, field(1, b"ticket"))),
        field(1, field(1, "query_seconds") + field(2, field(3, 5))),
        b"",
        packed("ActionBeginTransactionRequest"),
        packed("ActionEndTransactionRequest", field(1, b"id") + field(2, 1)),
        packed("ActionBeginSavepointRequest", field(1, b"id") + field(2, "name")),
        packed("ActionEndSavepointRequest", field(1, b"id") + field(2, 1)),
        b"token",
        packed("ActionCreatePreparedSubstraitPlanRequest", field(1, field(1, b"plan"))),
    ]
    yield from (bytes([3, number]) + body for number, body in enumerate(bodies))
    rows = pieces(pa.table({"n": [1, 2], "name": ["a", None]}))
    for mode in (1, 2):
        body = field(1, field(1, mode) + field(2, mode)) + field(2, "t") + field(3, "work")
        yield bytes([4]) + piece(packed("CommandStatementIngest", body)) + rows
    yield from (bytes([4]) + piece(packed("CommandStatementUpdate", field(1, sql))) for sql in CHANGES)
    yield bytes([4]) + piece(packed("CommandPreparedStatementUpdate", field(1, b"handle"))) + rows
    yield bytes([5]) + piece(packed("CommandStatementQuery", field(1, "select $1::bigint + 1"))) + pieces(pa.table({"n": [1]}))
    yield bytes([6])


def tables(folder):
    """The first rows of what the generator makes, by the number of the table."""
    subprocess.run([BIN / "haetae-synth", "--seed", "7", "--items", "50", "--out", folder], check=True, capture_output=True)
    for number, name in enumerate(TABLES):
        file = folder / f"tables/{name}.parquet"
        if file.exists():
            yield bytes([number]), pq.read_table(file).slice(0, 3)


def seeds(folder):
    """Target and input."""
    for number, table in tables(folder):
        sink = io.BytesIO()
        pa.csv.write_csv(table, sink)
        yield "csv", number + sink.getvalue()
        for options in ({"compression": "none"}, {"compression": "zstd", "use_dictionary": False, "data_page_version": "2.0"},
                        {"compression": "snappy", "write_page_index": True}):
            sink = io.BytesIO()
            pq.write_table(table, sink, **options)
            yield "parquet", number + sink.getvalue()
        for new in (pa.ipc.new_file, pa.ipc.new_stream):
            sink = io.BytesIO()
            with new(sink, table.schema) as writer:
                writer.write_table(table)
            yield "ipc", number + sink.getvalue()
    yield "csv", bytes([len(TABLES)]) + KCS.encode()
    yield "message", MESSAGE.encode()
    yield "message", MESSAGE.replace("</GoodsShipment>", "<!-- -->").encode()
    yield from (("command", command) for command in commands())
    yield "ticket", b"\x00" + packed("TicketStatementQuery", field(1, b"handle"))
    yield "ticket", b"\x00" + packed("CommandGetTables")
    yield from (("ticket", bytes([kind, 40, 0, 1])) for kind in (1, 2))


def main(folder):
    with tempfile.TemporaryDirectory() as made:
        for target, content in seeds(Path(made) / "data"):
            place = folder / target
            place.mkdir(parents=True, exist_ok=True)
            (place / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: expected one word: the folder to write into")
    main(Path(sys.argv[1]))
